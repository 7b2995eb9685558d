//! From one page of a list to the next. Decisions only: nothing here sends.

use serde_json::{Map, Value as Json};

use crate::operation::{OperationInfo, Paging};

/// The items of a page; empty where the answer has none.
#[must_use]
pub fn items<'a>(info: &OperationInfo, answer: &'a Json) -> &'a [Json] {
    let Some(paging) = info.paging else { return &[] };
    member(answer, paging.items()).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The request for the page after `answer`, which `request` was answered with; `None` when that was the last.
///
/// A list ends with an empty page, a marker that is missing, empty or the one that was sent, a flag that says so,
/// a count that is reached, or, where the reference says so, with a page that is not full.
#[must_use]
pub fn next(info: &OperationInfo, request: &Map<String, Json>, answer: &Json) -> Option<Map<String, Json>> {
    let count = items(info, answer).len();
    if count == 0 {
        return None;
    }
    let mut next_request = request.clone();
    match info.paging? {
        Paging::Marker { next, more, size, .. } => {
            let marker = text(member(answer, next)?).filter(|marker| !marker.is_empty())?;
            if request.get("marker").and_then(text).as_ref() == Some(&marker) {
                return None;
            }
            if more.and_then(|path| member(answer, path)).and_then(text).is_some_and(|flag| flag == "false") {
                return None;
            }
            if let Some(default) = size {
                let limit = number(request, "limit").unwrap_or(default);
                if count < limit {
                    return None;
                }
                // The service wants both together.
                next_request.insert("limit".into(), limit.into());
            }
            next_request.insert("marker".into(), marker.into());
        }
        Paging::Offset { total, size, .. } => {
            let reached = number(request, "offset").unwrap_or(0) + count;
            let is_last = match total.and_then(|path| member(answer, path)).and_then(as_number) {
                Some(total) => reached >= total,
                None => count < number(request, "limit").unwrap_or(size),
            };
            if is_last {
                return None;
            }
            next_request.insert("offset".into(), reached.into());
        }
        Paging::Page { number: field, first, size, total, .. } => {
            let size = number(request, size)?;
            let current = request.get(field).and_then(as_number).map_or(first, |number| number as i64);
            let reached = usize::try_from(current - first + 1).ok()?.checked_mul(size)?;
            let is_last = match total.and_then(|path| member(answer, path)).and_then(as_number) {
                Some(total) => reached >= total,
                None => count < size,
            };
            if is_last {
                return None;
            }
            next_request.insert(field.into(), (current + 1).into());
        }
    }
    Some(next_request)
}

/// `a.b` of an answer.
fn member<'a>(answer: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.').try_fold(answer, |json, name| json.get(name))
}

fn number(request: &Map<String, Json>, name: &str) -> Option<usize> {
    request.get(name).and_then(as_number)
}

fn as_number(json: &Json) -> Option<usize> {
    text(json)?.parse().ok()
}

/// A scalar as text: markers and counts come as either.
fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        _ => None,
    }
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
