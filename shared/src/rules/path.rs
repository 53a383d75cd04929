//! Where something is in an object: borrowed while the object is read, written out only when something is told.

use std::fmt;

use super::quote::quoted;

/// The path of a value, such as `spec.databases[orders][1]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    last: Segment<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Segment<'a> {
    /// A field of an object.
    Field(&'a str),
    /// A key of a map.
    Key(&'a str),
    /// An index of a list.
    Index(usize),
}

/// The path of every specification.
pub(super) const SPEC: Path<'static> = Path { parent: None, last: Segment::Field("spec") };

impl<'a> Path<'a> {
    pub(super) const fn field(&'a self, name: &'a str) -> Self {
        self.and(Segment::Field(name))
    }

    pub(super) const fn key(&'a self, key: &'a str) -> Self {
        self.and(Segment::Key(key))
    }

    pub(super) const fn index(&'a self, index: usize) -> Self {
        self.and(Segment::Index(index))
    }

    const fn and(&'a self, last: Segment<'a>) -> Self {
        Self { parent: Some(self), last }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}")?;
        }
        match (self.last, self.parent) {
            (Segment::Field(name), None) => f.write_str(&shown_key(name)),
            (Segment::Field(name), Some(_)) => write!(f, ".{}", shown_key(name)),
            (Segment::Key(key), _) => write!(f, "[{}]", shown_key(key)),
            (Segment::Index(index), _) => write!(f, "[{index}]"),
        }
    }
}

impl From<&Path<'_>> for String {
    fn from(path: &Path<'_>) -> Self {
        path.to_string()
    }
}

/// A key as it stands in a path: short, and without characters that would disguise the rest.
pub fn shown_key(key: &str) -> String {
    quoted(key).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_people_read_them() {
        let databases = SPEC.field("databases");
        let orders = databases.key("orders");
        assert_eq!(orders.index(1).to_string(), "spec.databases[orders][1]");
        assert_eq!(databases.key("a\nb").to_string(), "spec.databases[a\\u{a}b]");
        assert_eq!(SPEC.field(&"x".repeat(70)).to_string(), format!("spec.{}…", "x".repeat(64)));
    }
}
