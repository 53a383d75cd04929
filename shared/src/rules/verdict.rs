//! What the rules answer: violations with their field, warnings, or both.

use std::fmt::{self, Write as _};

use super::{Impact, Rule, When};

/// Longest warning that Kubernetes asks webhooks to send, in characters.
/// Source: kubernetes.io, "Dynamic Admission Control", response.
pub const WARNING_LIMIT: usize = 120;

/// The answer to one admission question: admitted when there are no errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// Everything that stands in the way, in the order of the fields.
    pub errors: Vec<Violation>,
    /// What the author should know.
    pub warnings: Vec<Warning>,
}

impl Verdict {
    /// Whether nothing stands in the way.
    pub fn admitted(&self) -> bool {
        self.errors.is_empty()
    }

    /// Adds a warning.
    pub fn warn(&mut self, rule: Rule, field: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Warning { field: field.into(), rule, message: message.into() });
    }

    /// Adds a warning of what a change costs, and when: in the words of `status.plan`.
    pub(super) fn costs(
        &mut self,
        rule: Rule,
        field: &str,
        (impact, when): (Impact, Option<When>),
        message: impl fmt::Display,
    ) {
        let when = when.map(|when| format!(", {when}")).unwrap_or_default();
        self.warn(rule, field, format!("{impact}{when}: {message}"));
    }
}

/// Something that an author should know, though it is admitted. Displayed, it is at most [`WARNING_LIMIT`] characters long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Path of the field, such as `spec.users[app]`.
    pub field: String,
    /// What it is about.
    pub rule: Rule,
    /// A full sentence for people, or the rest of one that begins with the field.
    pub message: String,
}

impl Warning {
    /// Whether it is told whole.
    pub(super) fn is_short(&self) -> bool {
        self.field.chars().count() + ": ".len() + self.message.chars().count() <= WARNING_LIMIT
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_short() {
            return write!(f, "{}: {}", self.field, self.message);
        }
        let text = format!("{}: {}", self.field, self.message);
        text.chars().take(WARNING_LIMIT - 1).chain(['…']).try_for_each(|c| f.write_char(c))
    }
}

/// One reason why a specification is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `spec.databases[orders][1]`.
    pub field: String,
    /// What it is about.
    pub rule: Rule,
    /// A full sentence for people, or the rest of one that begins with the field.
    pub message: String,
}

impl Violation {
    /// The kind of mistake.
    pub const fn reason(&self) -> Reason {
        self.rule.reason()
    }
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
    /// What it is about.
    pub rule: Rule,
    /// A full sentence for people.
    pub message: String,
}

impl Refusal {
    /// A refusal with its sentence.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into() }
    }

    /// The violation of this refusal at a field.
    pub fn at(self, field: impl Into<String>) -> Violation {
        Violation { field: field.into(), rule: self.rule, message: self.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_warnings_are_cut_by_characters() {
        let mut verdict = Verdict::default();
        verdict.warn(Rule::NullEntry, "spec", "ü".repeat(WARNING_LIMIT - "spec: ".len()));
        verdict.warn(Rule::NullEntry, "spec", "ü".repeat(WARNING_LIMIT));
        let [whole, cut] = [0, 1].map(|index| verdict.warnings[index].to_string());
        assert_eq!((whole.chars().count(), whole.ends_with('ü')), (WARNING_LIMIT, true));
        assert_eq!((cut.chars().count(), cut.ends_with('…')), (WARNING_LIMIT, true));
    }
}
