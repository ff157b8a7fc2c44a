"""Where the server is, and clients of the official SDKs that talk to it.

The values come from the environment; without them they are those of Fermata's `dev` profile. README.md lists them.
"""

import os
import time
from urllib.parse import urlparse

from azure.core.credentials import AccessToken, TokenCredential
from azure.identity import ClientSecretCredential
from msgraph import GraphServiceClient

URL = os.environ.get("FERMATA_URL", "https://localhost:8443").rstrip("/")
CA = os.environ.get("FERMATA_CA", "fermata-data/ca.pem")
TENANT = os.environ.get("FERMATA_TENANT", "11111111-1111-4111-8111-111111111111")
CLIENT_ID = os.environ.get("FERMATA_CLIENT_ID", "22222222-2222-4222-8222-222222222222")
CLIENT_SECRET = os.environ.get("FERMATA_CLIENT_SECRET", "fermata-dev-secret")

# What notifications are signed with, besides the token.
WEBHOOK_SECRET = os.environ.get("FERMATA_WEBHOOK_SECRET", "whsec_ZmVybWF0YS1kZXYtd2ViaG9vay1zZWNyZXQ=")

# Three SIP addresses that answer a call.
PHONES = os.environ.get("FERMATA_PHONES", "").split()

# An application without any role: id, a space, secret.
POWERLESS = os.environ.get("FERMATA_POWERLESS", "").split()

# A PEM file with the private key and the certificate that the application is registered with.
CERTIFICATE = os.environ.get("FERMATA_CERTIFICATE")

# The server's own database file, which a test locks for a while.
DATABASE = os.environ.get("FERMATA_DATABASE")

# The SDK's HTTP client trusts what this names.
os.environ["SSL_CERT_FILE"] = CA

# MSAL's HTTP client would prefer these to what it is told.
for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]:
    os.environ.pop(name, None)

# Instance discovery would ask Microsoft whether it knows the authority.
OWN_AUTHORITY = {"authority": URL, "disable_instance_discovery": True, "connection_verify": CA}


class FixedToken(TokenCredential):
    """Hands out a token that came from somewhere else."""

    def __init__(self, token: str):
        self.token = token

    def get_token(self, *scopes: str, **options) -> AccessToken:
        return AccessToken(self.token, int(time.time()) + 3600)


def secret_credential(client_id: str = CLIENT_ID, secret: str = CLIENT_SECRET) -> ClientSecretCredential:
    return ClientSecretCredential(TENANT, client_id, secret, **OWN_AUTHORITY)


def graph(credential: TokenCredential | None = None, url: str = f"{URL}/v1.0") -> GraphServiceClient:
    """Makes the official client. All that is ours is the base URL."""
    client = GraphServiceClient(credential or secret_credential())
    client.request_adapter.base_url = url
    return client


def default_scope() -> str:
    """Returns the scope that the SDK asks for by itself: the host of the base URL, without its port."""
    return f"https://{urlparse(URL).hostname}/.default"
