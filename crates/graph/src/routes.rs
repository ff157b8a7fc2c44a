//! The whole API on one screen.
//!
//! Each row is served below `/v1.0` and `/beta`. Spelling is settled before the router: see [`crate::path`].

use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post};

use crate::api::Api;
use crate::auth::Caller;
use crate::authority::{discovery, token};
use crate::error::Failure;
use crate::{calls, health, operations, participants};

/// The roots below which the API is served.
const VERSIONS: [&str; 2] = ["/v1.0", "/beta"];

type Row = (&'static str, &'static str, fn() -> MethodRouter<Api>);

/// Graph's methods.
#[rustfmt::skip]
const API: &[Row] = &[
    ("POST",   "/communications/calls",                                                    || post(calls::create)),
    ("GET",    "/communications/calls",                                                    || get(calls::list)),
    ("GET",    "/communications/calls/{call}",                                             || get(calls::get)),
    ("DELETE", "/communications/calls/{call}",                                             || delete(calls::delete)),
    ("POST",   "/communications/calls/{call}/keepAlive",                                   || post(calls::keep_alive)),
    ("POST",   "/communications/calls/{call}/mute",                                        || post(calls::mute)),
    ("POST",   "/communications/calls/{call}/unmute",                                      || post(calls::unmute)),
    ("GET",    "/communications/calls/{call}/operations/{operation}",                      || get(operations::get)),
    ("GET",    "/communications/calls/{call}/participants",                                || get(participants::list)),
    ("POST",   "/communications/calls/{call}/participants/invite",                         || post(participants::invite)),
    ("GET",    "/communications/calls/{call}/participants/{participant}",                  || get(participants::get)),
    ("DELETE", "/communications/calls/{call}/participants/{participant}",                  || delete(participants::delete)),
    ("POST",   "/communications/calls/{call}/participants/{participant}/mute",             || post(participants::mute)),
    ("POST",   "/communications/calls/{call}/participants/{participant}/startHoldMusic",   || post(participants::start_hold_music)),
    ("POST",   "/communications/calls/{call}/participants/{participant}/stopHoldMusic",    || post(participants::stop_hold_music)),

    ("GET",    "/communications/calls/$count",                                             || get(absent)),
    ("POST",   "/communications/calls/logTeleconferenceDeviceQuality",                     || post(absent)),
    ("PATCH",  "/communications/calls/{call}",                                             || patch(absent)),
    ("POST",   "/communications/calls/{call}/addLargeGalleryView",                         || post(absent)),
    ("POST",   "/communications/calls/{call}/answer",                                      || post(absent)),
    ("POST",   "/communications/calls/{call}/cancelMediaProcessing",                       || post(absent)),
    ("POST",   "/communications/calls/{call}/changeScreenSharingRole",                     || post(absent)),
    ("POST",   "/communications/calls/{call}/playPrompt",                                  || post(absent)),
    ("POST",   "/communications/calls/{call}/recordResponse",                              || post(absent)),
    ("POST",   "/communications/calls/{call}/redirect",                                    || post(absent)),
    ("POST",   "/communications/calls/{call}/reject",                                      || post(absent)),
    ("POST",   "/communications/calls/{call}/sendDtmfTones",                               || post(absent)),
    ("POST",   "/communications/calls/{call}/subscribeToTone",                             || post(absent)),
    ("POST",   "/communications/calls/{call}/transfer",                                    || post(absent)),
    ("POST",   "/communications/calls/{call}/updateRecordingStatus",                       || post(absent)),
    ("GET",    "/communications/calls/{call}/audioRoutingGroups",                          || get(absent)),
    ("POST",   "/communications/calls/{call}/audioRoutingGroups",                          || post(absent)),
    ("GET",    "/communications/calls/{call}/audioRoutingGroups/$count",                   || get(absent)),
    ("GET",    "/communications/calls/{call}/audioRoutingGroups/{group}",                  || get(absent)),
    ("PATCH",  "/communications/calls/{call}/audioRoutingGroups/{group}",                  || patch(absent)),
    ("DELETE", "/communications/calls/{call}/audioRoutingGroups/{group}",                  || delete(absent)),
    ("GET",    "/communications/calls/{call}/contentSharingSessions",                      || get(absent)),
    ("POST",   "/communications/calls/{call}/contentSharingSessions",                      || post(absent)),
    ("GET",    "/communications/calls/{call}/contentSharingSessions/$count",               || get(absent)),
    ("GET",    "/communications/calls/{call}/contentSharingSessions/{session}",            || get(absent)),
    ("PATCH",  "/communications/calls/{call}/contentSharingSessions/{session}",            || patch(absent)),
    ("DELETE", "/communications/calls/{call}/contentSharingSessions/{session}",            || delete(absent)),
    ("GET",    "/communications/calls/{call}/operations",                                  || get(absent)),
    ("POST",   "/communications/calls/{call}/operations",                                  || post(absent)),
    ("GET",    "/communications/calls/{call}/operations/$count",                           || get(absent)),
    ("PATCH",  "/communications/calls/{call}/operations/{operation}",                      || patch(absent)),
    ("DELETE", "/communications/calls/{call}/operations/{operation}",                      || delete(absent)),
    ("POST",   "/communications/calls/{call}/participants",                                || post(absent)),
    ("GET",    "/communications/calls/{call}/participants/$count",                         || get(absent)),
    ("PATCH",  "/communications/calls/{call}/participants/{participant}",                  || patch(absent)),
];

/// The authority, the keys of our notifications, and what operators look at.
#[rustfmt::skip]
const BESIDE: &[Row] = &[
    ("POST", "/{tenant}/oauth2/v2.0/token",                       || post(token::v2)),
    ("POST", "/{tenant}/oauth2/token",                            || post(token::v1)),
    ("GET",  "/{tenant}/v2.0/.well-known/openid-configuration",   || get(discovery::openid_configuration)),
    ("GET",  "/{tenant}/discovery/v2.0/keys",                     || get(discovery::tenant_keys)),
    ("GET",  "/v1/.well-known/OpenIdConfiguration",               || get(discovery::notification_configuration)),
    ("GET",  "/v1/keys",                                          || get(discovery::notification_keys)),
    ("GET",  "/health/live",                                      || get(health::live)),
    ("GET",  "/health/ready",                                     || get(health::ready)),
    ("GET",  "/metrics",                                          || get(health::metrics)),
];

/// Makes the router of all rows.
pub(crate) fn router() -> Router<Api> {
    let mut router = Router::new();
    for (_, path, serve) in BESIDE {
        router = router.route(path, serve());
    }
    for version in VERSIONS {
        for (_, path, serve) in API {
            router = router.route(&format!("{version}{path}"), serve());
        }
    }
    router
}

/// Answers for what Graph documents and Fermata does not serve: to those who may call us at all.
async fn absent(_caller: Caller) -> Failure {
    Failure::not_served()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_graph_has_a_row_in_compat_md() {
        let compat = include_str!("../../../docs/compat.md");
        for (method, path, _) in API {
            let path = path.trim_start_matches("/communications");
            let row = format!("| {method} `{path}` | ");
            assert!(compat.contains(&row), "docs/compat.md has no row that begins with: {row}");
        }
    }
}
