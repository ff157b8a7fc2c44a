"""A bot's side of HTTP: takes notifications, checks who sent them, and offers a file to be played."""

import json
import math
import ssl
import struct
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from urllib.request import urlopen

import jwt
from standardwebhooks import Webhook, WebhookVerificationError

from environment import CA, CLIENT_ID, TENANT, URL, WEBHOOK_SECRET

# How long a notification is waited for, in seconds. One that comes, comes within a second; a busy machine needs more.
PATIENCE_S = 40

# Says who signs notifications, and with which keys.
CONFIGURATION = f"{URL}/v1/.well-known/OpenIdConfiguration"


class Callback:
    """Listens on a free port of the loopback, where the `dev` profile lets notifications go by plain HTTP."""

    def __init__(self):
        self.notices = []
        self.rejected = []
        self.grown = threading.Condition()
        trust = ssl.create_default_context(cafile=CA)
        configuration = json.load(urlopen(CONFIGURATION, context=trust))
        self.issuer = configuration["issuer"]
        self.keys = jwt.PyJWKClient(configuration["jwks_uri"], ssl_context=trust)
        self.webhook = Webhook(WEBHOOK_SECRET)
        callback = self

        class Requests(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                callback.take({name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(202)
                self.end_headers()

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "audio/wav")
                self.end_headers()
                self.wfile.write(tone())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.uri = f"{base}/api/calls"
        self.music = f"{base}/music.wav"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers: dict[str, str], body: bytes):
        try:
            self.authenticate(headers["authorization"].removeprefix("Bearer "))
            taken, where = self.webhook.verify(body, headers)["value"], self.notices
        except (jwt.PyJWTError, WebhookVerificationError) as error:
            taken, where = [error], self.rejected
        with self.grown:
            where.extend(taken)
            self.grown.notify_all()

    def authenticate(self, token: str):
        """Checks a token as Microsoft's sample does: signature, issuer, audience, and that it names our tenant."""
        key = self.keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["RS256"], audience=CLIENT_ID, issuer=self.issuer)
        if claims.get("tid") != TENANT:
            raise jwt.InvalidTokenError(f"the token is for the tenant {claims.get('tid')}")

    def expect(self, what: str, fits) -> dict:
        """Waits for the notification that is described in `what`."""
        until = time.monotonic() + PATIENCE_S
        with self.grown:
            while True:
                if self.rejected:
                    raise AssertionError(f"a notification is not the server's: {self.rejected[0]}")
                for notice in self.notices:
                    if fits(notice):
                        return notice
                if not self.grown.wait(until - time.monotonic()):
                    raise AssertionError(f"no notification: {what}; these came: {json.dumps(self.notices, indent=1)}")

    def expect_operation(self, client_context: str) -> dict:
        """Waits for the end of an operation, which Graph's clients know by their context."""
        notice = self.expect(
            f"the operation {client_context}",
            lambda notice: data(notice).get("clientContext") == client_context,
        )
        assert notice["changeType"] == "deleted", notice
        return notice["resourceData"]

    def expect_state(self, state: str):
        self.expect(f"a call that is {state}", lambda notice: data(notice).get("state") == state)

    def expect_roster(self, what: str, fits) -> list:
        """Waits for a roster, which is an array and not an object as all else."""
        is_roster = lambda notice: isinstance(notice["resourceData"], list)
        return self.expect(what, lambda notice: is_roster(notice) and fits(notice["resourceData"]))["resourceData"]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def data(notice: dict) -> dict:
    """Returns what a notification is about, unless that is a roster."""
    return notice["resourceData"] if isinstance(notice["resourceData"], dict) else {}


def tone() -> bytes:
    """Makes a second of 440 Hz in the one format that Graph documents: WAV, mono, 16 bit, 16 kHz."""
    samples = (int(8000 * math.sin(math.tau * 440 * at / 16_000)) for at in range(16_000))
    file = BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 16_000, 0, "NONE", None))
        writer.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()
