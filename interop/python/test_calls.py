"""The main job with msgraph-sdk: call people, put one of them on hold, and all that is done to a call besides."""

from unittest import IsolatedAsyncioTestCase

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.communications.calls.item.keep_alive.keep_alive_request_builder import (
    KeepAliveRequestBuilder,
)
from msgraph.generated.communications.calls.item.mute.mute_post_request_body import MutePostRequestBody as MuteSelf
from msgraph.generated.communications.calls.item.participants.invite.invite_post_request_body import (
    InvitePostRequestBody,
)
from msgraph.generated.communications.calls.item.participants.item.mute.mute_post_request_body import (
    MutePostRequestBody,
)
from msgraph.generated.communications.calls.item.participants.item.start_hold_music.start_hold_music_post_request_body import (
    StartHoldMusicPostRequestBody,
)
from msgraph.generated.communications.calls.item.participants.item.stop_hold_music.stop_hold_music_post_request_body import (
    StopHoldMusicPostRequestBody,
)
from msgraph.generated.communications.calls.item.participants.participants_request_builder import (
    ParticipantsRequestBuilder,
)
from msgraph.generated.models.call_state import CallState
from msgraph.generated.models.media_direction import MediaDirection
from msgraph.generated.models.media_info import MediaInfo
from msgraph.generated.models.media_prompt import MediaPrompt
from msgraph.generated.models.operation_status import OperationStatus
from msgraph.generated.models.start_hold_music_operation import StartHoldMusicOperation
from msgraph.generated.models.stop_hold_music_operation import StopHoldMusicOperation

from callback import Callback
from conversation import Conversation, target
from environment import PHONES, URL, graph

# What Python escapes, and more than what fits into one UTF-16 unit.
CONTEXT = "hold café 🎵"


class Calls(IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.callback = Callback()
        self.addCleanup(self.callback.close)
        self.conversation = await Conversation.of(graph(), self.callback, PHONES[:2])
        self.addAsyncCleanup(self.conversation.end)

    async def test_a_created_call_is_the_one_that_is_read(self):
        created, call = self.conversation.created, await self.conversation.request.get()
        self.assertEqual(created.state, CallState.Establishing)
        self.assertEqual(call.state, CallState.Established)
        self.assertEqual((call.id, call.callback_uri), (created.id, self.callback.uri))
        listed = await graph().communications.calls.get()
        self.assertIn(created.id, [call.id for call in listed.value])

    async def test_a_base_url_with_a_slash_doubles_it_and_is_understood(self):
        client = graph(url=f"{URL}/v1.0/")
        call = await client.communications.calls.by_call_id(self.conversation.id).get()
        self.assertEqual(call.id, self.conversation.id)

    async def test_a_participant_is_held_with_a_prompt_and_released(self):
        held = await self.conversation.participant_id(PHONES[0])
        request = self.conversation.participant(held)
        prompt = MediaPrompt(media_info=MediaInfo(uri=self.callback.music, resource_id="music"))
        started = await request.start_hold_music.post(
            StartHoldMusicPostRequestBody(client_context=CONTEXT, custom_prompt=prompt)
        )
        self.assertIsInstance(started, StartHoldMusicOperation)
        self.assertEqual((started.status, started.client_context), (OperationStatus.Running, CONTEXT))

        ended = self.callback.expect_operation(CONTEXT)
        self.assertEqual((ended["id"], ended["status"]), (started.id, "completed"))
        read = await self.conversation.request.operations.by_comms_operation_id(started.id).get()
        self.assertIsInstance(read, StartHoldMusicOperation)
        self.assertEqual((read.status, read.client_context), (OperationStatus.Completed, CONTEXT))
        shown = await request.get()
        self.assertEqual(shown.media_streams[0].direction, MediaDirection.Inactive)

        stopped = await request.stop_hold_music.post(StopHoldMusicPostRequestBody(client_context="unhold"))
        self.assertIsInstance(stopped, StopHoldMusicOperation)
        self.assertEqual(self.callback.expect_operation("unhold")["status"], "completed")
        shown = await request.get()
        self.assertEqual(shown.media_streams[0].direction, MediaDirection.SendReceive)

    async def test_a_participant_is_invited_muted_and_removed(self):
        participants = self.conversation.request.participants
        invited = await participants.invite.post(
            InvitePostRequestBody(participants=[target(PHONES[2])], client_context="invite")
        )
        self.assertEqual(invited.participants[0].identity.additional_data["phone"]["id"], PHONES[2])
        self.assertEqual(self.callback.expect_operation("invite")["status"], "completed")
        guest = await self.conversation.participant_id(PHONES[2])

        muted = await self.conversation.participant(guest).mute.post(MutePostRequestBody(client_context="mute"))
        self.assertEqual((muted.status, muted.client_context), (OperationStatus.Completed, "mute"))
        is_muted = lambda entry: entry["id"] == guest and entry["isMuted"]
        self.callback.expect_roster("the guest is muted", lambda roster: any(map(is_muted, roster)))

        await self.conversation.participant(guest).delete()
        gone = lambda roster: len(roster) == 3 and all(entry["id"] != guest for entry in roster)
        self.callback.expect_roster("the guest is gone", gone)

    async def test_the_application_mutes_itself_and_stays(self):
        muted = await self.conversation.request.mute.post(MuteSelf(client_context="own"))
        self.assertEqual(muted.status, OperationStatus.Completed)
        kept = await self.conversation.request.keep_alive.post(
            RequestConfiguration[KeepAliveRequestBuilder]()
        )
        self.assertIsNone(kept)

    async def test_query_options_are_honoured(self):
        participants = self.conversation.request.participants
        Query = ParticipantsRequestBuilder.ParticipantsRequestBuilderGetQueryParameters
        options = RequestConfiguration(query_parameters=Query(select=["id", "isMuted"], count=True, top=2))
        listed = await participants.get(request_configuration=options)
        self.assertEqual((listed.odata_count, len(listed.value)), (3, 2))
        self.assertEqual((listed.value[0].is_muted, listed.value[0].media_streams), (False, None))
        self.assertEqual(await participants.count.get(), 3)
        self.assertGreaterEqual(await graph().communications.calls.count.get(), 1)
