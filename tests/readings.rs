//! The reference contradicts itself in places. How it is read there, as far as it concerns more than one chapter
//! or is no matter of code that a unit test stands beside.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use csms_sdk::{
    CallOptions, Client, Error, OperationInfo, SecretBytes, Service,
    model::{Field, Format, Kind, Shape},
    operation::Method,
    operations,
};
use csms_tests::support::{
    recorded,
    typed::{self, Typed},
};
use serde_json::{Map, Value as Json, json};
use tokio::runtime::Runtime;

const UNKNOWN: &str = "SOMETHING_NEW";

#[test]
fn times_of_csms_have_no_upper_bound() {
    for time in [1_581_507_580_000_i64, 9_999_999_999_999, 10_000_000_000_000, 99_999_999_999_999] {
        let answer = json!({"secret": {"create_time": time}});
        assert_eq!(Sdk::new().read("csms/ShowSecret", &answer)["secret"]["create_time"], time);
    }
}

#[test]
fn key_ids_in_answers_are_plain_text() {
    for id in ["0d0466b0e7274d9cb35df84bb474a37f", "0d0466b0-e727-4d9c-b35d-f84bb474a37f", "csms/default"] {
        let answer = json!({"secret": {"kms_key_id": id}});
        assert_eq!(Sdk::new().read("csms/ShowSecret", &answer)["secret"]["kms_key_id"], id);
    }
}

#[test]
fn every_enumeration_keeps_what_it_does_not_know_in_answers() {
    let sdk = Sdk::new();
    for (info, shape) in operations().filter_map(|info| Some((info, info.response?))) {
        let answer = filled(shape);
        let written = sdk.read(&info.id(), &answer);
        assert_eq!(count(&written), count(&answer), "{}", info.id());
    }
}

#[test]
fn every_enumeration_sends_what_it_does_not_know() {
    let sdk = Sdk::new();
    for info in operations() {
        let input = filled(info.request);
        let request = sdk.send_unchecked(&info.id(), &input).unwrap();
        let sent = format!("{} {}", request.uri(), body(&request));
        // A field that stands in two places is sent twice.
        assert!(sent.matches(UNKNOWN).count() >= count(&input), "{}: {sent}", info.id());
    }
}

#[test]
fn states_may_have_any_length() {
    let sdk = Sdk::new();
    let state = "PENDING_SOMETHING_LONG";
    let secret = sdk.read("csms/ShowSecret", &json!({"secret": {"state": state}}));
    assert_eq!(secret["secret"]["state"], state);
    let event = sdk.read("csms/ShowSecretEvent", &json!({"event": {"state": state}}));
    assert_eq!(event["event"]["state"], state);
}

#[test]
fn a_rotation_configuration_is_raw_text_in_both_directions() {
    let sdk = Sdk::new();
    for config in ["{'InstanceId':'a'}", r#"{"InstanceId":"a"}"#, "no JSON at all"] {
        let answer = sdk.read("csms/ShowSecret", &json!({"secret": {"rotation_config": config}}));
        assert_eq!(answer["secret"]["rotation_config"], config);
        let input = json!({"name": "demo", "secret_string": "a", "rotation_config": config});
        assert_eq!(body(&sdk.send("csms/CreateSecret", &input).unwrap())["rotation_config"], config);
    }
}

#[test]
fn the_content_of_a_notification_may_be_longer_than_documented() {
    let content = "a".repeat(5000);
    let answer = json!({"records": [{"notification_content": content}]});
    let answer = Sdk::new().read("csms/ListNotificationRecords", &answer);
    assert_eq!(answer["records"][0]["notification_content"], content);
}

#[test]
fn lengths_of_tags_and_policy_names_are_left_to_the_service() {
    let sdk = Sdk::new();
    let tag = json!({"key": "k".repeat(200), "value": "v".repeat(300)});
    let sent = sdk.send("csms/CreateSecretTag", &json!({"secret_id": "a", "tag": tag})).unwrap();
    assert_eq!(body(&sent)["tag"], tag);
    let sent = sdk.send("kms/CreateKmsTag", &json!({"key_id": "a", "tag": tag})).unwrap();
    assert_eq!(body(&sent)["tag"], tag);
    let policy = json!({"keyspace_id": "a", "policy_name": "n".repeat(300), "policy": "{}"});
    assert_eq!(body(&sdk.send("kms/CreateKeyPolicy", &policy).unwrap()), policy);
}

#[test]
fn a_scheduled_deletion_needs_its_days_although_a_default_is_printed() {
    let sdk = Sdk::new();
    let error = sdk.send("csms/DeleteSecretForSchedule", &json!({"secret_name": "demo"})).unwrap_err();
    assert_eq!(error.field(), Some("recovery_window_in_days"));
}

#[test]
fn show_kms_tags_counts_in_camel_case() {
    let answer = Sdk::new().read("kms/ShowKmsTags", &json!({"existTagsNum": 2, "tags": []}));
    assert_eq!(answer["existTagsNum"], 2);
}

#[test]
fn states_of_keys_are_bare_where_deletion_is_concerned_and_wrapped_elsewhere() {
    let sdk = Sdk::new();
    let bare = json!({"key_id": "a", "key_state": "4"});
    for operation in ["kms/DeleteKey", "kms/CancelKeyDeletion"] {
        assert_eq!(sdk.read(operation, &bare), bare);
    }
    let wrapped = json!({"key_info": bare});
    for operation in ["kms/EnableKey", "kms/DisableKey"] {
        assert_eq!(sdk.read(operation, &wrapped), wrapped);
    }
}

#[test]
fn the_length_of_a_capsule_s_key_is_free_text() {
    let sdk = Sdk::new();
    for length in ["AES_256", "SM4", "128", "256"] {
        let sent = sdk.send("kms/CreateDatakeyCapsule", &json!({"key_id": "a", "datakey_length": length})).unwrap();
        assert_eq!(body(&sent)["datakey_length"], length);
    }
}

#[test]
fn limits_of_csms_are_numbers_whatever_the_reference_calls_them() {
    let limits = operations().filter(|info| info.service == Service::Csms).filter_map(|info| info.field("limit"));
    assert!(limits.inspect(|field| assert!(matches!(field.kind, Kind::Integer))).count() >= 5);
    let sent = Sdk::new().send("csms/ListSecrets", &json!({"limit": "20"})).unwrap();
    assert_eq!(sent.uri().query(), Some("limit=20"));
}

#[test]
fn the_64_kib_of_a_value_are_counted_on_the_text_that_is_sent() {
    let sdk = Sdk::new();
    for field in ["secret_string", "secret_binary"] {
        let request = |length| json!({"name": "demo", field: "A".repeat(length)});
        assert!(sdk.send("csms/CreateSecret", &request(65_536)).is_ok());
        let error = sdk.send("csms/CreateSecret", &request(65_537)).unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
    let text_of_three_bytes = "€".repeat(65_536 / 3 + 1);
    let request = json!({"name": "demo", "secret_string": text_of_three_bytes});
    assert!(sdk.send("csms/CreateSecret", &request).is_err());
}

#[test]
fn numbers_flags_and_times_of_kms_travel_as_the_reference_says() {
    let text: [(&str, &[Format]); 13] = [
        ("datakey_plain_length", &[Format::Text]),
        ("datakey_cipher_length", &[Format::Text]),
        ("random_data_length", &[Format::Text]),
        ("pending_days", &[Format::Text]),
        ("key_type", &[Format::Text]),
        ("default_key_flag", &[Format::Digit]),
        // Text in the list of keys, real where rotation is shown.
        ("key_rotation_enabled", &[Format::Text, Format::Plain]),
        ("truncated", &[Format::Text]),
        ("signature_valid", &[Format::Text]),
        ("creation_date", &[Format::Text]),
        ("scheduled_deletion_date", &[Format::Text]),
        ("last_rotation_time", &[Format::Text]),
        // Text for a key, a number of seconds for an import.
        ("expiration_time", &[Format::Text, Format::Seconds]),
    ];
    let plain = [
        "rotation_interval",
        "number_of_rotations",
        "total",
        "total_count",
        "instance_num",
        "quota",
        "used",
        "mac_valid",
    ];
    let expected = text.into_iter().chain(plain.map(|name| (name, &[Format::Plain][..])));
    let mut fields = Vec::new();
    for info in operations().filter(|info| info.service == Service::Kms) {
        collect(info.request, &mut fields);
        info.response.into_iter().for_each(|shape| collect(shape, &mut fields));
    }
    for (name, formats) in expected {
        let mut found = Vec::new();
        for field in fields.iter().filter(|field| field.name == name) {
            assert!(matches!(field.kind, Kind::Integer | Kind::Boolean | Kind::Time), "{name}");
            if !found.contains(&field.format) {
                found.push(field.format);
            }
        }
        assert_eq!(found.len(), formats.len(), "{name}: {found:?}");
        assert!(found.iter().all(|format| formats.contains(format)), "{name}: {found:?}");
    }
    // In a body these are text, too; in a query everything is.
    for info in operations().filter(|info| info.service == Service::Kms) {
        for field in ["limit", "offset"].iter().filter_map(|name| info.field(name)).filter(|field| field.place.body) {
            assert_eq!(field.format, Format::Text, "{}.{}", info.id(), field.name);
        }
    }
}

#[test]
fn delete_alias_has_a_body() {
    let input = json!({"key_id": "a", "aliases": ["alias/a"]});
    let sent = Sdk::new().send("kms/DeleteAlias", &input).unwrap();
    assert_eq!(sent.method(), http::Method::DELETE);
    assert_eq!(body(&sent), input);
}

#[test]
fn reads_of_kms_are_safe_to_repeat_although_they_are_posts() {
    let is_read = |info: &&OperationInfo| info.name.starts_with("List") || info.name.starts_with("Show");
    for info in operations().filter(is_read) {
        assert!(info.idempotent, "{}", info.id());
    }
    let posts = operations().filter(is_read).filter(|info| info.method == Method::POST && info.service == Service::Kms);
    assert!(posts.count() >= 5);
}

struct Sdk {
    runtime: Runtime,
    client: Client,
    typed: Vec<Typed>,
}

impl Sdk {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fixture = wiremock_fixtures::find("csms/CreateSecret/success").unwrap();
        Self { runtime, client: recorded::client(fixture).build().unwrap(), typed: typed::all() }
    }

    fn operation(&self, id: &str) -> &Typed {
        self.typed.iter().find(|typed| typed.info.id() == id).unwrap()
    }

    /// A typed answer, written back.
    fn read(&self, id: &str, answer: &Json) -> Json {
        let answer = (self.operation(id).answer)(answer.to_string().as_bytes());
        answer.unwrap_or_else(|error| panic!("{id}: {error:?}")).body.unwrap()
    }

    /// A typed request, as it would be sent.
    fn send(&self, id: &str, input: &Json) -> Result<http::Request<SecretBytes>, Error> {
        self.send_by(&self.client, id, input)
    }

    fn send_unchecked(&self, id: &str, input: &Json) -> Result<http::Request<SecretBytes>, Error> {
        self.send_by(&self.client.with_options(CallOptions::new().without_validation()), id, input)
    }

    /// As JSON and, where that is not refused, by type: both are the same.
    fn send_by(&self, client: &Client, id: &str, input: &Json) -> Result<http::Request<SecretBytes>, Error> {
        let operation = self.operation(id);
        let from_json = self.runtime.block_on(client.prepare_json(operation.info, input.as_object().unwrap()))?;
        let request = (operation.request)(input.clone()).unwrap();
        let from_struct = self.runtime.block_on(request.prepare(client))?;
        assert_eq!(from_json.uri(), from_struct.uri(), "{id}");
        Ok(from_struct)
    }
}

fn body(request: &http::Request<SecretBytes>) -> Json {
    serde_json::from_slice(request.body().expose_secret()).unwrap_or_default()
}

/// JSON with every field of a struct, and an unknown text in every enumeration.
fn filled(shape: &'static Shape) -> Json {
    let fields = shape.fields.iter().filter(|field| !matches!(field.kind, Kind::Rest) && !field.place.header);
    Json::Object(fields.map(|field| (field.name.to_owned(), value(&field.kind))).collect())
}

fn value(kind: &'static Kind) -> Json {
    match kind {
        Kind::Enum(_) => UNKNOWN.into(),
        Kind::Integer => 8.into(),
        Kind::Boolean => true.into(),
        Kind::Time => 1_581_507_580_000_i64.into(),
        Kind::List(item) => json!([value(item)]),
        Kind::Object(shape) => filled(shape),
        Kind::Json | Kind::SecretJson => Json::Object(Map::new()),
        _ => "a".into(),
    }
}

fn count(json: &Json) -> usize {
    json.to_string().matches(UNKNOWN).count()
}

/// The fields of a struct and of all structs in it.
fn collect(shape: &'static Shape, fields: &mut Vec<&'static Field>) {
    for field in shape.fields {
        fields.push(field);
        let mut kind = &field.kind;
        while let Kind::List(item) = kind {
            kind = item;
        }
        if let Kind::Object(inner) = kind {
            collect(inner, fields);
        }
    }
}
