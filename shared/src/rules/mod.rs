//! The rules of a specification: defaults, validation and parsing, written down once for admission, the
//! reconciler and command-line tools.
//!
//! Everything here is a function of its arguments and takes raw JSON, because admission sees values of any shape.

mod admission;
mod backup;
mod changes;
mod default_versions;
mod defaults;
mod draft;
mod engine;
mod filled;
mod flags;
mod interval;
mod kept;
mod lifecycle;
mod name;
mod observed;
mod parameters;
mod path;
mod people;
mod quote;
mod raw;
mod reader;
mod reserved;
mod restore;
mod rule;
mod size;
mod spellings;
mod storable;
mod storage;
mod tags;
mod transition;
mod verdict;
mod version;
mod violations;
mod warnings;
mod window;
mod words;
mod written;

pub use admission::{Subject, create, delete, insert, replace, update};
pub use backup::{Backup, Copies};
pub use default_versions::{DefaultVersion, DefaultVersionError, DefaultVersions};
pub(crate) use defaults::MASTER_USER;
pub use defaults::{Additions, additions, defaults};
pub use draft::{Desired, parse};
pub use engine::Engine;
pub use flags::RoleFlags;
pub use interval::Interval;
pub(crate) use lifecycle::offered as offered_versions;
pub use name::{DatabaseName, RoleName};
pub(crate) use name::{NAME_PATTERN, OBJECT_NAME_LIMIT};
pub use observed::Observed;
pub use parameters::class_parameters;
pub use path::shown_key;
pub use quote::{described, one_of, quoted, suggestion};
pub(crate) use reader::ENTRY_LIMIT;
pub use restore::RestoreFrom;
pub use rule::{Rule, Severity};
pub use size::{Gibibytes, Size};
pub use storable::LISTED_LIMIT;
pub use storage::{Autoscaling, Storage};
pub use verdict::{Reason, Refusal, Verdict, Violation, WARNING_LIMIT, Warning};
pub use version::{EngineVersion, MajorVersion};
pub use window::{DailyWindow, WeeklyWindow, minute_of_week};
pub(crate) use words::STORAGE_TYPES;
