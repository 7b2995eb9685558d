//! Which project and which endpoint a call goes to, and how often that is asked.
#![allow(clippy::unwrap_used)] // a failed unwrap is a failed test

use std::time::{Duration, Instant};

use csms_sdk::{
    CallOptions, Client, Error, ErrorKind, Service,
    credentials::{BoxFuture, Context, Credentials, ProvideCredentials, ProvideResult, Provided},
    csms::{CreateSecret, ShowSecret},
    iam::KeystoneListProjects,
    operation::Method,
};
use csms_tests::{
    calls::{
        ACCESS_KEY, PROJECT_ID, SECRET, SECRET_KEY, answer, assert_keeps_secrets, bare_client, error_body, json, quick,
    },
    raw_server::{RawServer, Received, Step},
};

fn keys() -> Credentials {
    Credentials::keys(ACCESS_KEY, SECRET_KEY)
}

fn projects(ids: &[&str]) -> Vec<Step> {
    let projects: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id, "name": "n", "enabled": true })).collect();
    json(200, &serde_json::json!({ "projects": projects, "links": {} }).to_string())
}

fn is_look_up(request: &Received) -> bool {
    request.target.starts_with("/v3/projects?")
}

/// Answers look-ups so, and everything else well.
async fn looking_up(steps: Vec<Step>) -> RawServer {
    RawServer::start(move |request| if is_look_up(request) { steps.clone() } else { json(200, SECRET) }).await
}

fn look_ups(server: &RawServer) -> usize {
    server.requests().iter().filter(|request| is_look_up(request)).count()
}

async fn read(client: &Client) -> Result<(), Error> {
    ShowSecret::new("demo").send(client).await.map(drop).inspect_err(assert_keeps_secrets)
}

/// Lets 100 tasks call at the same time.
async fn hundredfold(client: &Client) -> Vec<Result<(), Error>> {
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { read(&client).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for call in calls {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_at_once_look_the_project_up_once() {
    let server = looking_up(projects(&[PROJECT_ID])).await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    for outcome in hundredfold(&client).await {
        outcome.unwrap();
    }
    assert_eq!((look_ups(&server), server.requests().len()), (1, 101));
    let look_up = &server.requests()[0];
    assert_eq!((look_up.method.as_str(), look_up.target.as_str()), ("GET", "/v3/projects?name=cn-north-4"));
    assert_eq!(look_up.verify_signature(SECRET_KEY), Ok(()));
    assert_eq!(look_up.header("x-project-id"), None);
    for request in &server.requests()[1..] {
        assert_eq!(request.target, format!("/v1/{PROJECT_ID}/secrets/demo"));
        assert_eq!(request.header("x-project-id"), Some(PROJECT_ID));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_at_once_share_a_failed_look_up() {
    let mut steps = vec![Step::Wait(Duration::from_millis(500))];
    steps.extend(json(401, &error_body("APIGW.0301", "verify aksk signature fail")));
    let server = looking_up(steps).await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    for outcome in hundredfold(&client).await {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unauthenticated);
    }
    // One by one they would lock the access key out. A straggler may have come after the first failure.
    assert!(look_ups(&server) <= 2, "{}", look_ups(&server));
}

#[tokio::test]
async fn a_failed_look_up_is_not_remembered() {
    let server = RawServer::start(|request| match request.number {
        0 => json(500, ""),
        1 => projects(&[]),
        2 => projects(&[PROJECT_ID]),
        _ => json(200, SECRET),
    })
    .await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    assert_eq!(read(&client).await.unwrap_err().kind(), ErrorKind::Service);
    assert_eq!(read(&client).await.unwrap_err().kind(), ErrorKind::Configuration);
    read(&client).await.unwrap();
    assert_eq!(client.project_id().await.unwrap(), PROJECT_ID);
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_look_up_whose_caller_went_away_is_taken_over_by_the_next() {
    let server = RawServer::start(|request| match request.number {
        0 => vec![Step::Wait(Duration::from_secs(20))],
        1 => projects(&[PROJECT_ID]),
        _ => json(200, SECRET),
    })
    .await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    let impatient = tokio::spawn({
        let client = client.clone();
        async move { read(&client).await }
    });
    while look_ups(&server) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    impatient.abort();
    read(&client).await.unwrap();
}

#[tokio::test]
async fn the_look_up_repeats_like_any_other_call_and_counts_in_its_time() {
    let server = RawServer::start(|request| match request.number {
        0 => json(503, ""),
        1 => projects(&[PROJECT_ID]),
        _ => json(200, SECRET),
    })
    .await;
    read(&bare_client(server.uri()).credentials(keys()).retry(quick()).build().unwrap()).await.unwrap();

    let silent = looking_up(vec![Step::Wait(Duration::from_secs(20))]).await;
    let client = bare_client(silent.uri()).credentials(keys()).build().unwrap();
    let began = Instant::now();
    let hurried = client.with_options(CallOptions::new().call_timeout(Duration::from_millis(300)));
    assert_eq!(read(&hurried).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_look_up_that_tells_no_project_says_what_to_do() {
    let advice = "name the project id in the settings";
    for (steps, kind, words) in [
        (projects(&[]), ErrorKind::Configuration, "no project in cn-north-4"),
        (projects(&["p1", "p2"]), ErrorKind::Configuration, "p1, p2"),
        (json(403, r#"{"error":{"code":403,"message":"denied"}}"#), ErrorKind::PermissionDenied, "denied"),
    ] {
        let server = looking_up(steps).await;
        let error = read(&bare_client(server.uri()).credentials(keys()).build().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(words), "{error}");
        assert!(error.help().is_some_and(|help| help.contains(advice)), "{:?}", error.help());
        assert_eq!(server.requests().len(), 1);
    }
    let server = looking_up(json(401, r#"{"error":{"code":401,"message":"wrong key"}}"#)).await;
    let error = read(&bare_client(server.uri()).credentials(keys()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unauthenticated, Some("KeystoneListProjects")));
    assert!(error.to_string().contains("given by the program"), "the keys are at fault, not the project: {error}");
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_of_the_look_up() {
    let server = looking_up(answer(200, "", b"<html>")).await;
    let error = read(&bare_client(server.uri()).credentials(keys()).build().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::UnexpectedAnswer, Some("KeystoneListProjects")));
}

#[tokio::test]
async fn a_project_that_is_given_is_never_looked_up() {
    let server = looking_up(json(500, "")).await;
    let client = bare_client(server.uri()).credentials(keys()).project_id("mine").build().unwrap();
    read(&client).await.unwrap();
    let with_project = Provider(Some("theirs".to_owned()));
    let client = bare_client(server.uri()).credentials(with_project).build().unwrap();
    read(&client).await.unwrap();
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/v1/mine/secrets/demo", "/v1/theirs/secrets/demo"]);
}

/// Keys from a place that may name a project.
#[derive(Debug)]
struct Provider(Option<String>);

impl ProvideCredentials for Provider {
    fn provide<'a>(&'a self, _: &'a Context<'a>) -> BoxFuture<'a, ProvideResult> {
        Box::pin(async { Ok(Provided::new(keys(), "the test").with_project_id(self.0.clone())) })
    }
}

#[tokio::test]
async fn a_project_that_cannot_be_one_is_refused_wherever_it_comes_from() {
    let server = looking_up(json(500, "")).await;
    let client = bare_client(server.uri()).credentials(Provider(Some("../x\n".to_owned()))).build().unwrap();
    let error = read(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("project_id")));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn calls_of_iam_need_no_project() {
    let server = looking_up(projects(&["p"])).await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    KeystoneListProjects::new().name("x").send(&client).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn another_region_has_its_own_project_and_endpoint_and_the_same_connections() {
    let server = RawServer::start(|request| match request.target.split_once("/v3/projects?name=") {
        Some((_, region)) => projects(&[&format!("project-of-{region}")]),
        None => json(200, SECRET),
    })
    .await;
    let home = bare_client(format!("{}/{{region}}", server.uri()))
        .iam_endpoint(server.uri())
        .credentials(keys())
        .build()
        .unwrap();
    read(&home).await.unwrap();
    for region in ["ap-southeast-1", "eu-west-101"] {
        let away = home.for_region(region).unwrap();
        assert_eq!(away.region(), Some(region));
        read(&away).await.unwrap();
        read(&away).await.unwrap();
        assert_eq!(away.project_id().await.unwrap(), format!("project-of-{region}"));
    }
    read(&home).await.unwrap();
    let targets: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    let of = |region: &str| format!("/{region}/v1/project-of-{region}/secrets/demo");
    let look_up = |region: &str| format!("/v3/projects?name={region}");
    let mut expected = vec![look_up("cn-north-4"), of("cn-north-4")];
    for region in ["ap-southeast-1", "eu-west-101"] {
        expected.extend([look_up(region), of(region), of(region)]);
    }
    expected.push(of("cn-north-4"));
    assert_eq!(targets, expected);
    assert_eq!(server.accepted(), 1);
    for request in server.requests() {
        assert_eq!(request.verify_signature(SECRET_KEY), Ok(()));
    }
}

#[tokio::test]
async fn another_region_does_not_inherit_a_project() {
    let server = looking_up(projects(&["theirs"])).await;
    let home = bare_client(format!("{}/{{region}}", server.uri()))
        .iam_endpoint(server.uri())
        .credentials(Provider(Some("mine".to_owned())))
        .build()
        .unwrap();
    assert_eq!(home.project_id().await.unwrap(), "mine");
    assert_eq!(home.for_region("ap-southeast-1").unwrap().project_id().await.unwrap(), "theirs");
    let given = bare_client(format!("{}/{{region}}", server.uri()))
        .iam_endpoint(server.uri())
        .credentials(keys())
        .project_id("mine")
        .build()
        .unwrap();
    assert_eq!(given.for_region("ap-southeast-1").unwrap().project_id().await.unwrap(), "theirs");
    assert_eq!(given.for_region("cn-north-4").unwrap().project_id().await.unwrap(), "mine");
}

#[tokio::test]
async fn an_endpoint_of_one_region_serves_no_other() {
    let server = looking_up(projects(&[PROJECT_ID])).await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    let error = client.for_region("ap-southeast-1").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.help().is_some_and(|help| help.contains("{region}")));
    assert!(client.for_region("cn-north-4").is_ok());
    assert_eq!(client.for_region("CN North").unwrap_err().kind(), ErrorKind::Configuration);
    let anywhere = bare_client("https://kms.{region}.example").credentials(keys()).build().unwrap();
    let error = anywhere.for_region("no region").unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("region")));
}

#[tokio::test]
async fn iam_can_stand_elsewhere() {
    let iam = looking_up(projects(&[PROJECT_ID])).await;
    let service = RawServer::start(|_| json(200, SECRET)).await;
    let client = bare_client(service.uri()).iam_endpoint(iam.uri()).credentials(keys()).build().unwrap();
    read(&client).await.unwrap();
    assert_eq!((iam.requests().len(), service.requests().len()), (1, 1));
    assert!(client.endpoint(Service::Iam).unwrap().0.starts_with(&iam.uri()));
    assert!(client.endpoint(Service::Kms).unwrap().0.starts_with(&service.uri()));
}

#[tokio::test]
async fn bad_input_is_refused_before_anything_is_looked_up() {
    let server = looking_up(projects(&[PROJECT_ID])).await;
    let client = bare_client(server.uri()).credentials(keys()).build().unwrap();
    let error = ShowSecret::new("../../evil").send(&client).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("secret_name")));
    let error = CreateSecret::new("demo").send(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let error = client.raw(Service::Csms, Method::GET, "/v1/../x", None).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidInput, Some("path")));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn without_a_region_a_project_has_to_be_named() {
    let server = looking_up(projects(&[PROJECT_ID])).await;
    let bare = Client::builder()
        .env(csms_sdk::env::Env::from_pairs::<&str, &str>([]))
        .endpoint(server.uri())
        .credentials(keys())
        .no_proxy();
    let error = read(&bare.clone().build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.help().is_some_and(|help| help.contains("project id")));
    assert!(server.requests().is_empty());
    read(&bare.project_id(PROJECT_ID).build().unwrap()).await.unwrap();
}
