//! `POST /communications/calls/{id}/participants/{id}/startHoldMusic`: put a participant on hold and play music.
//!
//! The answer is 202 with a running operation. It completes, by notification, when the first packet of music has gone
//! out, and fails when the prompt cannot be had.

use axum::extract::{Path, State};
use axum::response::Response;
use call::{Command, ParticipantId, Prompt};
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Api, Root, call_id, client_context, new_operation_id, participant_id};
use crate::auth::{Caller, PARTICIPANT_ROLES};
use crate::body::Body;
use crate::error::Failure;
use crate::wire::Invalid;
use crate::wire::media::MediaPrompt;
use crate::wire::object;

/// Is the body of the request. Nothing in it is required.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartHoldMusic {
    #[serde(default, deserialize_with = "object::optional")]
    custom_prompt: Option<MediaPrompt>,
    #[serde(default)]
    client_context: Option<String>,
}

/// Serves the method.
pub(crate) async fn start_hold_music(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path((call, participant)): Path<(String, String)>,
    Body(request): Body<StartHoldMusic>,
) -> Result<Response, Failure> {
    caller.require(PARTICIPANT_ROLES)?;
    let command = command(request, participant_id(&participant)?)?;
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::ACCEPTED, &accepted))
}

impl StartHoldMusic {
    /// Returns what is to be played.
    pub(crate) fn prompt(&self) -> Result<Prompt, Invalid> {
        match &self.custom_prompt {
            Some(prompt) => prompt.parse("customPrompt"),
            None => Ok(Prompt::BuiltIn),
        }
    }
}

fn command(request: StartHoldMusic, participant: ParticipantId) -> Result<Command, Invalid> {
    let prompt = request.prompt()?;
    let client_context = client_context(request.client_context)?;
    Ok(Command::StartHoldMusic { operation: new_operation_id(), client_context, participant, prompt })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<(&str, Prompt), &str>) {
        let request: StartHoldMusic = crate::json::read(body.as_bytes()).expect("right types");
        let read = command(request, ParticipantId::new(1)).map(|command| match command {
            Command::StartHoldMusic { client_context, prompt, .. } => (client_context.as_str().to_owned(), prompt),
            other => panic!("a hold, not {other:?}"),
        });
        let expected = expected.map(|(context, prompt)| (context.to_owned(), prompt)).map_err(str::to_owned);
        assert_eq!(read.map_err(|invalid| invalid.to_string()), expected);
    }

    #[test]
    fn the_documented_body_is_taken_as_it_is_pasted() {
        let body = r##"{
  "customPrompt": {
    "@odata.type": "#microsoft.graph.mediaPrompt",
    "mediaInfo": {
      "@odata.type": "#microsoft.graph.mediaInfo",
      "uri": "https://bot.contoso.com/onHold.wav",
    },
  },
  "clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
}"##;
        let prompt = Prompt::Media { uri: "https://bot.contoso.com/onHold.wav".to_owned(), resource_id: None };
        check(body, Ok(("d45324c1-fcb5-430a-902c-f20af696537c", prompt)));
    }

    #[test]
    fn no_prompt_is_the_built_in_music() {
        check(r#"{"clientContext":"é","customPrompt":null,"unknown":1}"#, Ok(("é", Prompt::BuiltIn)));
    }

    #[test]
    fn a_context_has_at_most_256_utf16_units() {
        let fits = "😀".repeat(128);
        check(&format!(r#"{{"clientContext":"{fits}"}}"#), Ok((&fits, Prompt::BuiltIn)));
        check(
            &format!(r#"{{"clientContext":"{fits}a"}}"#),
            Err("'clientContext' is too long: 257 UTF-16 units, at most 256 are allowed."),
        );
    }

    #[test]
    fn a_missing_context_is_made_up() {
        let request: StartHoldMusic = crate::json::read(b"").expect("nothing is required");
        let Ok(Command::StartHoldMusic { client_context, .. }) = command(request, ParticipantId::new(1)) else {
            panic!("a hold");
        };
        assert!(uuid::Uuid::try_parse(client_context.as_str()).is_ok(), "{client_context:?}");
    }
}
