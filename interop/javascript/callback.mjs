// A bot's side of HTTP: takes notifications and offers a file to be played.

import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';

// How long a notification is waited for. One that comes, comes within a second; a busy machine needs more.
const PATIENCE_MS = 40_000;

const SAMPLE_RATE_HZ = 16_000;

/** Listens on a free port of the loopback, where the `dev` profile lets notifications go by plain HTTP. */
export class Callback {
  notices = [];
  #grown = new EventEmitter().setMaxListeners(0);
  #server = createServer((request, response) => this.#answer(request, response));

  static async start() {
    const callback = new Callback();
    callback.#server.listen(0, '127.0.0.1');
    await once(callback.#server, 'listening');
    const base = `http://127.0.0.1:${callback.#server.address().port}`;
    return Object.assign(callback, { uri: `${base}/api/calls`, music: `${base}/music.wav` });
  }

  /** Waits for the notification that is described in `what`. */
  async expect(what, fits) {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    for (;;) {
      const found = this.notices.find(fits);
      if (found) return found;
      await once(this.#grown, 'notice', { signal: patience }).catch(() => {
        throw new Error(`no notification: ${what}; these came: ${JSON.stringify(this.notices, null, 1)}`);
      });
    }
  }

  /** Waits for the end of an operation, which Graph's clients know by their context. */
  async expectOperation(clientContext) {
    const fits = ({ resourceData }) => resourceData.clientContext === clientContext;
    return (await this.expect(`the operation ${clientContext}`, fits)).resourceData;
  }

  expectState(state) {
    return this.expect(`a call that is ${state}`, ({ resourceData }) => resourceData.state === state);
  }

  /** Waits for a roster, which is an array and not an object as all else. */
  expectRoster(what, fits) {
    return this.expect(what, ({ resourceData }) => Array.isArray(resourceData) && fits(resourceData));
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request, response) {
    if (request.method === 'GET') {
      response.writeHead(200, { 'Content-Type': 'audio/wav' }).end(tone());
      return;
    }
    const { value } = await new Response(request).json();
    response.writeHead(202).end();
    this.notices.push(...value);
    this.#grown.emit('notice');
  }
}

/** Makes a second of 440 Hz in the one format that Graph documents: WAV, mono, 16 bit, 16 kHz. */
function tone() {
  const file = Buffer.alloc(44 + 2 * SAMPLE_RATE_HZ);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(SAMPLE_RATE_HZ, 24);
  file.writeUInt32LE(2 * SAMPLE_RATE_HZ, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(2 * SAMPLE_RATE_HZ, 40);
  for (let at = 0; at < SAMPLE_RATE_HZ; at += 1) {
    const sample = Math.sin((2 * Math.PI * 440 * at) / SAMPLE_RATE_HZ);
    file.writeInt16LE(Math.round(8000 * sample), 44 + 2 * at);
  }
  return file;
}
