//! The hall: a small reverberator (Schroeder's: four combs side by side, then two all-passes in a
//! row).

/// Echo times of the combs. Without common divisors, so that their echoes do not fall together and
/// ring.
const COMBS_MS: [f32; 4] = [29.7, 37.1, 41.1, 43.7];
/// Delays of the all-passes: they only make the echoes denser.
const ALL_PASSES_MS: [f32; 2] = [5.0, 1.7];
/// How much of each echo goes round again. 0.80 is a room of about a second; 0.9 is a cathedral and
/// blurs the harmony.
const FEEDBACK: f32 = 0.80;
/// How much of the treble each round takes away, as walls and curtains do.
const DAMPING: f32 = 0.35;
/// The coefficient Schroeder proposed.
const ALL_PASS_GAIN: f32 = 0.7;
/// How much of the room is added to the dry sound. A telephone needs less than a loudspeaker.
const WET: f32 = 0.10;
/// By now an echo has fallen by more than 80 dB: a loop that has run this long rings as if it had
/// always been running.
const MEMORY_S: usize = 2;

/// The loop as it sounds in the room, once it has gone round at least once.
pub(super) fn reverberate(dry: &[f32], rate_hz: u32) -> Vec<f32> {
    let mut room = Room::new(rate_hz as f32);
    let run_in = dry.len().saturating_sub(MEMORY_S * rate_hz as usize);
    for &sample in &dry[run_in..] {
        room.echo(sample);
    }
    dry.iter().map(|&sample| sample + WET * room.echo(sample)).collect()
}

struct Room {
    combs: [Comb; COMBS_MS.len()],
    all_passes: [AllPass; ALL_PASSES_MS.len()],
}

impl Room {
    fn new(rate_hz: f32) -> Self {
        Self {
            combs: COMBS_MS.map(|ms| Comb { delay: Delay::new(ms, rate_hz), lowpass: 0.0 }),
            all_passes: ALL_PASSES_MS.map(|ms| AllPass { delay: Delay::new(ms, rate_hz) }),
        }
    }

    fn echo(&mut self, input: f32) -> f32 {
        let echoes = self.combs.iter_mut().map(|comb| comb.process(input)).sum();
        self.all_passes.iter_mut().fold(echoes, |sample, all_pass| all_pass.process(sample))
    }
}

struct Comb {
    delay: Delay,
    lowpass: f32,
}

impl Comb {
    fn process(&mut self, input: f32) -> f32 {
        let echo = self.delay.oldest();
        self.lowpass = echo + DAMPING * (self.lowpass - echo);
        self.delay.push(input + FEEDBACK * self.lowpass);
        echo
    }
}

struct AllPass {
    delay: Delay,
}

impl AllPass {
    fn process(&mut self, input: f32) -> f32 {
        let delayed = self.delay.oldest();
        let fed = input + ALL_PASS_GAIN * delayed;
        self.delay.push(fed);
        delayed - ALL_PASS_GAIN * fed
    }
}

struct Delay {
    samples: Vec<f32>,
    position: usize,
}

impl Delay {
    fn new(ms: f32, rate_hz: f32) -> Self {
        Self { samples: vec![0.0; (ms * rate_hz / 1000.0) as usize], position: 0 }
    }

    fn oldest(&self) -> f32 {
        self.samples[self.position]
    }

    fn push(&mut self, sample: f32) {
        self.samples[self.position] = sample;
        self.position = (self.position + 1) % self.samples.len();
    }
}
