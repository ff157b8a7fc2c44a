//! `GET /fermata/v1/calls/{id}/participants/{id}/heard`, and `heard.wav`: what a participant was given to hear.
//!
//! For operators and for the application whose call it is, so that the test of a bot can say who heard what. It is
//! what the mixer has made, not what was ordered (`media/src/heard.rs`); where it is not written down it is 404.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use call::{CallId, ParticipantId};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};

use crate::api::{Api, participant_id};
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::Asker;
use crate::wire::heard::Heard;

const WAV: &str = "audio/wav";

/// Serves the ledger, or the sound if that is what is asked for.
pub(crate) async fn heard(
    State(api): State<Api>,
    asker: Asker,
    headers: HeaderMap,
    Path((call, participant)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let (call, participant) = (asker.call(&api, &call, UserRole::ConsoleRead).await?, participant_id(&participant)?);
    let answer = match wants_wav(&headers) {
        true => wav(&api, call, participant).await?,
        false => ledger(&api, call, participant).await?.into_response(),
    };
    Ok(([(VARY, "Accept")], answer).into_response())
}

/// Serves the sound.
pub(crate) async fn heard_wav(
    State(api): State<Api>,
    asker: Asker,
    Path((call, participant)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let call = asker.call(&api, &call, UserRole::ConsoleRead).await?;
    wav(&api, call, participant_id(&participant)?).await
}

async fn ledger(api: &Api, call: CallId, participant: ParticipantId) -> Result<Json<Heard>, Failure> {
    let heard = api.engine.heard(call, participant).await.ok_or_else(Failure::not_written_down)?;
    Ok(Json(Heard::new(participant, heard)))
}

async fn wav(api: &Api, call: CallId, participant: ParticipantId) -> Result<Response, Failure> {
    let audio = api.engine.heard_audio(call, participant).await.ok_or_else(Failure::not_written_down)?;
    let decode = move || {
        let engine::Recording { rate_hz, samples } = audio.decode();
        let mut file = Vec::new();
        engine::write_wav(&mut file, rate_hz, 1, &samples).map(|()| file)
    };
    let file = tokio::task::spawn_blocking(decode).await.map_err(|_| Failure::internal())?;
    let file = file.expect("what is kept is far below what a WAV file can hold");
    Ok(([(CONTENT_TYPE, WAV)], file).into_response())
}

fn wants_wav(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|media_type| media_type.trim().to_ascii_lowercase().starts_with(WAV))
}
