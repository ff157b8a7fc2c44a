// Every documented error arrives as the client's GraphError, with Graph's code and ids.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { GraphError } from '@microsoft/microsoft-graph-client';

import { Callback } from './callback.mjs';
import { CALLS, Conversation, newCall } from './conversation.mjs';
import { PHONES, POWERLESS, fixedToken, graph, secretCredential } from './environment.mjs';

// More than the MiB that a body may have.
const TOO_LARGE = 'x'.repeat(2 << 20);

const unknownCall = () => `${CALLS}/${randomUUID()}`;
const unknownHold = () => `${unknownCall()}/participants/${randomUUID()}/startHoldMusic`;

/** Checks the error of a request, and returns its message. */
async function assertFails(status, code, request) {
  const error = await request.then(() => assert.fail('it succeeded'), (error) => error);
  assert.ok(error instanceof GraphError, error);
  assert.deepEqual([error.statusCode, error.code], [status, code], error.message);
  assert.match(error.requestId, /^[0-9a-f-]{36}$/);
  assert.ok(!Number.isNaN(error.date.getTime()));
  return error.message;
}

test('401: a token that is none', async () => {
  await assertFails(401, 'InvalidAuthenticationToken', graph(fixedToken('none')).api(CALLS).get());
});

test('403: an application without the role', { skip: !POWERLESS && 'FERMATA_POWERLESS is not set' }, async () => {
  const message = await assertFails(403, '7504', graph(secretCredential(...POWERLESS)).api(CALLS).get());
  assert.match(message, /Calls\.Initiate\.All/);
});

test('404: a call that is not there', async () => {
  await assertFails(404, '8522', graph().api(unknownCall()).get());
  await assertFails(404, '8522', graph().api(unknownCall()).delete());
  await assertFails(404, '8522', graph().api(unknownHold()).post({}));
});

test('400: a member that is wrong or missing', async () => {
  const tooLong = graph().api(unknownHold()).post({ clientContext: 'x'.repeat(257) });
  assert.match(await assertFails(400, '8523', tooLong), /'clientContext'/);
  const nobody = graph().api(CALLS).post(newCall({ uri: 'http://127.0.0.1:65535/' }, []));
  assert.match(await assertFails(400, '8523', nobody), /'targets'/);
});

test('405: a method that is not served', async () => {
  await assertFails(405, '8520', graph().api(`${unknownCall()}/playPrompt`).post({}));
});

test('413: a body that is too large', async () => {
  const large = graph().api(unknownHold()).post({ clientContext: TOO_LARGE });
  await assertFails(413, 'RequestEntityTooLarge', large);
});

test('409: a second participant on hold', async (context) => {
  const callback = await Callback.start();
  context.after(() => callback.close());
  const conversation = await Conversation.of(graph(), callback, PHONES.slice(0, 2));
  const [first, second] = await Promise.all(PHONES.slice(0, 2).map((uri) => conversation.participantId(uri)));
  await conversation.post(`/participants/${first}/startHoldMusic`, { clientContext: 'first' });
  const refused = conversation.post(`/participants/${second}/startHoldMusic`);
  assert.ok((await assertFails(409, '8519', refused)).includes(first));
  await conversation.end();
});
