// Asks the server, as the person who has signed in.

import { SignInNeeded, accessToken, forgetToken } from "./sign_in";
import type { Call, LedgerEntry, Me, Participant, Preflight, Prompt, Timeline } from "./wire";

const ROOT = "/fermata/v1";

/** An answer that is no success, in the server's own words. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Sends a request with a token, and once more with a new one if the server does not take it. */
export async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const send = async () => {
    const headers = { ...init.headers, Authorization: `Bearer ${await accessToken()}` };
    return fetch(ROOT + path, { cache: "no-store", ...init, method, headers });
  };
  let response = await send();
  if (response.status === 401) {
    forgetToken();
    response = await send();
  }
  if (response.status === 401) throw new SignInNeeded();
  if (!response.ok) throw new Refusal(response.status, await sentence(response));
  return response;
}

async function sentence(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { error?: { message?: string } };
    if (body.error?.message) return body.error.message;
  } catch {
    // Something between us and the server has answered.
  }
  return `The server answered ${response.status}.`;
}

async function get<T>(path: string): Promise<T> {
  return (await ask("GET", path)).json() as Promise<T>;
}

async function post(path: string, body: unknown = {}): Promise<Response> {
  return ask("POST", path, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

export const me = () => get<Me>("/me");

export const callsWithEnded = async () => (await get<{ value: Call[] }>("/calls?ended=true")).value;

export const timeline = (call: Call) => get<Timeline>(`/calls/${call.id}/timeline`);

/** Returns the ledger whole: it comes in pages of a hundred. */
export async function notifications(call: Call): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = [];
  for (;;) {
    const path = `/calls/${call.id}/notifications?$skip=${entries.length}`;
    const page = await get<{ value: LedgerEntry[]; "@odata.nextLink"?: string }>(path);
    entries.push(...page.value);
    if (!page["@odata.nextLink"] || page.value.length === 0) return entries;
  }
}

export const redeliver = (call: Call, entry: LedgerEntry) =>
  post(`/calls/${call.id}/notifications/${entry.sequence}/redeliver`);

export const redeliverDead = (call: Call) => post(`/calls/${call.id}/notifications/redeliver`);

export const prompts = async () => (await get<{ value: Prompt[] }>("/prompts")).value;

export const preflight = async (uri: string) => (await post("/prompts/preflight", { uri })).json() as Promise<Preflight>;

/** What an operator does to one participant. */
export type Verb = "startHoldMusic" | "stopHoldMusic" | "mute" | "unmute";

export const act = (call: Call, participant: Participant, verb: Verb) =>
  post(`/calls/${call.id}/participants/${participant.id}/${verb}`);

export const remove = (call: Call, participant: Participant) =>
  ask("DELETE", `/calls/${call.id}/participants/${participant.id}`);

export const hangUp = (call: Call) => ask("DELETE", `/calls/${call.id}`);
