//! Lists that come in pages.
//!
//! [`Client::items`](crate::Client::items) and [`Client::pages`](crate::Client::pages) walk through a list, page after page:
//!
//! ```no_run
//! use csms_sdk::{Client, csms::ListSecrets};
//!
//! # async fn example(client: Client) -> Result<(), csms_sdk::Error> {
//! let mut secrets = client.items(ListSecrets::new()).page_size(100);
//! while let Some(secret) = secrets.next().await {
//!     println!("{:?}", secret?.name);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One page is held at a time, however long the list. A list ends where the service says so, and where it does not: with an
//! empty page, or with a marker that is the one that was sent. A list whose markers go in a circle ends with an error.
//!
//! An error leaves the list where it is: `next` asks for the same page again. `marker` tells where that is, for another walk
//! to go on there with `from_marker`, in another process if need be:
//!
//! ```no_run
//! # use csms_sdk::{Client, csms::ListSecrets};
//! # async fn example(client: Client, saved: &str) -> Result<(), csms_sdk::Error> {
//! let mut pages = client.pages(ListSecrets::new()).from_marker(saved).max_pages(10);
//! while let Some(page) = pages.next().await {
//!     println!("{} secrets", page?.secrets.len());
//! }
//! match pages.marker() {
//!     Some(marker) => println!("the next run goes on at {marker}"),
//!     None => println!("that was all"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `stream`, `into_stream` makes a [`futures_core::Stream`](https://docs.rs/futures-core) of either.
//!
//! [`items`] and [`next`] are for those who send by themselves; they decide only, and send nothing.

use serde_json::{Map, Value as Json};

use crate::{
    model::{Object, View},
    operation::{OperationInfo, Paging},
};

mod cursor;
#[cfg(feature = "stream")]
mod stream;
mod walk;

pub use walk::{Items, JsonPages, Pages};

/// The items of a page; empty where the answer has none.
#[must_use]
pub fn items<'a>(info: &OperationInfo, answer: &'a Json) -> &'a [Json] {
    let Some(paging) = info.paging else { return &[] };
    let list = paging.items().split('.').try_fold(answer, |json, name| json.get(name));
    list.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The request for the page after `answer`, which `request` was answered with; `None` when that was the last.
///
/// A list ends with an empty page, a marker that is missing, empty or the one that was sent, a flag that says so,
/// a count that is reached, or, where the reference says so, with a page that is not full.
#[must_use]
pub fn next(info: &OperationInfo, request: &Map<String, Json>, answer: &Json) -> Option<Map<String, Json>> {
    let (paging, answer) = (info.paging?, Object::Json(info.response?, answer.as_object()?));
    let asked = Object::Json(info.request, request);
    let marker = turn(paging, &asked, &answer)?;
    let mut next_request = request.clone();
    place(paging, &asked, marker, &mut next_request);
    Some(next_request)
}

/// Where the page after `answer` begins; `None` when that was the last.
fn turn(paging: Paging, request: &Object<'_>, answer: &Object<'_>) -> Option<Json> {
    let count = count(paging, answer);
    if count == 0 {
        return None;
    }
    match paging {
        Paging::Marker { next, more, size, .. } => {
            let marker = text(answer, next).filter(|marker| !marker.is_empty())?;
            let is_last = text(request, paging.marker()).as_ref() == Some(&marker)
                || more.and_then(|path| text(answer, path)).is_some_and(|flag| flag == "false")
                || size.is_some_and(|default| count < number(request, paging.size()).unwrap_or(default));
            (!is_last).then(|| marker.into())
        }
        Paging::Offset { total, size, .. } => {
            let reached = number(request, paging.marker()).unwrap_or(0) + count;
            let is_last = match total.and_then(|path| number(answer, path)) {
                Some(total) => reached >= total,
                None => count < number(request, paging.size()).unwrap_or(size),
            };
            (!is_last).then(|| reached.into())
        }
        Paging::Page { first, total, .. } => {
            let size = number(request, paging.size())?;
            let current = number(request, paging.marker()).map_or(first, |number| number as i64);
            let reached = usize::try_from(current - first + 1).ok()?.checked_mul(size)?;
            let is_last = match total.and_then(|path| number(answer, path)) {
                Some(total) => reached >= total,
                None => count < size,
            };
            (!is_last).then(|| (current + 1).into())
        }
    }
}

/// How many items a page has.
fn count(paging: Paging, answer: &Object<'_>) -> usize {
    match member(answer, paging.items()) {
        Some(View::List(items)) => items.count(),
        _ => 0,
    }
}

/// Puts what asks for the page at `marker` into `members`, which come over those of `request`.
fn place(paging: Paging, request: &Object<'_>, marker: Json, members: &mut Map<String, Json>) {
    if let Paging::Marker { size: Some(default), .. } = paging {
        // The service wants both together.
        let size = number(request, paging.size()).unwrap_or(default);
        members.insert(paging.size().into(), size.into());
    }
    members.insert(paging.marker().into(), marker);
}

/// `a.b` of a request or an answer; `None` where it is not set, or not of its kind.
fn member<'a>(object: &Object<'a>, path: &str) -> Option<View<'a>> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let mut found = None;
    match *object {
        Object::Typed(fields) => fields.each(&mut |field, view| {
            if field.name == name {
                found = Some(view);
            }
        }),
        Object::Json(shape, members) => {
            let json = members.get(name).filter(|json| !json.is_null())?;
            found = View::of_json(&shape.field(name)?.kind, json).ok();
        }
    }
    match (found?, rest) {
        (View::Object(inner), Some(rest)) => member(&inner, rest),
        (_, Some(_)) => None,
        (view, None) => Some(view),
    }
}

/// A scalar as text.
fn text(object: &Object<'_>, path: &str) -> Option<String> {
    match member(object, path)? {
        View::Text(text) => Some(text.into_owned()),
        View::Integer(number) => Some(number.to_string()),
        View::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn number(object: &Object<'_>, path: &str) -> Option<usize> {
    text(object, path)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a failed unwrap is a failed test
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Service, operation};

    fn next_of(service: Service, name: &str, request: Json, answer: &Json) -> Option<Json> {
        next(operation(service, name).unwrap(), request.as_object().unwrap(), answer).map(Json::Object)
    }

    #[test]
    fn a_marker_list_ends_by_each_of_its_ends() {
        let next_of = |request, answer| next_of(Service::Csms, "ListSecrets", request, &answer);
        let page =
            |marker: Json| json!({"secrets": [{"name": "a"}, {"name": "b"}], "page_info": {"next_marker": marker}});
        let two = json!({"limit": 2});
        assert_eq!(next_of(two.clone(), page("b".into())), Some(json!({"limit": 2, "marker": "b"})));
        for last in [
            page(Json::Null),
            page("".into()),
            json!({"secrets": [{"name": "a"}, {"name": "b"}]}),
            json!({"secrets": [], "page_info": {"next_marker": "z"}}),
            json!({}),
        ] {
            assert_eq!(next_of(two.clone(), last.clone()), None, "{last}");
        }
        assert_eq!(next_of(json!({"limit": 2, "marker": "b"}), page("b".into())), None, "the marker repeats");
        assert_eq!(next_of(json!({}), page("b".into())), None, "shorter than the default of 50");
        assert_eq!(next_of(json!({"limit": 3}), page("b".into())), None, "shorter than asked for");
    }

    #[test]
    fn a_flag_ends_a_list_of_kms() {
        let answer = |more: &str| json!({"keys": ["k"], "key_details": [{}], "next_marker": "10", "truncated": more});
        let next_of = |answer| next_of(Service::Kms, "ListKeys", json!({"limit": "1"}), &answer);
        assert_eq!(next_of(answer("true")), Some(json!({"limit": "1", "marker": "10"})));
        assert_eq!(next_of(answer("false")), None);
    }

    #[test]
    fn an_offset_list_ends_at_its_total_or_with_a_short_page() {
        let stores = |total: Json| json!({"keystores": [{}, {}], "total": total});
        let next_stores = |request, answer| next_of(Service::Kms, "ListKeyStores", request, &answer);
        assert_eq!(next_stores(json!({}), stores(5.into())), Some(json!({"offset": 2})));
        assert_eq!(next_stores(json!({"offset": 2}), stores("5".into())), Some(json!({"offset": 4})));
        assert_eq!(next_stores(json!({"offset": 4}), stores(6.into())), None);
        let regions = json!({"regions": [{}, {}]});
        let next_regions = |request| next_of(Service::Kms, "ListSupportRegions", request, &regions);
        assert_eq!(next_regions(json!({"limit": 2})), Some(json!({"limit": 2, "offset": 2})));
        assert_eq!(next_regions(json!({})), None);
    }

    #[test]
    fn a_page_list_counts_pages_from_its_first() {
        let users = json!({"users": [{}, {}], "total": 5});
        let next_users =
            |offset: i64| next_of(Service::Csms, "ListUsers", json!({"offset": offset, "limit": 2}), &users);
        assert_eq!(next_users(0), Some(json!({"offset": 1, "limit": 2})));
        assert_eq!(next_users(2), None);
        let projects = json!({"projects": [{}]});
        let next_projects = |request| next_of(Service::Iam, "KeystoneListProjects", request, &projects);
        assert_eq!(next_projects(json!({"per_page": 1})), Some(json!({"per_page": 1, "page": 2})));
        assert_eq!(next_projects(json!({"per_page": 2})), None);
        assert_eq!(next_projects(json!({})), None, "without a page size it comes whole");
    }

    #[test]
    fn an_operation_without_pages_has_no_next() {
        assert_eq!(next_of(Service::Csms, "ShowSecret", json!({"secret_name": "a"}), &json!({"secret": {}})), None);
    }
}
