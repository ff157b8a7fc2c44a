// Everything that happened in a call, in order. A failure can be read here without the log.

import { useSignal } from "@preact/signals";
import { timeline } from "./api";
import { useFetched } from "./fetched";
import { Clock } from "./time";
import type { Call, TimelineEntry } from "./wire";

const KINDS: Record<TimelineEntry["kind"], string> = { command: "Command", fact: "Fact", effect: "Effect", notice: "Notice" };

export function TimelineView({ call }: { call: Call }) {
  const known = useFetched(() => timeline(call), `${call.id} ${call.revision}`);
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  if (known.problem) return <p class="why">{known.problem}</p>;
  if (!known.value) return <p class="quiet none">Loading</p>;
  const { value, dropped } = known.value;
  const toggle = (kind: string) => {
    const next = new Set(hidden.value);
    if (!next.delete(kind)) next.add(kind);
    hidden.value = next;
  };
  return (
    <>
      <fieldset class="filter">
        <legend class="unseen">Show</legend>
        {Object.entries(KINDS).map(([kind, name]) => (
          <label key={kind}>
            <input type="checkbox" checked={!hidden.value.has(kind)} onChange={() => toggle(kind)} /> {name}s
          </label>
        ))}
      </fieldset>
      {dropped > 0 && <p class="quiet none">The {dropped} oldest entries are no longer kept.</p>}
      <ol class="timeline">
        {value
          .filter((entry) => !hidden.value.has(entry.kind))
          .map((entry) => (
            <li key={entry.sequence} class={`moment is-${entry.kind} ${isBad(entry) ? "is-bad" : ""}`}>
              <Clock at={entry.dateTime} exact />
              <span class="kind">{KINDS[entry.kind]}</span>
              <span class="text">{entry.text}</span>
            </li>
          ))}
      </ol>
    </>
  );
}

function isBad(entry: TimelineEntry): boolean {
  return entry.outcome === "refused" || /fail|lost/i.test(entry.name);
}
