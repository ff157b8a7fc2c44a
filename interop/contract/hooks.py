"""What schemathesis has to know about the server: a token, a call that is there, and addresses that disturb nobody."""

import os

import requests
import schemathesis

URL = os.environ["FERMATA_URL"]

# The application of the `dev` profile.
CLIENT_ID = "22222222-2222-4222-8222-222222222222"
CLIENT_SECRET = "fermata-dev-secret"

# A call with everybody in it, one of its participants, and one of its operations.
KNOWN = {name: os.environ[f"FERMATA_{name.upper()}"] for name in ["call", "participant", "operation", "tenant"]}

# The first notification of the call.
KNOWN["notification"] = "1"

# Nobody listens at the last port: systems choose theirs below it.
NOWHERE = "http://127.0.0.1:65535/"

# An address of documentation (RFC 5737), which the server is not allowed to call: refused at once.
NOBODY = "sip:nobody@192.0.2.1"


@schemathesis.auth()
class Token:
    def get(self, case, context) -> str:
        form = {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}
        url = f"{URL}/{KNOWN['tenant']}/oauth2/v2.0/token"
        return requests.post(url, form, auth=(CLIENT_ID, CLIENT_SECRET)).json()["access_token"]

    def set(self, case, token: str, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}


@schemathesis.serializer("application/sdp")
def session_description(context, value):
    """Whatever it makes up is sent as text: descriptions are parsed by the server, and most of these are none."""
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context, case, **options):
    case.path_parameters = {name: known(case, name, value) for name, value in (case.path_parameters or {}).items()}
    case.body = harmless(case.body)


def known(case, name: str, value):
    """Exchanges most ids for ones that exist. The call itself must not be ended."""
    is_kept = not isinstance(value, str) or value[-1:] in ("0", "1", "2", "3")
    return value if is_kept or case.method == "DELETE" else KNOWN.get(name, value)


def harmless(value):
    """Exchanges all addresses that are good enough to be asked or called."""
    match value:
        case str() if value.lower().startswith("http"):
            return NOWHERE
        case str() if value.lower().startswith("sip"):
            return NOBODY
        case list():
            return [harmless(entry) for entry in value]
        case dict():
            return {name: harmless(entry) for name, entry in value.items()}
        case _:
            return value
