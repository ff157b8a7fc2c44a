//! `POST /communications/calls/{id}/answer`: the application takes a call that comes in.

use axum::extract::{Path, State};
use call::Command;
use engine::Attachment;
use engine::outgoing::Rule;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::create::prefetch;
use crate::api::{Api, call_id};
use crate::auth::Caller;
use crate::body::Body;
use crate::error::Failure;
use crate::wire::Invalid;
use crate::wire::call::{check_modalities, parse_callback_uri};
use crate::wire::media::MediaConfig;
use crate::wire::object;

/// Is the body of the request. `participantCapacity` and `callOptions` change nothing here: they are for recorders of
/// calls and for content sharing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    callback_uri: Option<String>,
    #[serde(default)]
    accepted_modalities: Option<Vec<String>>,
    #[serde(default, deserialize_with = "object::optional")]
    media_config: Option<MediaConfig>,
}

/// Serves the method. No role is needed: Graph asks for none to answer one person's call.
pub(crate) async fn answer(
    State(api): State<Api>,
    caller: Caller,
    Path(call): Path<String>,
    Body(request): Body<Request>,
) -> Result<StatusCode, Failure> {
    let attachment = attachment(&request, &api.callbacks)?;
    api.execute_with(&caller, call_id(&call)?, Command::Answer, attachment).await?;
    Ok(StatusCode::ACCEPTED)
}

/// What the answer says of the call: its media, and where its notices go from now on.
fn attachment(request: &Request, callbacks: &Rule) -> Result<Attachment, Invalid> {
    let callback_uri = parse_callback_uri(request.callback_uri.as_deref(), callbacks)?;
    check_modalities(request.accepted_modalities.as_deref(), "acceptedModalities")?;
    let media_config = request.media_config.as_ref().ok_or_else(|| Invalid::missing("mediaConfig"))?;
    let (media_config, pre_fetch) = media_config.parse("mediaConfig")?;
    let mut facts = json!({ "mediaConfig": media_config });
    if let Some(callback_uri) = callback_uri {
        facts["callbackUri"] = json!(callback_uri.as_str());
    }
    Ok(Attachment { note: Some(facts.to_string()), prefetch: prefetch(pre_fetch), ..Attachment::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<&str, &str>) {
        let request: Request = crate::json::read(body.as_bytes()).expect("right types");
        let note = attachment(&request, &Rule::default()).map(|attachment| attachment.note.expect("a note"));
        let note = note.map_err(|invalid| invalid.to_string());
        assert_eq!(note.as_deref().map_err(String::as_str), expected, "{body}");
    }

    #[test]
    fn the_documented_body_changes_media_and_callback() {
        check(
            r##"{"callbackUri":"https://bot.contoso.com/api/calls","acceptedModalities":["Audio"],"participantCapacity":200,
                "mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig","preFetchMedia":[]},
                "callOptions":{"@odata.type":"#microsoft.graph.incomingCallOptions","isContentSharingNotificationEnabled":true}}"##,
            Ok(concat!(
                r##"{"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig","preFetchMedia":[]},"##,
                r##""callbackUri":"https://bot.contoso.com/api/calls"}"##,
            )),
        );
    }

    #[test]
    fn a_wrong_member_is_named() {
        check("{}", Err("'mediaConfig' is required."));
        check(
            r#"{"mediaConfig":{"blob":"x"}}"#,
            Err(
                "'mediaConfig.@odata.type' must be '#microsoft.graph.serviceHostedMediaConfig': application-hosted media is not served.",
            ),
        );
        check(
            r#"{"acceptedModalities":["video"],"mediaConfig":{}}"#,
            Err("'acceptedModalities' must hold 'audio', the only modality served."),
        );
        check(r#"{"callbackUri":"http://bot","mediaConfig":{}}"#, Err("'callbackUri' must be an absolute https URI."));
    }
}
