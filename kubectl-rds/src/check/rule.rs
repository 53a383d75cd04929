//! The identity of each finding: the rules of admission, and what only a file can do wrong.

use std::fmt;

use shared::rules;

/// Which rule a finding is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// One of admission's.
    Admission(rules::Rule),
    /// One of this command's.
    File(FileRule),
}

impl From<rules::Rule> for Rule {
    fn from(rule: rules::Rule) -> Self {
        Self::Admission(rule)
    }
}

impl From<FileRule> for Rule {
    fn from(rule: FileRule) -> Self {
        Self::File(rule)
    }
}

/// What is judged before the rules of admission are asked: by the parser, by kubectl, by the API server, or by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FileRule {
    /// The text is no YAML.
    YamlSyntax,
    /// A value or key means nothing to Kubernetes.
    YamlValue,
    /// A key is there twice.
    DuplicateKey,
    /// The text is a template.
    Template,
    /// The kind does not exist.
    UnknownKind,
    /// The API version does not exist.
    UnknownApiVersion,
    /// The object has no name.
    MissingName,
    /// The namespace cannot exist, or there must be none.
    WrongNamespace,
    /// A label, annotation, finalizer or owner is malformed.
    MalformedMetadata,
    /// A class breaks its schema.
    MalformedClass,
    /// An object is there twice.
    DuplicateObject,
}

impl FileRule {
    /// Its id, its title without a full stop, and what to do.
    const fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::YamlSyntax => (
                "yaml-syntax",
                "The text is no YAML",
                "Correct it at the place that is told. kubectl would refuse the file.",
            ),
            Self::YamlValue => (
                "yaml-value",
                "A value or key is none that Kubernetes has",
                "Quote the text, or write a text, number, boolean, list or map.",
            ),
            Self::DuplicateKey => (
                "duplicate-key",
                "A key is written twice",
                "Remove one of them: kubectl would take the last, without a word.",
            ),
            Self::Template => (
                "template",
                "The text is a template",
                "Render it first (helm template, kustomize build) and check what comes out, or leave templates out with --skip-templates.",
            ),
            Self::UnknownKind => {
                ("unknown-kind", "The kind does not exist", "The kinds are RDSDatabase and RDSDatabaseClass.")
            }
            Self::UnknownApiVersion => {
                ("unknown-api-version", "The API version does not exist", "Write apiVersion: matrixmind.cloud/v1.")
            }
            Self::MissingName => ("missing-name", "The object has no name", "Write metadata.name."),
            Self::WrongNamespace => (
                "wrong-namespace",
                "The object cannot be in this namespace",
                "Namespaces have lower-case letters, digits and -, at most 63. An RDSDatabaseClass is in none.",
            ),
            Self::MalformedMetadata => (
                "malformed-metadata",
                "A label, annotation, finalizer or owner is none that Kubernetes takes",
                "Keys are a name of at most 63 letters, digits, -, _ and ., perhaps after a domain and /. Values of labels are such names as well, or nothing.",
            ),
            Self::MalformedClass => (
                "malformed-class",
                "A field of an RDSDatabaseClass breaks its schema",
                "kubectl explain rdsclass.spec says what each field may be.",
            ),
            Self::DuplicateObject => (
                "duplicate-object",
                "An object is there twice",
                "Remove one of them, unless they are for different clusters: the one applied last would win.",
            ),
        }
    }
}

impl Rule {
    /// Its stable name.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Admission(rule) => rule.id(),
            Self::File(rule) => rule.texts().0,
        }
    }

    /// What it is about, without a full stop.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Admission(rule) => rule.title(),
            Self::File(rule) => rule.texts().1,
        }
    }

    /// What is allowed, and what to do.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::Admission(rule) => rule.advice(),
            Self::File(rule) => rule.texts().2,
        }
    }

    /// Whether it only warns.
    pub(crate) const fn only_warns(self) -> bool {
        match self {
            Self::Admission(rule) => matches!(rule.severity(), rules::Severity::Warning),
            Self::File(rule) => matches!(rule, FileRule::DuplicateObject),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const FILE_RULES: [FileRule; 11] = [
        FileRule::YamlSyntax,
        FileRule::YamlValue,
        FileRule::DuplicateKey,
        FileRule::Template,
        FileRule::UnknownKind,
        FileRule::UnknownApiVersion,
        FileRule::MissingName,
        FileRule::WrongNamespace,
        FileRule::MalformedMetadata,
        FileRule::MalformedClass,
        FileRule::DuplicateObject,
    ];

    #[test]
    fn ids_are_unique_beside_those_of_admission() {
        let admission = rules::Rule::ALL.iter().copied().map(Rule::Admission);
        let all: Vec<Rule> = admission.chain(FILE_RULES.map(Rule::File)).collect();
        let ids: BTreeSet<&str> = all.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), all.len());
        assert!(all.iter().all(|rule| !rule.title().ends_with('.') && rule.advice().ends_with('.')));
    }

    #[test]
    fn each_is_in_the_guide() {
        let guide = include_str!("../../../docs/check.md");
        for rule in FILE_RULES.map(Rule::File) {
            let row = format!("| `{rule}` | {} | {} |", rule.title(), rule.advice());
            assert!(guide.contains(&row), "write into docs/check.md: {row}");
        }
    }
}
