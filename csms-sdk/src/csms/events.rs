//! Events: subscriptions that tell an SMN topic what happens to secrets, and the notifications sent for them.

use csms_sdk_macros::Model;

use super::{PageInfo, SecretType};
use crate::{
    operation::{Chapter, Paging, Service},
    time::Timestamp,
};

const CHAPTER: Chapter = Chapter { service: Service::Csms, group: "Events" };

/// Creates an event: a choice of happenings and the topic that is told of them.
///
/// It notifies once a secret subscribes to it by name. Whether the topic exists is not checked: a wrong one only
/// shows in [`ListNotificationRecords`]. At most 30 events per project.
#[derive(Clone, Debug, Model)]
#[operation(
    POST, "/v1/{project_id}/csms/events",
    permission = "csms::createEvent", role = "csms:event:create",
    response = SecretEventResponseBody,
)]
#[non_exhaustive]
pub struct CreateSecretEvent {
    /// Name: 1 to 64 letters, digits, `_`, `-` or `.`. Secrets subscribe by it.
    #[field(check(Name))]
    pub name: String,
    /// Happenings that notify, at most 12, none twice.
    #[field(check(Items(0, 12)))]
    pub event_types: Vec<EventType>,
    /// Whether it notifies.
    pub state: EventState,
    /// Who is told.
    pub notification: Notification,
}

/// Reads an event.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/events/{event_name}",
    permission = "csms::getEvent", role = "csms:event:get",
    response = SecretEventResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ShowSecretEvent {
    /// Name of the event.
    #[field(check(Name))]
    pub event_name: String,
}

/// Lists the project's events.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/events",
    permission = "csms::listEvents", role = "csms:event:list",
    response = ListEventResponseBody,
    paging = Paging::Marker { items: "events", next: "page_info.next_marker", more: None, size: Some(50) },
    item = Event,
    idempotent,
)]
#[non_exhaustive]
pub struct ListSecretEvents {
    /// Most events of a page; default 50.
    pub limit: Option<i32>,
    /// Name of the last event of the page before.
    pub marker: Option<String>,
}

/// Changes an event. What is left out stays as it is.
#[derive(Clone, Debug, Model)]
#[operation(
    PUT, "/v1/{project_id}/csms/events/{event_name}",
    permission = "csms::updateEvent", role = "csms:event:update",
    response = SecretEventResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct UpdateSecretEvent {
    /// Name of the event; cannot be changed.
    #[field(check(Name))]
    pub event_name: String,
    /// Happenings that notify from now on, 1 to 12, none twice.
    #[field(check(Items(1, 12)))]
    pub event_types: Option<Vec<EventType>>,
    /// Whether it notifies.
    pub state: Option<EventState>,
    /// Who is told.
    pub notification: Option<Notification>,
}

/// Deletes an event at once. Refused while a secret subscribes to it.
#[derive(Clone, Debug, Model)]
#[operation(
    DELETE,
    "/v1/{project_id}/csms/events/{event_name}",
    permission = "csms::deleteEvent",
    role = "csms:event:delete",
    idempotent
)]
#[non_exhaustive]
pub struct DeleteSecretEvent {
    /// Name of the event.
    #[field(check(Name))]
    pub event_name: String,
}

/// Lists the notifications of the last three months, failed ones included.
///
/// The answer has a marker, but no parameter is documented that would take it: there is one page only.
#[derive(Clone, Debug, Model)]
#[operation(
    GET, "/v1/{project_id}/csms/notification-records",
    permission = "csms::listNotificationRecords", role = "csms:event:listNotificationRecords",
    response = ListEventNotifyRecordsResponseBody,
    idempotent,
)]
#[non_exhaustive]
pub struct ListNotificationRecords {}

/// Who is told of an event.
#[derive(Clone, Debug, PartialEq, Model)]
#[model(input)]
#[non_exhaustive]
pub struct Notification {
    /// Kind of target; there is only SMN.
    pub target_type: NotificationTargetType,
    /// URN of the SMN topic, at most 256 characters.
    pub target_id: String,
    /// Name of the SMN topic, 1 to 64 characters.
    #[field(check(Name))]
    pub target_name: String,
}

/// Answer with one event.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct SecretEventResponseBody {
    /// The event.
    pub event: Option<Event>,
}

/// A choice of happenings and who is told of them.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Event {
    /// Name.
    pub name: Option<String>,
    /// Id (UUID). No operation takes it; events are addressed by name.
    pub event_id: Option<String>,
    /// Happenings that notify.
    pub event_types: Vec<EventType>,
    /// Whether it notifies.
    pub state: Option<EventState>,
    /// When it was created.
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    pub update_time: Option<Timestamp>,
    /// Who is told.
    pub notification: Option<Notification>,
}

/// One page of events.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListEventResponseBody {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins.
    pub page_info: Option<PageInfo>,
}

/// The notifications of the last three months.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct ListEventNotifyRecordsResponseBody {
    /// The notifications.
    pub records: Vec<Record>,
    /// Where a next page would begin.
    pub page_info: Option<PageInfo>,
}

/// A notification that was sent, or should have been.
#[derive(Clone, Debug, Default, PartialEq, Model)]
#[non_exhaustive]
pub struct Record {
    /// Name of the event.
    pub event_name: Option<String>,
    /// What happened.
    pub trigger_event_type: Option<EventType>,
    /// Name of the secret it happened to.
    pub secret_name: Option<String>,
    /// Kind of that secret.
    pub secret_type: Option<SecretType>,
    /// Name of the SMN topic.
    pub notification_target_name: Option<String>,
    /// URN of the SMN topic.
    pub notification_target_id: Option<String>,
    /// The message: JSON text with names in camel case and RFC 3339 times. May be longer than the documented 255.
    pub notification_content: Option<String>,
    /// Whether it reached the topic.
    pub notification_status: Option<NotificationStatus>,
    /// When the record was made.
    pub create_time: Option<Timestamp>,
}

/// Something that happens to a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum EventType {
    /// A version was created.
    #[wire("SECRET_VERSION_CREATED")]
    VersionCreated,
    /// A version expired; told once per update of the value.
    #[wire("SECRET_VERSION_EXPIRED")]
    VersionExpired,
    /// A version is about to expire (in an example of the reference only, not in its list of values).
    #[wire("SECRET_VERSION_NEAR_EXPIRY")]
    VersionNearExpiry,
    /// The secret was rotated.
    #[wire("SECRET_ROTATED")]
    Rotated,
    /// A rotation failed.
    #[wire("SECRET_ROTATED_FAILED")]
    RotatedFailed,
    /// The secret was deleted.
    #[wire("SECRET_DELETED")]
    Deleted,
    /// A happening that is not known here yet.
    Other(String),
}

/// Whether an event notifies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum EventState {
    /// It notifies.
    #[wire("ENABLED")]
    Enabled,
    /// It is silent.
    #[wire("DISABLED")]
    Disabled,
    /// A state that is not known here yet.
    Other(String),
}

/// Kind of service that passes a notification on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum NotificationTargetType {
    /// Simple Message Notification.
    #[wire("SMN")]
    Smn,
    /// A kind that is not known here yet.
    Other(String),
}

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Model)]
#[non_exhaustive]
pub enum NotificationStatus {
    /// The topic has it.
    #[wire("SUCCESS")]
    Success,
    /// It could not be sent.
    #[wire("FAIL")]
    Fail,
    /// The topic does not exist or cannot be used.
    #[wire("INVALID")]
    Invalid,
    /// A status that is not known here yet.
    Other(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use super::*;

    #[test]
    fn event_types_beyond_the_enumeration_are_kept() {
        let event: Event =
            serde_json::from_str(r#"{"event_types": ["SECRET_VERSION_NEAR_EXPIRY", "SECRET_SHARED"]}"#).unwrap();
        assert_eq!(event.event_types, [EventType::VersionNearExpiry, EventType::Other("SECRET_SHARED".into())]);
    }
}
