//! The main job: one of three is held and hears music, the others go on.

use crate::harness::{Bot, Conversation, Files, MUSIC_HZ, Server, Trio, stage};

/// In the first cycles caches and pools fill.
const CYCLES_BEFORE_MEMORY_IS_STEADY: usize = 5;
const CYCLES: usize = 25;

/// What the memory may grow by in twenty cycles. Operations and notifications are in the database; a session or an
/// encoder left behind each time would be some 100 KiB each, 2,000 KiB together. Caches of the database and the
/// allocator go on filling: 1,100 KiB were seen here, and 2,500 KiB in 300 cycles, after which nothing grows any more.
const GROWTH_MAX_KIB: u64 = 1800;

#[test]
fn the_held_one_hears_the_music_and_the_others_each_other_in_every_cycle() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let (bob, music) = (call.participant(phones.bob.uri()), files.uri("/music.wav"));
    // The first hold waits for the file; with all others the music is there at once.
    call.hold(&bob, Some(&music));
    let mut together_since = call.unhold(&bob).arrived;
    let mut steady_kib = 0;
    for cycle in 0..CYCLES {
        phones.assert_together(together_since);
        if cycle == CYCLES_BEFORE_MEMORY_IS_STEADY {
            steady_kib = server.resident_kib();
        }
        let hold = call.hold(&bob, Some(&music));
        phones.assert_bob_apart(&[MUSIC_HZ], hold.accepted);
        together_since = call.unhold(&bob).arrived;
    }
    for phone in phones.phones() {
        let statistics = phone.statistics();
        assert_eq!((statistics.lost, statistics.source_changes, statistics.undecodable), (0, 0, 0), "{}", phone.uri());
    }
    let grown_kib = server.resident_kib().saturating_sub(steady_kib);
    assert!(grown_kib < GROWTH_MAX_KIB, "{grown_kib} KiB more than {steady_kib} after {CYCLES} cycles");
}
