// What the page knows at the moment. Components read these signals and are drawn again when they change.

import { computed, signal } from "@preact/signals";
import { callsWithEnded, me as askWho } from "./api";
import { announceChanges } from "./announce";
import { SignInNeeded } from "./sign_in";
import { nothing, reduce, remember } from "./state";
import { type Connection, follow } from "./stream";
import type { Call, Me } from "./wire";

export const state = signal(nothing);
export const calls = computed(() => state.value.calls);
export const ended = computed(() => state.value.ended);
export const levels = computed(() => state.value.levels);
export const media = computed(() => state.value.media);

export const connection = signal<Connection>("connecting");
export const me = signal<Me | null>(null);

/** Who is here: nobody yet, somebody without a role, or why nobody can be. */
export type Entrance = { is: "waiting" | "form" | "open" } | { is: "refused" | "broken"; message: string };
export const entrance = signal<Entrance>({ is: "waiting" });

/** Whether the session of somebody who was here has ended. */
export const isSessionOver = signal(false);

export const mayOperate = computed(() => me.value?.roles.includes("Console.Operate") ?? false);

/** The time, to the second, for everything that counts up. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1000);

export function findCall(id: string | null): Call | undefined {
  return id === null ? undefined : (calls.value.get(id) ?? ended.value.get(id));
}

/** Signs in, and follows the calls from then on. */
export async function enter(): Promise<void> {
  try {
    me.value = await askWho();
  } catch (error) {
    entrance.value = error instanceof SignInNeeded ? { is: "form" } : { is: "broken", message: messageOf(error) };
    return;
  }
  void follow({
    event(event) {
      const before = state.value;
      state.value = reduce(before, event);
      entrance.value = { is: "open" };
      if (event.event === "snapshot" && !before.isKnown) void rememberEnded();
      announceChanges(before, state.value);
    },
    connection(value) {
      connection.value = value;
    },
    failed(error) {
      connection.value = "lost";
      if (!(error instanceof SignInNeeded)) entrance.value = { is: "refused", message: messageOf(error) };
      else if (state.value.isKnown) isSessionOver.value = true;
      else entrance.value = { is: "form" };
    },
  });
}

/** Without them the list only begins now, which is no reason to fail. */
async function rememberEnded(): Promise<void> {
  try {
    state.value = remember(state.value, await callsWithEnded());
  } catch {
    return;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error && error.message ? error.message : "Something went wrong.";
}
