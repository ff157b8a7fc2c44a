//! `GET /fermata/v1/calls/{id}/notifications`: in the order in which they are delivered, a page at a time.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::api::{Api, Base};
use crate::directory::UserRole;
use crate::error::Failure;
use crate::query::StrictQuery;
use crate::signed_in::Asker;

/// Most entries of a page. A call has about ten; a roster of many people is some KiB each time.
const PAGE_MAX: usize = 100;

/// Serves the method.
pub(crate) async fn list(
    State(api): State<Api>,
    asker: Asker,
    base: Base,
    StrictQuery(query): StrictQuery,
    Path(call): Path<String>,
) -> Result<Json<Value>, Failure> {
    let call = asker.call(&api, &call, UserRole::ConsoleRead).await?;
    let (skip, top) = query.page(PAGE_MAX);
    let page = api.store.ledger(call, skip, top).await?;
    let entries = page.entries.into_iter().map(|entry| json!(entry)).collect();
    let url = format!("{}/fermata/v1/calls/{call}/notifications", base.as_str());
    Ok(Json(query.shown_page(entries, page.count, &url)))
}
