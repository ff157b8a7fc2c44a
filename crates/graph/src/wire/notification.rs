//! Graph's `commsNotifications`: what is posted to an application's callback.

use serde::Serialize;
use serde_json::{Value, json};

use super::call::{Call, MediaState, state};
use super::operation::Operation;
use super::participant::Participant;
use super::result_info::ResultInfo;
use super::tone::ToneInfo;

/// Is the body of one notification, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.commsNotifications")]
pub(crate) struct Notifications {
    value: [Notification; 1],
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.commsNotification", rename_all = "camelCase")]
struct Notification {
    change_type: &'static str,
    resource_url: String,
    resource_data: Value,
}

impl Notifications {
    /// Spells the news that somebody calls: the whole call, as far as there is something to say. `sequence` counts the
    /// call's notices and becomes the weak etag.
    pub(crate) fn incoming(call: &Call, sequence: i64) -> Notifications {
        let url = format!("/communications/calls/{}", call.id);
        let mut data =
            json!({ "@odata.type": "#microsoft.graph.call", "@odata.id": url, "@odata.etag": etag(sequence) });
        if let (Value::Object(data), Value::Object(members)) = (&mut data, json!(call)) {
            data.extend(members.into_iter().filter(|(_, value)| !value.is_null()));
        }
        Notifications { value: [Notification { change_type: "created", resource_url: url, resource_data: data }] }
    }

    /// Spells a change of a call.
    pub(crate) fn call(
        call: &str,
        change: call::Change,
        state: call::CallState,
        audio_active: bool,
        result: Option<&ResultInfo>,
    ) -> Notifications {
        Notifications { value: [call_notification(call, change, state, audio_active, result)] }
    }

    /// Spells a key that somebody has pressed.
    pub(crate) fn tone(call: &str, tone: &ToneInfo) -> Notifications {
        let (change, state) = (call::Change::Updated, call::CallState::Established);
        let mut notification = call_notification(call, change, state, true, None);
        notification.resource_data["toneInfo"] = json!(tone);
        Notifications { value: [notification] }
    }

    /// Spells the whole roster.
    pub(crate) fn roster(call: &str, entries: &[call::RosterEntry]) -> Notifications {
        Notifications { value: [roster_notification(call, entries)] }
    }

    /// Spells the end of an operation.
    pub(crate) fn operation_ended(call: &str, operation: &Operation, sequence: i64) -> Notifications {
        Notifications { value: [operation_notification(call, operation, sequence)] }
    }

    /// Spells the end of a call that is known only from the store.
    pub(crate) fn call_cut_off(call: &str, result: &ResultInfo) -> Notifications {
        Notifications::call(call, call::Change::Deleted, call::CallState::Terminated, false, Some(result))
    }
}

fn call_notification(
    call: &str,
    change: call::Change,
    call_state: call::CallState,
    audio_active: bool,
    result: Option<&ResultInfo>,
) -> Notification {
    let mut data = json!({
        "@odata.type": "#microsoft.graph.call",
        "id": call,
        "state": state(call_state),
    });
    if audio_active {
        data["mediaState"] = json!(MediaState::new(true));
    }
    if let Some(result) = result {
        data["resultInfo"] = json!(result);
    }
    Notification {
        change_type: change_type(change),
        resource_url: format!("/communications/calls/{call}"),
        resource_data: data,
    }
}

/// Graph sends the whole roster each time, as an array.
fn roster_notification(call: &str, entries: &[call::RosterEntry]) -> Notification {
    let roster: Vec<Participant> = (1..).zip(entries).map(|(source, entry)| Participant::new(entry, source)).collect();
    Notification {
        change_type: change_type(call::Change::Updated),
        resource_url: format!("/communications/calls/{call}/participants"),
        resource_data: json!(roster),
    }
}

/// An operation that has ended is gone, so its last notification says `deleted`.
fn operation_notification(call: &str, operation: &Operation, sequence: i64) -> Notification {
    let url = format!("/communications/calls/{call}/operations/{}", operation.id);
    let mut data = json!({ "@odata.type": operation.odata_type, "@odata.id": url, "@odata.etag": etag(sequence) });
    if let (Value::Object(data), Value::Object(members)) = (&mut data, json!(operation)) {
        data.extend(members);
    }
    Notification { change_type: change_type(call::Change::Deleted), resource_url: url, resource_data: data }
}

fn etag(sequence: i64) -> String {
    format!("W/\"{sequence}\"")
}

fn change_type(change: call::Change) -> &'static str {
    match change {
        call::Change::Updated => "updated",
        call::Change::Deleted => "deleted",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    const CALL: &str = "00000000-0000-0000-0000-000000000001";

    fn check(body: &Notifications, expected: Expect) {
        expected.assert_eq(&serde_json::to_string_pretty(&body).expect("a notification is JSON"));
    }

    #[test]
    fn an_operation_ends_as_deleted_with_its_context() {
        let operation = call::Operation {
            id: call::OperationId::new(2),
            call: call::CallId::new(1),
            kind: call::OperationKind::StartHoldMusic { participant: call::ParticipantId::new(3) },
            client_context: call::ClientContext::new("ctx-1").expect("short"),
            status: call::OperationStatus::Completed,
            result: None,
        };
        check(
            &Notifications::operation_ended(CALL, &Operation::from(&operation), 7),
            expect![[r##"
            {
              "@odata.type": "#microsoft.graph.commsNotifications",
              "value": [
                {
                  "@odata.type": "#microsoft.graph.commsNotification",
                  "changeType": "deleted",
                  "resourceUrl": "/communications/calls/00000000-0000-0000-0000-000000000001/operations/00000000-0000-0000-0000-000000000002",
                  "resourceData": {
                    "@odata.type": "#microsoft.graph.startHoldMusicOperation",
                    "@odata.id": "/communications/calls/00000000-0000-0000-0000-000000000001/operations/00000000-0000-0000-0000-000000000002",
                    "@odata.etag": "W/\"7\"",
                    "id": "00000000-0000-0000-0000-000000000002",
                    "status": "completed",
                    "clientContext": "ctx-1"
                  }
                }
              ]
            }"##]],
        );
    }

    #[test]
    fn a_terminated_call_says_why() {
        let result = ResultInfo::from(&call::ResultInfo::new(200, 7000, "The bot hung up."));
        let (change, state) = (call::Change::Deleted, call::CallState::Terminated);
        check(
            &Notifications::call(CALL, change, state, false, Some(&result)),
            expect![[r##"
            {
              "@odata.type": "#microsoft.graph.commsNotifications",
              "value": [
                {
                  "@odata.type": "#microsoft.graph.commsNotification",
                  "changeType": "deleted",
                  "resourceUrl": "/communications/calls/00000000-0000-0000-0000-000000000001",
                  "resourceData": {
                    "@odata.type": "#microsoft.graph.call",
                    "id": "00000000-0000-0000-0000-000000000001",
                    "state": "terminated",
                    "resultInfo": {
                      "@odata.type": "#microsoft.graph.resultInfo",
                      "code": 200,
                      "subcode": 7000,
                      "message": "The bot hung up."
                    }
                  }
                }
              ]
            }"##]],
        );
    }

    #[test]
    fn a_roster_is_sent_whole_and_shows_who_is_held() {
        let entry = call::RosterEntry {
            participant: call::ParticipantId::new(3),
            identity: call::Identity::user("u1", None),
            muted: false,
            direction: call::Direction::Inactive,
            sequence: 5,
        };
        check(
            &Notifications::roster(CALL, &[entry]),
            expect![[r##"
            {
              "@odata.type": "#microsoft.graph.commsNotifications",
              "value": [
                {
                  "@odata.type": "#microsoft.graph.commsNotification",
                  "changeType": "updated",
                  "resourceUrl": "/communications/calls/00000000-0000-0000-0000-000000000001/participants",
                  "resourceData": [
                    {
                      "@odata.type": "#microsoft.graph.participant",
                      "id": "00000000-0000-0000-0000-000000000003",
                      "info": {
                        "@odata.type": "#microsoft.graph.participantInfo",
                        "identity": {
                          "@odata.type": "#microsoft.graph.identitySet",
                          "user": {
                            "@odata.type": "#microsoft.graph.identity",
                            "id": "u1"
                          }
                        },
                        "participantId": "00000000-0000-0000-0000-000000000003"
                      },
                      "isInLobby": false,
                      "isMuted": false,
                      "mediaStreams": [
                        {
                          "@odata.type": "#microsoft.graph.mediaStream",
                          "mediaType": "audio",
                          "label": "main-audio",
                          "sourceId": "1",
                          "direction": "inactive",
                          "serverMuted": false
                        }
                      ],
                      "metadata": null,
                      "recordingInfo": null,
                      "rosterSequenceNumber": 5
                    }
                  ]
                }
              ]
            }"##]],
        );
    }
}
