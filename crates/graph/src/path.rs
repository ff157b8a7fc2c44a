//! Rewrites every request path into the one spelling the router knows.
//!
//! Graph's clients write the same path in many ways: `/v1.0//communications` (the Python SDK really does), action names
//! bare or as `microsoft.graph.startHoldMusic`, words in any case, GUIDs with or without dashes, segments
//! percent-encoded. Graph takes them all. We rewrite in front of the router and never redirect, because clients lose
//! their body, their token or their method on a redirect.

use http::Uri;
use http::uri::PathAndQuery;
use uuid::Uuid;

/// The words of our paths in the spelling of the router. A word that is missing here is left as it came.
const WORDS: &[&str] = &[
    "v1.0",
    "beta",
    "communications",
    "app",
    "calls",
    "participants",
    "operations",
    "audioRoutingGroups",
    "contentSharingSessions",
    "invite",
    "mute",
    "unmute",
    "muteAll",
    "keepAlive",
    "startHoldMusic",
    "stopHoldMusic",
    "answer",
    "reject",
    "redirect",
    "transfer",
    "playPrompt",
    "recordResponse",
    "cancelMediaProcessing",
    "subscribeToTone",
    "sendDtmfTones",
    "updateRecordingStatus",
    "changeScreenSharingRole",
    "addLargeGalleryView",
    "logTeleconferenceDeviceQuality",
    "$count",
    "$metadata",
    "common",
    "oauth2",
    "v2.0",
    "token",
    "authorize",
    "logout",
    "discovery",
    "keys",
    ".well-known",
    "openid-configuration",
    "v1",
    "OpenIdConfiguration",
    "health",
    "live",
    "ready",
    "metrics",
    "fermata",
    "me",
    "ringing",
    "legs",
    "notifications",
    "redeliver",
    "openapi.json",
    "timeline",
    "heard",
    "heard.wav",
    "events",
    "prompts",
    "preflight",
];

/// The namespace in front of a qualified action name (OData 4.01 URL conventions, section 4.5).
const NAMESPACE: &str = "microsoft.graph.";

/// Rewrites the path of a request in place; the query stays as it is.
pub(crate) fn normalise<B>(mut request: http::Request<B>) -> http::Request<B> {
    if let Some(uri) = normalised(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn normalised(uri: &Uri) -> Option<Uri> {
    let path = canonical_path(uri.path());
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the path in the router's spelling.
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(canonical_segment).collect();
    // `/app/calls` is the container's old name, which some clients still use.
    if segments.len() >= 3 && segments[1] == "app" && segments[2] == "calls" {
        segments[1] = "communications".to_owned();
    }
    format!("/{}", segments.join("/"))
}

fn canonical_segment(raw: &str) -> String {
    let Some(decoded) = percent_decoded(raw) else { return raw.to_owned() };
    if let Ok(id) = Uuid::try_parse(&decoded) {
        return id.hyphenated().to_string();
    }
    match known_word(unqualified(&decoded)) {
        Some(word) => word.to_owned(),
        None => raw.to_owned(),
    }
}

fn unqualified(segment: &str) -> &str {
    match segment.get(..NAMESPACE.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(NAMESPACE) => &segment[NAMESPACE.len()..],
        Some(_) | None => segment,
    }
}

fn known_word(segment: &str) -> Option<&'static str> {
    WORDS.iter().copied().find(|word| word.eq_ignore_ascii_case(segment))
}

/// Decodes `%41` to `A`; nothing for a broken escape or for what is not UTF-8.
fn percent_decoded(raw: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        bytes.push(hex(rest.next()?)? << 4 | hex(rest.next()?)?);
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, canonical: &str) {
        assert_eq!(canonical_path(path), canonical);
    }

    #[test]
    fn doubled_slashes_are_nothing() {
        check("/v1.0//communications/calls/", "/v1.0/communications/calls");
        check("//", "/");
    }

    #[test]
    fn words_are_read_in_any_case_and_qualified_or_bare() {
        check("/V1.0/Communications/CALLS", "/v1.0/communications/calls");
        check("/beta/app/calls/x/Microsoft.Graph.KEEPALIVE", "/beta/communications/calls/x/keepAlive");
        check("/v1.0/communications/calls/x/microsoft.graph.unmute", "/v1.0/communications/calls/x/unmute");
    }

    #[test]
    fn ids_are_read_in_any_formatting() {
        let canonical = "/v1.0/communications/calls/57dab8b1-894c-409a-b240-bd8beae78896";
        check("/v1.0/communications/calls/57DAB8B1894C409AB240BD8BEAE78896", canonical);
        check("/v1.0/communications/calls/57dab8b1%2D894c-409a-b240-bd8beae78896", canonical);
        check("/v1.0/communications/calls/%7B57dab8b1-894c-409a-b240-bd8beae78896%7D", canonical);
    }

    #[test]
    fn what_is_unknown_or_broken_is_left_alone() {
        check("/v1.0/users/a%2Fb", "/v1.0/users/a%2Fb");
        check("/v1.0/x%zz/y%4", "/v1.0/x%zz/y%4");
        check("/v1.0/%ff", "/v1.0/%ff");
    }
}
