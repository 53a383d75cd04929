use std::error::Error;
use std::io;
use std::time::Duration;

use sqlx::postgres::PgDatabaseError;

use crate::engine::{Awaited, EngineError, Login};

/// Reads an error of sqlx. Only primary messages are kept: details and hints may quote a statement.
pub(super) fn of(login: &Login, limit: Duration, error: sqlx::Error) -> EngineError {
    match error {
        sqlx::Error::Database(answer) => match answer.try_downcast::<PgDatabaseError>() {
            Ok(answer) => of_answer(login, limit, answer.code(), answer.message()),
            Err(answer) => other("XX000", answer.message()),
        },
        sqlx::Error::Io(error) => of_io(login, &error),
        sqlx::Error::Tls(error) => {
            EngineError::TlsFailed { host: login.host.clone(), port: login.port, reason: error.to_string() }
        }
        error => other("XX000", &error.to_string()),
    }
}

fn of_io(login: &Login, error: &io::Error) -> EngineError {
    let (host, port, reason) = (login.host.clone(), login.port, error.to_string());
    if error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>) {
        EngineError::TlsFailed { host, port, reason }
    } else {
        EngineError::Unreachable { host, port, reason }
    }
}

/// SQLSTATEs are those of appendix A of PostgreSQL's manual.
fn of_answer(login: &Login, limit: Duration, sqlstate: &str, message: &str) -> EngineError {
    let user = login.user.clone();
    match sqlstate {
        "28P01" => EngineError::AuthenticationFailed { user },
        // insufficient_privilege, invalid_authorization_specification (no LOGIN, no pg_hba.conf entry)
        "42501" | "28000" => EngineError::NotPermitted { user, message: message.to_owned() },
        // duplicate_object, duplicate_database, unique_violation, object_in_use, dependent_objects_still_exist, lock_not_available,
        // deadlock_detected, serialization_failure, and "tuple concurrently updated" of catalogs, which comes as internal_error
        "42710" | "42P04" | "23505" | "55006" | "2BP01" | "55P03" | "40P01" | "40001" => {
            EngineError::Conflict { message: message.to_owned() }
        }
        // cannot_connect_now, admin_shutdown, crash_shutdown, too_many_connections
        "57P03" | "57P01" | "57P02" | "53300" => {
            EngineError::Unreachable { host: login.host.clone(), port: login.port, reason: message.to_owned() }
        }
        // query_canceled: by statement_timeout, as nobody else cancels
        "57014" => EngineError::Timeout { awaited: Awaited::Statement, limit },
        _ => other(sqlstate, message),
    }
}

pub(super) fn other(sqlstate: &str, message: &str) -> EngineError {
    EngineError::Other { sqlstate: sqlstate.to_owned(), message: message.to_owned() }
}
