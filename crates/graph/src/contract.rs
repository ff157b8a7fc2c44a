//! What is served, in the words of machines: an OpenAPI 3.1 document, and the part of Graph's CSDL that holds here.
//!
//! Both are written by hand, because they are read by people first. The tests beside them hold every path and every
//! member against the routes and the wire types, so that neither can drift.

use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;

/// OpenAPI 3.1.1.
const OPENAPI: &str = include_str!("contract/openapi.json");

/// OData CSDL XML 4.0, with the names, types and values of Graph's own metadata.
const METADATA: &str = include_str!("contract/metadata.xml");

/// Answers `GET /fermata/v1/openapi.json`, to everybody.
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

/// Answers `GET /$metadata`, to everybody: `@odata.context` in every answer points at it.
pub(crate) async fn metadata() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/xml")], METADATA)
}

#[cfg(test)]
mod tests;
