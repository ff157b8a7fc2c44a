// Where the server is, and clients of the official SDKs that talk to it.
//
// The values come from the environment; without them they are those of Fermata's `dev` profile. README.md lists them.
// Node itself has to be told which authority to trust: NODE_EXTRA_CA_CERTS=<data>/ca.pem.

import { ClientSecretCredential } from '@azure/identity';
import { Client } from '@microsoft/microsoft-graph-client';
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js';

const { env } = process;

export const URL_OF_SERVER = (env.FERMATA_URL ?? 'https://localhost:8443').replace(/\/$/, '');
export const TENANT = env.FERMATA_TENANT ?? '11111111-1111-4111-8111-111111111111';
export const CLIENT_ID = env.FERMATA_CLIENT_ID ?? '22222222-2222-4222-8222-222222222222';
export const CLIENT_SECRET = env.FERMATA_CLIENT_SECRET ?? 'fermata-dev-secret';

// Three SIP addresses that answer a call.
export const PHONES = (env.FERMATA_PHONES ?? '').split(' ').filter(Boolean);

// An application without any role: id, a space, secret.
export const POWERLESS = env.FERMATA_POWERLESS?.split(' ');

// A PEM file with the private key and the certificate that the application is registered with.
export const CERTIFICATE = env.FERMATA_CERTIFICATE;

// Instance discovery would ask Microsoft whether it knows the authority.
export const OWN_AUTHORITY = { authorityHost: URL_OF_SERVER, disableInstanceDiscovery: true };

const { hostname } = new URL(URL_OF_SERVER);

export const DEFAULT_SCOPE = `https://${hostname}/.default`;

export function secretCredential(id = CLIENT_ID, secret = CLIENT_SECRET) {
  return new ClientSecretCredential(TENANT, id, secret, OWN_AUTHORITY);
}

/** Hands out a token that came from somewhere else. */
export function fixedToken(token) {
  return { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
}

/** Makes the official client. All that is ours is the base URL, and that its host may have our token. */
export function graph(credential = secretCredential()) {
  return Client.initWithMiddleware({
    baseUrl: `${URL_OF_SERVER}/`,
    defaultVersion: 'v1.0',
    // The name alone: with a port in it the token is silently left out.
    customHosts: new Set([hostname]),
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes: [DEFAULT_SCOPE] }),
  });
}
