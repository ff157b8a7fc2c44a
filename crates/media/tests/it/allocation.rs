//! A tick in a steady state takes no memory from the allocator.

use crate::room::{MUSIC_HZ, Phone, format, recording, start};
use media::{Codec, Hears, LedgerLimits, LegId, Loop, Mixer, NtpTime, Route, TICK, TransmitStart};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

thread_local! {
    /// Allocations of this thread; other tests run in others.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written without; it only counts and hands on")]
// SAFETY: every call goes unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Runs two who talk and one on hold, with ledgers of what they are given; counts what receiving and ticking allocate in the last of two seconds.
fn allocations(codec: Codec) -> u64 {
    let mut mixer = Mixer::new().with_ledgers(LedgerLimits { intervals_max: 8, audio: Duration::from_millis(200) });
    let mut phones: Vec<Phone> = (0..3).map(|n| Phone::new(codec, Some(400.0 + 300.0 * f64::from(n)))).collect();
    let music = Hears::Music(Arc::new(Loop::encode(&recording(MUSIC_HZ, 16_000, 16_000), codec)));
    for (leg, hears) in [(0, Hears::Conversation), (1, Hears::Conversation), (2, music)] {
        let heard = matches!(hears, Hears::Conversation);
        let start = TransmitStart { ssrc: leg as u32, sequence: 0, timestamp: 0 };
        mixer.add_leg(LegId(leg), format(codec), start, Route { hears, heard });
    }
    let origin = start();
    let mut counted = 0;
    for tick in 0..100 {
        let now = origin + TICK * tick;
        let packets: Vec<Vec<u8>> = phones.iter_mut().map(|phone| phone.say(1)).collect();
        let before = ALLOCATIONS.with(Cell::get);
        for (leg, packet) in packets.iter().enumerate() {
            mixer.receive(LegId(leg as u64), packet, now).unwrap();
        }
        mixer.tick(now, NtpTime::default(), &mut |outgoing| assert!(!outgoing.bytes.is_empty()));
        if tick >= 50 {
            counted += ALLOCATIONS.with(Cell::get) - before;
        }
    }
    counted
}

#[test]
fn a_steady_tick_allocates_nothing() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        assert_eq!(allocations(codec), 0, "{codec:?}");
    }
}

#[test]
fn opus_allocates_only_within_its_encoder() {
    // The library takes three short-lived buffers a frame. Two legs hear the conversation, for 50 ticks.
    assert!(allocations(Codec::Opus) <= 3 * 2 * 50);
}
