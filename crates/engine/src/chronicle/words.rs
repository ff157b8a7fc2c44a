//! Names and sentences for what passes through a session. They go to operators; no prompt's address is in them.

use super::Phase;
use call::{
    Accepted, CallState, Command, Direction, Effect, Event, HangUpCause, Hears, Identity, LeaveCause, Notice,
    Operation, OperationId, OperationKind, OperationStatus, ParticipantId, PromptFailureKind, ReferProgress, Refusal,
    ResultInfo, Route, Unreached,
};

pub(super) const HOLD: &str = "startHoldMusic";
const UNHOLD: &str = "stopHoldMusic";
pub(super) const MUTE: &str = "muteParticipant";
const UNMUTE: &str = "unmuteParticipant";

/// The name of a wish, Graph's where it has one.
pub(super) fn command(command: &Command) -> &'static str {
    match command {
        Command::Answer => "answer",
        Command::Reject { .. } => "reject",
        Command::Redirect { .. } => "redirect",
        Command::Invite { .. } => "invite",
        Command::StartHoldMusic { .. } => HOLD,
        Command::StopHoldMusic { .. } => UNHOLD,
        Command::MuteParticipant { .. } => MUTE,
        Command::UnmuteParticipant { .. } => UNMUTE,
        Command::Mute { .. } => "mute",
        Command::Unmute { .. } => "unmute",
        Command::RemoveParticipant { .. } => "removeParticipant",
        Command::Transfer { .. } => "transfer",
        Command::SubscribeToTone { .. } => "subscribeToTone",
        Command::SendDtmfTones { .. } => "sendDtmfTones",
        Command::KeepAlive => "keepAlive",
        Command::HangUp => "hangUp",
    }
}

/// Whom a wish is about.
pub(super) fn wished_for(command: &Command) -> Option<ParticipantId> {
    match command {
        Command::StartHoldMusic { participant, .. }
        | Command::StopHoldMusic { participant, .. }
        | Command::MuteParticipant { participant, .. }
        | Command::UnmuteParticipant { participant, .. }
        | Command::RemoveParticipant { participant } => Some(*participant),
        Command::Answer
        | Command::Reject { .. }
        | Command::Redirect { .. }
        | Command::Invite { .. }
        | Command::Mute { .. }
        | Command::Unmute { .. }
        | Command::Transfer { .. }
        | Command::SubscribeToTone { .. }
        | Command::SendDtmfTones { .. }
        | Command::KeepAlive
        | Command::HangUp => None,
    }
}

/// What has become of a wish.
pub(super) fn judged(name: &str, whom: Option<String>, outcome: &Result<Accepted, Refusal>) -> String {
    let wish = whom.map_or_else(|| name.to_owned(), |whom| format!("{name} of {whom}"));
    match outcome {
        Ok(Accepted::Operation(Operation { id, status: OperationStatus::Running, .. })) => {
            format!("{wish} is accepted; operation {id} runs.")
        }
        Ok(Accepted::Operation(Operation { id, .. })) => format!("{wish} is accepted and done; operation {id}."),
        Ok(Accepted::Repeated(Operation { id, .. })) => format!("{wish} repeats operation {id}, which still runs."),
        Ok(Accepted::Done) => format!("{wish} is accepted."),
        Err(refusal) => format!("{wish} is refused: {}.", refused(refusal)),
    }
}

fn refused(refusal: &Refusal) -> String {
    let why = match refusal {
        Refusal::CallNotFound => "the call has ended",
        Refusal::ParticipantNotFound => "there is no such participant",
        Refusal::ParticipantIsApplication => "the participant is an application",
        Refusal::CallNotIncoming => "the call does not wait for a decision",
        Refusal::CallNotEstablished => "the call is not established",
        Refusal::NotPeerToPeer => "the call is a group call",
        Refusal::NotAGroupCall => "the call is no group call",
        Refusal::AlreadyOnHold => "the participant is on hold already",
        Refusal::AnotherOnHold { held } => return format!("participant {held} is on hold"),
        Refusal::NotOnHold => "the participant is not on hold",
        Refusal::HoldEnding => "the hold is ending already",
        Refusal::AlreadyInCall { participant } => return format!("participant {participant} is the same person"),
        Refusal::NobodyListens => "nobody hears the conversation",
        Refusal::TonesUnderWay => "other tones are being sent",
        Refusal::TooManyTones => "there are too many tones",
        Refusal::TooManyTargets => "there are too many targets",
        Refusal::TooManyInvitees => "there are too many people to invite",
    };
    why.to_owned()
}

/// The name of an operation.
pub(super) fn operation(kind: &OperationKind) -> &'static str {
    match kind {
        OperationKind::StartHoldMusic { .. } => HOLD,
        OperationKind::StopHoldMusic { .. } => UNHOLD,
        OperationKind::InviteParticipants { .. } => "inviteParticipants",
        OperationKind::MuteParticipant { .. } => MUTE,
        OperationKind::UnmuteParticipant { .. } => UNMUTE,
        OperationKind::SubscribeToTone => "subscribeToTone",
        OperationKind::SendDtmfTones { .. } => "sendDtmfTones",
    }
}

/// What an operation does first; nothing if it is done at once. A stop waits for the start to be through, mostly for no
/// time at all.
pub(super) fn first_phase(kind: &OperationKind) -> Option<Phase> {
    match kind {
        OperationKind::StartHoldMusic { .. } => Some(Phase::Loading),
        OperationKind::StopHoldMusic { .. } => Some(Phase::Waiting),
        OperationKind::InviteParticipants { .. } => Some(Phase::Ringing),
        OperationKind::SendDtmfTones { .. } => Some(Phase::Sending),
        OperationKind::MuteParticipant { .. }
        | OperationKind::UnmuteParticipant { .. }
        | OperationKind::SubscribeToTone => None,
    }
}

/// The name of a fact.
pub(super) fn event(event: &Event) -> &'static str {
    match event {
        Event::Answered { .. } => "answered",
        Event::Arrived { .. } => "arrived",
        Event::Referred { .. } => "referred",
        Event::ReplacementCalled { .. } => "replacementCalled",
        Event::Unreached { .. } => "unreached",
        Event::Left { .. } => "left",
        Event::DirectionChanged { .. } => "directionChanged",
        Event::PromptLoaded { .. } => "promptLoaded",
        Event::PromptFailed { .. } => "promptFailed",
        Event::MusicStarted { .. } => "musicStarted",
        Event::MusicStopped { .. } => "musicStopped",
        Event::TonePressed { .. } => "tonePressed",
        Event::TonesSent { .. } => "tonesSent",
        Event::NotRecorded { .. } => "notRecorded",
    }
}

/// Whom a fact is about.
pub(super) fn fact_about(event: &Event) -> Option<ParticipantId> {
    match event {
        Event::Answered { participant }
        | Event::Arrived { participant, .. }
        | Event::Referred { participant, .. }
        | Event::ReplacementCalled { participant, .. }
        | Event::Unreached { participant, .. }
        | Event::Left { participant, .. }
        | Event::DirectionChanged { participant, .. }
        | Event::TonePressed { participant, .. } => Some(*participant),
        Event::PromptLoaded { .. }
        | Event::PromptFailed { .. }
        | Event::MusicStarted { .. }
        | Event::MusicStopped { .. }
        | Event::TonesSent { .. }
        | Event::NotRecorded { .. } => None,
    }
}

/// The operation that a fact is about.
pub(super) fn operation_of_fact(event: &Event) -> Option<OperationId> {
    match event {
        Event::PromptLoaded { operation }
        | Event::PromptFailed { operation, .. }
        | Event::MusicStarted { operation }
        | Event::MusicStopped { operation }
        | Event::TonesSent { operation }
        | Event::NotRecorded { operation } => Some(*operation),
        Event::Answered { .. }
        | Event::Arrived { .. }
        | Event::Referred { .. }
        | Event::ReplacementCalled { .. }
        | Event::Unreached { .. }
        | Event::Left { .. }
        | Event::DirectionChanged { .. }
        | Event::TonePressed { .. } => None,
    }
}

/// A fact as a sentence.
pub(super) fn happened(event: &Event, name: impl Fn(ParticipantId) -> String) -> String {
    match event {
        Event::Answered { participant } => format!("{} has answered.", name(*participant)),
        Event::Arrived { identity, .. } => format!("{} has come from another call.", called(identity)),
        Event::Referred { participant, target } => {
            format!("{} asks that {} be called in its place.", name(*participant), called(&target.identity))
        }
        Event::ReplacementCalled { participant, by } => {
            format!("{} calls to take the place of {}.", called(&by.identity), name(*participant))
        }
        Event::Unreached { participant, cause } => {
            format!("{} cannot be reached: {}.", name(*participant), unreached(*cause))
        }
        Event::Left { participant, cause: LeaveCause::HungUp } => format!("{} has hung up.", name(*participant)),
        Event::Left { participant, cause: LeaveCause::ConnectionLost } => {
            format!("The connection to {} is lost.", name(*participant))
        }
        Event::Left { participant, cause: LeaveCause::NotSecured } => {
            format!("No new keys could be agreed on with {}.", name(*participant))
        }
        Event::DirectionChanged { participant, direction } => {
            format!("The phone of {} says that it {}.", name(*participant), says(*direction))
        }
        Event::PromptLoaded { .. } => "The prompt is ready to be played.".to_owned(),
        Event::PromptFailed { failure, .. } => {
            let kind = match failure.kind {
                PromptFailureKind::Download => "cannot be downloaded",
                PromptFailureKind::Format => "cannot be played",
            };
            format!("The prompt {kind}: {}", failure.message)
        }
        Event::MusicStarted { .. } => "The first packet of music is sent.".to_owned(),
        Event::MusicStopped { .. } => {
            "The music has ended, and the first packet of the conversation is sent.".to_owned()
        }
        // Which key is the secret of who pressed it: it may belong to a card number.
        Event::TonePressed { participant, .. } => format!("{} has pressed a key.", name(*participant)),
        Event::TonesSent { .. } => "The last of the tones is sent.".to_owned(),
        Event::NotRecorded { .. } => "The operation could not be stored, and is undone.".to_owned(),
    }
}

fn unreached(cause: Unreached) -> String {
    let why = match cause {
        Unreached::NoEndpoint => "no phone is registered and no trunk takes the number",
        Unreached::Forbidden => "it must not be dialled",
        Unreached::Busy => "it is busy",
        Unreached::Declined => "the call was declined",
        Unreached::NoAnswer => "nobody answered",
        Unreached::NotAcceptable => "no audio could be agreed on",
        Unreached::NotReleased => "it was to come from another call, which is not one with one person",
        Unreached::Withdrawn => "it gave up before it was answered",
        Unreached::NotConfirmed => "it did not confirm that it was answered",
        Unreached::NotConnected => "it answered, and no sound could get through",
        Unreached::NotSecured => "no keys could be agreed on",
        Unreached::Status(status) => return format!("SIP status {status}"),
    };
    why.to_owned()
}

fn says(direction: Direction) -> &'static str {
    match direction {
        Direction::SendReceive => "sends and listens",
        Direction::SendOnly => "sends and does not listen: it holds",
        Direction::ReceiveOnly => "listens and does not send",
        Direction::Inactive => "neither sends nor listens: it holds",
    }
}

/// The name of an order.
pub(super) fn effect(effect: &Effect) -> &'static str {
    match effect {
        Effect::Dial { .. } => "dial",
        Effect::Fetch { .. } => "fetch",
        Effect::TellReferrer { .. } => "tellReferrer",
        Effect::TakeCall { .. } => "takeCall",
        Effect::HangUp { .. } => "hangUp",
        Effect::Route { .. } => "route",
        Effect::LoadPrompt { .. } => "loadPrompt",
        Effect::PlayHoldMusic { .. } => "playHoldMusic",
        Effect::StopHoldMusic { .. } => UNHOLD,
        Effect::DropHoldMusic { .. } => "dropHoldMusic",
        Effect::ListenForTones { .. } => "listenForTones",
        Effect::SendTones { .. } => "sendTones",
        Effect::DropTones { .. } => "dropTones",
        Effect::Notify(notice) => self::notice(notice),
        Effect::Close => "close",
    }
}

/// Whom an order is about.
pub(super) fn ordered_for(effect: &Effect) -> Option<ParticipantId> {
    match effect {
        Effect::Dial { participant, .. }
        | Effect::Fetch { participant, .. }
        | Effect::TellReferrer { participant, .. }
        | Effect::TakeCall { participant }
        | Effect::HangUp { participant, .. }
        | Effect::Route { participant, .. }
        | Effect::LoadPrompt { participant, .. }
        | Effect::PlayHoldMusic { participant, .. }
        | Effect::StopHoldMusic { participant, .. }
        | Effect::DropHoldMusic { participant } => Some(*participant),
        Effect::ListenForTones { .. }
        | Effect::SendTones { .. }
        | Effect::DropTones { .. }
        | Effect::Notify(_)
        | Effect::Close => None,
    }
}

/// The operation that an order is about.
pub(super) fn operation_of_order(effect: &Effect) -> Option<OperationId> {
    match effect {
        Effect::LoadPrompt { operation, .. }
        | Effect::PlayHoldMusic { operation, .. }
        | Effect::StopHoldMusic { operation, .. }
        | Effect::SendTones { operation, .. }
        | Effect::DropTones { operation }
        | Effect::Notify(Notice::OperationEnded(Operation { id: operation, .. })) => Some(*operation),
        Effect::Dial { .. }
        | Effect::Fetch { .. }
        | Effect::TellReferrer { .. }
        | Effect::TakeCall { .. }
        | Effect::HangUp { .. }
        | Effect::Route { .. }
        | Effect::DropHoldMusic { .. }
        | Effect::ListenForTones { .. }
        | Effect::Notify(Notice::Incoming { .. } | Notice::Call { .. } | Notice::Roster { .. } | Notice::Tone { .. })
        | Effect::Close => None,
    }
}

/// An order as a sentence.
pub(super) fn ordered(effect: &Effect, name: impl Fn(ParticipantId) -> String) -> String {
    match effect {
        Effect::Dial { identity, .. } => format!("{} is called.", called(identity)),
        Effect::Fetch { participant, .. } => format!("{} is to come from another call.", name(*participant)),
        Effect::TellReferrer { participant, progress } => {
            format!("{} is told that its wish {}.", name(*participant), refer_progress(*progress))
        }
        Effect::TakeCall { participant } => format!("The call of {} is taken.", name(*participant)),
        Effect::HangUp { participant, cause } => {
            format!("The leg of {} is ended: {}.", name(*participant), hung_up(*cause))
        }
        Effect::Route { participant, route } => format!("{} {}.", name(*participant), routed(*route)),
        Effect::LoadPrompt { participant, .. } => format!("The prompt for {} is got ready.", name(*participant)),
        Effect::PlayHoldMusic { participant, .. } => format!("Music is to be played to {}.", name(*participant)),
        Effect::StopHoldMusic { participant, .. } => format!("The music for {} is to end.", name(*participant)),
        Effect::DropHoldMusic { participant } => format!("The music for {} is dropped.", name(*participant)),
        Effect::ListenForTones { on: true } => "Keys are listened for.".to_owned(),
        Effect::ListenForTones { on: false } => "Keys are no longer listened for.".to_owned(),
        Effect::SendTones { participants, tones, .. } => {
            format!("{} tones are to be sent to {} people.", tones.len(), participants.len())
        }
        Effect::DropTones { .. } => "The rest of the tones is dropped.".to_owned(),
        Effect::Notify(notice) => told(notice),
        Effect::Close => "The conversation is over.".to_owned(),
    }
}

fn refer_progress(progress: ReferProgress) -> &'static str {
    match progress {
        ReferProgress::Accepted => "is being carried out",
        ReferProgress::Refused => "is refused",
        ReferProgress::Succeeded => "has been carried out",
        ReferProgress::Failed(_) => "has failed",
    }
}

fn called(identity: &Identity) -> &str {
    let (Identity::Application { id, display_name }
    | Identity::User { id, display_name }
    | Identity::Phone { id, display_name }) = identity;
    display_name.as_ref().unwrap_or(id)
}

fn hung_up(cause: HangUpCause) -> &'static str {
    match cause {
        HangUpCause::CallEnded => "the call has ended",
        HangUpCause::Removed => "the participant was removed",
        HangUpCause::NoAnswer => "nobody answered in time",
        HangUpCause::Rejected(_) => "the application does not want the call",
        HangUpCause::Undecided => "the application did not decide in time",
        HangUpCause::NotReplaced => "the place that it was to take is not free",
        HangUpCause::Replaced => "somebody else has taken its place",
        HangUpCause::NotRedirected(_) => "nobody to whom the call was redirected took it",
    }
}

fn routed(Route { hears, heard }: Route) -> String {
    let hears = match hears {
        Hears::Conversation => "hears the conversation",
        Hears::HoldMusic => "hears hold music only",
        Hears::Nothing => "is sent nothing",
    };
    format!("{hears} and is {}heard", if heard { "" } else { "not " })
}

/// The name of a piece of news.
fn notice(notice: &Notice) -> &'static str {
    match notice {
        Notice::Incoming { .. } => "incoming",
        Notice::Call { .. } => "call",
        Notice::Roster { .. } => "roster",
        Notice::Tone { .. } => "tone",
        Notice::OperationEnded(_) => "operationEnded",
    }
}

fn told(notice: &Notice) -> String {
    match notice {
        Notice::Incoming { .. } => "The application is told that it is called.".to_owned(),
        Notice::Call { state, result, .. } => {
            format!("The application is told that the call is {}{}.", state_name(*state), because(result.as_ref()))
        }
        Notice::Roster { sequence, entries, .. } => {
            format!("The application is told roster {sequence} with {} entries.", entries.len())
        }
        Notice::Tone { sequence, .. } => format!("The application is told of tone {sequence}."),
        Notice::OperationEnded(Operation { id, kind, status, result, .. }) => {
            let (name, because) = (operation(kind), because(result.as_ref()));
            let ended = match status {
                OperationStatus::Running => "runs",
                OperationStatus::Completed => "is completed",
                OperationStatus::Failed => "has failed",
            };
            format!("The application is told that {name} ({id}) {ended}{because}.")
        }
    }
}

fn because(result: Option<&ResultInfo>) -> String {
    let told = |ResultInfo { code, subcode, message }: &ResultInfo| {
        format!(": {code}/{subcode}, {}", message.trim_end_matches('.'))
    };
    result.map_or_else(String::new, told)
}

fn state_name(state: CallState) -> &'static str {
    match state {
        CallState::Incoming => "incoming",
        CallState::Redirecting => "redirecting",
        CallState::Establishing => "establishing",
        CallState::Established => "established",
        CallState::Transferring => "transferring",
        CallState::TransferAccepted => "transferAccepted",
        CallState::Terminating => "terminating",
        CallState::Terminated => "terminated",
    }
}
