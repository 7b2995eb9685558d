//! Random sequences of operations, each compared with what a small model says must come of it.

mod keys;
mod random;
mod secrets;

use std::time::Duration;

use csms_emulator::Emulator;

use self::random::Random;

/// Steps of a sequence.
const STEPS: usize = 3_000;
/// Each starts another sequence; a failure names its step, and the same seed repeats it.
const SEEDS: [u64; 2] = [1, 20_261_125];
/// Time moves now and then, by so many days.
const LEAP_DAYS: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_behave_like_their_model() {
    for seed in SEEDS {
        let emulator = Emulator::start().await.unwrap();
        let client = emulator.client();
        let mut random = Random::new(seed);
        let mut model = secrets::Model::default();
        for step in 0..STEPS {
            if random.below(40) == 0 {
                emulator.advance(Duration::from_secs(LEAP_DAYS * 86_400));
                model.days_pass(LEAP_DAYS);
            }
            let action = secrets::Action::any(&mut random);
            let expected = model.expect(&action);
            let seen = action.carry_out(&client).await;
            assert_eq!(seen, expected, "seed {seed}, step {step}: {action:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_behave_like_their_model() {
    for seed in SEEDS {
        let emulator = Emulator::start().await.unwrap();
        let client = emulator.client();
        let mut random = Random::new(seed);
        let mut model = keys::Model::default();
        for step in 0..STEPS {
            if random.below(40) == 0 {
                emulator.advance(Duration::from_secs(LEAP_DAYS * 86_400));
                model.days_pass(LEAP_DAYS);
            }
            let action = keys::Action::any(&mut random, &model);
            let expected = model.expect(&action);
            let seen = action.carry_out(&client, &mut model).await;
            assert_eq!(seen, expected, "seed {seed}, step {step}: {action:?}");
        }
    }
}
