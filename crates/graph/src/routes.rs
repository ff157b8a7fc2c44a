//! The whole API on one screen.
//!
//! Each row is served below `/v1.0` and `/beta`. Spelling is settled before the router: see [`crate::path`].

use axum::Router;
use axum::extract::MatchedPath;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, delete, get, on, patch, post};
use http::header::ALLOW;
use http::{Method, StatusCode};

use crate::api::Api;
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::authority::{Cloud, discovery, sign_in, token};
use crate::error::Failure;
use crate::{browsers, calls, console, contract, health, notifications, operations, participants, signed_in, site};

/// The roots below which the API is served.
const VERSIONS: [&str; 2] = ["/v1.0", "/beta"];

type Row = (&'static str, &'static str, fn() -> MethodRouter<Api>);

/// Graph's methods.
#[rustfmt::skip]
const API: &[Row] = &[
    ("GET",    "/$metadata",                                                               || get(contract::metadata)),
    ("POST",   "/communications/calls",                                                    || post(calls::create)),
    ("GET",    "/communications/calls",                                                    || get(calls::list)),
    ("GET",    "/communications/calls/$count",                                             || get(calls::count)),
    ("GET",    "/communications/calls/{call}",                                             || get(calls::get)),
    ("DELETE", "/communications/calls/{call}",                                             || delete(calls::delete)),
    ("POST",   "/communications/calls/{call}/answer",                                      || post(calls::answer)),
    ("POST",   "/communications/calls/{call}/keepAlive",                                   || post(calls::keep_alive)),
    ("POST",   "/communications/calls/{call}/mute",                                        || post(calls::mute)),
    ("POST",   "/communications/calls/{call}/redirect",                                    || post(calls::redirect)),
    ("POST",   "/communications/calls/{call}/reject",                                      || post(calls::reject)),
    ("POST",   "/communications/calls/{call}/sendDtmfTones",                               || post(calls::send_dtmf_tones)),
    ("POST",   "/communications/calls/{call}/subscribeToTone",                             || post(calls::subscribe_to_tone)),
    ("POST",   "/communications/calls/{call}/transfer",                                    || post(calls::transfer)),
    ("POST",   "/communications/calls/{call}/unmute",                                      || post(calls::unmute)),
    ("GET",    "/communications/calls/{call}/operations/{operation}",                      || get(operations::get)),
    ("GET",    "/communications/calls/{call}/participants",                                || get(participants::list)),
    ("GET",    "/communications/calls/{call}/participants/$count",                         || get(participants::count)),
    ("POST",   "/communications/calls/{call}/participants/invite",                         || post(participants::invite)),
    ("GET",    "/communications/calls/{call}/participants/{participant}",                  || get(participants::get)),
    ("DELETE", "/communications/calls/{call}/participants/{participant}",                  || delete(participants::delete)),
    ("POST",   "/communications/calls/{call}/participants/{participant}/mute",             || post(participants::mute)),
    ("POST",   "/communications/calls/{call}/participants/{participant}/startHoldMusic",   || post(participants::start_hold_music)),
    ("POST",   "/communications/calls/{call}/participants/{participant}/stopHoldMusic",    || post(participants::stop_hold_music)),
];

/// What Graph documents and Fermata does not serve.
#[rustfmt::skip]
const ABSENT: &[(&str, &str)] = &[
    ("POST",   "/communications/calls/logTeleconferenceDeviceQuality"),
    ("PATCH",  "/communications/calls/{call}"),
    ("POST",   "/communications/calls/{call}/addLargeGalleryView"),
    ("POST",   "/communications/calls/{call}/cancelMediaProcessing"),
    ("POST",   "/communications/calls/{call}/changeScreenSharingRole"),
    ("POST",   "/communications/calls/{call}/playPrompt"),
    ("POST",   "/communications/calls/{call}/recordResponse"),
    ("POST",   "/communications/calls/{call}/updateRecordingStatus"),
    ("GET",    "/communications/calls/{call}/audioRoutingGroups"),
    ("POST",   "/communications/calls/{call}/audioRoutingGroups"),
    ("GET",    "/communications/calls/{call}/audioRoutingGroups/$count"),
    ("GET",    "/communications/calls/{call}/audioRoutingGroups/{group}"),
    ("PATCH",  "/communications/calls/{call}/audioRoutingGroups/{group}"),
    ("DELETE", "/communications/calls/{call}/audioRoutingGroups/{group}"),
    ("GET",    "/communications/calls/{call}/contentSharingSessions"),
    ("POST",   "/communications/calls/{call}/contentSharingSessions"),
    ("GET",    "/communications/calls/{call}/contentSharingSessions/$count"),
    ("GET",    "/communications/calls/{call}/contentSharingSessions/{session}"),
    ("PATCH",  "/communications/calls/{call}/contentSharingSessions/{session}"),
    ("DELETE", "/communications/calls/{call}/contentSharingSessions/{session}"),
    ("GET",    "/communications/calls/{call}/operations"),
    ("POST",   "/communications/calls/{call}/operations"),
    ("GET",    "/communications/calls/{call}/operations/$count"),
    ("PATCH",  "/communications/calls/{call}/operations/{operation}"),
    ("DELETE", "/communications/calls/{call}/operations/{operation}"),
    ("POST",   "/communications/calls/{call}/participants"),
    ("PATCH",  "/communications/calls/{call}/participants/{participant}"),
];

/// What applications and people at the console ask of us and not of Graph.
#[rustfmt::skip]
const OURS: &[Row] = &[
    ("GET",    "/fermata/v1/calls",                                                   || get(console::list)),
    ("GET",    "/fermata/v1/calls/{call}",                                            || get(console::get)),
    ("DELETE", "/fermata/v1/calls/{call}",                                            || delete(console::hang_up)),
    ("GET",    "/fermata/v1/calls/{call}/notifications",                              || get(notifications::list)),
    ("POST",   "/fermata/v1/calls/{call}/notifications/redeliver",                    || post(notifications::redeliver_dead)),
    ("GET",    "/fermata/v1/calls/{call}/notifications/{notification}",               || get(notifications::get)),
    ("POST",   "/fermata/v1/calls/{call}/notifications/{notification}/redeliver",     || post(notifications::redeliver)),
    ("DELETE", "/fermata/v1/calls/{call}/participants/{participant}",                 || delete(console::remove)),
    ("GET",    "/fermata/v1/calls/{call}/participants/{participant}/heard",           || get(console::heard)),
    ("GET",    "/fermata/v1/calls/{call}/participants/{participant}/heard.wav",       || get(console::heard_wav)),
    ("POST",   "/fermata/v1/calls/{call}/participants/{participant}/mute",            || post(console::mute)),
    ("POST",   "/fermata/v1/calls/{call}/participants/{participant}/startHoldMusic",  || post(console::start_hold_music)),
    ("POST",   "/fermata/v1/calls/{call}/participants/{participant}/stopHoldMusic",   || post(console::stop_hold_music)),
    ("POST",   "/fermata/v1/calls/{call}/participants/{participant}/unmute",          || post(console::unmute)),
    ("GET",    "/fermata/v1/calls/{call}/timeline",                                   || get(console::timeline)),
    ("GET",    "/fermata/v1/events",                                                  || get(console::events)),
    ("GET",    "/fermata/v1/prompts",                                                 || get(console::prompts)),
    ("POST",   "/fermata/v1/prompts/preflight",                                       || post(console::preflight)),
    ("GET",    "/fermata/v1/ringing",                                                 || get(browsers::ringing)),
    ("POST",   "/fermata/v1/ringing/{participant}",                                   || post(browsers::answer)),
    ("DELETE", "/fermata/v1/ringing/{participant}",                                   || delete(browsers::decline)),
    ("POST",   "/fermata/v1/legs/{participant}",                                      || post(browsers::reconnect)),
    ("PATCH",  "/fermata/v1/legs/{participant}",                                      || patch(browsers::renegotiate)),
    ("DELETE", "/fermata/v1/legs/{participant}",                                      || delete(browsers::leave)),
];

/// The console, the authority, the keys of our notifications, what machines and what operators look at.
#[rustfmt::skip]
const BESIDE: &[Row] = &[
    ("GET",  "/",                                                 || get(site::page)),
    ("GET",  "/assets/{file}",                                    || get(site::asset)),
    ("POST", "/{tenant}/oauth2/v2.0/token",                       || post(token::v2)),
    ("POST", "/{tenant}/oauth2/token",                            || post(token::v1)),
    ("GET",  "/{tenant}/oauth2/v2.0/authorize",                   || get(sign_in::show)),
    ("POST", "/{tenant}/oauth2/v2.0/authorize",                   || post(sign_in::submit)),
    ("GET",  "/{tenant}/oauth2/v2.0/logout",                      || get(sign_in::logout)),
    ("GET",  "/{tenant}/v2.0/.well-known/openid-configuration",   || get(discovery::openid_configuration)),
    ("GET",  "/{tenant}/discovery/v2.0/keys",                     || get(discovery::tenant_keys)),
    ("GET",  "/v1/.well-known/OpenIdConfiguration",               || get(discovery::notification_configuration)),
    ("GET",  "/v1/keys",                                          || get(discovery::notification_keys)),
    ("GET",  "/fermata/v1/me",                                    || get(signed_in::me)),
    ("GET",  "/fermata/v1/openapi.json",                          || get(contract::openapi)),
    ("GET",  "/health/live",                                      || get(health::live)),
    ("GET",  "/health/ready",                                     || get(health::ready)),
    ("GET",  "/metrics",                                          || get(health::metrics)),
];

/// Makes the router of all rows that the cloud has; the others are paths that do not exist.
pub(crate) fn router(cloud: Cloud) -> Router<Api> {
    let mut router = Router::new();
    for (_, path, serve) in OURS.iter().chain(BESIDE) {
        router = router.route(path, serve());
    }
    for version in VERSIONS {
        for (_, path, serve) in API.iter().filter(|(_, path, _)| cloud.serves(path)) {
            router = router.route(&format!("{version}{path}"), serve());
        }
        for (method, path) in ABSENT.iter().filter(|(_, path)| cloud.serves(path)) {
            router = router.route(&format!("{version}{path}"), on(filter(method), absent));
        }
    }
    router.method_not_allowed_fallback(wrong_method)
}

fn filter(method: &str) -> MethodFilter {
    let method = Method::from_bytes(method.as_bytes()).expect("the tables hold methods of RFC 9110");
    MethodFilter::try_from(method).expect("the tables hold methods of RFC 9110")
}

/// Answers for what Graph documents and Fermata does not serve: to those who may call us at all.
async fn absent(caller: Caller, path: MatchedPath) -> Result<impl IntoResponse, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    Ok(([(ALLOW, allowed(path.as_str()))], Failure::not_served()))
}

/// Answers for a method that a path does not have.
async fn wrong_method(path: MatchedPath) -> impl IntoResponse {
    ([(ALLOW, allowed(path.as_str()))], Failure::from_status(StatusCode::METHOD_NOT_ALLOWED))
}

/// Lists the methods that a path is served with (RFC 9110, section 10.2.1); none for a path that is all absent.
fn allowed(pattern: &str) -> String {
    let below_version = VERSIONS.iter().find_map(|version| pattern.strip_prefix(version));
    let served_at = |rows: &'static [Row], path| rows.iter().filter(move |(_, served, _)| *served == path);
    let methods: Vec<_> = match below_version {
        Some(path) => served_at(API, path).map(|(method, ..)| *method).collect(),
        None => served_at(OURS, pattern).chain(served_at(BESIDE, pattern)).map(|(method, ..)| *method).collect(),
    };
    methods.join(", ")
}

/// Lists every method and path that is served, for the documents that describe them.
#[cfg(test)]
pub(crate) fn served() -> impl Iterator<Item = (&'static str, &'static str)> {
    API.iter().chain(OURS).chain(BESIDE).map(|(method, path, _)| (*method, *path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_about_calls_has_a_row_in_compat_md() {
        let compat = include_str!("../../../docs/compat.md");
        let served = API.iter().chain(OURS).map(|(method, path, _)| (*method, *path, false));
        let absent = ABSENT.iter().map(|(method, path)| (*method, *path, true));
        for (method, path, is_absent) in served.chain(absent) {
            let path = path.trim_start_matches("/communications");
            let start = format!("| {method} `{path}` | ");
            let row = compat.lines().find(|line| line.starts_with(&start));
            let row = row.unwrap_or_else(|| panic!("docs/compat.md has no row that begins with: {start}"));
            assert_eq!(row[start.len()..].starts_with("absent "), is_absent, "{row}");
        }
    }

    #[test]
    fn a_path_allows_what_it_is_served_with() {
        assert_eq!(allowed("/v1.0/communications/calls/{call}"), "GET, DELETE");
        assert_eq!(allowed("/beta/communications/calls/{call}/playPrompt"), "");
        assert_eq!(allowed("/health/live"), "GET");
    }
}
