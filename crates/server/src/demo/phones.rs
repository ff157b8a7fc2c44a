//! The three phones: real SIP user agents on real sockets, each with another codec.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use phone::{Codec, Config, Phone, Speech, State};

use super::meter::Levels;
use super::phase::Phase;
use super::voice::{Person, Voice};

/// How long everybody may take to answer, and to hear whom they should. On an idle machine it is half a second; a busy
/// one must not fail.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often the phones are looked at while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A phone for each person.
#[derive(Debug)]
pub(super) struct Phones {
    alice: Phone,
    bob: Phone,
    carol: Phone,
}

impl Phones {
    /// Switches them on.
    ///
    /// # Errors
    ///
    /// What the system says when it has no socket or thread to give.
    pub(super) fn start() -> anyhow::Result<Phones> {
        Ok(Phones { alice: start(Person::Alice)?, bob: start(Person::Bob)?, carol: start(Person::Carol)? })
    }

    /// Returns somebody's phone.
    pub(super) fn of(&self, person: Person) -> &Phone {
        match person {
            Person::Alice => &self.alice,
            Person::Bob => &self.bob,
            Person::Carol => &self.carol,
        }
    }

    /// Returns the addresses at which they are called.
    pub(super) fn uris(&self) -> [&str; 3] {
        Person::ALL.map(|person| self.of(person).uri())
    }

    /// Measures what everybody hears now.
    pub(super) fn hear_now(&self) -> [(Person, Levels); 3] {
        Person::ALL.map(|person| (person, Levels::now(self.of(person))))
    }

    /// Waits until everybody hears whom they are to hear, and nobody else.
    ///
    /// # Errors
    ///
    /// Says who hears what instead.
    pub(super) async fn wait_for(&self, phase: Phase) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while let Some(wrong) = self.what_is_wrong(phase) {
            if Instant::now() > deadline {
                bail!("{wrong}, after {} s", PATIENCE.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Lets all of them hang up, and waits until they have. When a bot leaves a group call the people stay together.
    ///
    /// # Errors
    ///
    /// Says whose phone is still in the call.
    pub(super) async fn hang_up(&self) -> anyhow::Result<()> {
        Person::ALL.iter().for_each(|&person| self.of(person).hang_up());
        let deadline = Instant::now() + PATIENCE;
        let in_call = || Person::ALL.into_iter().find(|&person| self.of(person).state() != State::Ended);
        while let Some(person) = in_call() {
            if Instant::now() > deadline {
                bail!("{}'s phone is still in the call after it hung up", person.name());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Writes what each phone heard as a WAV file into a folder.
    ///
    /// # Errors
    ///
    /// Names the file that cannot be written.
    pub(super) fn write_recordings(&self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let write = |person: Person| {
            let path = folder.join(person.name()).with_extension("wav");
            self.of(person).write_wav(&path).with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(path)
        };
        Person::ALL.into_iter().map(write).collect()
    }

    fn what_is_wrong(&self, phase: Phase) -> Option<String> {
        let pairs = self.hear_now().into_iter().flat_map(|heard| Voice::ALL.map(|voice| (heard, voice)));
        let mut wrong = pairs.filter(|((who, levels), voice)| levels.hears(*voice) != phase.is_to_hear(*who, *voice));
        wrong.next().map(|((who, levels), voice)| match levels.hears(voice) {
            true => format!("{} hears {}", who.name(), voice.name()),
            false => format!("{} does not hear {}", who.name(), voice.name()),
        })
    }
}

/// The codec of somebody's phone. One is of the telephone network, one of office phones, one of the Internet.
pub(super) fn codec(person: Person) -> Codec {
    match person {
        Person::Alice => Codec::Opus,
        Person::Bob => Codec::G722,
        Person::Carol => Codec::Pcmu,
    }
}

fn start(person: Person) -> anyhow::Result<Phone> {
    let config = Config {
        codecs: vec![codec(person)],
        speaks: Speech::Recording(Voice::Of(person).recording()),
        ..Config::new(person.name(), IpAddr::V4(Ipv4Addr::LOCALHOST))
    };
    Phone::start(config).with_context(|| format!("{}'s phone cannot be switched on", person.name()))
}
