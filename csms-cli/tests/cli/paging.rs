//! Lists that come in pages.

use serde_json::{Value as Json, json};
use wiremock::{
    Mock, ResponseTemplate,
    matchers::{query_param, query_param_is_missing},
};

use crate::program::{Program, Server};

/// Three pages of two secrets, two and one.
fn pages() -> Server {
    let server = Server::start();
    let page = |names: &[&str], next: Option<&str>| {
        let secrets: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        ResponseTemplate::new(200).set_body_json(json!({"secrets": secrets, "page_info": {"next_marker": next}}))
    };
    server.mount(Mock::given(query_param_is_missing("marker")).respond_with(page(&["a", "b"], Some("b"))));
    server.mount(Mock::given(query_param("marker", "b")).respond_with(page(&["c", "d"], Some("d"))));
    server.mount(Mock::given(query_param("marker", "d")).respond_with(page(&["e"], None)));
    server
}

fn names(server: &Server, arguments: &[&str]) -> Json {
    let program = Program::against(&server.mock, ["api", "csms", "ListSecrets", "--limit", "2"]);
    program.arguments(["-q", "[secrets[].name, page_info.next_marker]"]).arguments(arguments).run().json()
}

#[test]
fn all_pages_make_one_answer() {
    let server = pages();
    assert_eq!(names(&server, &[]), json!([["a", "b", "c", "d", "e"], null]));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn one_page_can_be_had() {
    let server = pages();
    assert_eq!(names(&server, &["--no-paginate"]), json!([["a", "b"], "b"]));
    assert_eq!(names(&server, &["--no-paginate", "--marker", "b"]), json!([["c", "d"], "d"]));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn no_more_pages_are_fetched_than_the_items_need() {
    for (most, expected, pages_fetched) in [("1", &["a"][..], 1), ("2", &["a", "b"], 1), ("3", &["a", "b", "c"], 2)] {
        let server = pages();
        assert_eq!(names(&server, &["--max-items", most])[0], json!(expected));
        assert_eq!(server.requests().len(), pages_fetched, "{most}");
    }
    Program::new(["api", "csms", "ListSecrets", "--max-items", "many"]).run().fails(2, "--max-items");
    Program::new(["api", "csms", "ListSecrets", "--max-items", "0"]).run().fails(2, "--max-items");
}

#[test]
fn an_operation_without_pages_has_no_flags_for_them() {
    Program::new(["api", "csms", "ShowSecret", "--no-paginate"]).run().fails(2, "--no-paginate is not known");
}

#[test]
fn pages_in_a_circle_come_to_an_end() {
    let server = Server::start();
    for (marker, next) in [("a", "b"), ("b", "a")] {
        let body = json!({"secrets": [{"name": marker}], "page_info": {"next_marker": next}});
        server.mount(
            Mock::given(query_param("marker", marker)).respond_with(ResponseTemplate::new(200).set_body_json(body)),
        );
    }
    let outcome = Program::against(&server.mock, ["api", "csms", "ListSecrets", "--limit", "1", "--marker", "a"]).run();
    outcome.fails(1, "circle");
}
