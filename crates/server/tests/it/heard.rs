//! The heard ledger says what real phones heard, so that a bot's test need not listen.

use std::time::Instant;

use reqwest::Method;
use serde_json::Value;

use crate::harness::{Bot, Conversation, Files, MUSIC_HZ, Server, Trio, Wav, listen, stage};

/// What is listened to before the sound is looked at, of which the last half second counts.
const TAIL_PACKETS: u64 = 40;

fn path(call: &Conversation<'_>, participant: &str) -> String {
    format!("/fermata/v1/calls/{}/participants/{participant}/heard", call.id())
}

fn intervals(bot: &Bot, call: &Conversation<'_>, participant: &str) -> Vec<Value> {
    let answer = bot.ask(Method::GET, &path(call, participant));
    answer.body["intervals"].as_array().unwrap_or_else(|| panic!("a list: {answer:?}")).clone()
}

/// Whom somebody heard in a part of its ledger.
fn heard_in(intervals: &[Value]) -> Vec<&str> {
    let people = intervals.iter().flat_map(|interval| interval["participants"].as_array().expect("a list"));
    let mut people: Vec<&str> = people.map(|id| id.as_str().expect("an id")).collect();
    people.sort_unstable();
    people.dedup();
    people
}

fn sorted(mut people: Vec<&str>) -> Vec<&str> {
    people.sort_unstable();
    people
}

#[test]
fn the_held_one_heard_the_music_and_nobody_and_the_others_each_other() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let [alice, bob, carol] = phones.phones().map(|phone| call.participant(phone.uri()));
    phones.assert_together(Instant::now());
    let hold = call.hold(&bob, Some(&files.uri("/music.wav")));
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    let of_bob = intervals(&bot, &call, &bob);
    // In the one tick of the change the conversation fades out.
    let change = of_bob.iter().position(|interval| interval["fadingOut"]["source"] == "mix").expect("it was held");
    assert_eq!(of_bob[change]["ticks"], 1);
    assert_eq!(heard_in(&of_bob[change..]), Vec::<&str>::new());
    assert_eq!(heard_in(&of_bob[..change]), sorted(vec![&alice, &carol]));
    let last = of_bob.last().expect("it was given something");
    assert_eq!((&last["source"], &last["operationId"]), (&"music".into(), &hold.id.as_str().into()));
    // Until then alice heard bob, and not in one tick after it.
    let until = of_bob[change]["tick"].as_u64().expect("a number") + 1;
    let of_alice = intervals(&bot, &call, &alice);
    assert_eq!(heard_in(&of_alice), sorted(vec![&bob, &carol]));
    for interval in of_alice.iter().filter(|interval| heard_in(std::slice::from_ref(interval)).contains(&bob.as_str()))
    {
        let end = interval["tick"].as_u64().zip(interval["ticks"].as_u64()).map(|(tick, ticks)| tick + ticks);
        assert!(end <= Some(until), "{interval} after {until}");
    }
    // The sound says the same.
    listen(&[&phones.bob], TAIL_PACKETS);
    let Wav { rate_hz, channels, samples } = Wav::from_bytes(&bot.load(&format!("{}.wav", path(&call, &bob))));
    let tail = samples[samples.len() - rate_hz as usize / 2..].to_vec();
    assert_eq!(Wav { rate_hz, channels, samples: tail }.heard_in_turn(), [[MUSIC_HZ]]);
}
