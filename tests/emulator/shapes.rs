//! What the emulator answers has the shape of what was recorded.

use csms_emulator::Emulator;
use csms_sdk::operations;
use serde_json::Value as Json;

use crate::{calls::Calls, members::Members, scenario};

/// Members that were recorded and that the emulator does not answer, with the reason.
const NEVER_ANSWERED: &[(&str, &str)] = &[
    ("iam/Region.parent_region_id", "no region here lies in another"),
    ("iam/RegionLocales.es-es", "names in two languages are enough"),
    ("iam/RegionLocales.es-us", "names in two languages are enough"),
    ("iam/RegionLocales.pt-br", "names in two languages are enough"),
    ("iam/UnscopedTokenInfoRoles.id", "a token without a scope has no roles"),
    ("iam/UnscopedTokenInfoRoles.name", "a token without a scope has no roles"),
    ("kms/CreateDataKeyPairResponseBody.ciphertext_recipient", "there are no enclaves here"),
    ("kms/CreateDataKeyPairResponseBody.wrapped_private_key", "there are no enclaves here"),
    ("kms/DeriveSharedSecretResponseBody.ciphertext_recipient", "there are no enclaves here"),
    ("kms/GetkeyRotationStatusResponseBody.key_materials", "the codes of their states are not published"),
    ("kms/GetkeyRotationStatusResponseBodyKeyMaterials.charge_id", "as key_materials"),
    ("kms/GetkeyRotationStatusResponseBodyKeyMaterials.create_time", "as key_materials"),
    ("kms/GetkeyRotationStatusResponseBodyKeyMaterials.expiration_time", "as key_materials"),
    ("kms/GetkeyRotationStatusResponseBodyKeyMaterials.material_id", "as key_materials"),
    ("kms/GetkeyRotationStatusResponseBodyKeyMaterials.state", "as key_materials"),
    ("sts/AssumeAgencyWithOIDCResponse.source_identity", "the claim that it comes from is not published"),
];

/// Members whose kind is another than the recorded one, with the reason.
const OTHER_KIND: &[(&str, &str)] = &[];

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_recorded_shape() {
    let emulator = Emulator::builder().seed(scenario::seed()).start().await.unwrap();
    let mut calls = Calls::new(emulator.client());
    scenario::every_operation(&emulator, &mut calls).await;

    let mut problems = Vec::new();
    let (mut recorded, mut answered) = (Members::default(), Members::default());
    for info in operations() {
        let id = info.id();
        let answers = calls.answers.get(&id).map_or(&[][..], Vec::as_slice);
        if answers.is_empty() {
            problems.push(format!("{id} is not called"));
        }
        answers.iter().for_each(|answer| answered.add(info, answer));
        for fixture in wiremock_fixtures::of(&id).filter(|fixture| fixture.is_success()) {
            let body = fixture.response.body.as_ref().unwrap_or(&Json::Null);
            recorded.add(info, body);
            if !body.is_null() && answers.iter().any(Json::is_null) {
                problems.push(format!("{id} answers nothing"));
            }
        }
    }
    problems.extend(answered.unknown.iter().map(|path| format!("{path} is no documented member")));
    let is_listed = |list: &[(&str, &str)], path: &str| list.iter().any(|(listed, _)| *listed == path);
    for (path, kinds) in &recorded.documented {
        match answered.documented.get(path) {
            None if !is_listed(NEVER_ANSWERED, path) => problems.push(format!("{path} is never answered")),
            Some(_) if is_listed(NEVER_ANSWERED, path) => problems.push(format!("{path} is answered after all")),
            Some(seen) if !seen.is_subset(kinds) && !is_listed(OTHER_KIND, path) => {
                problems.push(format!("{path} is answered as {seen:?}, recorded as {kinds:?}"));
            }
            _ => {}
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
