//! What the server tells a bot.

use std::time::Instant;

use serde::Deserialize;
use serde_json::Value;

/// Graph's `commsNotification`, as far as the bot reads it.
#[derive(Debug)]
pub(crate) struct Notification {
    pub(crate) arrived: Instant,
    content: Content,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    resource_url: String,
    #[serde(default)]
    resource_data: Value,
}

/// Graph's `commsNotifications`.
#[derive(Debug, Deserialize)]
pub(super) struct Contents {
    pub(super) value: Vec<Content>,
}

/// What a notification tells.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News<'a> {
    /// A call's state.
    Call { state: &'a str },
    /// Who is in the call.
    Roster(&'a [Value]),
    /// How an operation ended.
    Operation { id: &'a str, data: &'a Value },
}

impl Notification {
    pub(super) fn new(content: Content, arrived: Instant) -> Notification {
        Notification { arrived, content }
    }

    /// Returns what it tells, or `None` for what the bot does not know.
    pub(crate) fn news(&self) -> Option<News<'_>> {
        let Content { resource_url, resource_data } = &self.content;
        let path: Vec<&str> = resource_url.trim_matches('/').split('/').collect();
        match path[..] {
            ["communications", "calls", _] => Some(News::Call { state: resource_data["state"].as_str()? }),
            ["communications", "calls", _, "participants"] => Some(News::Roster(resource_data.as_array()?)),
            ["communications", "calls", _, "operations", id] => Some(News::Operation { id, data: resource_data }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(url: &str, data: Value) -> Notification {
        Notification::new(Content { resource_url: url.to_owned(), resource_data: data }, Instant::now())
    }

    #[test]
    fn a_notification_is_told_by_its_resource() {
        let call = notification("/communications/calls/1", serde_json::json!({ "state": "established" }));
        assert_eq!(call.news(), Some(News::Call { state: "established" }));
        let roster = notification("/communications/calls/1/participants", serde_json::json!([]));
        assert_eq!(roster.news(), Some(News::Roster(&[])));
        assert_eq!(notification("/communications/onlineMeetings/1", Value::Null).news(), None);
    }
}
