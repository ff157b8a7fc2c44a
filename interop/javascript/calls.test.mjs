// The main job with @microsoft/microsoft-graph-client: call people, put one of them on hold, and what else there is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Callback } from './callback.mjs';
import { CALLS, Conversation, target } from './conversation.mjs';
import { PHONES, graph } from './environment.mjs';

// Two bytes and four bytes in UTF-8.
const CONTEXT = 'hold café 🎵';

let callback;
let conversation;

before(async () => {
  callback = await Callback.start();
  conversation = await Conversation.of(graph(), callback, PHONES.slice(0, 2));
});

after(async () => {
  await conversation?.end();
  callback.close();
});

test('a created call is the one that is read and listed', async () => {
  const { created } = conversation;
  const call = await conversation.get();
  assert.deepEqual([created.state, call.state, call.id], ['establishing', 'established', created.id]);
  const { value } = await graph().api(CALLS).get();
  assert.ok(value.some(({ id }) => id === created.id));
});

test('a participant is held with a prompt and released', async () => {
  const path = `/participants/${await conversation.participantId(PHONES[0])}`;
  const started = await conversation.post(`${path}/startHoldMusic`, {
    clientContext: CONTEXT,
    customPrompt: {
      '@odata.type': '#microsoft.graph.mediaPrompt',
      mediaInfo: { '@odata.type': '#microsoft.graph.mediaInfo', uri: callback.music },
    },
  });
  assert.equal(started['@odata.type'], '#microsoft.graph.startHoldMusicOperation');
  assert.deepEqual([started.status, started.clientContext], ['running', CONTEXT]);

  const ended = await callback.expectOperation(CONTEXT);
  assert.deepEqual([ended.id, ended.status], [started.id, 'completed']);
  const read = await conversation.get(`/operations/${started.id}`);
  assert.deepEqual([read.status, read.clientContext], ['completed', CONTEXT]);
  assert.equal((await conversation.get(path)).mediaStreams[0].direction, 'inactive');

  await conversation.post(`${path}/stopHoldMusic`, { clientContext: 'unhold' });
  assert.equal((await callback.expectOperation('unhold')).status, 'completed');
  assert.equal((await conversation.get(path)).mediaStreams[0].direction, 'sendReceive');
});

test('a participant is invited, muted and removed', async () => {
  await conversation.post('/participants/invite', { participants: [target(PHONES[2])], clientContext: 'invite' });
  assert.equal((await callback.expectOperation('invite')).status, 'completed');
  const guest = await conversation.participantId(PHONES[2]);

  const muted = await conversation.post(`/participants/${guest}/mute`, { clientContext: 'mute' });
  assert.deepEqual([muted.status, muted.clientContext], ['completed', 'mute']);
  const isMuted = (roster) => roster.some(({ id, isMuted }) => id === guest && isMuted);
  await callback.expectRoster('the guest is muted', isMuted);

  assert.equal(await conversation.delete(`/participants/${guest}`), undefined);
  const isGone = (roster) => roster.length === 3 && roster.every(({ id }) => id !== guest);
  await callback.expectRoster('the guest is gone', isGone);
});

test('query options are honoured', async () => {
  const request = graph().api(`${conversation.path}/participants`);
  const listed = await request.select(['id', 'isMuted']).count(true).top(2).get();
  assert.equal(listed['@odata.count'], 3);
  assert.deepEqual(listed.value.map(Object.keys), Array(2).fill(['@odata.type', 'id', 'isMuted']));
});
