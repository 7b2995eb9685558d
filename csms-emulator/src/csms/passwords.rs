//! Passwords that nobody can guess.
//!
//! # Limits
//! - `password_policy_name` has no effect: no operation makes a policy, and what one does is not documented.

use serde_json::json;
use zeroize::Zeroizing;

use super::secrets::invalid;
use crate::{
    call::{Call, Handler, Named, Outcome},
    crypto::random,
    world::World,
};

pub(super) const HANDLERS: &[Named] = &[("GenerateRandomPassword", Handler::Read(generate))];

const LENGTH: i64 = 32;
const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NUMBERS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

fn generate(call: &Call, _: &World) -> Outcome {
    let length = usize::try_from(call.number("length").unwrap_or(LENGTH)).unwrap_or_default();
    let classes = classes(call);
    let characters = classes.concat();
    if characters.is_empty() {
        return Err(invalid("every character is excluded"));
    }
    let mut password = Zeroizing::new(Vec::with_capacity(length));
    if call.flag("require_each_included_type") == Some(true) {
        if classes.len() > length {
            return Err(invalid(format!("`length` is too short for {} types of characters", classes.len())));
        }
        password.extend(classes.iter().map(|class| class[below(class.len())]));
    }
    while password.len() < length {
        password.push(characters[below(characters.len())]);
    }
    shuffle(&mut password);
    let password: Zeroizing<String> = Zeroizing::new(password.iter().collect());
    Ok(json!({"password": *password}).into())
}

/// The types of characters that are included, without the characters that are not. What has none left is no type.
fn classes(call: &Call) -> Vec<Vec<char>> {
    let set = |name| call.flag(name) == Some(true);
    let types = [
        (LOWERCASE, !set("exclude_lowercase")),
        (UPPERCASE, !set("exclude_uppercase")),
        (NUMBERS, !set("exclude_numbers")),
        (PUNCTUATION, !set("exclude_punctuation")),
        (" ", set("include_space")),
    ];
    let excluded = call.text("exclude_characters");
    let included = types.into_iter().filter(|(_, included)| *included);
    let left = included.map(|(characters, _)| characters.chars().filter(|it| !excluded.contains(*it)).collect());
    left.filter(|class: &Vec<char>| !class.is_empty()).collect()
}

/// Puts the characters in an order that nobody can guess.
fn shuffle(characters: &mut [char]) {
    for last in (1..characters.len()).rev() {
        characters.swap(last, below(last + 1));
    }
}

/// A random number below `count`, each as likely as the others. `count` is from 1 to 256.
fn below(count: usize) -> usize {
    // What is above the highest multiple of `count` would make the lower numbers likelier.
    let most = 256 / count * count;
    loop {
        let byte = usize::from(random::bytes(1)[0]);
        if byte < most {
            return byte % count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_a_count_comes_up_and_none_above() {
        for count in [1, 3, 95, 255] {
            let mut seen = vec![false; count];
            (0..count * 40).for_each(|_| seen[below(count)] = true);
            let missing = seen.iter().filter(|seen| !**seen).count();
            assert_eq!(missing, 0, "of {count}; the chance of one missing by accident is below 1 in 10^14");
        }
    }

    #[test]
    fn a_shuffle_keeps_the_characters() {
        let mut characters: Vec<_> = PUNCTUATION.chars().collect();
        shuffle(&mut characters);
        characters.sort_unstable();
        assert_eq!(characters.into_iter().collect::<String>(), PUNCTUATION);
    }
}
