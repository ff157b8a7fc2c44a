"""A group call of three phones, in the words of the Python SDK."""

from msgraph import GraphServiceClient
from msgraph.generated.models.call import Call
from msgraph.generated.models.communications_identity_set import CommunicationsIdentitySet
from msgraph.generated.models.identity import Identity
from msgraph.generated.models.identity_set import IdentitySet
from msgraph.generated.models.invitation_participant_info import InvitationParticipantInfo
from msgraph.generated.models.modality import Modality
from msgraph.generated.models.service_hosted_media_config import ServiceHostedMediaConfig

from callback import Callback
from environment import TENANT


def target(uri: str) -> InvitationParticipantInfo:
    """Names a phone as Graph's pages do: as a member that `identitySet` does not have in the SDK."""
    phone = {"@odata.type": "#microsoft.graph.identity", "id": uri}
    return InvitationParticipantInfo(identity=IdentitySet(additional_data={"phone": phone}))


def typed_target(uri: str) -> InvitationParticipantInfo:
    """Names a phone with the type that the SDK has for it."""
    return InvitationParticipantInfo(identity=CommunicationsIdentitySet(phone=Identity(id=uri)))


def new_call(callback: Callback, targets: list[InvitationParticipantInfo]) -> Call:
    return Call(
        callback_uri=callback.uri,
        tenant_id=TENANT,
        requested_modalities=[Modality.Audio],
        media_config=ServiceHostedMediaConfig(),
        targets=targets,
    )


class Conversation:
    """A group call in which everybody has answered."""

    def __init__(self, client: GraphServiceClient, callback: Callback, created: Call):
        self.id = created.id
        self.created = created
        self.callback = callback
        self.request = client.communications.calls.by_call_id(created.id)

    @staticmethod
    async def of(client: GraphServiceClient, callback: Callback, uris: list[str]) -> "Conversation":
        shapes = [target, typed_target]
        targets = [shapes[at % len(shapes)](uri) for at, uri in enumerate(uris)]
        created = await client.communications.calls.post(new_call(callback, targets))
        callback.expect_state("established")
        # The application itself is in the roster, too.
        callback.expect_roster(f"a roster of {len(uris)}", lambda roster: len(roster) == len(uris) + 1)
        return Conversation(client, callback, created)

    async def participant_id(self, uri: str) -> str:
        """Finds a phone in the list of participants."""
        listed = await self.request.participants.get()
        return next(entry.id for entry in listed.value if phone_of(entry) == uri)

    def participant(self, participant_id: str):
        return self.request.participants.by_participant_id(participant_id)

    async def end(self):
        """Hangs up. The others would go on talking, so all but one are removed first."""
        listed = await self.request.participants.get()
        for phone in [entry.id for entry in listed.value if phone_of(entry)][1:]:
            await self.participant(phone).delete()
        await self.request.delete()
        self.callback.expect_state("terminated")


def phone_of(participant) -> str | None:
    phone = participant.info.identity.additional_data.get("phone")
    return phone and phone["id"]
