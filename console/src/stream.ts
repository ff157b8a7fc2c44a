// Follows the events of the server for as long as the page is open.

import { ask } from "./api";
import { SignInNeeded } from "./sign_in";
import { MessageReader } from "./sse";
import type { StreamEvent } from "./state";

/** Waits between attempts, in milliseconds: from the first to the longest. */
const RETRY_MIN_MS = 1000;
const RETRY_MAX_MS = 15_000;

/** How long nothing may come before the connection counts as dead. The server says something every 15 s. */
const SILENCE_MAX_MS = 40_000;

export type Connection = "connecting" | "live" | "lost";

interface Listener {
  event(event: StreamEvent): void;
  connection(connection: Connection): void;
  /** The stream cannot be had until somebody does something. */
  failed(error: Error): void;
}

/** Reads until somebody has to sign in or is refused; every other end is followed by another attempt. */
export async function follow(listener: Listener): Promise<void> {
  let wait = RETRY_MIN_MS;
  for (;;) {
    let isAlive = false;
    try {
      await readOnce((event) => {
        isAlive = true;
        wait = RETRY_MIN_MS;
        listener.connection("live");
        listener.event(event);
      });
      // The server ends it in order when the token has expired: the next one follows at once.
      if (isAlive) continue;
    } catch (error) {
      if (isFinal(error)) return listener.failed(error as Error);
    }
    listener.connection("lost");
    await new Promise((resume) => setTimeout(resume, wait));
    wait = Math.min(wait * 2, RETRY_MAX_MS);
  }
}

/** A server that is busy or away comes back; a person without the role stays without. */
function isFinal(error: unknown): boolean {
  return error instanceof SignInNeeded || (error instanceof Error && "status" in error && error.status === 403);
}

async function readOnce(take: (event: StreamEvent) => void): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
  try {
    const response = await ask("GET", "/events", { signal: silence.signal });
    const body = response.body;
    if (!body) return;
    const text = new TextDecoder();
    const messages = new MessageReader(({ event, data }) => take({ event, data: JSON.parse(data) } as StreamEvent));
    for await (const bytes of chunks(body)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
      messages.push(text.decode(bytes, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}

async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
