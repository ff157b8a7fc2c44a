import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageReader } from "./sse";
import { nothing, reduce, remember } from "./state";
import type { Call, Media, Participant } from "./wire";

const participant = (id: string) => ({ id, media: null }) as Participant;

function call(id: string, changes: Partial<Call> = {}): Call {
  const createdDateTime = "2026-11-23T19:00:00.000Z";
  return { id, revision: 1, state: "established", createdDateTime, participants: [participant(`p-${id}`)], ...changes } as Call;
}

const known = (...calls: Call[]) => reduce(nothing, { event: "snapshot", data: { calls } });

test("a call is replaced whole, and the others stay as they are", () => {
  const before = known(call("a"), call("b"));
  const after = reduce(before, { event: "call", data: call("b", { revision: 2 }) });
  assert.equal(after.calls.get("b")?.revision, 2);
  assert.equal(after.calls.get("a"), before.calls.get("a"));
  assert.deepEqual([...after.calls.keys()], ["a", "b"]);
});

test("a call that has ended is kept with its last state", () => {
  const after = reduce(known(call("a"), call("b")), { event: "ended", data: { id: "a", call: call("a", { state: "terminated" }) } });
  assert.deepEqual([...after.calls.keys()], ["b"]);
  assert.equal(after.ended.get("a")?.state, "terminated");
  const unseen = reduce(after, { event: "ended", data: { id: "b", call: null } });
  assert.equal(unseen.ended.get("b")?.state, "terminated");
});

test("who is not in a new snapshot has ended meanwhile", () => {
  const after = reduce(known(call("a"), call("b")), { event: "snapshot", data: { calls: [call("b"), call("c")] } });
  assert.deepEqual([...after.calls.keys()], ["b", "c"]);
  assert.equal(after.ended.get("a")?.state, "terminated");
});

test("levels and figures add up, draw no call anew, and end with their call", () => {
  const before = known(call("a"));
  const level = reduce(before, { event: "levels", data: { "p-a": -20 } });
  const both = reduce(level, { event: "media", data: { "p-a": { codec: "opus" } as Media } });
  assert.equal(both.calls, before.calls);
  assert.equal(both.levels.get("p-a"), -20);
  assert.equal(both.media.get("p-a")?.codec, "opus");
  assert.equal(reduce(both, { event: "call", data: call("a") }).media.size, 0, "a call brings its own figures");
  const ended = reduce(both, { event: "ended", data: { id: "a", call: null } });
  assert.deepEqual([ended.levels.size, ended.media.size], [0, 0]);
});

test("only so many ended calls are kept, the newest", () => {
  const over = Array.from({ length: 30 }, (_, hour) =>
    call(`c${hour}`, { state: "terminated", endedDateTime: new Date(hour * 3_600_000).toISOString() }),
  );
  const after = remember(known(call("live")), [call("live"), ...over]);
  assert.equal(after.ended.size, 20);
  assert.equal([...after.ended.keys()][0], "c29");
  assert.ok(!after.ended.has("live"));
});

test("messages are read however the stream is cut", () => {
  const text = ': hello\r\nid: 1\r\nevent: call\r\ndata: {"a":\r\ndata: 1}\r\n\r\nretry: 1000\n\nevent: levels\ndata: {}\n\n';
  for (const size of [1, 2, 3, 7, text.length]) {
    const messages: unknown[] = [];
    const reader = new MessageReader((message) => messages.push(message));
    for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size));
    assert.deepEqual(messages, [{ event: "call", data: '{"a":\n1}' }, { event: "levels", data: "{}" }], `by ${size}`);
  }
});
