//! What the rules answer: violations with their field, warnings, or both.

use std::fmt;

/// Longest warning that Kubernetes asks webhooks to send, in characters.
/// Source: kubernetes.io, "Dynamic Admission Control", response.
pub const WARNING_LIMIT: usize = 120;

/// The answer to one admission question: admitted when there are no errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// Everything that stands in the way, in the order of the fields.
    pub errors: Vec<Violation>,
    /// What the author should know; each at most [`WARNING_LIMIT`] characters long.
    pub warnings: Vec<String>,
}

impl Verdict {
    /// Whether nothing stands in the way.
    pub fn admitted(&self) -> bool {
        self.errors.is_empty()
    }

    /// Adds a warning once, cut to the limit.
    pub fn warn(&mut self, warning: impl Into<String>) {
        let warning = cut(warning.into());
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}

fn cut(text: String) -> String {
    if text.chars().count() <= WARNING_LIMIT {
        return text;
    }
    text.chars().take(WARNING_LIMIT - 1).chain(['…']).collect()
}

/// One reason why a specification is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `spec.databases[orders][1]`.
    pub field: String,
    /// The kind of mistake.
    pub reason: Reason,
    /// A full sentence for people; it does not repeat the field.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// The kinds of mistakes Kubernetes tells apart in `status.details.causes[].reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The value is malformed.
    Invalid,
    /// A value is missing.
    Required,
    /// The value is none of those that are supported.
    NotSupported,
    /// The value is there already.
    Duplicate,
    /// The value is well formed but not permitted here.
    Forbidden,
    /// The value has too many characters or items.
    TooLong,
}

impl Reason {
    /// The cause as Kubernetes spells it (apimachinery, `field.ErrorType`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "FieldValueInvalid",
            Self::Required => "FieldValueRequired",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why one value cannot be parsed: a [`Violation`] that does not know its field yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind of mistake.
    pub reason: Reason,
    /// A full sentence for people.
    pub message: String,
}

impl Refusal {
    /// A refusal with its sentence.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The violation of this refusal at a field.
    pub fn at(self, field: impl Into<String>) -> Violation {
        Violation { field: field.into(), reason: self.reason, message: self.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_warnings_are_cut_by_characters() {
        let mut verdict = Verdict::default();
        verdict.warn("ü".repeat(300));
        assert_eq!(verdict.warnings[0].chars().count(), WARNING_LIMIT);
        assert!(verdict.warnings[0].ends_with('…'));
    }

    #[test]
    fn a_warning_is_said_once() {
        let mut verdict = Verdict::default();
        verdict.warn("twice");
        verdict.warn("twice");
        assert_eq!(verdict.warnings, ["twice"]);
    }
}
