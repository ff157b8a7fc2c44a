// Tokens by @azure/identity and by @azure/msal-node, with a secret and with a certificate: each one opens the API.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ClientCertificateCredential } from '@azure/identity';
import { ConfidentialClientApplication } from '@azure/msal-node';

import { CALLS } from './conversation.mjs';
import {
  CERTIFICATE,
  CLIENT_ID,
  CLIENT_SECRET,
  DEFAULT_SCOPE,
  OWN_AUTHORITY,
  TENANT,
  URL_OF_SERVER,
  fixedToken,
  graph,
  secretCredential,
} from './environment.mjs';

const needsCertificate = { skip: !CERTIFICATE && 'FERMATA_CERTIFICATE is not set' };

async function assertOpens(credential) {
  const { value } = await graph(credential).api(CALLS).get();
  assert.ok(Array.isArray(value));
}

test('@azure/identity with a secret', () => assertOpens(secretCredential()));

test('@azure/identity with a wrong secret says which error of Entra it is', async () => {
  const refused = secretCredential(CLIENT_ID, 'wrong').getToken(DEFAULT_SCOPE);
  await assert.rejects(refused, (error) => /AADSTS7000215/.test(error.message));
});

test('@azure/identity with a certificate', needsCertificate, async () => {
  for (const sendCertificateChain of [false, true]) {
    const options = { ...OWN_AUTHORITY, sendCertificateChain };
    await assertOpens(new ClientCertificateCredential(TENANT, CLIENT_ID, CERTIFICATE, options));
  }
});

test('msal-node with a secret', async () => {
  const application = new ConfidentialClientApplication({
    auth: {
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      authority: `${URL_OF_SERVER}/${TENANT}`,
      knownAuthorities: [new URL(URL_OF_SERVER).host],
    },
  });
  const answer = await application.acquireTokenByClientCredential({ scopes: [DEFAULT_SCOPE] });
  await assertOpens(fixedToken(answer.accessToken));
});
