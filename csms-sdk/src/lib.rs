//! Typed async client for Huawei Cloud CSMS (secrets) and KMS (keys).

pub mod sign;
