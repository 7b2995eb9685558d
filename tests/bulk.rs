//! Many secrets at once: planned, applied, broken off at every point, and gone on with.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::{collections::BTreeSet, io};

use csms_emulator::{Emulator, Quotas};
use csms_sdk::{
    CallOptions, Client, ErrorKind, SecretBytes,
    bulk::{Action, Applied, Bulk, Comparison, Journal, Mode, Outcome, Plan, Scope, Step, Wanted},
    csms,
    store::{Change, Difference, SecretStore},
};
use csms_tests::calls::{VALUE, assert_keeps_secrets, quick};
use serde_json::{Value as Json, json};

struct Fixture {
    emulator: Emulator,
    client: Client,
    bulk: Bulk,
}

/// An emulator that has `kept`, `old`, `older`, `list` and `gone`, and a client that repeats quickly.
async fn start() -> Fixture {
    let emulator = Emulator::builder().quotas(Quotas::unlimited()).start().await.unwrap();
    let client = emulator.client().with_options(CallOptions::new().retry(quick()));
    let fixture = Fixture { bulk: Bulk::new(&client).concurrency(3), client, emulator };
    for name in ["kept", "old", "older", "list", "gone"] {
        fixture.put(name, &json!({"user": name, "password": "old"}).to_string()).await;
    }
    fixture
}

/// `kept` as it is, two and one more that differ, three that are new; `gone` is not wanted.
fn wanted() -> Wanted {
    let mut wanted = Wanted::new();
    wanted.insert("kept", r#"{"user":"kept","password":"old"}"#).unwrap();
    for name in ["old", "older"] {
        wanted.insert(name, json!({"user": name, "password": VALUE, "port": 1}).to_string()).unwrap();
    }
    wanted.insert("list", "[1]").unwrap();
    for name in ["new-1", "new-2"] {
        wanted.insert(name, format!("{VALUE} of {name}")).unwrap();
    }
    wanted.insert("new-3", SecretBytes::from(VALUE.as_bytes().to_vec())).unwrap();
    wanted
}

const MIRROR: Mode = Mode::Mirror(Scope::All);

/// A journal in memory.
#[derive(Default)]
struct Kept {
    lines: Vec<u8>,
    /// So many of the lines, in bytes, survive the end of the machine.
    synced: usize,
    /// So many more calls are taken.
    takes: Option<usize>,
}

impl Kept {
    fn of(plan: &Plan) -> Self {
        let lines = plan.to_line().into_bytes();
        Self { synced: lines.len(), lines, takes: None }
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.lines).unwrap()
    }

    fn take(&mut self) -> io::Result<()> {
        if let Some(left) = &mut self.takes {
            *left = left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        }
        Ok(())
    }
}

impl Journal for Kept {
    fn append(&mut self, lines: &str) -> io::Result<()> {
        assert!(lines.ends_with('\n'));
        self.take()?;
        self.lines.extend_from_slice(lines.as_bytes());
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.take()?;
        self.synced = self.lines.len();
        Ok(())
    }
}

impl Fixture {
    async fn put(&self, name: &str, value: &str) {
        SecretStore::new(&self.client).put(name, value).send().await.unwrap();
    }

    async fn versions(&self, name: &str) -> usize {
        csms::ListSecretVersions::new(name).send(&self.client).await.unwrap().version_metadatas.len()
    }

    async fn state(&self, name: &str) -> csms::SecretState {
        let answer = csms::ShowSecret::new(name).send(&self.client).await.unwrap();
        answer.into_body().secret.unwrap().state.unwrap()
    }

    async fn apply(&self, plan: &Plan, wanted: &Wanted, journal: &mut Kept) -> Applied {
        self.bulk.apply(plan, wanted).journal(journal).start().await.unwrap().finish().await.unwrap()
    }

    /// Goes on with a journal as another process would.
    async fn resume(&self, wanted: &Wanted, journal: &mut Kept) -> Applied {
        let (plan, whole) = Plan::read(&journal.lines).unwrap();
        journal.lines.truncate(whole);
        self.apply(&plan, wanted, journal).await
    }

    /// Everything is as it was wanted, and nothing was written twice.
    async fn is_mirrored(&self, wanted: &Wanted, context: &str) {
        let (found, failed) = self.bulk.read(&Scope::All).await.unwrap();
        assert!(failed.is_empty() && found.compare(wanted).is_empty(), "{context}: {:?}", found.compare(wanted));
        for (name, versions) in
            [("kept", 1), ("old", 2), ("older", 2), ("list", 2), ("new-1", 1), ("new-2", 1), ("new-3", 1)]
        {
            assert_eq!(self.versions(name).await, versions, "{context}: {name}");
        }
        assert_eq!(self.state("gone").await, csms::SecretState::PendingDelete, "{context}");
    }
}

fn actions(plan: &Plan) -> Vec<(&str, Action)> {
    plan.changes().iter().map(|change| (change.name.as_str(), change.action)).collect()
}

fn told(applied: &Applied) -> Vec<(&str, String)> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Failed(error) => {
            assert_keeps_secrets(error);
            error.kind().as_str().to_owned()
        }
        outcome => outcome.to_string(),
    };
    applied.outcomes.iter().map(|(name, outcome)| (name.as_str(), word(outcome))).collect()
}

#[tokio::test]
async fn a_plan_says_what_is_to_be_done_and_changes_nothing() {
    let fixture = start().await;
    let plan = fixture.bulk.plan(&wanted(), MIRROR).await.unwrap();
    assert_eq!(
        actions(&plan),
        [
            ("kept", Action::Unchanged),
            ("list", Action::Update),
            ("new-1", Action::Create),
            ("new-2", Action::Create),
            ("new-3", Action::Create),
            ("old", Action::Update),
            ("older", Action::Update),
            ("gone", Action::Delete),
        ]
    );
    let old = &plan.changes()[5];
    let fields: Vec<_> = old.fields.iter().map(|field| (field.name.as_str(), field.change)).collect();
    assert_eq!(fields, [("password", Change::Changed), ("port", Change::Added)]);
    assert_eq!(old.base.as_deref(), Some("v1"));
    assert_eq!(plan.left().count(), 7);
    assert_eq!((fixture.versions("old").await, fixture.state("gone").await), (1, csms::SecretState::Enabled));

    let upsert = fixture.bulk.plan(&wanted(), Mode::Upsert).await.unwrap();
    assert_eq!(actions(&upsert), actions(&plan)[..7], "nothing is deleted");
    let create = fixture.bulk.plan(&wanted(), Mode::Create).await.unwrap();
    let conflicts: Vec<_> = create.changes().iter().filter(|change| change.action == Action::Conflict).collect();
    assert_eq!(conflicts.iter().map(|change| change.name.as_str()).collect::<Vec<_>>(), ["list", "old", "older"]);
    assert_eq!(create.changes()[0].action, Action::Unchanged);
}

#[tokio::test]
async fn a_plan_is_applied_by_whoever_has_it_and_the_values() {
    let fixture = start().await;
    let planned = fixture.bulk.plan(&wanted(), MIRROR).await.unwrap();
    let (plan, whole) = Plan::read(planned.to_line().as_bytes()).unwrap();
    assert_eq!((&plan, whole), (&planned, planned.to_line().len()));

    // Values of its own, as in another process.
    let wanted = wanted();
    let mut journal = Kept::of(&plan);
    let mut applying = fixture.bulk.apply(&plan, &wanted).journal(&mut journal).start().await.unwrap();
    let (mut under_way, mut ended) = (BTreeSet::new(), Vec::new());
    while let Some(event) = applying.next().await {
        match event.step {
            Step::Started => assert!(under_way.insert(event.name)),
            Step::Ended(_) => {
                assert!(under_way.remove(&event.name), "{} was begun", event.name);
                ended.push(event.name);
            }
            other => panic!("{other:?}"),
        }
        assert!(under_way.len() <= 3, "{under_way:?}");
    }
    assert_eq!((ended.len(), under_way.len()), (7, 0));
    let applied = applying.finish().await.unwrap();
    let created = || "created (v1)".to_owned();
    let updated = || "updated to v2".to_owned();
    let expected = [
        ("list", updated()),
        ("new-1", created()),
        ("new-2", created()),
        ("new-3", created()),
        ("old", updated()),
        ("older", updated()),
        ("gone", "will be deleted".to_owned()),
    ];
    assert_eq!(told(&applied), expected);
    fixture.is_mirrored(&wanted, "applied").await;

    let (again, _) = Plan::read(&journal.lines).unwrap();
    assert_eq!(again.left().count(), 0);
    let applied = fixture.apply(&again, &wanted, &mut Kept::of(&plan)).await;
    assert_eq!(told(&applied), expected, "what is done is told, and not done again");
    fixture.is_mirrored(&wanted, "applied twice").await;
    let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
    assert_eq!(plan.left().count(), 0, "{plan:?}");
}

#[tokio::test]
async fn other_values_and_other_places_than_those_of_the_plan_are_refused() {
    let fixture = start().await;
    let plan = fixture.bulk.plan(&wanted(), Mode::Upsert).await.unwrap();
    let mut other = wanted();
    other.insert("one-more", "x").unwrap();
    let error = fixture.bulk.apply(&plan, &other).start().await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("wanted")));
    let elsewhere = Bulk::new(&fixture.client.for_region("cn-east-3").unwrap());
    let error = elsewhere.apply(&plan, &wanted()).start().await.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("plan")));
    assert!(error.to_string().contains("cn-north-4"), "{error}");
    assert_eq!(fixture.versions("old").await, 1);
}

/// Every JSON that differs from this one in one place.
fn altered(json: &Json) -> Vec<Json> {
    match json {
        Json::Null => vec![json!("x"), json!({"all": true})],
        Json::Bool(is_true) => vec![json!(!is_true), Json::Null],
        Json::Number(number) => vec![json!(number.as_u64().unwrap() + 1), Json::Null],
        Json::String(text) => {
            // Also what stays hexadecimal.
            let other = if text.starts_with('0') { "1" } else { "0" };
            let other = format!("{other}{}", text.chars().skip(1).collect::<String>());
            let words = ["create", "update", "delete", "unchanged", "leave", "conflict", "upsert", "mirror"];
            let others = words.iter().filter(|word| *word != text).map(|word| json!(word));
            [json!(other), json!(format!("{text}x")), Json::Null].into_iter().chain(others).collect()
        }
        Json::Array(items) => {
            let mut all = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let mut with = |replaced: &[Json]| {
                    all.push(items[..at].iter().chain(replaced).chain(&items[at + 1..]).cloned().collect());
                };
                with(&[]);
                with(&[item.clone(), json!({"name": "stranger", "action": "delete"})]);
                altered(item).into_iter().for_each(|other| with(&[other]));
            }
            all
        }
        Json::Object(members) => {
            let mut all = Vec::new();
            let mut with = |change: &dyn Fn(&mut serde_json::Map<String, Json>)| {
                let mut members = members.clone();
                change(&mut members);
                all.push(Json::Object(members));
            };
            with(&|members| drop(members.insert("more".to_owned(), json!("added"))));
            for (name, value) in members {
                with(&|members| drop(members.shift_remove(name)));
                for other in altered(value) {
                    with(&|members| drop(members.insert(name.clone(), other.clone())));
                }
            }
            all
        }
    }
}

#[tokio::test]
async fn a_plan_that_is_altered_in_any_member_is_refused() {
    let fixture = start().await;
    csms::DeleteSecretForSchedule::new("older", 7).send(&fixture.client).await.unwrap();
    let wanted = wanted();
    let names = wanted.names().chain(["gone"]).map(str::to_owned).collect();
    for mode in [MIRROR, Mode::Mirror(Scope::Prefix(String::new())), Mode::Mirror(Scope::Names(names)), Mode::Upsert] {
        let plan = fixture.bulk.plan(&wanted, mode).await.unwrap();
        let json: Json = serde_json::from_str(&plan.to_line()).unwrap();
        let all = altered(&json);
        assert!(all.len() > 100);
        for other in all {
            let is_resealed = other["fingerprint"] != json["fingerprint"];
            let line = format!("{other}\n");
            let error = match Plan::read(line.as_bytes()) {
                // Looking at other fingerprints is slow, and they are looked at alike.
                Ok(_) if is_resealed && *plan.mode() != MIRROR => continue,
                Ok((read, _)) => fixture.bulk.apply(&read, &wanted).start().await.map(drop).unwrap_err(),
                Err(error) => error,
            };
            let is_told = error.field() == Some("plan") || is_resealed && error.field() == Some("wanted");
            assert!(is_told && error.kind() == ErrorKind::InvalidInput, "{error}: {line}");
        }
        // The same in other words, which some reader may take for something else.
        for line in [
            plan.to_line().replacen(',', ", ", 1),
            plan.to_line().replacen("{\"csms_plan\"", "{\"changes\":[],\"csms_plan\"", 1),
        ] {
            assert_eq!(Plan::read(line.as_bytes()).unwrap_err().field(), Some("plan"), "{line}");
        }
        // A seal of other changes, with the same values.
        let other = fixture.bulk.plan(&wanted, Mode::Create).await.unwrap();
        let mut json = json;
        json["seal"] = serde_json::from_str::<Json>(&other.to_line()).unwrap()["seal"].take();
        let (read, _) = Plan::read(format!("{json}\n").as_bytes()).unwrap();
        let error = fixture.bulk.apply(&read, &wanted).start().await.map(drop).unwrap_err();
        assert_eq!((error.field(), error.message()), (Some("plan"), "was altered after it was made"));
    }
    assert_eq!((fixture.versions("old").await, fixture.state("gone").await), (1, csms::SecretState::Enabled));
}

#[tokio::test]
async fn whoever_forges_a_journal_can_have_work_skipped_and_nothing_else() {
    let wanted = wanted();
    for outcome in ["started", "failed"] {
        let fixture = start().await;
        let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
        let mut journal = Kept::of(&plan);
        for change in plan.left() {
            journal
                .lines
                .extend_from_slice(format!("{}\n", json!({"name": change.name, "outcome": outcome})).as_bytes());
        }
        fixture.resume(&wanted, &mut journal).await;
        fixture.is_mirrored(&wanted, outcome).await;
    }
    for outcome in ["created", "updated", "deleted"] {
        let fixture = start().await;
        let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
        let mut journal = Kept::of(&plan);
        for name in ["old", "new-1", "gone"] {
            let line = json!({"name": name, "outcome": outcome, "version_id": "v9"});
            journal.lines.extend_from_slice(format!("{line}\n").as_bytes());
        }
        fixture.resume(&wanted, &mut journal).await;
        assert_eq!((fixture.versions("old").await, fixture.versions("older").await), (1, 2), "{outcome}");
        assert_eq!(fixture.state("gone").await, csms::SecretState::Enabled, "{outcome}");
        let made = csms::ShowSecret::new("new-1").send(&fixture.client).await;
        assert_eq!(made.map(drop).unwrap_err().kind(), ErrorKind::NotFound, "{outcome}");
    }
}

#[tokio::test]
async fn what_has_changed_since_it_was_planned_is_left_alone_and_the_rest_is_done() {
    let fixture = start().await;
    let wanted = wanted();
    let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
    for name in ["old", "new-1", "gone"] {
        fixture.put(name, "somebody else's").await;
    }
    let mut journal = Kept::of(&plan);
    for round in ["first", "again"] {
        let applied = match round {
            "first" => fixture.apply(&plan, &wanted, &mut journal).await,
            _ => fixture.resume(&wanted, &mut journal).await,
        };
        let failed: Vec<_> = applied.failed().map(|(name, error)| (name, error.kind())).collect();
        let conflict = |name| (name, ErrorKind::Conflict);
        assert_eq!(failed, [conflict("new-1"), conflict("old"), conflict("gone")], "{round}");
        for (name, versions) in [("old", 2), ("new-1", 1), ("gone", 2), ("older", 2), ("new-2", 1)] {
            assert_eq!(fixture.versions(name).await, versions, "{round}: {name}");
        }
        assert_eq!(fixture.state("gone").await, csms::SecretState::Enabled);
    }
}

#[tokio::test]
async fn whichever_answer_is_lost_no_secret_gets_a_second_version() {
    let wanted = wanted();
    let plan = start().await.bulk.plan(&wanted, MIRROR).await.unwrap();
    // A creation takes one call, everything else two; once more for calls that only a fault brings about.
    for (call, lost) in (0..12).flat_map(|call| [(call, 1), (call, 7)]) {
        let fixture = start().await;
        let rules = json!([{"delay_ms": 1, "times": call}, {"cut_at": 0, "times": lost}]);
        fixture.emulator.set_faults(&rules).unwrap();
        let mut journal = Kept::of(&plan);
        let first = fixture.apply(&plan, &wanted, &mut journal).await;
        fixture.emulator.clear_faults();
        let applied = fixture.resume(&wanted, &mut journal).await;
        let context = format!("{lost} from call {call}: {:?}, then {:?}", told(&first), told(&applied));
        assert_eq!(applied.failed().count(), 0, "{context}");
        fixture.is_mirrored(&wanted, &context).await;
    }
}

#[tokio::test]
async fn wherever_it_breaks_off_it_is_gone_on_with() {
    let wanted = wanted();
    let plan = start().await.bulk.plan(&wanted, MIRROR).await.unwrap();
    // Each of the seven is begun, and ends. One at a time, the journal is told of four ahead; three at a time, of all.
    for (events, concurrency, ends) in
        (0..=14).flat_map(|events| [(events, 1, "machine"), (events, 3, "machine"), (events, 3, "process")])
    {
        let fixture = start().await;
        let mut journal = Kept::of(&plan);
        let bulk = fixture.bulk.clone().concurrency(concurrency);
        let mut applying = bulk.apply(&plan, &wanted).journal(&mut journal).start().await.unwrap();
        for _ in 0..events {
            applying.next().await.unwrap();
        }
        drop(applying);
        if ends == "machine" {
            journal.lines.truncate(journal.synced);
        }
        // The line that was being written.
        journal.lines.extend_from_slice(br#"{"name":"ol"#);
        let applied = fixture.resume(&wanted, &mut journal).await;
        let context = format!("the {ends} ends after {events} events, {concurrency} at once: {:?}", told(&applied));
        assert_eq!((applied.failed().count(), applied.outcomes.len()), (0, 7), "{context}");
        fixture.is_mirrored(&wanted, &context).await;
    }
}

#[tokio::test]
async fn what_was_begun_by_somebody_who_never_told_the_end_is_found_out() {
    let fixture = start().await;
    let wanted = wanted();
    let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
    let mut journal = Kept::of(&plan);
    fixture.apply(&plan, &wanted, &mut journal).await;
    let lines: Vec<_> = journal.text().lines().collect();
    let begun = lines.iter().filter(|line| line.starts_with("{\"csms_plan") || line.contains("started"));
    journal.lines = begun.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes();
    let applied = fixture.resume(&wanted, &mut journal).await;
    assert_eq!(applied.failed().count(), 0, "{:?}", told(&applied));
    fixture.is_mirrored(&wanted, "found out").await;
}

#[tokio::test]
async fn a_journal_that_takes_no_more_stops_what_has_not_begun() {
    let wanted = wanted();
    let plan = start().await.bulk.plan(&wanted, MIRROR).await.unwrap();
    for takes in 0..4 {
        let fixture = start().await;
        let mut journal = Kept { takes: Some(takes), ..Kept::of(&plan) };
        let applying = fixture.bulk.apply(&plan, &wanted).journal(&mut journal).start().await.unwrap();
        let error = applying.finish().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        if takes <= 1 {
            assert_eq!(fixture.versions("list").await, 1, "nothing is sent before it is told, and that is on the disk");
        }
        journal.takes = None;
        let applied = fixture.resume(&wanted, &mut journal).await;
        assert_eq!(applied.failed().count(), 0, "{:?}", told(&applied));
        fixture.is_mirrored(&wanted, &format!("{takes} calls")).await;
    }
}

#[tokio::test]
async fn a_journal_that_is_cut_anywhere_is_read_and_any_other_damage_is_told_by_line() {
    let fixture = start().await;
    let wanted = wanted();
    let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
    let mut journal = Kept::of(&plan);
    fixture.apply(&plan, &wanted, &mut journal).await;
    let first = plan.to_line().len();
    for cut in 0..=journal.lines.len() {
        match Plan::read(&journal.lines[..cut]) {
            Ok((read, whole)) => {
                assert!(cut >= first && whole <= cut && journal.lines[..whole].ends_with(b"\n"), "{cut}");
                assert_eq!(read.changes(), plan.changes());
            }
            Err(error) => assert!(cut < first && error.field() == Some("plan"), "{cut}: {error}"),
        }
    }
    let text = journal.text();
    let line = |number: usize| text.lines().nth(number - 1).unwrap();
    for (damaged, number) in [
        (text.replacen("\"name\"", "\"nam\"", 100), 1),
        (text.replacen("\"csms_plan\":1", "\"csms_plan\":2", 1), 1),
        (text.replacen(line(3), &line(3)[..10], 1), 3),
        (text.replacen(line(2), "{\"name\":\"stranger\",\"outcome\":\"started\"}", 1), 2),
        (text.replacen(line(2), "{\"name\":\"kept\",\"outcome\":\"started\"}", 1), 2),
        (text.replacen(line(2), "{\"name\":\"list\",\"outcome\":\"perhaps\"}", 1), 2),
        (text.replacen(line(2), "", 1), 2),
        (format!("{text}{}\n", "{\"name\":\"list\",\"outcome\":\"started\"}"), text.lines().count() + 1),
    ] {
        let error = Plan::read(damaged.as_bytes()).unwrap_err();
        assert_eq!(error.field(), Some("plan"));
        assert!(error.message().contains(&format!("line {number} ")), "{number}: {error}");
    }
}

#[tokio::test]
async fn a_mirror_leaves_alone_what_is_not_ours_and_what_is_not_in_its_scope() {
    let fixture = start().await;
    for name in ["app-1", "app-2", "app-replicated", "app-going"] {
        fixture.put(name, "old").await;
    }
    csms::DeleteSecretForSchedule::new("app-going", 7).send(&fixture.client).await.unwrap();
    let instance = json!({"InstanceId": "63616bceef2c45409575d762a498318bin01", "SecretSubType": "SingleUser"});
    let database = csms::CreateSecret::new("app-database")
        .secret_string(json!({"users": [{"name": "shop", "password": "first"}], "port": 3306}).to_string())
        .secret_type(csms::SecretType::RdsFg)
        .rotation_config(instance.to_string())
        .rotation_func_urn("urn:fss:cn-north-4:0123456789abcdef0123456789abcdef:function:default:rotate:latest");
    database.send(&fixture.client).await.unwrap();
    let regions = ["cn-east-3"];
    let replication = csms_sdk::replicate::ReplicateSecretToRegions::new("app-replicated", regions);
    assert_eq!(replication.send(&fixture.client).await.unwrap().failed().count(), 0);

    let mut wanted = Wanted::new();
    wanted.insert("app-1", "new").unwrap();
    let mode = || Mode::Mirror(Scope::Prefix("app-".to_owned()));
    let plan = fixture.bulk.plan(&wanted, mode()).await.unwrap();
    assert_eq!(
        actions(&plan),
        [
            ("app-1", Action::Update),
            ("app-2", Action::Delete),
            ("app-database", Action::Leave),
            ("app-going", Action::Leave),
            ("app-replicated", Action::Leave),
        ]
    );
    let reasons: Vec<_> = plan.changes().iter().filter_map(|change| change.reason.as_deref()).collect();
    assert_eq!(reasons, ["is managed by another service", "is to be deleted already", "has replicas"]);
    let (read, _) = Plan::read(plan.to_line().as_bytes()).unwrap();
    assert_eq!(read.mode(), &mode());
    let applied = fixture.apply(&plan, &wanted, &mut Kept::of(&plan)).await;
    assert_eq!(told(&applied).len(), 2);
    assert_eq!(fixture.state("kept").await, csms::SecretState::Enabled, "it is out of scope");
    // Nor is it written over.
    let mut others = Wanted::new();
    others.insert("app-database", "ours").unwrap();
    let names = Mode::Mirror(Scope::Names(vec!["app-database".to_owned()]));
    let plan = fixture.bulk.plan(&others, names).await.unwrap();
    assert_eq!(actions(&plan), [("app-database", Action::Conflict)]);

    // In the other region the secret is a replica, which is neither deleted nor written.
    let there = Bulk::new(&fixture.client.for_region("cn-east-3").unwrap());
    let plan = there.plan(&Wanted::new(), mode()).await.unwrap();
    assert_eq!(actions(&plan), [("app-replicated", Action::Leave)]);
    let mut wanted = Wanted::new();
    wanted.insert("app-replicated", "new").unwrap();
    let plan = there.plan(&wanted, mode()).await.unwrap();
    assert_eq!(actions(&plan), [("app-replicated", Action::Conflict)]);

    // Names are a scope as well, and nothing is wanted out of it.
    let names = Mode::Mirror(Scope::Names(vec!["kept".to_owned()]));
    let plan = fixture.bulk.clone().allow_empty().plan(&Wanted::new(), names.clone()).await.unwrap();
    assert_eq!(actions(&plan), [("kept", Action::Delete)]);
    let error = fixture.bulk.plan(&wanted, names).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("wanted")));
}

#[tokio::test]
async fn a_mirror_of_nothing_deletes_nothing_unless_that_is_allowed() {
    let fixture = start().await;
    let (nothing, allowing) = (Wanted::new(), fixture.bulk.clone().allow_empty());
    let error = fixture.bulk.plan(&nothing, MIRROR).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("mode")));
    assert!(error.message().contains("all 5 of its scope"), "{error}");
    // Whoever has no values can seal such a plan, too.
    let plan = allowing.plan(&nothing, MIRROR).await.unwrap();
    for outcome in
        [fixture.bulk.check(&plan, &nothing).await, fixture.bulk.apply(&plan, &nothing).start().await.map(drop)]
    {
        assert_eq!(outcome.unwrap_err().field(), Some("mode"));
    }
    allowing.check(&plan, &nothing).await.unwrap();
    // Nothing that would be deleted is nothing to be refused.
    let none = Mode::Mirror(Scope::Prefix("none-".to_owned()));
    assert_eq!(fixture.bulk.plan(&nothing, none).await.unwrap().changes(), []);
    assert_eq!(fixture.bulk.plan(&nothing, Mode::Upsert).await.unwrap().changes(), []);
}

#[tokio::test]
async fn a_secret_that_is_to_be_deleted_is_a_conflict_and_does_not_stop_the_others() {
    let fixture = start().await;
    csms::DeleteSecretForSchedule::new("old", 7).send(&fixture.client).await.unwrap();
    let wanted = wanted();
    let plan = fixture.bulk.plan(&wanted, Mode::Upsert).await.unwrap();
    assert_eq!(plan.changes()[5].action, Action::Conflict, "{plan:?}");
    let applied = fixture.apply(&plan, &wanted, &mut Kept::of(&plan)).await;
    assert_eq!(
        applied.failed().map(|(name, error)| (name, error.kind())).collect::<Vec<_>>(),
        [("old", ErrorKind::Conflict)]
    );
    assert_eq!(applied.outcomes.len(), 6);
    assert_eq!(fixture.versions("older").await, 2);
}

#[tokio::test]
async fn throttling_and_one_failure_do_not_keep_the_others_from_being_done() {
    let fixture = start().await;
    let wanted = wanted();
    let plan = fixture.bulk.plan(&wanted, MIRROR).await.unwrap();
    let rules = json!([
        {"status": 429, "times": 4},
        {"operation": "csms/CreateSecretVersion", "status": 403, "times": 1},
    ]);
    fixture.emulator.set_faults(&rules).unwrap();
    let mut journal = Kept::of(&plan);
    let applied = fixture.apply(&plan, &wanted, &mut journal).await;
    let failed: Vec<_> = applied.failed().map(|(_, error)| error.kind()).collect();
    assert_eq!(failed, [ErrorKind::PermissionDenied]);
    let (plan, _) = Plan::read(&journal.lines).unwrap();
    assert_eq!(plan.left().count(), 1);
    fixture.resume(&wanted, &mut journal).await;
    fixture.is_mirrored(&wanted, "after throttling").await;
}

#[tokio::test]
async fn nothing_but_fingerprint_and_seal_depend_on_a_value() {
    let fixture = start().await;
    let mut longer = wanted();
    let plan = fixture.bulk.plan(&longer, MIRROR).await.unwrap();
    let mut journal = Kept::of(&plan);
    fixture.emulator.set_faults(&json!([{"operation": "csms/CreateSecret", "status": 500, "times": 1}])).unwrap();
    let applied = fixture.apply(&plan, &longer, &mut journal).await;
    let debug = format!("{plan:?} {:?} {applied:?} {longer:?} {:?}", plan.changes(), fixture.bulk);
    for text in [plan.to_line().as_str(), journal.text(), &debug] {
        assert!(!text.contains(VALUE) && !text.contains(&hex::encode(VALUE)), "{text}");
    }
    let other = start().await;
    longer = Wanted::new();
    for name in wanted().names().filter(|name| *name != "kept") {
        let value = match name {
            "old" | "older" => json!({"user": name, "password": "another, longer one", "port": 2}).to_string(),
            _ => "something else".to_owned(),
        };
        longer.insert(name, value).unwrap();
    }
    longer.insert("kept", r#"{"user":"kept","password":"old"}"#).unwrap();
    let unsealed = |plan: &Plan| {
        let mut json: Json = serde_json::from_str(&plan.to_line()).unwrap();
        json["fingerprint"].take();
        json["seal"].take();
        json
    };
    let second = other.bulk.plan(&longer, MIRROR).await.unwrap();
    assert_eq!(unsealed(&plan), unsealed(&second));
}

#[test]
fn names_and_values_that_cannot_be_right_are_refused() {
    let mut wanted = Wanted::new();
    wanted.insert("db", "x").unwrap();
    wanted.insert("large", "x".repeat(64 * 1024)).unwrap();
    wanted.insert("bytes", vec![0; 48 * 1024]).unwrap();
    for (name, value, field) in [
        ("", "x".to_owned(), "name"),
        ("a b", "x".to_owned(), "name"),
        ("db", "y".to_owned(), "name"),
        ("larger", "x".repeat(64 * 1024 + 1), "value"),
    ] {
        let error = wanted.insert(name, value).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some(field)));
    }
    assert_eq!(wanted.insert("b", vec![0; 48 * 1024 + 1]).unwrap_err().field(), Some("value"));
    assert_eq!(wanted.names().collect::<Vec<_>>(), ["bytes", "db", "large"]);
}

#[tokio::test]
async fn what_two_places_have_is_compared_by_name_and_field() {
    let fixture = start().await;
    let scope = Scope::Names(["kept", "old", "kept", "nothing"].map(str::to_owned).into());
    let (here, failed) = fixture.bulk.read(&scope).await.unwrap();
    assert_eq!(
        failed.iter().map(|(name, error)| (name.as_str(), error.kind())).collect::<Vec<_>>(),
        [("nothing", ErrorKind::NotFound)]
    );
    let mut there = Wanted::new();
    there.insert("old", r#"{"user":"old","password":"new"}"#).unwrap();
    there.insert("only-there", "x").unwrap();
    let compared = here.compare(&there);
    assert_eq!(compared.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["kept", "old", "only-there"]);
    assert_eq!((&compared[0].1, &compared[2].1), (&Comparison::Removed, &Comparison::Added));
    let Comparison::Changed(Difference::Fields(fields)) = &compared[1].1 else { panic!("{compared:?}") };
    assert_eq!((fields.len(), fields[0].name.as_str()), (1, "password"));
    assert!(here.compare(&here).is_empty());
}

#[test]
fn work_can_be_moved_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let check = |bulk: &Bulk, plan: &Plan, wanted: &Wanted| {
        is_send(bulk.plan(wanted, Mode::Upsert));
        is_send(bulk.apply(plan, wanted).start());
        is_send(async { bulk.apply(plan, wanted).start().await.unwrap().finish().await });
    };
    let _ = check;
}

#[tokio::test]
async fn many_secrets_are_listed_rather_than_looked_for_one_by_one() {
    let Fixture { emulator, bulk, .. } = start().await;
    let mut wanted = wanted();
    for number in 0..20 {
        wanted.insert(format!("more-{number}"), VALUE).unwrap();
    }
    let refuse = |operation: &str| json!([{"operation": format!("csms/{operation}"), "status": 403}]);
    // Without a list, what no batch tells is looked for.
    emulator.set_faults(&refuse("ListSecrets")).unwrap();
    let looked = bulk.plan(&wanted, Mode::Upsert).await.unwrap();
    // With it, nothing is.
    emulator.set_faults(&refuse("ShowSecretStage")).unwrap();
    let listed = bulk.plan(&wanted, Mode::Upsert).await.unwrap();
    assert_eq!(looked.changes(), listed.changes());
    assert_eq!(listed.changes().iter().filter(|change| change.action == Action::Create).count(), 23);
}
