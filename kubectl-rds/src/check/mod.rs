//! `kubectl rds check`: from texts to findings.

pub(crate) mod checker;
mod class;
mod database;
mod encoding;
pub(crate) mod fault;
pub(crate) mod finding;
mod found;
mod identity;
pub(crate) mod input;
mod metadata;
pub(crate) mod output;
mod owners;
mod rule;
mod schema;
mod spelling;
mod yaml;
