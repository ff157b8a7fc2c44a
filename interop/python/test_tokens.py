"""Tokens by azure-identity and by MSAL, with a secret and with a certificate: each one opens the API."""

from unittest import IsolatedAsyncioTestCase, skipUnless

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential
from msal import ConfidentialClientApplication

from environment import CA, CERTIFICATE, CLIENT_ID, CLIENT_SECRET, OWN_AUTHORITY, TENANT, URL, FixedToken
from environment import default_scope, graph, secret_credential

needs_certificate = skipUnless(CERTIFICATE, "FERMATA_CERTIFICATE names no file")


class Tokens(IsolatedAsyncioTestCase):
    async def assertOpens(self, credential):
        listed = await graph(credential).communications.calls.get()
        self.assertIsInstance(listed.value, list)

    async def test_azure_identity_with_a_secret(self):
        await self.assertOpens(secret_credential())

    async def test_azure_identity_with_a_wrong_secret_says_which_error_of_entra_it_is(self):
        with self.assertRaisesRegex(ClientAuthenticationError, "AADSTS7000215"):
            secret_credential(secret="wrong").get_token(default_scope())

    @needs_certificate
    async def test_azure_identity_with_a_certificate(self):
        for chain in [False, True]:
            options = {"certificate_path": CERTIFICATE, "send_certificate_chain": chain}
            await self.assertOpens(CertificateCredential(TENANT, CLIENT_ID, **options, **OWN_AUTHORITY))

    async def test_msal_with_a_secret(self):
        await self.assertOpens(self.msal_token(CLIENT_SECRET))

    @needs_certificate
    async def test_msal_with_a_certificate(self):
        pem = open(CERTIFICATE, encoding="ascii").read()
        await self.assertOpens(self.msal_token({"private_key": pem, "public_certificate": pem}))

    def msal_token(self, secret) -> FixedToken:
        application = ConfidentialClientApplication(
            CLIENT_ID, secret, authority=f"{URL}/{TENANT}", instance_discovery=False, verify=CA
        )
        answer = application.acquire_token_for_client([default_scope()])
        self.assertIn("access_token", answer, answer)
        return FixedToken(answer["access_token"])
