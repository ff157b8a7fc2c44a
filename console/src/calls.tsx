// The list of calls beside the call that is looked at. On a phone it is one or the other.

import { useComputed, useSignal } from "@preact/signals";
import { CallView } from "./call";
import { Mark } from "./mark";
import { callLink, route } from "./route";
import { Start } from "./start";
import { calls, ended, findCall } from "./store";
import { Clock, Elapsed } from "./time";
import type { Call } from "./wire";
import { applicationOf, isHeld, nameOf, operationName, people, stateOf, titleOf } from "./words";

/** From how many calls on it is quicker to type than to look. */
const SEARCH_FROM = 6;

export function Calls() {
  const at = route.value;
  const chosen = at.page === "calls" ? at.call : null;
  const live = [...calls.value.values()];
  const call = chosen ? findCall(chosen) : (live[0] ?? null);
  if (live.length === 0 && ended.value.size === 0 && !chosen) return <Start />;
  return (
    <main class={chosen ? "calls has-chosen" : "calls"}>
      <List chosen={call?.id ?? null} />
      <div class="detail" id="main" tabIndex={-1}>
        {call ? <CallView key={call.id} call={call} tab={at.page === "calls" ? at.tab : "operations"} /> : <Gone wasChosen={chosen !== null} />}
      </div>
    </main>
  );
}

function Gone({ wasChosen }: { wasChosen: boolean }) {
  return (
    <div class="gone">
      <h1>{wasChosen ? "This call is no longer known" : "No live call"}</h1>
      <p class="quiet">
        {wasChosen ? "It has ended, and what was told of it is forgotten." : "New calls appear here by themselves. Calls that have ended are in the list."}
      </p>
      {wasChosen && <a href="#/">All calls</a>}
    </div>
  );
}

function List({ chosen }: { chosen: string | null }) {
  const wanted = useSignal("");
  const found = useComputed(() => [...calls.value.values()].filter((call) => matches(call, wanted.value)));
  const over = [...ended.value.values()].filter((call) => matches(call, wanted.value));
  const hasSearch = calls.value.size + ended.value.size >= SEARCH_FROM;
  return (
    <nav class="list" aria-label="Calls" onKeyDown={walk}>
      <h1 class="unseen">Calls</h1>
      {hasSearch && (
        <input
          type="search"
          aria-label="Find a call by name, application or id"
          placeholder="Find a call"
          value={wanted.value}
          onInput={(event) => (wanted.value = event.currentTarget.value)}
        />
      )}
      <h2>
        Live <span class="quiet">{found.value.length}</span>
      </h2>
      {found.value.length === 0 && <p class="quiet none">{wanted.value ? "None of this name." : "None at the moment."}</p>}
      <ul>
        {found.value.map((call) => (
          <Entry key={call.id} call={call} isChosen={call.id === chosen} />
        ))}
      </ul>
      {over.length > 0 && (
        <>
          <h2>
            Ended <span class="quiet">{over.length}</span>
          </h2>
          <ul class="over">
            {over.map((call) => (
              <Entry key={call.id} call={call} isChosen={call.id === chosen} />
            ))}
          </ul>
        </>
      )}
    </nav>
  );
}

function Entry({ call, isChosen }: { call: Call; isChosen: boolean }) {
  const held = people(call).filter(isHeld);
  const failed = call.operations.findLast((operation) => operation.status === "failed");
  const isOver = call.state === "terminated";
  return (
    <li>
      <a href={callLink(call.id)} aria-current={isChosen ? "true" : undefined}>
        <span class="who">{titleOf(call)}</span>
        <span class="when">
          {isOver ? <Clock at={call.endedDateTime ?? call.createdDateTime} /> : <Elapsed since={call.createdDateTime} />}
        </span>
        <span class="what">
          {held.map((participant) => (
            <span key={participant.id} class="tag is-held">
              <Mark /> {nameOf(participant.identity)} on hold
            </span>
          ))}
          {failed && <span class="tag is-failed">{operationName(failed)} failed</span>}
          {!isOver && call.state !== "established" && <span class="tag">{stateOf(call)}</span>}
          <span class="quiet">{applicationOf(call)}</span>
        </span>
      </a>
    </li>
  );
}

function matches(call: Call, wanted: string): boolean {
  const text = `${titleOf(call)} ${applicationOf(call)} ${call.id}`.toLowerCase();
  return text.includes(wanted.trim().toLowerCase());
}

/** The arrow keys go from call to call; the tabulator still does, too. */
function walk(event: KeyboardEvent) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const list = event.currentTarget as HTMLElement;
  const links = [...list.querySelectorAll<HTMLAnchorElement>("li a")];
  const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
