//! The table of layers, row by row.

use call::{Hears, Layers, Route};

#[test]
fn every_combination_of_layers() {
    for bits in 0..8 {
        let layers = Layers { hold_music: bits & 1 != 0, remote_hold: bits & 2 != 0, muted: bits & 4 != 0 };
        let expected = match (layers.hold_music, layers.remote_hold, layers.muted) {
            (false, false, muted) => Route { hears: Hears::Conversation, heard: !muted },
            (true, false, _) => Route { hears: Hears::HoldMusic, heard: false },
            (_, true, _) => Route { hears: Hears::Nothing, heard: false },
        };
        assert_eq!(layers.route(), expected, "{layers:?}");
    }
}
