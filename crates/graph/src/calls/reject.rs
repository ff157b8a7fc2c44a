//! `POST /communications/calls/{id}/reject`: the application does not want a call that comes in.

use axum::extract::{Path, State};
use call::{Command, RejectReason};
use engine::Attachment;
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Api, call_id};
use crate::auth::Caller;
use crate::body::Body;
use crate::error::Failure;
use crate::wire::Invalid;
use crate::wire::call::{callback_note, parse_callback_uri};

/// Is the body of the request. Nothing in it is required.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    callback_uri: Option<String>,
}

/// Serves the method. No role is needed, as Graph's page says.
pub(crate) async fn reject(
    State(api): State<Api>,
    caller: Caller,
    Path(call): Path<String>,
    Body(request): Body<Request>,
) -> Result<StatusCode, Failure> {
    let reason = reason(request.reason.as_deref())?;
    let callback_uri = parse_callback_uri(request.callback_uri.as_deref(), &api.callbacks)?;
    let attachment = Attachment { note: callback_note(callback_uri.as_ref()), ..Attachment::default() };
    api.execute_with(&caller, call_id(&call)?, Command::Reject { reason }, attachment).await?;
    Ok(StatusCode::ACCEPTED)
}

fn reason(given: Option<&str>) -> Result<RejectReason, Invalid> {
    match given.map(str::to_ascii_lowercase).as_deref() {
        None | Some("none") => Ok(RejectReason::None),
        Some("busy") => Ok(RejectReason::Busy),
        Some("forbidden") => Ok(RejectReason::Forbidden),
        Some(_) => Err(Invalid::new("reason", "must be 'none', 'busy' or 'forbidden'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_in_any_case() {
        assert_eq!(reason(None), Ok(RejectReason::None));
        assert_eq!(reason(Some("Busy")), Ok(RejectReason::Busy));
        assert_eq!(reason(Some("forbidden")), Ok(RejectReason::Forbidden));
        let wrong = reason(Some("later")).map_err(|invalid| invalid.to_string());
        assert_eq!(wrong, Err("'reason' must be 'none', 'busy' or 'forbidden'.".to_owned()));
    }
}
