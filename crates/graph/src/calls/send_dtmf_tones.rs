//! `POST /communications/calls/{id}/sendDtmfTones`: keys are pressed for the application.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use call::Command;
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Api, Root, call_id, client_context, new_operation_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::body::Body;
use crate::error::Failure;
use crate::wire::{Invalid, tone};

/// The time between two tones if the request does not say: as long as a tone, which every receiver tells apart.
const PAUSE_DEFAULT: Duration = Duration::from_millis(100);

/// The least, whatever the request says: receivers need 40 ms (ITU-T Q.24 table A.1), rounded up to ticks and one more.
const PAUSE_MIN: Duration = Duration::from_millis(60);

/// The most, in milliseconds. Graph names no limit; 64 tones take six minutes with it.
const PAUSE_MAX_MS: i64 = 5_000;

/// Is the body of the request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    tones: Option<Vec<String>>,
    #[serde(default)]
    delay_between_tones_ms: Option<i64>,
    #[serde(default)]
    client_context: Option<String>,
}

/// Serves the method. The answer is 200 with a running operation, as Graph's page shows it.
pub(crate) async fn send_dtmf_tones(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path(call): Path<String>,
    Body(request): Body<Request>,
) -> Result<Response, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let command = command(request)?;
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::OK, &accepted))
}

fn command(request: Request) -> Result<Command, Invalid> {
    let names = request.tones.unwrap_or_default();
    if names.is_empty() {
        return Err(Invalid::missing("tones"));
    }
    let tone = |(at, name): (usize, &String)| tone::parse(name, &format!("tones[{at}]"));
    let tones = names.iter().enumerate().map(tone).collect::<Result<_, _>>()?;
    let pause = pause(request.delay_between_tones_ms)?;
    let client_context = client_context(request.client_context)?;
    Ok(Command::SendDtmfTones { operation: new_operation_id(), client_context, tones, pause })
}

fn pause(given_ms: Option<i64>) -> Result<Duration, Invalid> {
    let Some(ms) = given_ms else { return Ok(PAUSE_DEFAULT) };
    let ms = u64::try_from(ms).ok().filter(|_| ms <= PAUSE_MAX_MS);
    let ms = ms.ok_or_else(|| Invalid::new("delayBetweenTonesMs", format!("must be 0 to {PAUSE_MAX_MS}")))?;
    Ok(Duration::from_millis(ms).max(PAUSE_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::Tone;

    #[track_caller]
    fn check(body: &str, expected: Result<(&[Tone], u64), &str>) {
        let request: Request = serde_json::from_str(body).expect("right types");
        let read = command(request).map(|command| match command {
            Command::SendDtmfTones { tones, pause, .. } => (tones, pause.as_millis() as u64),
            other => panic!("tones, not {other:?}"),
        });
        let expected = expected.map(|(tones, pause)| (tones.to_vec(), pause)).map_err(str::to_owned);
        assert_eq!(read.map_err(|invalid| invalid.to_string()), expected, "{body}");
    }

    #[test]
    fn tones_are_read_in_any_case() {
        let tones = [Tone::Tone1, Tone::Star, Tone::Pound, Tone::A];
        check(r#"{"tones":["tone1","star","Pound","a"],"delayBetweenTonesMs":1000}"#, Ok((&tones, 1000)));
        check(r#"{"tones":["tone1"]}"#, Ok((&tones[..1], 100)));
        check(r#"{"tones":["tone1"],"delayBetweenTonesMs":0}"#, Ok((&tones[..1], 60)));
    }

    #[test]
    fn a_wrong_member_is_named() {
        check("{}", Err("'tones' is required."));
        check(
            r#"{"tones":["tone1","tone10"]}"#,
            Err("'tones[1]' must be one of tone0 to tone9, star, pound, a, b, c, d."),
        );
        check(r#"{"tones":["flash"]}"#, Err("'tones[0]' must be one of tone0 to tone9, star, pound, a, b, c, d."));
        for ms in [-1, 5001] {
            let body = format!(r#"{{"tones":["tone1"],"delayBetweenTonesMs":{ms}}}"#);
            check(&body, Err("'delayBetweenTonesMs' must be 0 to 5000."));
        }
    }
}
