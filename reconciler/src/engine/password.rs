use std::fmt;

use rand::RngExt as _;
use rand::distr::Alphanumeric;

/// A password in clear text. Its `Debug` is redacted, and it has neither `Display` nor `Serialize`: who needs the text asks for it
/// with [`Password::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Length of a generated password. 32 of 62 characters are 190 bits.
const LENGTH: usize = 32;

impl Password {
    /// A new random password of 32 letters and digits: legal for RDS (no `/`, `"`, `@`, space), for PostgreSQL and MySQL, and
    /// needs no escaping in a URI, a shell or an environment file.
    pub fn generate() -> Self {
        Self(rand::rng().sample_iter(Alphanumeric).take(LENGTH).map(char::from).collect())
    }

    /// The clear text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// A user's password as its Secret has it, and whether the server takes it.
///
/// What the server stores (`pg_authid`) cannot be read on RDS, so the only question that can be asked of it is a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordState {
    /// The password in the Secret.
    pub password: Password,
    /// What the last login with it came to.
    pub seen: LoginSeen,
}

/// What a login with the Secret's password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginSeen {
    /// Not tried, or the server gave an answer that says nothing of the password.
    Unknown,
    /// The server took the password.
    Accepted,
    /// The server refused the password (SQLSTATE 28P01): it has to be set.
    Refused,
}

impl LoginSeen {
    /// Reads the outcome of [`super::Engine::check_access`] (or any other login) as an answer about the password.
    pub fn from_login<T>(outcome: &Result<T, super::EngineError>) -> Self {
        match outcome {
            Ok(_) => Self::Accepted,
            Err(super::EngineError::AuthenticationFailed { .. }) => Self::Refused,
            Err(_) => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineError;

    #[test]
    fn generated_passwords_are_long_plain_and_different() {
        let (one, two) = (Password::generate(), Password::generate());
        assert_eq!(one.expose().len(), 32);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", one.expose());
        assert_ne!(one, two);
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let state = PasswordState { password: Password::from("open-sesame".to_owned()), seen: LoginSeen::Unknown };
        assert!(!format!("{state:?}").contains("sesame"));
    }

    #[test]
    fn only_a_refused_password_counts_as_refused() {
        let refused = Err::<(), _>(EngineError::AuthenticationFailed { user: "app".into() });
        let elsewhere = Err::<(), _>(EngineError::NotPermitted { user: "app".into(), message: "no CONNECT".into() });
        assert_eq!(LoginSeen::from_login(&Ok::<_, EngineError>(())), LoginSeen::Accepted);
        assert_eq!(LoginSeen::from_login(&refused), LoginSeen::Refused);
        assert_eq!(LoginSeen::from_login(&elsewhere), LoginSeen::Unknown);
    }
}
