// Says what happened, for those who do not see it happen.

import { signal } from "@preact/signals";
import type { State } from "./state";
import type { Call, Operation } from "./wire";
import { isHeld, nameOf, operationName, people, titleOf } from "./words";

export interface Announcement {
  text: string;
  isAlarm: boolean;
}

/** The newest sentence. A screen reader reads it out; failures are shown to everybody. */
export const announcement = signal<Announcement>({ text: "", isAlarm: false });

export function announce(text: string, isAlarm = false): void {
  announcement.value = { text, isAlarm };
}

/** Announces what two states of the calls differ in, as far as somebody would want to be interrupted for it. */
export function announceChanges(before: State, after: State): void {
  if (!before.isKnown || before.calls === after.calls) return;
  for (const call of after.calls.values()) {
    const old = before.calls.get(call.id);
    if (old === call) continue;
    const failed = old && newFailure(old, call);
    if (failed) announce(`${operationName(failed)} failed. ${failed.resultInfo?.message ?? ""}`, true);
    else if (!old) announce(`New call: ${titleOf(call)}.`);
    else announceRoster(old, call);
  }
  for (const call of before.calls.values()) {
    if (!after.calls.has(call.id)) announce(`The call of ${titleOf(call)} has ended.`);
  }
}

/** One that was begun and ended between two events was not running in the first of them. */
function newFailure(before: Call, after: Call): Operation | undefined {
  const known = new Set(before.operations.filter((operation) => operation.status === "failed").map(({ id }) => id));
  return after.operations.find((operation) => operation.status === "failed" && !known.has(operation.id));
}

function announceRoster(before: Call, after: Call): void {
  const change = changeOfRoster(before, after);
  if (change) announce(change);
}

function changeOfRoster(before: Call, after: Call): string | null {
  for (const participant of people(after)) {
    const old = before.participants.find((other) => other.id === participant.id);
    const name = nameOf(participant.identity);
    if (!old || (old.state === "ringing" && participant.state === "joined")) return `${name} has joined.`;
    if (isHeld(old) !== isHeld(participant)) return `${name} is ${isHeld(participant) ? "on hold" : "back in the call"}.`;
    if (old.isMuted !== participant.isMuted) return `${name} is ${participant.isMuted ? "muted" : "no longer muted"}.`;
  }
  const left = people(before).find((old) => !after.participants.some((participant) => participant.id === old.id));
  return left ? `${nameOf(left.identity)} has left.` : null;
}
