//! Generated passwords.

use csms_emulator::Emulator;
use csms_sdk::Client;
use serde_json::{Value as Json, json};

use crate::support::{csms, refusal};

async fn password(client: &Client, request: Json) -> String {
    let answer = csms(client, "GenerateRandomPassword", request).await.unwrap();
    answer["password"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_password_has_32_printable_characters_and_no_space() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let first = password(&client, json!({})).await;
    assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_ne!(first, password(&client, json!({})).await);
}

#[tokio::test]
async fn a_password_is_made_of_what_is_left_in() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let digits = json!({
        "length": 255, "exclude_lowercase": true, "exclude_uppercase": true, "exclude_punctuation": true,
        "exclude_characters": "0l1", "password_policy_name": "shop-policy",
    });
    let digits = password(&client, digits).await;
    assert!(digits.len() == 255 && digits.bytes().all(|byte| (b'2'..=b'9').contains(&byte)), "{digits}");
    let spaces = json!({
        "length": 2, "exclude_lowercase": true, "exclude_uppercase": true, "exclude_punctuation": true,
        "exclude_numbers": true, "include_space": true,
    });
    assert_eq!(password(&client, spaces).await, "  ");
}

#[tokio::test]
async fn every_type_that_is_left_in_occurs_if_asked_for() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    for _ in 0..20 {
        let all = json!({"length": 5, "include_space": true, "require_each_included_type": true});
        let all = password(&client, all).await;
        let types: [fn(&u8) -> bool; 5] =
            [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, u8::is_ascii_punctuation, |byte| {
                *byte == b' '
            }];
        assert!(types.iter().all(|is| all.bytes().filter(is).count() == 1), "{all}");
    }
    let without_digits = json!({"length": 3, "exclude_characters": "0123456789", "require_each_included_type": true});
    assert_eq!(password(&client, without_digits).await.len(), 3, "a type with no character left is none");
}

#[tokio::test]
async fn a_password_that_cannot_be_is_refused() {
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client();
    let nothing = json!({
        "exclude_lowercase": true, "exclude_uppercase": true, "exclude_punctuation": true, "exclude_numbers": true,
    });
    let short = json!({"length": 3, "require_each_included_type": true});
    for request in [nothing, short, json!({"length": 0}), json!({"length": 256})] {
        let refused = csms(&client, "GenerateRandomPassword", request.clone()).await;
        assert_eq!(refusal(refused), (400, "CSMS.0002".into()), "{request}");
    }
}
