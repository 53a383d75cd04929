use std::fmt;

use crate::entropy::Entropy;

/// A password in clear text. Its `Debug` is redacted, and it has neither `Display` nor `Serialize`: who needs the text asks for it
/// with [`Password::expose`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Password(String);

/// Length of a generated password. 32 of 62 characters are 190 bits.
const LENGTH: usize = 32;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Password {
    /// A new random password of 32 letters and digits: legal for providers (no `/`, `"`, `@`, space) and every engine, and needs no
    /// escaping in a URI, a shell or an environment file.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut text = String::with_capacity(LENGTH);
        let mut bytes = [0; LENGTH];
        while text.len() < LENGTH {
            entropy.fill(&mut bytes);
            // Four times the alphabet go into a byte; what is left over would make the first characters likelier.
            let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < 4 * ALPHABET.len());
            let wanted = LENGTH - text.len();
            text.extend(drawn.take(wanted).map(|byte| char::from(ALPHABET[byte % ALPHABET.len()])));
        }
        Self(text)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn generated_passwords_are_long_plain_and_different() {
        let (one, two) = (Password::generate(&SystemEntropy), Password::generate(&SystemEntropy));
        assert_eq!(one.expose().len(), 32);
        assert!(one.expose().bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", one.expose());
        assert_ne!(one, two);
    }

    #[test]
    fn debug_does_not_show_the_password() {
        let password = Password::from("open-sesame".to_owned());
        assert!(!format!("{password:?}").contains("sesame"));
    }
}
