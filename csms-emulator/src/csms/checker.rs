//! Secret checker: how hard a secret is to guess.
//!
//! # Limits
//! Neither kinds of check nor the shape of the data are documented. Here every kind judges each text of the data by its
//! length and its kinds of characters, and answers the judgement under the same name.

use serde_json::{Map, Value as Json, json};

use crate::{
    call::{Call, Handler, Named, Outcome},
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[
    ("CheckSecrets", Handler::Read(check)),
    ("ShowSecretsConfig", Handler::Read(show_config)),
    ("UpdateSecretsConfig", Handler::Write(update_config)),
];

/// Characters that a strong secret has at least.
const STRONG: usize = 12;
/// Characters that a secret has at least unless it is weak.
const MEDIUM: usize = 8;

fn check(call: &Call, world: &World) -> Outcome {
    let data = match is_checked(call, world) {
        true => call.object("data").map(judged).unwrap_or_default(),
        false => Map::new(),
    };
    Ok(json!({"type": call.text("type"), "data": data}).into())
}

fn show_config(call: &Call, world: &World) -> Outcome {
    Ok(json!({"checking_secret_strength": is_checked(call, world)}).into())
}

fn update_config(call: &Call, world: &mut World) -> Outcome {
    if let Some(checked) = call.flag("checking_secret_strength") {
        world.directory.csms.checkers.insert(&call.caller.account_id, checked);
    }
    show_config(call, world)
}

/// The setting is the account's; it is on unless somebody has turned it off.
fn is_checked(call: &Call, world: &World) -> bool {
    world.directory.csms.checkers.get(&call.caller.account_id).copied().unwrap_or(true)
}

/// Judgements in the place of the texts; what is neither text nor holds any is left out.
fn judged(data: &Map<String, Json>) -> Map<String, Json> {
    let judgement = |value: &Json| match value {
        Json::String(text) => Some(judge(text).into()),
        Json::Object(members) => Some(judged(members).into()),
        _ => None,
    };
    data.iter().filter_map(|(name, value)| Some((name.clone(), judgement(value)?))).collect()
}

fn judge(secret: &str) -> &'static str {
    let has = |class: fn(char) -> bool| usize::from(secret.chars().any(class));
    let kinds = has(char::is_lowercase)
        + has(char::is_uppercase)
        + has(char::is_numeric)
        + has(|character| !character.is_alphanumeric());
    match secret.chars().count() {
        length if length < MEDIUM => "weak: too short",
        _ if kinds < 2 => "weak: one kind of characters only",
        length if length < STRONG => "medium: longer is stronger",
        _ if kinds < 3 => "medium: more kinds of characters are stronger",
        _ => "strong",
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn length_and_kinds_of_characters_make_a_secret_strong() {
        for (secret, strength) in [
            ("", "weak"),
            ("aB3$", "weak"),
            ("lowercase-only-is-two-kinds", "medium"),
            ("onlylowercaseletters", "weak"),
            ("aB3$aB3$", "medium"),
            ("aB3$aB3$aB3$", "strong"),
        ] {
            assert!(judge(secret).starts_with(strength), "{secret}");
        }
    }
}
