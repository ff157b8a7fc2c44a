//! What operators and their machines look at.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::api::Api;
use crate::error::Failure;

/// Answers `GET /health/live`: the process answers.
pub(crate) async fn live() -> StatusCode {
    StatusCode::OK
}

/// Answers `GET /health/ready`: everything listens (or nobody could ask) and the database answers and takes changes.
pub(crate) async fn ready(State(api): State<Api>) -> Result<StatusCode, Failure> {
    if !api.store.answers().await {
        return Err(Failure::unavailable("The database does not answer."));
    }
    api.require_storage().map(|()| StatusCode::OK)
}

/// Answers `GET /metrics` in Prometheus' text format.
pub(crate) async fn metrics(State(api): State<Api>) -> Response {
    api.engine.publish_metrics();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], api.metrics.render()).into_response()
}
