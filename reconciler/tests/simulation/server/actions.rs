//! What the calls to a server are called: a schedule names them.

use reconciler::engine::postgres::SqlStep;

/// A look.
pub(super) const LOOK: &str = "look";
/// A login that is tried.
pub(super) const LOG_IN: &str = "log in";

/// A part of a step.
pub(super) fn of(step: &SqlStep) -> &'static str {
    match step {
        SqlStep::LockUser { .. } => "lock user",
        SqlStep::TakeDatabases { .. } => "take databases",
        SqlStep::CreateRole { .. } => "create role",
        SqlStep::QuietRole { .. } => "quiet role",
        SqlStep::JoinMaster { .. } => "join master",
        SqlStep::Secure { .. } => "secure database",
        SqlStep::TakeOver { .. } => "take over database",
        SqlStep::TakeGivenAway { .. } => "take given away",
        SqlStep::CloseDatabase { .. } => "close database",
        SqlStep::Expel { .. } => "expel user",
        SqlStep::RevokeMember { .. } => "revoke member",
        SqlStep::OpenMaintenance { .. } => "open maintenance",
        SqlStep::LeaveMaintenance { .. } => "leave maintenance",
        SqlStep::CreateUser { .. } => "create user",
        SqlStep::AlterUser { .. } => "alter user",
        SqlStep::SetPassword { .. } => "set password",
        SqlStep::Grant { .. } => "grant",
        SqlStep::Revoke { .. } => "revoke",
        SqlStep::CreateDatabase { .. } => "create database",
        SqlStep::LayOut { .. } => "lay out database",
        SqlStep::HandOver { .. } => "hand over",
        SqlStep::Share { .. } => "share",
        SqlStep::Unshare { .. } => "unshare",
        SqlStep::Admit { .. } => "admit user",
        SqlStep::Release { .. } => "release",
        SqlStep::DropUser { .. } => "drop user",
    }
}
