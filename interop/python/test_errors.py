"""Every documented error arrives as the typed error of msgraph-sdk, with Graph's code and a date that it can read."""

import sqlite3
import threading
from datetime import datetime
from unittest import IsolatedAsyncioTestCase, skipUnless
from uuid import UUID, uuid4

from msgraph.generated.communications.calls.item.participants.item.start_hold_music.start_hold_music_post_request_body import (
    StartHoldMusicPostRequestBody,
)
from msgraph.generated.communications.calls.item.play_prompt.play_prompt_post_request_body import (
    PlayPromptPostRequestBody,
)
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.generated.models.operation_status import OperationStatus

from callback import Callback
from conversation import Conversation, new_call
from environment import DATABASE, PHONES, POWERLESS, FixedToken, graph, secret_credential

# The server gives up on a locked database after 5 s, and the SDK asks again a second later.
LOCKED_S = 5.5

# More than the MiB that a body may have.
TOO_LARGE = "x" * (2 << 20)


class Errors(IsolatedAsyncioTestCase):
    async def assertFails(self, status: int, code: str, request) -> str:
        """Checks the error of a request, and returns its message."""
        with self.assertRaises(ODataError) as raised:
            await request
        error = raised.exception
        self.assertEqual((error.response_status_code, error.error.code), (status, code), error)
        inner = error.error.inner_error
        self.assertIsInstance(inner.date, datetime)
        UUID(inner.request_id), UUID(inner.client_request_id)
        return error.error.message

    def unknown_call(self, client=None):
        return (client or graph()).communications.calls.by_call_id(str(uuid4()))

    async def test_401_a_token_that_is_none(self):
        client = graph(FixedToken("none"))
        await self.assertFails(401, "InvalidAuthenticationToken", client.communications.calls.get())

    @skipUnless(POWERLESS, "FERMATA_POWERLESS names no application without roles")
    async def test_403_an_application_without_the_role(self):
        client = graph(secret_credential(*POWERLESS))
        message = await self.assertFails(403, "7504", client.communications.calls.get())
        self.assertIn("Calls.Initiate.All", message)

    async def test_404_a_call_that_is_not_there(self):
        call = self.unknown_call()
        await self.assertFails(404, "8522", call.get())
        await self.assertFails(404, "8522", call.delete())
        hold = call.participants.by_participant_id(str(uuid4())).start_hold_music
        await self.assertFails(404, "8522", hold.post(StartHoldMusicPostRequestBody()))

    async def test_400_a_member_that_is_wrong_or_missing(self):
        hold = self.unknown_call().participants.by_participant_id(str(uuid4())).start_hold_music
        too_long = StartHoldMusicPostRequestBody(client_context="x" * 257)
        self.assertIn("'clientContext'", await self.assertFails(400, "8523", hold.post(too_long)))
        callback = Callback()
        self.addCleanup(callback.close)
        nobody = graph().communications.calls.post(new_call(callback, []))
        self.assertIn("'targets'", await self.assertFails(400, "8523", nobody))

    async def test_405_a_method_that_is_not_served(self):
        await self.assertFails(405, "8520", self.unknown_call().play_prompt.post(PlayPromptPostRequestBody()))

    async def test_413_a_body_that_is_too_large(self):
        hold = self.unknown_call().participants.by_participant_id(str(uuid4())).start_hold_music
        large = StartHoldMusicPostRequestBody(client_context=TOO_LARGE)
        await self.assertFails(413, "RequestEntityTooLarge", hold.post(large))


class ErrorsOfACall(IsolatedAsyncioTestCase):
    assertFails = Errors.assertFails

    async def asyncSetUp(self):
        self.callback = Callback()
        self.addCleanup(self.callback.close)
        self.conversation = await Conversation.of(graph(), self.callback, PHONES[:2])
        self.addAsyncCleanup(self.conversation.end)

    async def hold(self, uri: str, context: str):
        participant = self.conversation.participant(await self.conversation.participant_id(uri))
        return participant.start_hold_music.post(StartHoldMusicPostRequestBody(client_context=context))

    async def test_409_a_second_participant_on_hold(self):
        await (await self.hold(PHONES[0], "first"))
        self.callback.expect_operation("first")
        message = await self.assertFails(409, "8519", await self.hold(PHONES[1], "second"))
        self.assertIn(await self.conversation.participant_id(PHONES[0]), message)

    @skipUnless(DATABASE, "FERMATA_DATABASE names no database to be locked")
    async def test_503_is_repeated_by_the_sdk_until_it_is_over(self):
        hold = await self.hold(PHONES[0], "after the outage")
        lock = sqlite3.connect(DATABASE, check_same_thread=False)
        lock.execute("BEGIN IMMEDIATE")
        unlock = threading.Timer(LOCKED_S, lock.close)
        unlock.start()
        started = await hold
        self.assertFalse(unlock.is_alive(), "the database was still locked")
        self.assertEqual(started.status, OperationStatus.Running)
        self.assertEqual(self.callback.expect_operation("after the outage")["status"], "completed")
