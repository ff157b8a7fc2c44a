//! What is seen of a conversation is what is heard in it.

use super::{BOT, CALL, MUSIC, Stage, context, id};
use crate::chronicle::{Operator, Owner, Phase, TimelineOutcome};
use crate::live::{Attendance, Heard, HeardSound, Layer, LiveCall, LiveHears, LiveParticipant};
use call::{
    CallState, Command, ConversationId, HoldPhase, Identity, LeaveCause, OperationId, OperationStatus, ParticipantId,
    Prompt, Refusal,
};
use edge::sdp;
use media::{Codec, tone_dbfs};

fn stage() -> Stage {
    let mut stage = Stage::with(Codec::Pcmu, Codec::G722, Codec::Pcma);
    stage.run_ms(200);
    stage
}

fn call(stage: &Stage) -> LiveCall {
    let [call] = <[_; 1]>::try_from(stage.session.look()).expect("there is one call");
    call
}

fn participant(stage: &Stage, n: usize) -> LiveParticipant {
    call(stage).participants.into_iter().find(|it| it.id == id(n)).expect("it is in the roster")
}

fn layers(stage: &Stage, n: usize) -> Vec<(Layer, Owner)> {
    participant(stage, n).layers.into_iter().map(|layer| (layer.layer, layer.owner)).collect()
}

fn application() -> Owner {
    Owner::Application(Identity::application("app", None))
}

fn operator() -> Operator {
    Operator { id: "alice".to_owned(), display_name: "Alice".to_owned() }
}

fn names(stage: &Stage) -> Vec<&'static str> {
    stage.session.memory().timeline().entries.iter().map(|entry| entry.name).collect()
}

#[test]
fn who_hears_whom_follows_the_hold() {
    let mut stage = stage();
    assert_eq!(participant(&stage, 1).hears, LiveHears::Conversation(vec![id(0), id(2)]));
    assert_eq!(participant(&stage, 1).heard_by, [id(0), id(2)]);
    stage.hold(1);
    assert_eq!(participant(&stage, 1).hears, LiveHears::Silence);
    assert_eq!(layers(&stage, 1), [(Layer::HoldMusic(Some(HoldPhase::Loading)), application())]);
    stage.load_music(1);
    stage.run_ms(40);
    assert_eq!(participant(&stage, 1).hears, LiveHears::Music);
    assert_eq!(layers(&stage, 1), [(Layer::HoldMusic(Some(HoldPhase::Playing)), application())]);
    assert!(participant(&stage, 1).heard_by.is_empty());
    assert_eq!(participant(&stage, 0).hears, LiveHears::Conversation(vec![id(2)]));
    stage.unhold(1);
    stage.run_ms(40);
    assert_eq!((layers(&stage, 1), participant(&stage, 1).heard_by), (Vec::new(), vec![id(0), id(2)]));
}

#[test]
fn an_operation_is_seen_in_all_its_phases() {
    let mut stage = stage();
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(40);
    let operations = call(&stage).operations;
    let [operation] = &operations[..] else { panic!("one operation: {operations:?}") };
    assert_eq!(operation.phases.iter().map(|(phase, _)| *phase).collect::<Vec<_>>(), [Phase::Loading, Phase::Starting]);
    assert_eq!((operation.status, operation.by.clone()), (OperationStatus::Completed, application()));
    assert!(operation.ended >= Some(operation.created));
}

#[test]
fn an_operators_hold_is_the_operators() {
    let mut stage = stage();
    let (operation, client_context, participant) = (OperationId::new(7), context(), id(1));
    let hold = Command::StartHoldMusic { operation, client_context, participant, prompt: Prompt::BuiltIn };
    stage.session.execute(CALL, hold, Some(operator()), stage.now).expect("accepted");
    assert_eq!(layers(&stage, 1), [(Layer::HoldMusic(Some(HoldPhase::Loading)), Owner::Operator(operator()))]);
    let timeline = stage.session.memory().timeline();
    let wish = timeline.entries.iter().find(|entry| entry.name == "startHoldMusic").expect("it is in the timeline");
    assert_eq!((wish.by.clone(), wish.outcome), (Some(Owner::Operator(operator())), Some(TimelineOutcome::Accepted)));
}

#[test]
fn a_phones_own_hold_is_the_phones() {
    let mut stage = stage();
    stage.reinvite(1, sdp::Direction::SendOnly, Codec::G722);
    assert_eq!(layers(&stage, 1), [(Layer::RemoteHold, Owner::Phone)]);
    assert_eq!(participant(&stage, 1).hears, LiveHears::Nothing);
}

#[test]
fn a_refusal_is_in_the_timeline() {
    let mut stage = stage();
    let (operation, client_context, participant) = (OperationId::new(7), context(), id(1));
    let unhold = Command::StopHoldMusic { operation, client_context, participant };
    let refused = stage.session.execute(CALL, unhold, None, stage.now);
    assert_eq!(refused, Err(Refusal::NotOnHold));
    let timeline = stage.session.memory().timeline();
    let last = timeline.entries.last().expect("there is one");
    assert_eq!((last.name, last.outcome), ("stopHoldMusic", Some(TimelineOutcome::Refused)));
    assert!(last.text.ends_with("is refused: the participant is not on hold."), "{}", last.text);
}

#[test]
fn a_hold_reads_from_its_wish_to_its_music() {
    let mut stage = stage();
    let before = names(&stage).len();
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(40);
    let expected = [
        "startHoldMusic",
        "route",
        "loadPrompt",
        "promptLoaded",
        "playHoldMusic",
        "musicStarted",
        "operationEnded",
        "roster",
    ];
    assert_eq!(names(&stage)[before..], expected);
}

#[test]
fn nothing_is_written_while_nothing_happens() {
    let mut stage = stage();
    let revision = stage.session.revision();
    stage.run_ms(1000);
    assert_eq!(stage.session.revision(), revision);
}

#[test]
fn the_ledger_of_the_held_one_has_music_and_nobody() {
    let mut stage = stage();
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(600);
    stage.forget_what_was_heard();
    stage.run_ms(1000);
    let heard = stage.session.heard(id(1)).expect("it is written down");
    let last = heard.intervals.last().expect("it was given something");
    assert_eq!((&last.sound, last.operation, &last.fading_out), (&HeardSound::Music, Some(stage.operation), &None));
    assert!(last.ticks >= 75, "{last:?}");
    let tape = stage.session.heard_audio(id(1)).expect("it is kept").decode();
    assert_eq!(tape.rate_hz, stage.phones[1].decoder.rate_hz());
    assert!(tone_dbfs(&tape.samples[8000..], MUSIC, tape.rate_hz) > super::HEARD_DBFS);
    for tone in super::TONES {
        assert!(tone_dbfs(&tape.samples[8000..], tone, tape.rate_hz) < super::SILENT_DBFS);
    }
}

/// Whom somebody heard at any time from one tick of the ledger on.
fn heard_since(heard: &Heard, tick: u64) -> Vec<ParticipantId> {
    let since = heard.intervals.iter().filter(|interval| interval.tick >= tick);
    let mut people: Vec<_> = since
        .flat_map(|interval| match &interval.sound {
            HeardSound::Mix(people) => people.clone(),
            HeardSound::Nothing | HeardSound::Silence | HeardSound::Music | HeardSound::Key => Vec::new(),
        })
        .collect();
    people.sort_unstable();
    people.dedup();
    people
}

#[test]
fn the_ledger_of_the_others_has_not_the_held_one() {
    let mut stage = stage();
    stage.hold(1);
    let ticks: u64 = stage.session.heard(id(0)).expect("it is written down").intervals.iter().map(|it| it.ticks).sum();
    stage.run_ms(600);
    // In the tick after the hold it fades out.
    let heard = stage.session.heard(id(0)).expect("it is written down");
    assert_eq!(heard_since(&heard, ticks + 1), [id(2)]);
    assert_eq!(heard_since(&heard, 0), [id(1), id(2)]);
}

#[test]
fn what_was_is_remembered_when_it_is_over() {
    let mut stage = stage();
    stage.session.left(id(2), LeaveCause::HungUp, stage.now);
    stage.session.execute(CALL, Command::HangUp, None, stage.now).expect("accepted");
    stage.session.left(id(0), LeaveCause::HungUp, stage.now);
    stage.session.left(id(1), LeaveCause::HungUp, stage.now);
    let memory = stage.session.into_memory();
    let [call] = <[_; 1]>::try_from(memory.calls(ConversationId::new(9))).expect("there was one call");
    assert_eq!(call.state, CallState::Terminated);
    assert!(call.ended.is_some() && call.result.is_some_and(|result| result.code == 200));
    let people: Vec<_> = call.participants.iter().map(|person| (person.id, person.state)).collect();
    assert_eq!(people, [BOT, id(0), id(1), id(2)].map(|id| (id, Attendance::Left)));
    for n in 0..3 {
        assert!(!memory.heard(id(n)).expect("it was written down").intervals.is_empty());
        assert!(memory.heard_audio(id(n)).is_some());
    }
}
