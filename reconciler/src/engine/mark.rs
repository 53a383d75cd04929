use std::fmt;

/// Whose something inside a server is: what does not carry exactly this mark is somebody else's, and is never altered or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The mark of an object; `owner` names it across clusters and over the object's re-creation.
    pub fn new(owner: &str) -> Self {
        Self(owner.to_owned())
    }
}

/// The owner. How a server keeps the mark is the engine's own.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
