//! KMS: keys and what is computed with them. One file per chapter of the reference.

mod access;
mod access_points;
mod agreement;
mod aliases;
mod capsules;
mod codes;
mod data;
mod data_keys;
mod grants;
mod r#import;
mod key_policies;
mod key_spaces;
mod keys;
mod keystores;
mod macs;
mod page;
mod queries;
mod record;
mod regions;
mod register;
mod rotation;
mod signatures;
mod tags;
mod versions;
mod wire;

pub(crate) use codes::{code_of, refusal};
pub(crate) use keys::{default_key, settle, usable_for_data};
pub(crate) use record::Key;

use access_points::AccessPoint;
use aliases::Alias;
use grants::Grant;
use key_policies::KeyPolicy;
use key_spaces::KeySpace;
use keystores::Keystore;
use record::Generation;
use register::Register;

use crate::{
    call::Named,
    table::{Stored, Table},
};

/// What a project keeps in KMS.
#[derive(Default)]
pub(crate) struct State {
    /// By id.
    pub(crate) keys: Register,
    /// By name.
    aliases: Table<Alias>,
    /// By the key's id and their own.
    grants: Table<Grant>,
    /// By id.
    keystores: Table<Keystore>,
    /// By id.
    key_spaces: Table<KeySpace>,
    /// By id.
    access_points: Table<AccessPoint>,
    /// By id.
    key_policies: Table<KeyPolicy>,
    /// The key here for each of its family elsewhere, by the id there: it decrypts what that one encrypted.
    relatives: Table<String>,
    /// What seals the tokens of imports. One, made on first use.
    token_keys: Table<Generation>,
}

impl State {
    /// Its tables under the names they are stored by.
    pub(crate) fn tables(&mut self) -> Vec<(&'static str, &mut dyn Stored)> {
        vec![
            ("keys", &mut self.keys),
            ("aliases", &mut self.aliases),
            ("grants", &mut self.grants),
            ("keystores", &mut self.keystores),
            ("key_spaces", &mut self.key_spaces),
            ("access_points", &mut self.access_points),
            ("key_policies", &mut self.key_policies),
            ("key_relatives", &mut self.relatives),
            ("import_token_keys", &mut self.token_keys),
        ]
    }
}

/// What carries the operations out, chapter by chapter.
pub(crate) fn handlers() -> Vec<&'static [Named]> {
    vec![
        keys::HANDLERS,
        queries::HANDLERS,
        aliases::HANDLERS,
        grants::HANDLERS,
        tags::HANDLERS,
        rotation::HANDLERS,
        versions::HANDLERS,
        data::HANDLERS,
        data_keys::HANDLERS,
        r#import::HANDLERS,
        macs::HANDLERS,
        signatures::HANDLERS,
        agreement::HANDLERS,
        regions::HANDLERS,
        keystores::HANDLERS,
        access_points::HANDLERS,
        key_policies::HANDLERS,
        capsules::HANDLERS,
        key_spaces::HANDLERS,
    ]
}
