//! Regions: those that are played.

use serde_json::json;

use crate::{
    call::{Call, Handler, Named, Outcome},
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[("KeystoneListRegions", Handler::Read(list))];

fn list(call: &Call, world: &World) -> Outcome {
    let address = format!("{}/v3/regions", call.base);
    let shown = |id: &String| {
        json!({
            "id": id,
            "type": "public",
            "description": "",
            "parent_region_id": null,
            "locales": {"zh-cn": id, "en-us": id},
            "links": {"self": format!("{address}/{id}")},
        })
    };
    let regions: Vec<_> = world.directory.regions.iter().map(shown).collect();
    Ok(json!({"regions": regions, "links": {"self": address, "previous": null, "next": null}}).into())
}
