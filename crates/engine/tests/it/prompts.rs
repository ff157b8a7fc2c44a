//! Prompts, fetched from a small web server of the test's own.

use std::sync::Arc;
use std::time::Duration;

use engine::outgoing::{PlainHttp, RequestError, Rule, UriError};
use engine::prompts::{
    CallScope, DownloadError, FormatError, FormatRule, Limits, Policy, PromptFailure, PromptSource, Prompts,
};
use media::{Codec, Loop};

use crate::origin::{Answer, Origin};

const CALL: CallScope = CallScope::new(1);
const OTHER_CALL: CallScope = CallScope::new(2);

// What is fetched.

#[tokio::test]
async fn a_prompt_of_graphs_format_is_played() {
    let origin = Origin::serve(|_| Answer::ok(&graph_prompt())).await;

    assert!(load(&strict(), &origin.uri("/hold.wav")).await.is_ok());
}

#[tokio::test]
async fn strict_wants_graphs_format_and_says_what_the_file_is() {
    for (channels, bits, rate_hz) in [(2, 16, 16_000), (1, 8, 16_000), (1, 16, 44_100)] {
        let origin = Origin::serve(move |_| Answer::ok(&wav(channels, bits, rate_hz))).await;

        let failure = failure(&strict(), &origin.uri("/hold.wav")).await;

        assert!(matches!(failure, PromptFailure::Format(FormatError::NotGraph(_))), "{failure}");
        let message = failure.to_string();
        for part in ["WAV, mono, 16 bit, 16000 Hz, PCM", &format!("{bits} bit"), &format!("{rate_hz} Hz")] {
            assert!(message.contains(part), "'{part}' is missing in: {message}");
        }
    }
}

#[tokio::test]
async fn extended_plays_what_people_have() {
    let files: [&[u8]; 5] = [
        &wav(2, 16, 44_100),
        include_bytes!("data/tone.mp3"),
        include_bytes!("data/tone.flac"),
        include_bytes!("data/tone-vorbis.ogg"),
        include_bytes!("data/tone-opus.ogg"),
    ];
    for (index, file) in files.into_iter().enumerate() {
        let file = file.to_vec();
        let origin = Origin::serve(move |_| Answer::ok(&file)).await;

        let outcome = load(&extended(), &origin.uri("/hold")).await;

        assert!(outcome.is_ok(), "file {index}: {}", outcome.err().map(|failure| failure.to_string()).unwrap());
    }
}

#[tokio::test]
async fn a_page_that_is_named_wav_is_not_a_prompt() {
    let origin = Origin::serve(|_| Answer::ok(b"<!DOCTYPE html><html><body>Sign in</body></html>")).await;

    let failure = failure(&extended(), &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Format(FormatError::File(_))), "{failure}");
    assert!(failure.to_string().contains("HTML"), "{failure}");
}

#[tokio::test]
async fn an_empty_file_is_not_a_prompt() {
    let origin = Origin::serve(|_| Answer::ok(b"")).await;

    let failure = failure(&extended(), &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Format(FormatError::File(_))), "{failure}");
}

#[tokio::test]
async fn audio_has_a_longest_length() {
    let origin = Origin::serve(|_| Answer::ok(&graph_prompt())).await;
    let prompts = with_limits(Limits { audio: Duration::from_millis(50), ..Limits::default() });

    let failure = failure(&prompts, &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Format(FormatError::File(_))), "{failure}");
}

// What cannot be fetched.

#[tokio::test]
async fn a_missing_file_names_the_status_and_keeps_the_secret() {
    let origin = Origin::serve(|_| Answer::status("404 Not Found")).await;

    let failure = failure(&strict(), &origin.uri("/secret-path?sig=secret-query")).await;

    assert!(matches!(&failure, PromptFailure::Download(DownloadError::Status { status, .. }) if *status == 404));
    let message = failure.to_string();
    assert!(message.contains("404 Not Found") && message.contains("http://127.0.0.1:"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

#[tokio::test]
async fn a_file_that_announces_too_much_is_not_read() {
    let origin = Origin::serve(|_| Answer::silent_after("HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")).await;

    let failure = failure(&strict(), &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Download(DownloadError::TooLarge { .. })), "{failure}");
    assert!(failure.to_string().contains("50 MiB"), "{failure}");
}

#[tokio::test]
async fn a_file_without_an_end_is_left_at_the_limit() {
    let origin = Origin::serve(|_| Answer::endless("HTTP/1.1 200 OK\r\n\r\n")).await;
    let prompts = with_limits(Limits { file_bytes: 100_000, ..Limits::default() });

    let failure = failure(&prompts, &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Download(DownloadError::TooLarge { .. })), "{failure}");
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_played() {
    let origin = Origin::serve(|_| Answer::raw("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nRIFF")).await;

    let failure = failure(&strict(), &origin.uri("/hold.wav")).await;

    assert!(
        matches!(failure, PromptFailure::Download(DownloadError::Request(RequestError::Interrupted { .. }))),
        "{failure}"
    );
}

#[tokio::test]
async fn an_origin_that_stalls_is_left_in_time() {
    for head in ["", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nRIFF"] {
        let origin = Origin::serve(move |_| Answer::silent_after(head)).await;
        let prompts = with_limits(Limits { fetch: Duration::from_millis(50), ..Limits::default() });

        let failure = failure(&prompts, &origin.uri("/hold.wav")).await;

        assert!(matches!(failure, PromptFailure::Download(DownloadError::Timeout { .. })), "{failure}");
    }
}

#[tokio::test]
async fn an_origin_that_is_down_is_named() {
    let failure = failure(&strict(), &format!("http://{}/hold.wav", Origin::closed().await)).await;

    assert!(
        matches!(failure, PromptFailure::Download(DownloadError::Request(RequestError::Connect { .. }))),
        "{failure}"
    );
    assert!(failure.to_string().contains("refused"), "{failure}");
}

#[tokio::test]
async fn only_absolute_http_uris_are_fetched() {
    for uri in ["hold.wav", "/hold.wav", "file:///etc/passwd", "ftp://example.org/hold.wav", "http://", ""] {
        let failure = failure(&strict(), uri).await;

        assert_eq!(uri_error(&failure), Some(&UriError::NotHttp), "{uri}: {failure}");
    }
}

#[tokio::test]
async fn the_failure_maps_to_the_kinds_of_the_rules() {
    let origin = Origin::serve(|_| Answer::ok(b"<html>")).await;

    let download: call::PromptFailure = failure(&strict(), "ftp://example.org/").await.into();
    let format: call::PromptFailure = failure(&strict(), &origin.uri("/")).await.into();

    assert_eq!(download.kind, call::PromptFailureKind::Download);
    assert_eq!(format.kind, call::PromptFailureKind::Format);
}

// Redirects.

#[tokio::test]
async fn a_redirect_is_followed() {
    let origin = Origin::serve(|request| match request.path() {
        "/hold.wav" => Answer::redirect("302 Found", "../files/7"),
        _ => Answer::ok(&graph_prompt()),
    })
    .await;

    assert!(load(&strict(), &origin.uri("/hold.wav")).await.is_ok());
    assert_eq!(origin.paths(), ["/hold.wav", "/files/7"]);
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let origin = Origin::serve(|_| Answer::redirect("302 Found", "/hold.wav")).await;

    let failure = failure(&strict(), &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Download(DownloadError::TooManyRedirects { limit: 5 })), "{failure}");
    assert_eq!(origin.paths().len(), 6);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_error() {
    let origin = Origin::serve(|_| Answer::status("302 Found")).await;

    let failure = failure(&strict(), &origin.uri("/hold.wav")).await;

    assert!(matches!(failure, PromptFailure::Download(DownloadError::Redirect { .. })), "{failure}");
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_uri() {
    for target in ["file:///etc/passwd", "http://127.0.0.2/", "http://[::1]/", "http://10.0.0.1/", "http://0x7f.2/"] {
        let origin = Origin::serve(move |_| Answer::redirect("302 Found", target)).await;
        let outgoing = Rule { allow: vec!["127.0.0.1".parse().unwrap()], ..public_only() };

        let failure = failure(&Prompts::new(Policy { outgoing, ..Policy::default() }), &origin.uri("/hold.wav")).await;

        assert!(
            matches!(uri_error(&failure), Some(UriError::NotPublic { .. } | UriError::NotHttp)),
            "{target}: {failure}"
        );
    }
}

// Addresses.

#[tokio::test]
async fn production_asks_no_private_host() {
    let origin = Origin::serve(|_| Answer::ok(&graph_prompt())).await;
    let port = origin.address().port();
    let prompts = Prompts::new(Policy { outgoing: public_only(), ..Policy::default() });

    for host in ["127.0.0.1", "localhost", "0", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"] {
        let failure = failure(&prompts, &format!("http://{host}:{port}/hold.wav")).await;

        assert!(matches!(uri_error(&failure), Some(UriError::NotPublic { .. })), "{host}: {failure}");
    }
    assert_eq!(origin.hits(), 0);
}

#[tokio::test]
async fn development_asks_the_own_machine_by_name() {
    let origin = Origin::serve(|_| Answer::ok(&graph_prompt())).await;

    assert!(load(&strict(), &format!("http://localhost:{}/hold.wav", origin.address().port())).await.is_ok());
}

#[tokio::test]
async fn a_name_without_an_address_is_named() {
    let failure = failure(&strict(), "http://no-such-host.invalid/hold.wav").await;

    assert!(
        matches!(failure, PromptFailure::Download(DownloadError::Request(RequestError::Unresolved { .. }))),
        "{failure}"
    );
    assert!(failure.to_string().contains("no-such-host.invalid"), "{failure}");
}

// Caching.

#[tokio::test]
async fn a_fresh_prompt_is_not_fetched_again() {
    let origin = Origin::serve(|_| Answer::ok_with("Cache-Control: public, max-age=60", &graph_prompt())).await;
    let prompts = strict();

    let first = load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    let again = load(&prompts, &origin.uri("/a.wav#fragment")).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert!(prompts.cached(CALL, &source(&origin.uri("/a.wav")), Codec::Pcma).is_some());
    assert_eq!(origin.hits(), 1);

    pass(Duration::from_secs(61)).await;
    assert!(prompts.cached(CALL, &source(&origin.uri("/a.wav")), Codec::Pcma).is_none());
    load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    assert_eq!(origin.hits(), 2);
}

#[tokio::test]
async fn how_long_an_answer_is_fresh() {
    const PAST: &str = "Date: Mon, 06 Jul 2026 12:00:00 GMT\r\n";
    let minute_fresh = [
        "Cache-Control: max-age=60".to_owned(),
        "Cache-Control: s-maxage=60, max-age=1".to_owned(),
        "cache-control: MAX-AGE=\"60\"".to_owned(),
        "Cache-Control: max-age=100\r\nAge: 40".to_owned(),
        format!("{PAST}Expires: Mon, 06 Jul 2026 12:01:00 GMT"),
        format!("{PAST}Last-Modified: Mon, 06 Jul 2026 11:50:00 GMT"),
        format!("{PAST}Expires: Mon, 06 Jul 2026 12:00:01 GMT\r\nCache-Control: max-age=60"),
    ];
    for headers in minute_fresh {
        assert_eq!(hits_of_three_loads(&headers, [59, 2]).await, 2, "{headers}");
    }
}

#[tokio::test]
async fn what_must_be_fetched_again() {
    let never_fresh = [
        "",
        "Cache-Control: no-store, max-age=60",
        "Cache-Control: no-cache, max-age=60",
        "Cache-Control: private, max-age=60",
        "Cache-Control: max-age=0",
        "Cache-Control: max-age=nonsense",
        "Cache-Control: max-age=60\r\nVary: *",
        "Expires: 0",
    ];
    for headers in never_fresh {
        assert_eq!(hits_of_three_loads(headers, [0, 0]).await, 3, "{headers}");
    }
}

#[tokio::test]
async fn a_stale_prompt_is_asked_for_again_and_not_sent_again() {
    let origin = Origin::serve(|request| match request.header("if-none-match") {
        Some("\"v1\"") => Answer::raw("HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"),
        _ => Answer::ok_with("ETag: \"v1\"\r\nCache-Control: max-age=60", &graph_prompt()),
    })
    .await;
    let prompts = strict();

    let first = load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    pass(Duration::from_secs(61)).await;
    let confirmed = load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    assert!(Arc::ptr_eq(&first, &confirmed));
    assert_eq!(origin.hits(), 2);

    load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    assert_eq!(origin.hits(), 2, "confirmed for another minute");
}

#[tokio::test]
async fn a_changed_prompt_replaces_the_old_one() {
    let origin = Origin::serve(|request| match request.header("if-modified-since") {
        Some(_) => Answer::ok(&wav(1, 16, 16_000)),
        None => {
            Answer::ok_with("Last-Modified: Mon, 06 Jul 2026 12:00:00 GMT\r\nCache-Control: no-cache", &graph_prompt())
        }
    })
    .await;
    let prompts = strict();

    let first = load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    let second = load(&prompts, &origin.uri("/a.wav")).await.unwrap();

    assert!(!Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn a_temporary_redirect_is_asked_again() {
    let origin = Origin::serve(|request| match request.path() {
        "/hold.wav" => Answer::redirect("302 Found", "/file"),
        _ => Answer::ok_with("Cache-Control: max-age=60", &graph_prompt()),
    })
    .await;
    let prompts = strict();

    load(&prompts, &origin.uri("/hold.wav")).await.unwrap();
    load(&prompts, &origin.uri("/hold.wav")).await.unwrap();

    assert_eq!(origin.paths(), ["/hold.wav", "/file", "/hold.wav", "/file"]);
}

#[tokio::test]
async fn a_permanent_redirect_is_as_fresh_as_its_target() {
    let origin = Origin::serve(|request| match request.path() {
        "/hold.wav" => Answer::redirect("301 Moved Permanently", "/file"),
        _ => Answer::ok_with("Cache-Control: max-age=60", &graph_prompt()),
    })
    .await;
    let prompts = strict();

    load(&prompts, &origin.uri("/hold.wav")).await.unwrap();
    load(&prompts, &origin.uri("/hold.wav")).await.unwrap();

    assert_eq!(origin.paths(), ["/hold.wav", "/file"]);
}

#[tokio::test]
async fn a_failure_is_not_kept() {
    let origin = Origin::serve(|request| match request.number {
        0 => Answer::status("503 Service Unavailable"),
        _ => Answer::ok(&graph_prompt()),
    })
    .await;
    let prompts = strict();

    assert!(load(&prompts, &origin.uri("/a.wav")).await.is_err());
    assert!(load(&prompts, &origin.uri("/a.wav")).await.is_ok());
}

#[tokio::test]
async fn the_least_recently_used_prompt_goes() {
    let origin = Origin::serve(|_| Answer::ok_with("Cache-Control: max-age=60", &graph_prompt())).await;
    let prompts = with_limits(Limits { kept_count: 2, ..Limits::default() });

    for path in ["/a", "/b", "/a", "/c", "/a", "/b"] {
        load(&prompts, &origin.uri(path)).await.unwrap();
    }

    assert_eq!(origin.paths(), ["/a", "/b", "/c", "/b"]);
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes() {
    let origin = Origin::serve(|_| Answer::ok_with("Cache-Control: max-age=60", &graph_prompt())).await;
    let prompts = with_limits(Limits { kept_bytes: 1000, ..Limits::default() });

    load(&prompts, &origin.uri("/a")).await.unwrap();
    load(&prompts, &origin.uri("/a")).await.unwrap();

    assert_eq!(origin.hits(), 2);
}

// Many at once.

#[tokio::test]
async fn those_who_ask_at_the_same_time_share_one_fetch_and_one_encoding() {
    let origin = Origin::serve(|_| Answer::ok_with("Cache-Control: no-store", &graph_prompt())).await;
    let (prompts, uri) = (strict(), origin.uri("/a.wav"));

    let (one, two) = tokio::join!(load(&prompts, &uri), load(&prompts, &uri));

    assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
    assert_eq!(origin.hits(), 1);
}

#[tokio::test]
async fn a_fetch_goes_on_when_the_one_who_asked_stops_waiting() {
    let origin = Origin::serve(|_| Answer::ok_with("Cache-Control: max-age=60", &graph_prompt())).await;
    let (prompts, uri) = (strict(), origin.uri("/a.wav"));

    tokio::select! {
        biased;
        _ = load(&prompts, &uri) => panic!("nothing is fetched at the first poll"),
        () = std::future::ready(()) => {}
    }

    load(&prompts, &uri).await.unwrap();
    assert_eq!(origin.hits(), 1);
}

#[tokio::test]
async fn more_fetches_than_the_limit_are_refused() {
    let origin = Origin::serve(|_| Answer::silent_after("")).await;
    let limits = Limits { flights: 1, fetch: Duration::from_millis(50), ..Limits::default() };
    let prompts = with_limits(limits);

    let (first, second) = (origin.uri("/a"), origin.uri("/b"));
    let (waiting, refused) = tokio::join!(load(&prompts, &first), load(&prompts, &second));

    assert!(matches!(waiting, Err(PromptFailure::Download(DownloadError::Timeout { .. }))));
    assert!(matches!(refused, Err(PromptFailure::Download(DownloadError::Busy { limit: 1 }))));
}

// Names that a call gives.

#[tokio::test]
async fn a_resource_is_fetched_once_per_call_whatever_http_says() {
    let origin = Origin::serve(|_| Answer::ok_with("Cache-Control: no-store", &graph_prompt())).await;
    let (prompts, named) = (strict(), named(&origin.uri("/a.wav"), "R1"));

    let first = prompts.load(CALL, &named, Codec::Pcma).await.unwrap();
    pass(Duration::from_secs(3600)).await;
    let again = prompts.load(CALL, &named, Codec::Pcma).await.unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert!(prompts.cached(CALL, &named, Codec::Pcma).is_some());
    assert_eq!(origin.hits(), 1);

    assert!(prompts.cached(OTHER_CALL, &named, Codec::Pcma).is_none());
    prompts.load(OTHER_CALL, &named, Codec::Pcma).await.unwrap();
    assert_eq!(origin.hits(), 2);

    prompts.forget(CALL);
    assert!(prompts.cached(CALL, &named, Codec::Pcma).is_none());
}

#[tokio::test]
async fn the_first_uri_of_a_resource_stays_in_force() {
    let origin = Origin::serve(|_| Answer::ok(&graph_prompt())).await;
    let prompts = strict();

    prompts.load(CALL, &named(&origin.uri("/first"), "R1"), Codec::Pcma).await.unwrap();
    prompts.load(CALL, &named(&origin.uri("/second"), "R1"), Codec::Pcma).await.unwrap();

    assert_eq!(origin.paths(), ["/first"]);
}

#[tokio::test]
async fn a_resource_whose_first_uri_failed_may_come_from_another() {
    let origin = Origin::serve(|request| match request.path() {
        "/first" => Answer::status("404 Not Found"),
        _ => Answer::ok(&graph_prompt()),
    })
    .await;
    let prompts = strict();

    assert!(prompts.load(CALL, &named(&origin.uri("/first"), "R1"), Codec::Pcma).await.is_err());
    assert!(prompts.load(CALL, &named(&origin.uri("/second"), "R1"), Codec::Pcma).await.is_ok());
}

#[tokio::test]
async fn a_prefetched_prompt_is_there_at_once_in_every_codec() {
    let origin = Origin::serve(|_| Answer::ok(&graph_prompt())).await;
    let (prompts, named) = (strict(), named(&origin.uri("/a.wav"), "R1"));

    prompts.prefetch(CALL, vec![named.clone()]);

    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus] {
        until(|| prompts.cached(CALL, &named, codec).is_some()).await;
    }
    assert_eq!(origin.hits(), 1);
}

// The built-in music.

#[tokio::test]
async fn the_built_in_music_is_there_after_warming_up() {
    let prompts = strict();
    assert!(prompts.default_music_cached(Codec::Pcmu).is_none());

    prompts.warm_up();
    until(|| prompts.default_music_cached(Codec::Pcmu).is_some()).await;

    let kept = prompts.default_music_cached(Codec::Pcmu).unwrap();
    assert!(Arc::ptr_eq(&kept, &prompts.default_music(Codec::Pcmu).await));
}

// The stories' helpers.

fn strict() -> Prompts {
    with_limits(Limits::default())
}

fn extended() -> Prompts {
    Prompts::new(Policy { format: FormatRule::Extended, outgoing: to_loopback(), ..Policy::default() })
}

fn with_limits(limits: Limits) -> Prompts {
    Prompts::new(Policy { outgoing: to_loopback(), limits, ..Policy::default() })
}

fn public_only() -> Rule {
    Rule { plain_http: PlainHttp::Anywhere, ..Rule::default() }
}

fn to_loopback() -> Rule {
    let loopback = ["127.0.0.0/8", "::1"].map(|network| network.parse().unwrap());
    Rule { allow: loopback.to_vec(), ..public_only() }
}

fn uri_error(failure: &PromptFailure) -> Option<&UriError> {
    match failure {
        PromptFailure::Download(DownloadError::Request(RequestError::Uri(error))) => Some(error),
        _ => None,
    }
}

async fn load(prompts: &Prompts, uri: &str) -> Result<Arc<Loop>, PromptFailure> {
    prompts.load(CALL, &source(uri), Codec::Pcma).await
}

async fn failure(prompts: &Prompts, uri: &str) -> PromptFailure {
    load(prompts, uri).await.err().expect("it is not a prompt that can be had")
}

fn source(uri: &str) -> PromptSource {
    PromptSource { uri: uri.to_owned(), resource_id: None }
}

fn named(uri: &str, resource_id: &str) -> PromptSource {
    PromptSource { uri: uri.to_owned(), resource_id: Some(resource_id.to_owned()) }
}

async fn hits_of_three_loads(headers: &str, pauses_s: [u64; 2]) -> usize {
    let owned = headers.to_owned();
    let origin = Origin::serve(move |_| Answer::ok_with(&owned, &graph_prompt())).await;
    let prompts = strict();
    load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    for pause_s in pauses_s {
        pass(Duration::from_secs(pause_s)).await;
        load(&prompts, &origin.uri("/a.wav")).await.unwrap();
    }
    origin.hits()
}

/// Lets the runtime's clock jump; it stands still only for the jump, so that sockets do not race it.
async fn pass(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

fn graph_prompt() -> Vec<u8> {
    wav(1, 16, 16_000)
}

/// A tenth of a second of a sawtooth in WAV, PCM.
fn wav(channels: u16, bits: u16, rate_hz: u32) -> Vec<u8> {
    let frame_bytes = channels * bits / 8;
    let data: Vec<u8> = (0..rate_hz / 10 * u32::from(frame_bytes)).map(|index| (index % 50) as u8).collect();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * u32::from(frame_bytes)).to_le_bytes());
    file.extend(frame_bytes.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}
