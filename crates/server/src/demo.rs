//! `fermata demo`: the main job, to be seen and heard. Three phones are in a call, one of them is put on hold and hears
//! music, and is taken back.
//!
//! The server runs in this process, but nothing here looks into it: an application ([`application`]) speaks its public HTTP API, the
//! phones ([`phones`]) are SIP user agents on sockets, and who hears whom is measured from the RTP they receive
//! ([`meter`]). The exit status says whether the promise was kept ([`verdict`]).

mod application;
mod meter;
mod paint;
mod phase;
mod phones;
mod place;
mod screen;
mod stay;
mod summary;
mod table;
mod verdict;
mod voice;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinHandle;

use self::application::Application;
use self::phase::{HELD, Phase};
use self::phones::Phones;
use self::place::Place;
use self::screen::Screen;
use self::verdict::{Performance, Stretch, Verdict};
use crate::run::{Server, stop_signal};

/// How long the three talk before the hold, and after it: long enough to be heard in the recording.
const TALK: Duration = Duration::from_secs(4);

/// How long the hold lasts: two rounds of the music, so that its seam is in the recording.
const HOLD: Duration = Duration::from_secs(6);

/// How long all takes, for the bar of progress: with a second for calling and one for hanging up.
const ALL: Duration = Duration::from_secs(16);

/// When the promise of a hold begins after its answer. The answer comes when the hold is in force, the tick before it
/// may still be on its way; more would hide a leak.
const IN_FORCE_AFTER: Duration = Duration::from_millis(60);

/// How often the table is measured: as often as it is drawn.
const MEASURED_EVERY: Duration = Duration::from_millis(80);

/// The exit status of a program that was told to stop: 128 and the number of SIGINT.
const INTERRUPTED: u8 = 130;

/// How `fermata demo` is told what to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where the recordings, the data folder and the log are written.
    #[arg(long, value_name = "DIR", default_value = "fermata-demo")]
    out: PathBuf,
    /// Leaves the server and the phones up, and says how to hold somebody.
    #[arg(long)]
    stay: bool,
}

/// Runs the demo. The exit status says whether the promise was kept.
///
/// # Errors
///
/// What kept it from being shown, in a sentence.
pub(crate) fn run(options: Options) -> anyhow::Result<ExitCode> {
    crate::runtime()?.block_on(play(options))
}

/// Sets the stage, plays, and clears up whatever happened.
async fn play(options: Options) -> anyhow::Result<ExitCode> {
    let place = Place::prepare(options.out, options.stay)?;
    let log = place.start_log()?;
    let server = Server::start(&place.settings).await?;
    let phones = Arc::new(Phones::start()?);
    let screen = Screen::new(ALL);
    let drawing = tokio::spawn(draw(Arc::clone(&phones), screen.clone()));
    let outcome = tokio::select! {
        // In this order: who stays is told to stop in there, and has an outcome by then.
        biased;
        outcome = show(&server, &place, &phones, &screen, options.stay) => outcome,
        interrupted = stop_signal() => interrupted.map(|()| ExitCode::from(INTERRUPTED)),
    };
    clear_up(server, phones, drawing, &screen).await;
    outcome.with_context(|| format!("the demo broke off (more is in {})", log.display()))
}

async fn clear_up(server: Server, phones: Arc<Phones>, drawing: JoinHandle<()>, screen: &Screen) {
    drawing.abort();
    // It was just told to end; then the phones are nobody else's.
    let _ = drawing.await;
    screen.finish();
    drop(phones);
    server.stop().await;
}

async fn show(
    server: &Server,
    place: &Place,
    phones: &Phones,
    screen: &Screen,
    stay: bool,
) -> anyhow::Result<ExitCode> {
    screen.title("Fermata: three phones in a call, one of them hears music");
    let mut application = Application::start(server.http_address(), &place.settings, screen.clone()).await?;
    let performed = perform(&mut application, phones, screen).await;
    screen.finish();
    let recordings = phones.write_recordings(&place.folder)?;
    let verdict = Verdict::of(&performed?, phones);
    summary::write(&verdict, &recordings, screen);
    if stay {
        tokio::select! {
            ended = stay::stay(&mut application, server, place, phones, screen) => ended?,
            stopped = stop_signal() => stopped?,
        }
    }
    Ok(if verdict.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The story: three talk, one is held, three talk again.
async fn perform(bot: &mut Application, phones: &Phones, screen: &Screen) -> anyhow::Result<Performance> {
    let held = HELD.name();
    screen.next("The bot calls alice, bob and carol");
    let call = bot.call(&phones.uris()).await?;
    let participant = bot.wait_for_all(&call, &phones.uris(), phones.of(HELD).uri()).await?;
    phones.wait_for(Phase::Before).await?;
    let together = Instant::now();
    screen.measured(together, "everybody hears everybody else");
    screen.caption("alice, bob and carol talk");
    listen(TALK, phones, screen).await;

    screen.next(&format!("The bot puts {held} on hold"));
    let hold = bot.start_hold_music(&participant).await?;
    phones.wait_for(Phase::Held).await?;
    tell_first_music(phones, screen, hold.requested);
    screen.caption(&format!("{held} is on hold"));
    listen(HOLD, phones, screen).await;

    screen.next(&format!("The bot takes {held} off hold"));
    let unhold = bot.stop_hold_music(&participant).await?;
    phones.wait_for(Phase::After).await?;
    let together_again = Instant::now();
    screen.measured(together_again, "everybody hears everybody else again");
    screen.caption("alice, bob and carol talk again");
    listen(TALK, phones, screen).await;
    let over = Instant::now();

    screen.next("The bot hangs up, and so does everybody");
    bot.hang_up(&call).await?;
    phones.hang_up().await?;
    let stretch = |phase, from, to| Stretch { phase, from, to };
    let before = stretch(Phase::Before, together, hold.requested);
    let on_hold = stretch(Phase::Held, hold.accepted + IN_FORCE_AFTER, unhold.requested);
    let after = stretch(Phase::After, together_again, over);
    Ok(Performance { stretches: [before, on_hold, after], hold })
}

/// Lets time pass. Where nothing is drawn, the table at the end of it is a line that stays.
async fn listen(duration: Duration, phones: &Phones, screen: &Screen) {
    tokio::time::sleep(duration).await;
    if screen.is_plain() {
        screen.keep_table(&phones.hear_now());
    }
}

fn tell_first_music(phones: &Phones, screen: &Screen, requested: Instant) {
    if let Some(arrival) = meter::first_music(phones.of(HELD), requested) {
        let after_ms = arrival.saturating_duration_since(requested).as_secs_f64() * 1000.0;
        screen.measured(arrival, &format!("{} hears music, {after_ms:.1} ms after the request", HELD.name()));
    }
}

/// Draws who hears whom, over and over.
async fn draw(phones: Arc<Phones>, screen: Screen) {
    let mut due = tokio::time::interval(MEASURED_EVERY);
    loop {
        due.tick().await;
        if !screen.is_plain() {
            screen.draw(&phones.hear_now());
        }
    }
}
