//! Walking through lists: every item once, wherever it begins, ends or breaks off.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{
    collections::BTreeSet,
    future::poll_fn,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use csms_emulator::Emulator;
use csms_sdk::{
    Client, Error, ErrorKind, Operation, Response,
    csms::{self, EventState, EventType, Notification, NotificationTargetType, QueryAction, SecretType},
    iam, kms,
    operation::{Caller, Paged},
    operations,
    page::{Items, Pages},
    retry::RetryPolicy,
};
use csms_tests::{
    calls::{client, json},
    raw_server::RawServer,
};
use futures_core::Stream;
use serde_json::{Value as Json, json};

async fn all<O: Paged, C: Caller>(mut items: Items<O, C>) -> Result<Vec<O::Item>, Error> {
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.push(item?);
    }
    assert!(items.next().await.is_none(), "it has ended");
    Ok(found)
}

async fn names<C: Caller>(secrets: Items<csms::ListSecrets, C>) -> Vec<String> {
    all(secrets).await.unwrap().into_iter().map(|secret| secret.name.unwrap()).collect()
}

async fn create_secrets(client: &Client, number: usize) -> Vec<String> {
    let names: Vec<_> = (0..number).map(|index| format!("secret-{index:03}")).collect();
    for name in &names {
        csms::CreateSecret::new(name).secret_string("value").send(client).await.unwrap();
    }
    names
}

/// An emulator with these secrets, and a client that repeats nothing.
async fn with_secrets(number: usize) -> (Emulator, Client, Vec<String>) {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let names = create_secrets(&client, number).await;
    let client = client.with_options(csms_sdk::CallOptions::new().retry(RetryPolicy::none()));
    (emulator, client, names)
}

#[tokio::test]
async fn a_long_list_is_walked_through_page_by_page() {
    let (_emulator, client, expected) = with_secrets(120).await;
    assert_eq!(names(client.items(csms::ListSecrets::new()).page_size(7)).await, expected);
    assert_eq!(names(client.items(csms::ListSecrets::new().limit(50))).await, expected, "the operation's own limit");
    assert_eq!(names(client.items(csms::ListSecrets::new())).await, expected, "the default of the service");

    let mut pages = client.pages(csms::ListSecrets::new()).page_size(7);
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().secrets.len());
    }
    assert_eq!((sizes.len(), sizes.iter().sum::<usize>(), sizes.last()), (18, 120, Some(&1)));
    assert_eq!(pages.marker(), None);
}

#[tokio::test]
async fn an_empty_list_has_one_page_and_no_items() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    assert!(names(client.items(csms::ListSecrets::new())).await.is_empty());
    let mut pages = client.pages(csms::ListSecrets::new());
    assert!(pages.next().await.unwrap().unwrap().secrets.is_empty());
    assert!(pages.next().await.is_none());
    assert_eq!(pages.marker(), None);
}

#[tokio::test]
async fn a_walk_goes_on_at_the_marker_of_another() {
    let (_emulator, client, expected) = with_secrets(20).await;
    let mut pages = client.pages(csms::ListSecrets::new()).page_size(7).max_pages(2);
    assert_eq!(pages.marker(), None, "it begins at the beginning");
    while let Some(page) = pages.next().await {
        page.unwrap();
    }
    let marker = pages.marker().unwrap();
    assert_eq!(names(client.items(csms::ListSecrets::new()).from_marker(&marker)).await, expected[14..]);
    assert_eq!(names(client.items(csms::ListSecrets::new().marker(&marker).limit(50))).await, expected[14..]);

    let mut items = client.items(csms::ListSecrets::new()).page_size(7);
    for read in 1..=20 {
        items.next().await.unwrap().unwrap();
        let rest = match items.marker() {
            Some(marker) => names(client.items(csms::ListSecrets::new()).from_marker(marker)).await,
            None if read < 7 => expected.clone(),
            None => Vec::new(),
        };
        assert!(rest.len() >= 20 - read && rest.len() < 20 - read + 7, "{read}: {}", rest.len());
        assert_eq!(rest, expected[20 - rest.len()..]);
    }
    assert_eq!(items.marker(), None);

    let stores = client.items(kms::ListKeyStores::new()).from_marker("many");
    let error = all(stores).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("offset")));
}

#[tokio::test]
async fn a_maximum_ends_a_walk_and_asks_for_no_more_than_it_needs() {
    let (_emulator, client, expected) = with_secrets(20).await;
    for most in [0, 1, 6, 7, 8, 20, 99] {
        let counting = Counting::new(client.clone());
        let items = Items::new(&counting, csms::ListSecrets::new()).page_size(7).max_items(most);
        assert_eq!(names(items).await, expected[..most.min(20)], "{most}");
        assert_eq!(counting.calls(), most.min(20).div_ceil(7), "{most}");
    }
    let counting = Counting::new(client.clone());
    let items = Items::new(&counting, csms::ListSecrets::new()).page_size(7).max_pages(2);
    assert_eq!((names(items).await, counting.calls()), (expected[..14].to_vec(), 2));
}

#[tokio::test]
async fn an_error_leaves_the_walk_where_it_is() {
    let (emulator, client, expected) = with_secrets(20).await;
    let mut items = client.items(csms::ListSecrets::new()).page_size(7);
    let mut found = Vec::new();
    for _ in 0..7 {
        found.push(items.next().await.unwrap().unwrap().name.unwrap());
    }
    emulator.set_faults(&json!([{"operation": "ListSecrets", "status": 503, "times": 2}])).unwrap();
    for _ in 0..2 {
        assert_eq!(items.next().await.unwrap().unwrap_err().status(), Some(503));
        assert_eq!(items.marker().as_deref(), Some("secret-006"));
    }
    while let Some(item) = items.next().await {
        found.push(item.unwrap().name.unwrap());
    }
    assert_eq!(found, expected);
}

#[tokio::test]
async fn streams_end_with_the_list_or_the_first_error() {
    let (emulator, client, expected) = with_secrets(20).await;
    let walk = || client.items(csms::ListSecrets::new()).page_size(7).into_stream();
    let (found, error) = collect(walk()).await;
    assert_eq!(found.into_iter().filter_map(|secret| secret.name).collect::<Vec<_>>(), expected);
    assert!(error.is_none());
    let (pages, _) = collect(client.pages(csms::ListSecrets::new()).page_size(7).into_stream()).await;
    assert_eq!(pages.iter().map(|page| page.secrets.len()).collect::<Vec<_>>(), [7, 7, 6]);

    emulator.set_faults(&json!([{"operation": "ListSecrets", "status": 503}])).unwrap();
    let (found, error) = collect(walk()).await;
    assert_eq!((found.len(), error.unwrap().status()), (0, Some(503)));
    // A stream goes where the program goes.
    emulator.clear_faults();
    let elsewhere = tokio::spawn(collect(walk()));
    assert_eq!(elsewhere.await.unwrap().0.len(), 20);
}

/// Everything of a stream up to its end, which has to come after an error.
async fn collect<T>(mut stream: impl Stream<Item = Result<T, Error>> + Unpin) -> (Vec<T>, Option<Error>) {
    let mut found = Vec::new();
    let mut failed = None;
    while let Some(item) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        assert!(failed.is_none(), "goes on after an error");
        match item {
            Ok(item) => found.push(item),
            Err(error) => failed = Some(error),
        }
    }
    (found, failed)
}

/// A service whose every page has one secret and this marker after so many pages before it.
async fn endless(marker: impl Fn(usize) -> String + Send + Sync + 'static) -> RawServer {
    RawServer::start(move |request| {
        let body = json!({"secrets": [{"name": "a"}], "page_info": {"next_marker": marker(request.number)}});
        json(200, &body.to_string())
    })
    .await
}

async fn walk_through(server: &RawServer) -> Result<Vec<csms::Secret>, Error> {
    let client = client(server.uri()).build().unwrap();
    let walk = all(client.items(csms::ListSecrets::new()).page_size(1));
    tokio::time::timeout(Duration::from_secs(30), walk).await.expect("it goes on for ever")
}

#[tokio::test]
async fn a_marker_that_is_the_one_sent_ends_the_list() {
    let server = endless(|_| "same".to_owned()).await;
    assert_eq!(walk_through(&server).await.unwrap().len(), 2);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn markers_in_a_circle_end_the_walk_with_an_error() {
    for circle in [2, 3, 5, 10] {
        let server = endless(move |number| format!("marker-{}", number % circle)).await;
        let error = walk_through(&server).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::UnexpectedAnswer, Some("ListSecrets")));
        assert!(error.to_string().contains("circle"), "{error}");
        assert!(server.requests().len() <= 3 * circle + 1, "{circle}: {} pages", server.requests().len());
    }
}

#[tokio::test]
async fn a_list_that_only_seems_endless_is_read_to_its_end() {
    let server = endless(|number| if number < 300 { format!("m{number}") } else { String::new() }).await;
    assert_eq!(walk_through(&server).await.unwrap().len(), 301);
}

/// Sends by a client, and counts.
struct Counting {
    client: Client,
    calls: AtomicUsize,
}

impl Counting {
    fn new(client: Client) -> Self {
        Self { client, calls: AtomicUsize::new(0) }
    }

    fn calls(&self) -> usize {
        self.calls.load(SeqCst)
    }
}

impl Caller for Counting {
    async fn call<O: Operation>(&self, operation: O) -> Result<Response<O::Response>, Error> {
        self.calls.fetch_add(1, SeqCst);
        self.client.send(operation).await
    }
}

/// Walks through lists, and keeps in mind of which operations.
struct Walker {
    client: Client,
    walked: BTreeSet<String>,
}

impl Walker {
    /// Every item of a list comes once, in the order of one large page, from as many pages as that takes.
    async fn walk<O: Paged + Clone>(
        &mut self,
        operation: O,
        size: u32,
        total: usize,
        id: fn(&O::Item) -> Option<&str>,
    ) {
        let name = O::INFO.id();
        let ids = |items: Vec<O::Item>| items.iter().map(|item| id(item).unwrap().to_owned()).collect::<Vec<_>>();
        let counting = Counting::new(self.client.clone());
        let found = ids(all(Items::new(&counting, operation.clone()).page_size(size)).await.unwrap());
        assert_eq!(found.len(), total, "{name}");
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), total, "{name}: none twice");
        let pages = total.div_ceil(size as usize);
        assert!((pages..=pages + 1).contains(&counting.calls()), "{name}: {} pages", counting.calls());
        assert_eq!(ids(all(self.client.items(operation.clone()).page_size(100)).await.unwrap()), found, "{name}");

        // The rest from the second page on.
        let mut pages = Pages::new(&self.client, operation.clone()).page_size(size);
        pages.next().await.unwrap().unwrap();
        let rest = self.client.items(operation).page_size(size).from_marker(pages.marker().unwrap());
        assert_eq!(ids(all(rest).await.unwrap()), found[size as usize..], "{name}");
        self.walked.insert(name);
    }
}

const FUNCTION: &str = "urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate:latest";

fn seed() -> Json {
    let mut users: Vec<_> = (0..25).map(|index| json!({"name": format!("user-{index}")})).collect();
    users[0]["access_keys"] = json!([{"access": "ACMEACCESSKEY0000001", "secret": "acmeSecretKey"}]);
    let project = |index| json!({"region": "cn-north-4", "name": format!("cn-north-4_{index}")});
    let projects: Vec<_> = (0..4).map(project).collect();
    json!({"accounts": [{"name": "acme", "users": users, "projects": projects}], "delays": {"rotation_ms": 0}})
}

#[tokio::test]
async fn every_operation_with_pages_can_be_walked_through() {
    let emulator = Emulator::builder().seed(seed()).start().await.unwrap();
    let client = emulator.client();
    fill_secrets(&client).await;
    let (key, space) = fill_keys(&client).await;
    let mut walker = Walker { client, walked: BTreeSet::new() };

    walker.walk(csms::ListSecrets::new(), 2, 6, |item| item.name.as_deref()).await;
    walker.walk(csms::ListSecretVersions::new("database"), 2, 8, |item| item.id.as_deref()).await;
    walker.walk(csms::ListSecretEvents::new(), 2, 5, |item| item.name.as_deref()).await;
    walker.walk(csms::ListSecretTask::new(), 2, 7, |item| item.task_id.as_deref()).await;
    walker.walk(csms::ListUsers::new(0, 10), 10, 25, |item| item.user_id.as_deref()).await;
    let tagged = csms::ListResourceInstances::new("resource_instances", QueryAction::Filter);
    let tagged = tagged.tags([csms::Tag::new().key("team").values(["a"])]);
    walker.walk(tagged, 2, 5, |item| item.resource_id.as_deref()).await;

    // With the default key of CSMS.
    walker.walk(kms::ListKeys::new(), 2, 6, |item| item.key_id.as_deref()).await;
    walker.walk(kms::ListAliases::new().key_id(&key), 2, 5, |item| item.alias.as_deref()).await;
    walker.walk(kms::ListGrants::new(&key), 2, 5, |item| item.grant_id.as_deref()).await;
    walker.walk(kms::ListRetirableGrants::new(), 2, 5, |item| item.grant_id.as_deref()).await;
    walker.walk(kms::ListKeyStores::new(), 2, 5, |item| item.keystore_id.as_deref()).await;
    walker.walk(kms::ListTrustedKeySpace::new(), 2, 5, |item| item.keyspace_id.as_deref()).await;
    walker.walk(kms::ListAccessPoint::new(&space), 2, 5, |item| item.access_point_id.as_deref()).await;
    walker.walk(kms::ListKeyPolicy::new(&space), 2, 5, |item| item.policy_id.as_deref()).await;
    let tagged = kms::ListKmsByTags::new("resource_instances").action(kms::TagQueryAction::Filter);
    let tagged = tagged.tags([kms::Tag::new().key("team").values(["a"])]);
    walker.walk(tagged, 2, 5, |item| item.resource_id.as_deref()).await;
    let regions = all(walker.client.items(kms::ListSupportRegions::new())).await.unwrap().len();
    walker.walk(kms::ListSupportRegions::new(), 1, regions, |item| Some(item)).await;

    let projects = all(walker.client.items(iam::KeystoneListProjects::new())).await.unwrap().len();
    assert!(projects > 4);
    walker.walk(iam::KeystoneListProjects::new(), 2, projects, |item| item.id.as_deref()).await;

    let paged = operations().filter(|info| info.paging.is_some()).map(csms_sdk::OperationInfo::id).collect();
    assert_eq!(walker.walked, paged);
}

/// Six secrets, five of them tagged; eight versions of one that was rotated seven times; five events.
async fn fill_secrets(client: &Client) {
    let config = r#"{"InstanceId":"63616bceef2c45409575d762a498318bin01","SecretSubType":"SingleUser"}"#;
    csms::CreateSecret::new("database")
        .secret_string(r#"{"users":[{"name":"shop","password":"first-password"}],"port":3306}"#)
        .secret_type(SecretType::RdsFg)
        .rotation_config(config)
        .rotation_func_urn(FUNCTION)
        .send(client)
        .await
        .unwrap();
    for _ in 0..7 {
        csms::RotateSecret::new("database").send(client).await.unwrap();
        // Tasks begun in the same millisecond could not be told apart by their time.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for name in create_secrets(client, 5).await {
        let secret = csms::ShowSecret::new(&name).send(client).await.unwrap().secret.clone().unwrap();
        let tag = csms::TagItem::new("team").value("a");
        csms::CreateSecretTag::new(secret.id.unwrap(), tag).send(client).await.unwrap();
        let topic = Notification::new(NotificationTargetType::Smn, "urn:smn:a:b:c", "topic");
        let event = csms::CreateSecretEvent::new(&name, vec![EventType::Rotated], EventState::Enabled, topic);
        event.send(client).await.unwrap();
    }
}

/// Five of everything that KMS lists; a key and a key space that have five of what belongs to one.
async fn fill_keys(client: &Client) -> (String, String) {
    let mut ids = Vec::new();
    let mut spaces = Vec::new();
    for index in 0..5 {
        let name = format!("demo-{index}");
        let key = kms::CreateKey::new(&name).send(client).await.unwrap().key_info.clone().unwrap();
        let key = key.key_id.unwrap();
        kms::CreateKmsTag::new(&key).tag(kms::TagItem::new("team").value("a")).send(client).await.unwrap();
        ids.push(key);
        let space = kms::CreateTrustedKeySpace::new(&name).send(client).await.unwrap().keyspace_id.clone().unwrap();
        spaces.push(space);
        kms::CreateKeyStore::new(&name).send(client).await.unwrap();
    }
    let (key, space) = (ids.swap_remove(0), spaces.swap_remove(0));
    for index in 0..5 {
        let name = format!("demo-{index}");
        kms::CreateAlias::new(format!("alias/{name}"), &key).send(client).await.unwrap();
        let operations = [kms::GrantOperation::CreateDatakey];
        kms::CreateGrant::new(&key, format!("grantee{index}"), operations).send(client).await.unwrap();
        let point = kms::CreateAccessPoint::new(&name, &space, 3).send(client).await.unwrap();
        let policy = json!({"version": "1.0", "allowed_access_point": [point.access_point_id]}).to_string();
        kms::CreateKeyPolicy::new(&space, &name, policy).send(client).await.unwrap();
    }
    (key, space)
}

#[tokio::test]
async fn a_walk_holds_one_page_however_long_the_list() {
    const SIZE: usize = 500;
    const TOTAL: usize = 10_000;
    let server = RawServer::start(|request| {
        let begins = request.number * SIZE;
        let secrets: Vec<_> = (begins..begins + SIZE).map(|index| json!({"name": format!("s{index:05}")})).collect();
        let next = (begins + SIZE < TOTAL).then(|| format!("s{:05}", begins + SIZE - 1));
        json(200, &json!({"secrets": secrets, "page_info": {"next_marker": next}}).to_string())
    })
    .await;
    let counting = Counting::new(client(server.uri()).build().unwrap());
    let mut items = Items::new(&counting, csms::ListSecrets::new()).page_size(SIZE as u32);
    for read in 1..=TOTAL {
        let name = items.next().await.unwrap().unwrap().name;
        assert_eq!(name, Some(format!("s{:05}", read - 1)));
        // Of the pages that came, all but the one being read are used up, and none comes ahead of its time.
        assert_eq!(counting.calls(), read.div_ceil(SIZE), "{read}");
    }
    assert!(items.next().await.is_none());
    assert_eq!(counting.calls(), TOTAL / SIZE);
}
