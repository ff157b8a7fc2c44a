// What is known of the calls, as a pure function of the events that came.

import type { Call, Media } from "./wire";

/** How many calls that have ended stay to be looked at. More would push the live ones out of sight. */
const ENDED_MAX = 20;

export interface State {
  /** Whether the first snapshot is there. */
  isKnown: boolean;
  /** Live calls by id, oldest first. */
  calls: ReadonlyMap<string, Call>;
  /** Calls that have ended by id, newest first. */
  ended: ReadonlyMap<string, Call>;
  /** By participant, in dBFS. */
  levels: ReadonlyMap<string, number>;
  /** By participant: what is newer than the call itself. */
  media: ReadonlyMap<string, Media>;
}

export type StreamEvent =
  | { event: "snapshot"; data: { calls: Call[] } }
  | { event: "call"; data: Call }
  | { event: "ended"; data: { id: string; call: Call | null } }
  | { event: "levels"; data: Record<string, number> }
  | { event: "media"; data: Record<string, Media> };

export const nothing: State = {
  isKnown: false,
  calls: new Map(),
  ended: new Map(),
  levels: new Map(),
  media: new Map(),
};

/** Returns what is known after an event. What did not change keeps its identity, so that nobody draws it again. */
export function reduce(state: State, { event, data }: StreamEvent): State {
  switch (event) {
    case "snapshot":
      return snapshot(state, data.calls);
    case "call":
      return { ...state, calls: new Map(state.calls).set(data.id, data), media: without(state.media, data) };
    case "ended":
      return ended(state, data.id, data.call);
    case "levels":
      return { ...state, levels: new Map([...state.levels, ...Object.entries(data)]) };
    case "media":
      return { ...state, media: new Map([...state.media, ...Object.entries(data)]) };
  }
}

/** Adds calls that had ended before the page was opened. */
export function remember(state: State, calls: Call[]): State {
  const over = calls.filter((call) => call.state === "terminated" && !state.ended.has(call.id));
  const all = [...state.ended.values(), ...over].sort((a, b) => endOf(b).localeCompare(endOf(a)));
  return { ...state, ended: byId(all.slice(0, ENDED_MAX)) };
}

/** A snapshot stands for everything that was missed: who is not in it has gone meanwhile. */
function snapshot(state: State, calls: Call[]): State {
  const live = byId(calls);
  const gone = [...state.calls.values()].filter((call) => !live.has(call.id));
  const ended = gone.reduceRight((known, call) => keep(known, { ...call, state: "terminated" }), state.ended);
  return { isKnown: true, calls: live, ended, levels: new Map(), media: new Map() };
}

function ended(state: State, id: string, last: Call | null): State {
  const known = state.calls.get(id);
  const calls = new Map(state.calls);
  calls.delete(id);
  const call = last ?? (known && { ...known, state: "terminated" });
  const participants = known?.participants.map((participant) => participant.id) ?? [];
  const levels = new Map(state.levels);
  const media = new Map(state.media);
  for (const participant of participants) {
    levels.delete(participant);
    media.delete(participant);
  }
  return { ...state, calls, levels, media, ended: call ? keep(state.ended, call) : state.ended };
}

function keep(ended: ReadonlyMap<string, Call>, call: Call): ReadonlyMap<string, Call> {
  const others = [...ended.values()].filter((other) => other.id !== call.id);
  return byId([call, ...others].slice(0, ENDED_MAX));
}

function without(media: ReadonlyMap<string, Media>, call: Call): ReadonlyMap<string, Media> {
  const stale = call.participants.filter((participant) => media.has(participant.id));
  if (stale.length === 0) return media;
  const kept = new Map(media);
  for (const participant of stale) kept.delete(participant.id);
  return kept;
}

function byId(calls: Call[]): ReadonlyMap<string, Call> {
  return new Map(calls.map((call) => [call.id, call]));
}

function endOf(call: Call): string {
  return call.endedDateTime ?? call.createdDateTime;
}
