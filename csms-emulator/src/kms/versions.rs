//! API versions. The service has one.

use serde_json::{Value as Json, json};

use crate::{
    call::{Call, Handler, Named, Outcome},
    route,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[("ShowVersions", Handler::Read(list)), ("ShowVersion", Handler::Read(show))];

const VERSION: &str = "v1.0";

fn list(call: &Call, _: &World) -> Outcome {
    Ok(json!({"versions": [version(call)]}).into())
}

/// Every path of one segment comes here, so all but one are addresses that the gateway does not know.
fn show(call: &Call, _: &World) -> Outcome {
    match call.text("version_id") {
        VERSION => Ok(json!({"version": version(call)}).into()),
        _ => Err(route::not_published()),
    }
}

fn version(call: &Call) -> Json {
    json!({
        "id": VERSION,
        "status": "CURRENT",
        "updated": "2016-10-29T02:00:00Z",
        "min_version": "",
        "version": "",
        "links": [{"href": format!("{}/{VERSION}/", call.base), "rel": "self"}],
    })
}
