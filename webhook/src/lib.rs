//! The admission service of `RDSDatabase`: `/mutate` fills in what an object leaves out and `/validate` refuses what cannot work.
//!
//! [`admission`] decides and is pure; [`router`] turns requests into decisions; [`tls`] carries them over [`shared::serve`]; [`authority`] makes
//! certificates where nobody else does; [`admin`] shows how it goes; [`app`] wires them together.

pub mod admin;
pub mod admission;
pub mod app;
pub mod args;
pub mod authority;
pub mod body;
mod judged;
pub mod metrics;
pub mod router;
pub mod tls;
pub mod turns;
