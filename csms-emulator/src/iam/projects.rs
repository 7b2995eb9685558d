//! Projects: those of the caller's account.

use serde_json::{Value as Json, json};

use super::{
    codes::invalid,
    directory::{Directory, Project},
};
use crate::{
    call::{Call, Handler, Named, Outcome},
    world::World,
};

pub(super) const HANDLERS: &[Named] =
    &[("KeystoneListProjects", Handler::Read(list)), ("KeystoneListAuthProjects", Handler::Read(list_usable))];

fn list(call: &Call, world: &World) -> Outcome {
    let is = |name: &str, value: &str| call.optional(name).is_none_or(|wanted| wanted == value);
    let directory = &world.directory;
    // All projects are enabled, and none is an account.
    let none = call.flag("enabled") == Some(false) || call.flag("is_domain") == Some(true);
    let projects: Vec<_> = of_account(call, directory)
        .filter(|project| is("name", &project.name) && is("domain_id", &project.account_id))
        .filter(|project| is("parent_id", parent(directory, project)) && !none)
        .map(|project| {
            let link = format!("{}/v3/projects/{}", call.base, project.id);
            shown(directory, project, json!({"self": link, "previous": null, "next": null}))
        })
        .collect();
    let address = format!("{}/v3/projects", call.base);
    let (page, size) = match (call.number("page"), call.number("per_page")) {
        (None, None) => (1, projects.len().max(1)),
        (Some(page), Some(size)) if page >= 1 && size >= 1 => (page as usize, size as usize),
        _ => return Err(invalid("`page` and `per_page` go together, from 1")),
    };
    let start = (page - 1).saturating_mul(size).min(projects.len());
    let end = start.saturating_add(size).min(projects.len());
    let neighbour = |page: usize, there: bool| there.then(|| format!("{address}?page={page}&per_page={size}"));
    Ok(json!({
        "projects": projects[start..end],
        "links": {
            "self": address,
            "previous": neighbour(page.saturating_sub(1), page > 1),
            "next": neighbour(page.saturating_add(1), end < projects.len()),
        },
    })
    .into())
}

fn list_usable(call: &Call, world: &World) -> Outcome {
    let directory = &world.directory;
    let link = |project: &Project| json!({"self": format!("{}/v3/projects/{}", call.base, project.id)});
    let projects: Vec<_> =
        of_account(call, directory).map(|project| shown(directory, project, link(project))).collect();
    Ok(json!({"projects": projects, "links": {"self": format!("{}/v3/auth/projects", call.base)}}).into())
}

fn of_account<'a>(call: &'a Call, directory: &'a Directory) -> impl Iterator<Item = &'a Project> {
    directory.projects.values().filter(|project| project.account_id == call.caller.account_id)
}

/// What a project is part of: the region's own project, or the account.
fn parent<'a>(directory: &'a Directory, project: &'a Project) -> &'a str {
    let region = directory.project_in(&project.account_id, &project.region).filter(|_| !project.is_default());
    region.map_or(&project.account_id, |region| &region.id)
}

/// A project as it is shown.
fn shown(directory: &Directory, project: &Project, links: Json) -> Json {
    json!({
        "id": project.id,
        "name": project.name,
        "domain_id": project.account_id,
        "parent_id": parent(directory, project),
        "is_domain": false,
        "enabled": true,
        "description": "",
        "links": links,
    })
}
