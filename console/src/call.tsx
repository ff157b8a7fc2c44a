// One call: who is in it and hears whom, and what was done, told and observed.

import { announce } from "./announce";
import { hangUp } from "./api";
import { confirm } from "./confirmation";
import { Notifications } from "./notifications";
import { Operations } from "./operations";
import { Roster } from "./roster";
import { TABS, type Tab, callLink } from "./route";
import { mayOperate, messageOf } from "./store";
import { Elapsed } from "./time";
import { TimelineView } from "./timeline";
import type { Call } from "./wire";
import { applicationOf, shortId, stateOf, titleOf } from "./words";

export function CallView({ call, tab }: { call: Call; tab: Tab }) {
  const isOver = call.state === "terminated";
  return (
    <article class="call" aria-labelledby="call-title">
      <a class="back" href="#/">
        All calls
      </a>
      <header class="call-head">
        <div>
          <h1 id="call-title">{titleOf(call)}</h1>
          <p class="facts">
            <span class={`state is-${call.state}`}>{stateOf(call)}</span>
            <span>
              <Elapsed since={call.createdDateTime} until={call.endedDateTime} />
            </span>
            <span>{call.kind === "group" ? "Group call" : "Call of two"}</span>
            <span>made by {applicationOf(call)}</span>
            <CopyId id={call.id} />
          </p>
        </div>
        {mayOperate.value && !isOver && (
          <button class="danger" type="button" onClick={() => void end(call)}>
            Hang up
          </button>
        )}
      </header>
      {call.resultInfo && <Outcome call={call} />}
      {!isOver && <Roster call={call} />}
      <Tabs call={call} tab={tab} />
    </article>
  );
}

function Outcome({ call }: { call: Call }) {
  const { code, subcode, message } = call.resultInfo!;
  return (
    <p class={code >= 400 ? "outcome is-failed" : "outcome"}>
      {message || "It ended."} <span class="quiet">code {code}, subcode {subcode}</span>
    </p>
  );
}

function CopyId({ id }: { id: string }) {
  const copy = async () => {
    await navigator.clipboard.writeText(id);
    announce("The id is copied.");
  };
  return (
    <button class="plain id" type="button" title={id} aria-label={`Copy the call's id ${id}`} onClick={() => void copy()}>
      {shortId(id)}
    </button>
  );
}

async function end(call: Call): Promise<void> {
  const question = `Hang up the call of ${titleOf(call)}?`;
  if (!(await confirm({ question, detail: "Everybody in it is hung up, and the application is told.", action: "Hang up" }))) return;
  try {
    await hangUp(call);
  } catch (error) {
    announce(`The call was not hung up. ${messageOf(error)}`, true);
  }
}

const TAB_NAMES: Record<Tab, string> = { operations: "Operations", notifications: "Notifications", timeline: "Timeline" };

function Tabs({ call, tab }: { call: Call; tab: Tab }) {
  return (
    <section class="tabs" aria-label="What happened">
      <div role="tablist" aria-label="What happened" onKeyDown={(event) => walk(event, call, tab)}>
        {TABS.map((name) => (
          <a
            key={name}
            id={`tab-${name}`}
            role="tab"
            href={callLink(call.id, name)}
            aria-selected={name === tab}
            aria-controls="tab-panel"
            tabIndex={name === tab ? 0 : -1}
          >
            {TAB_NAMES[name]}
          </a>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" tabIndex={0} aria-labelledby={`tab-${tab}`}>
        {tab === "operations" && <Operations call={call} />}
        {tab === "notifications" && <Notifications call={call} />}
        {tab === "timeline" && <TimelineView call={call} />}
      </div>
    </section>
  );
}

/** As the pattern for tabs has it: the arrows choose, the tabulator leaves. */
function walk(event: KeyboardEvent, call: Call, tab: Tab) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length]!;
  location.hash = callLink(call.id, next);
  document.getElementById(`tab-${next}`)?.focus();
}
