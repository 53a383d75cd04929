use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// Why the SQL engine could not do what it was asked.
///
/// No text of these holds a password or a statement: what the server says is cut to its primary message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    /// No connection: refused, no route, name not resolved, or the server is starting or full. Worth a retry with a back-off.
    #[error(
        "cannot reach {host}:{port}: {reason}; check that the instance is available and that its network lets this cluster in"
    )]
    Unreachable {
        /// Host that was tried.
        host: String,
        /// Port that was tried.
        port: u16,
        /// What the operating system or the server answered.
        reason: String,
    },
    /// The server's certificate was not accepted, or the server speaks no TLS. Nothing was sent to it.
    #[error(
        "the certificate of {host}:{port} is not trusted: {reason}; check that the CA bundle the reconciler was started with holds the CA of the instance"
    )]
    TlsFailed {
        /// Host whose certificate was refused.
        host: String,
        /// Port of it.
        port: u16,
        /// What the verification found.
        reason: String,
    },
    /// The server refused the password. A user that is missing gets the same answer.
    #[error("the server refuses the password of {user}")]
    AuthenticationFailed {
        /// User that tried to log in.
        user: String,
    },
    /// The server knows who asks, and refuses.
    #[error(
        "not permitted as {user}: {message}; check what this user was granted: the master user of a managed server is no superuser"
    )]
    NotPermitted {
        /// User that asked.
        user: String,
        /// The server's primary message.
        message: String,
    },
    /// Something else is in the way: the name is taken, the object is in use, or others depend on it. A new plan may resolve it.
    #[error("in conflict with what is there: {message}")]
    Conflict {
        /// The server's primary message, or whose the name is.
        message: String,
    },
    /// The call took longer than it may. The server may still finish it, which is safe: each step can be repeated.
    #[error("{awaited} took longer than {} s", .limit.as_secs_f32())]
    Timeout {
        /// What was waited for.
        awaited: Awaited,
        /// How long it was waited for.
        limit: Duration,
    },
    /// Any other answer of the server.
    #[error("the server answers {sqlstate}: {message}")]
    Other {
        /// SQLSTATE of the answer, `XX000` where there was none.
        sqlstate: String,
        /// The server's primary message.
        message: String,
    },
}

/// What was waited for when a call took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A session that is ready.
    Connection,
    /// A statement.
    Statement,
    /// Sessions of a user that were told to end.
    EndOfSessions,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "connecting",
            Self::Statement => "a statement",
            Self::EndOfSessions => "ending the sessions of a user",
        })
    }
}

impl EngineError {
    /// Whether any other call to this server as this user would fail in the same way.
    pub fn ends_all(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TlsFailed { .. }
                | Self::AuthenticationFailed { .. }
                | Self::Timeout { awaited: Awaited::Connection, .. }
        )
    }

    /// Whether the same call may succeed later without anyone's doing.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. } | Self::Conflict { .. })
    }
}
