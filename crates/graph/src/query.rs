//! OData's query options, as far as clients of this API send them (OData 4.01 URL conventions, section 5.1).
//!
//! `$select`, `$count`, `$top` and `$skip` are done. `$filter` and `$search` are refused: an application that asked for
//! one participant and got all of them would hold the wrong one. Whatever else there is changes only how an answer looks
//! and is ignored.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::api::{Api, Root};
use crate::error::Failure;
use crate::wire::Invalid;

/// Is what a reading request wants to see.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    select: Option<Vec<String>>,
    count: bool,
    skip: usize,
    top: Option<usize>,
}

impl FromRequestParts<Api> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<Query, Failure> {
        Ok(Query::parse(parts.uri.query().unwrap_or_default())?)
    }
}

/// Is the same for a route of our own, where nothing is asked for out of habit: what is not known is refused.
#[derive(Debug)]
pub(crate) struct StrictQuery(pub(crate) Query);

impl FromRequestParts<Api> for StrictQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<StrictQuery, Failure> {
        let (query, unknown) = Query::read(parts.uri.query().unwrap_or_default())?;
        match unknown {
            None => Ok(StrictQuery(query)),
            Some(name) => Err(Invalid::new(name, "is not known").into()),
        }
    }
}

impl Query {
    fn parse(text: &str) -> Result<Query, Invalid> {
        Ok(Query::read(text)?.0)
    }

    /// Reads the options, and finds one that is not known, if there is any.
    fn read(text: &str) -> Result<(Query, Option<String>), Invalid> {
        let (mut query, mut unknown) = (Query::default(), None);
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match name.to_ascii_lowercase().as_str() {
                "$select" => query.select = selection(&value),
                "$count" => query.count = flag(&name, &value)?,
                "$skip" => query.skip = number(&name, &value)?,
                "$top" => query.top = Some(number(&name, &value)?),
                "$filter" | "$search" => return Err(Invalid::new(name, "is not supported: every entry is returned")),
                _ => unknown = Some(name.into_owned()),
            }
        }
        Ok((query, unknown))
    }

    /// Shows one entity.
    pub(crate) fn entity(&self, root: &Root, context: &str, entity: Value) -> Value {
        root.entity(context, &self.selected(entity))
    }

    /// Shows a collection, or the part of it that was asked for.
    pub(crate) fn collection(&self, root: &Root, context: &str, entries: Vec<Value>) -> Value {
        let mut shown = Map::new();
        if self.count {
            shown.insert("@odata.count".to_owned(), entries.len().into());
        }
        let part = entries.into_iter().skip(self.skip).take(self.top.unwrap_or(usize::MAX));
        shown.insert("value".to_owned(), part.map(|entry| self.selected(entry)).collect());
        root.entity(context, &shown)
    }

    /// Returns how many entries to leave out, and how many to show after them.
    pub(crate) fn page(&self, top_max: usize) -> (usize, usize) {
        (self.skip, self.top.unwrap_or(top_max).min(top_max))
    }

    /// Shows a page that was read as [`Query::page`] says, out of `count` entries. What is left is behind
    /// `@odata.nextLink` (OData JSON format 4.01, section 4.6.5) below `url`.
    pub(crate) fn shown_page(&self, entries: Vec<Value>, count: usize, url: &str) -> Value {
        let mut shown = Map::new();
        if self.count {
            shown.insert("@odata.count".to_owned(), count.into());
        }
        let next = self.skip.saturating_add(entries.len());
        let is_last = next >= count || entries.is_empty();
        shown.insert("value".to_owned(), entries.into_iter().map(|entry| self.selected(entry)).collect());
        if !is_last {
            shown.insert("@odata.nextLink".to_owned(), format!("{url}?{}", self.query_after(next)).into());
        }
        Value::Object(shown)
    }

    fn query_after(&self, skip: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("$skip", &skip.to_string());
        if let Some(top) = self.top {
            query.append_pair("$top", &top.to_string());
        }
        if let Some(select) = &self.select {
            query.append_pair("$select", &select.join(","));
        }
        query.finish()
    }

    /// Leaves out what was not selected. Annotations, such as `@odata.type`, always stay.
    pub(crate) fn selected(&self, entity: Value) -> Value {
        let Some(select) = &self.select else { return entity };
        let Value::Object(mut members) = entity else { return entity };
        members.retain(|name, _| name.starts_with('@') || select.iter().any(|it| it.eq_ignore_ascii_case(name)));
        Value::Object(members)
    }
}

/// Reads `id,info/identity`: a path selects its first member whole. `*` and nothing at all select everything.
fn selection(value: &str) -> Option<Vec<String>> {
    let first = |item: &str| item.split('/').next().unwrap_or_default().trim().to_owned();
    let names: Vec<String> = value.split(',').map(first).filter(|name| !name.is_empty()).collect();
    (!names.is_empty() && !names.iter().any(|name| name == "*")).then_some(names)
}

fn flag(name: &str, value: &str) -> Result<bool, Invalid> {
    value.to_ascii_lowercase().parse().map_err(|_| Invalid::new(name, "must be 'true' or 'false'"))
}

fn number(name: &str, value: &str) -> Result<usize, Invalid> {
    value.parse().map_err(|_| Invalid::new(name, "must be a number, zero or more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_selected(query: &str, expected: Value) {
        let entity = json!({"@odata.type": "#t", "id": "1", "isMuted": false, "info": {"identity": {}}});
        assert_eq!(Query::parse(query).expect("a good query").selected(entity), expected, "{query}");
    }

    #[track_caller]
    fn check_refused(query: &str, expected: &str) {
        assert_eq!(Query::parse(query).expect_err("a bad query").to_string(), expected);
    }

    #[test]
    fn select_leaves_members_out_and_annotations_in() {
        check_selected("$select=id", json!({"@odata.type": "#t", "id": "1"}));
        check_selected("%24select=ID,%20ismuted", json!({"@odata.type": "#t", "id": "1", "isMuted": false}));
        check_selected("$select=info/identity", json!({"@odata.type": "#t", "info": {"identity": {}}}));
        check_selected("$select=nothing", json!({"@odata.type": "#t"}));
        for all in ["", "$select=", "$select=*", "$orderby=id&$expand=x&$format=json&other"] {
            check_selected(all, json!({"@odata.type": "#t", "id": "1", "isMuted": false, "info": {"identity": {}}}));
        }
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        check_refused("$filter=id%20eq%20'1'", "'$filter' is not supported: every entry is returned.");
        check_refused("$top=-1", "'$top' must be a number, zero or more.");
        check_refused("$Count=maybe", "'$Count' must be 'true' or 'false'.");
    }
}
