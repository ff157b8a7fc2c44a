// A group call of phones, in the words of the JavaScript client: paths and plain objects.

import { TENANT } from './environment.mjs';

export const CALLS = '/communications/calls';

export function target(uri) {
  return {
    '@odata.type': '#microsoft.graph.invitationParticipantInfo',
    identity: {
      '@odata.type': '#microsoft.graph.identitySet',
      phone: { '@odata.type': '#microsoft.graph.identity', id: uri },
    },
  };
}

export function newCall(callback, targets) {
  return {
    '@odata.type': '#microsoft.graph.call',
    callbackUri: callback.uri,
    tenantId: TENANT,
    requestedModalities: ['audio'],
    mediaConfig: { '@odata.type': '#microsoft.graph.serviceHostedMediaConfig' },
    targets,
  };
}

/** A group call in which everybody has answered. */
export class Conversation {
  static async of(client, callback, uris) {
    const created = await client.api(CALLS).post(newCall(callback, uris.map(target)));
    await callback.expectState('established');
    // The application itself is in the roster, too.
    await callback.expectRoster(`a roster of ${uris.length}`, (roster) => roster.length === uris.length + 1);
    return Object.assign(new Conversation(), { client, callback, created, path: `${CALLS}/${created.id}` });
  }

  get(path = '') {
    return this.client.api(this.path + path).get();
  }

  post(path, body = {}) {
    return this.client.api(this.path + path).post(body);
  }

  delete(path = '') {
    return this.client.api(this.path + path).delete();
  }

  /** Finds a phone in the list of participants. */
  async participantId(uri) {
    const { value } = await this.get('/participants');
    return value.find(({ info }) => info.identity.phone?.id === uri).id;
  }

  /** Hangs up. The others would go on talking, so all but one are removed first. */
  async end() {
    const { value } = await this.get('/participants');
    const phones = value.filter(({ info }) => info.identity.phone);
    for (const { id } of phones.slice(1)) await this.delete(`/participants/${id}`);
    await this.delete();
    await this.callback.expectState('terminated');
  }
}
