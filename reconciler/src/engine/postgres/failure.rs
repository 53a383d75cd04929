use std::error::Error as _;
use std::io;
use std::time::Duration;

use tokio_postgres::Error;

use crate::engine::error::{Awaited, EngineError};
use crate::engine::port::Login;

/// A primary message is a sentence. What a server says beyond this length is not one of its own.
const LONGEST: usize = 300;

/// Reads an error of the client. Only primary messages are kept: details and hints may quote a statement.
pub(super) fn of(login: &Login, limit: Duration, error: &Error) -> EngineError {
    if let Some(answer) = error.as_db_error() {
        return of_answer(login, limit, answer.code().code(), answer.message());
    }
    if let Some(error) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        return of_io(login, error);
    }
    if error.is_closed() {
        let (host, port) = (login.host.clone(), login.port);
        return EngineError::Unreachable { host, port, reason: "the server closed the connection".into() };
    }
    let mut message = error.to_string();
    if let Some(source) = error.source() {
        message = format!("{message}: {source}");
    }
    if message.contains("server does not support TLS") {
        return EngineError::TlsFailed { host: login.host.clone(), port: login.port, reason: message };
    }
    other("XX000", &message)
}

/// Reads an error of the network.
pub(super) fn of_io(login: &Login, error: &io::Error) -> EngineError {
    let (host, port, reason) = (login.host.clone(), login.port, error.to_string());
    if error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
        EngineError::TlsFailed { host, port, reason }
    } else {
        EngineError::Unreachable { host, port, reason }
    }
}

/// What a refusal of the server's means. SQLSTATEs are those of appendix A of PostgreSQL's manual; `limit` is how long a statement may take.
pub fn of_answer(login: &Login, limit: Duration, sqlstate: &str, message: &str) -> EngineError {
    let user = login.user.clone();
    let message: String = message.chars().take(LONGEST).collect();
    match sqlstate {
        "28P01" => EngineError::AuthenticationFailed { user },
        // insufficient_privilege, invalid_authorization_specification (no LOGIN, no pg_hba.conf entry)
        "42501" | "28000" => EngineError::NotPermitted { user, message },
        // duplicate_object, duplicate_database, unique_violation, object_in_use, dependent_objects_still_exist, lock_not_available,
        // deadlock_detected, serialization_failure, and internal_error: "tuple concurrently updated" or "cache lookup failed" of catalogs
        "42710" | "42P04" | "23505" | "55006" | "2BP01" | "55P03" | "40P01" | "40001" | "XX000" => {
            EngineError::Conflict { message }
        }
        // cannot_connect_now, admin_shutdown, crash_shutdown, too_many_connections
        "57P03" | "57P01" | "57P02" | "53300" => {
            EngineError::Unreachable { host: login.host.clone(), port: login.port, reason: message }
        }
        // query_canceled: by statement_timeout, as nobody else cancels
        "57014" => EngineError::Timeout { awaited: Awaited::Statement, limit },
        _ => other(sqlstate, &message),
    }
}

pub(super) fn other(sqlstate: &str, message: &str) -> EngineError {
    EngineError::Other { sqlstate: sqlstate.to_owned(), message: message.to_owned() }
}
