// Who is in the call, drawn as a system of staves: a bracket joins those who are together, and who is held stands outside
// of it under a fermata.

import { useSignal } from "@preact/signals";
import { announce } from "./announce";
import { type Verb, act, remove } from "./api";
import { confirm } from "./confirmation";
import { Mark } from "./mark";
import { Meter } from "./meter";
import { mayOperate, media, messageOf } from "./store";
import { Elapsed } from "./time";
import type { Call, Layer, Media, Participant } from "./wire";
import { addressOf, codecName, heardBy, hears, isHeld, layerName, layerOf, nameOf, ownerName, people, transportName } from "./words";

export function Roster({ call }: { call: Call }) {
  const participants = people(call);
  return (
    <section class="roster" aria-labelledby="roster-title">
      <h2 id="roster-title" class="unseen">
        Roster
      </h2>
      <div class="roster-head" aria-hidden="true">
        <span>Participant</span>
        <span>Hears</span>
        <span>Heard by</span>
        <span>Connection</span>
      </div>
      {participants.length === 0 && <p class="quiet none">Nobody has answered yet.</p>}
      <ul>
        {participants.map((participant) => (
          <Staff key={participant.id} call={call} participant={participant} />
        ))}
      </ul>
    </section>
  );
}

function Staff({ call, participant }: { call: Call; participant: Participant }) {
  const name = nameOf(participant.identity);
  const address = addressOf(participant.identity);
  const figures = media.value.get(participant.id) ?? participant.media;
  return (
    <li class={`staff is-${conditionOf(participant)}`}>
      <div class="name">
        <h3>
          {isHeld(participant) && <Mark />}
          {name}
        </h3>
        {address && <p class="quiet address">{address}</p>}
        {participant.state === "ringing" ? (
          <p class="quiet">
            Ringing, <Elapsed since={participant.since} />
          </p>
        ) : (
          <Meter participant={participant.id} name={name} initial={figures?.level ?? -100} />
        )}
      </div>
      <dl>
        <div class="hears">
          <dt>Hears</dt>
          <dd>{participant.state === "joined" ? hears(call, participant) : "–"}</dd>
        </div>
        <div class="heard">
          <dt>Heard by</dt>
          <dd>{participant.state === "joined" ? heardBy(call, participant) : "–"}</dd>
        </div>
        <div class="connection">
          <dt>Connection</dt>
          <dd>{figures ? <Figures media={figures} /> : "–"}</dd>
        </div>
      </dl>
      {participant.layers.length > 0 && (
        <ul class="layers" aria-label={`What keeps ${name} apart`}>
          {participant.layers.map((layer) => (
            <LayerLine key={layer.layer} layer={layer} />
          ))}
        </ul>
      )}
      {mayOperate.value && participant.state !== "left" && <Actions call={call} participant={participant} name={name} />}
    </li>
  );
}

function conditionOf(participant: Participant): string {
  if (participant.state === "ringing") return "ringing";
  if (isHeld(participant)) return "held";
  return layerOf(participant, "remoteHold") ? "away" : "joined";
}

function LayerLine({ layer }: { layer: Layer }) {
  return (
    <li class={`layer is-${layer.layer}`}>
      <strong>{layerName(layer)}</strong>{" "}
      <span class="quiet">
        by {ownerName(layer.owner)}, <Elapsed since={layer.since} />
      </span>
    </li>
  );
}

function Figures({ media }: { media: Media }) {
  const isLossy = media.lossPercent >= 1 || (media.remoteLossPercent ?? 0) >= 1;
  return (
    <>
      <span class="wire">
        {codecName(media.codec)}, {transportName(media.transport)}
      </span>
      <span class="quality">
        <span class={isLossy ? "is-bad" : ""}>loss {media.lossPercent.toFixed(1)} %</span>{" "}
        <span>jitter {media.jitterMilliseconds.toFixed(1)} ms</span>{" "}
        <span title={media.encryption ?? undefined}>{media.encryption ? "encrypted" : "in clear"}</span>
      </span>
    </>
  );
}

function Actions({ call, participant, name }: { call: Call; participant: Participant; name: string }) {
  const underWay = useSignal(false);
  const run = async (what: string, action: () => Promise<unknown>) => {
    if (underWay.value) return;
    underWay.value = true;
    try {
      await action();
    } catch (error) {
      announce(`${what} was refused for ${name}. ${messageOf(error)}`, true);
    } finally {
      underWay.value = false;
    }
  };
  const verb = (what: string, verb: Verb) => () => void run(what, () => act(call, participant, verb));
  const held = isHeld(participant);
  const muted = participant.isMuted;
  const isJoined = participant.state === "joined";
  const removed = async () => {
    const detail = "The phone is hung up, and the application is told.";
    if (await confirm({ question: `Remove ${name} from the call?`, detail, action: "Remove" })) {
      await run("Removing", () => remove(call, participant));
    }
  };
  // Not `disabled`: that would take the focus away from who has just pressed the button.
  const busy = underWay.value ? "true" : undefined;
  return (
    <div class="actions" role="group" aria-label={`Actions for ${name}`}>
      {isJoined && (
        <button type="button" aria-disabled={busy} onClick={held ? verb("Taking off hold", "stopHoldMusic") : verb("Holding", "startHoldMusic")}>
          {held ? "Take off hold" : "Hold"}
        </button>
      )}
      {isJoined && (
        <button type="button" aria-disabled={busy} onClick={muted ? verb("Unmuting", "unmute") : verb("Muting", "mute")}>
          {muted ? "Unmute" : "Mute"}
        </button>
      )}
      <button type="button" aria-disabled={busy} onClick={() => void removed()}>
        Remove
      </button>
    </div>
  );
}
