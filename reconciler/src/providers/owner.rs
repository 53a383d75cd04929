//! Whose an instance is. Each provider's adapter spells it.

use std::fmt;

/// The object that an instance was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The name of the cluster, or the UID of its namespace kube-system.
    pub cluster: String,
    /// The object's namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID: an object that is made again under the same name has another.
    pub uid: String,
}

/// The marks that an instance carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// See [`Owner::cluster`].
    pub cluster: Option<String>,
    /// See [`Owner::namespace`].
    pub namespace: Option<String>,
    /// See [`Owner::name`].
    pub name: Option<String>,
    /// See [`Owner::uid`].
    pub uid: Option<String>,
    /// Whether it stays on purpose without an object; `None` where nothing is said of that.
    pub retained: Option<bool>,
    /// The object that may take it over, `<namespace>/<name>`: somebody with rights over the instance says so.
    pub adopt: Option<String>,
    /// Of a snapshot: it is kept for a while, and deleted when newer ones are there.
    pub kept: bool,
}

/// A part of what tells whose an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// See [`Owner::cluster`].
    Cluster,
    /// See [`Owner::namespace`].
    Namespace,
    /// See [`Owner::name`].
    Name,
    /// See [`Owner::uid`].
    Uid,
}

impl Mark {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cluster, Self::Namespace, Self::Name, Self::Uid];
}

impl Owner {
    /// One of its marks.
    pub fn mark(&self, mark: Mark) -> &str {
        match mark {
            Mark::Cluster => &self.cluster,
            Mark::Namespace => &self.namespace,
            Mark::Name => &self.name,
            Mark::Uid => &self.uid,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The others are for machines: people know the cluster that they ask, and the object by its name.
        let Self { cluster: _, namespace, name, uid: _ } = self;
        write!(f, "{namespace}/{name}")
    }
}

impl Marks {
    /// One of the marks, where it is there.
    pub fn mark(&self, mark: Mark) -> Option<&str> {
        match mark {
            Mark::Cluster => self.cluster.as_deref(),
            Mark::Namespace => self.namespace.as_deref(),
            Mark::Name => self.name.as_deref(),
            Mark::Uid => self.uid.as_deref(),
        }
    }

    /// Left on purpose: nobody's, until it is taken up again.
    pub(crate) fn is_retained(&self) -> bool {
        self.retained == Some(true)
    }
}

impl From<&Owner> for Marks {
    fn from(owner: &Owner) -> Self {
        let mark = |mark| Some(owner.mark(mark).to_owned());
        Self {
            cluster: mark(Mark::Cluster),
            namespace: mark(Mark::Namespace),
            name: mark(Mark::Name),
            uid: mark(Mark::Uid),
            retained: None,
            adopt: None,
            kept: false,
        }
    }
}
