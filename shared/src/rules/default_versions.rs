//! The version of a specification that names none: built in, or as the platform says.

use std::str::FromStr;

use thiserror::Error;

use super::{Engine, EngineVersion, MajorVersion, Observed, Refusal};

/// For each engine the version that a specification gets which names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultVersions {
    postgresql: EngineVersion,
    mysql: EngineVersion,
}

/// One of them, as it is written on a command line: `postgresql=17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultVersion {
    engine: Engine,
    version: EngineVersion,
}

/// Why a version cannot be a default.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DefaultVersionError {
    /// It is not an engine and a version.
    #[error("write an engine and its version, such as postgresql=17")]
    Form,
    /// No specification may name it.
    #[error("{0}")]
    Refused(String),
    /// Which of the two holds?
    #[error("the default version of {0} is given twice")]
    Twice(Engine),
}

impl FromStr for DefaultVersion {
    type Err = DefaultVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = |refusal: Refusal| DefaultVersionError::Refused(refusal.message);
        let (engine, version) = text.split_once('=').ok_or(DefaultVersionError::Form)?;
        let engine = Engine::parse(engine).map_err(refused)?;
        Ok(Self { engine, version: EngineVersion::parse(engine, version).map_err(refused)? })
    }
}

impl DefaultVersions {
    /// Where nobody says otherwise.
    pub const BUILT_IN: Self = Self {
        postgresql: EngineVersion::of(MajorVersion::single(12)),
        mysql: EngineVersion::of(MajorVersion::double(8, 4)),
    };

    /// Those that are given, and the built-in ones of other engines.
    ///
    /// # Errors
    /// When one is given twice.
    pub fn given(given: &[DefaultVersion]) -> Result<Self, DefaultVersionError> {
        let mut versions = Self::BUILT_IN;
        for (at, DefaultVersion { engine, version }) in given.iter().enumerate() {
            if given[..at].iter().any(|other| other.engine == *engine) {
                return Err(DefaultVersionError::Twice(*engine));
            }
            *versions.slot(*engine) = *version;
        }
        Ok(versions)
    }

    /// Those of an object with an instance: the major version that runs is the one that is meant, whatever the default has become since.
    #[must_use]
    pub fn behind(mut self, observed: &Observed) -> Self {
        for engine in Engine::ALL {
            let major = observed.running(engine).map(|running| running.major().to_string());
            // Of another engine, a version reads like none that is offered.
            if let Some(running) = major.and_then(|major| EngineVersion::parse(engine, &major).ok()) {
                *self.slot(engine) = running;
            }
        }
        self
    }

    /// The version of an engine.
    pub const fn of(&self, engine: Engine) -> EngineVersion {
        match engine {
            Engine::Postgresql => self.postgresql,
            Engine::MySql => self.mysql,
        }
    }

    fn slot(&mut self, engine: Engine) -> &mut EngineVersion {
        match engine {
            Engine::Postgresql => &mut self.postgresql,
            Engine::MySql => &mut self.mysql,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(texts: &[&str]) -> Result<DefaultVersions, DefaultVersionError> {
        DefaultVersions::given(&texts.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>()?)
    }

    fn told(texts: &[&str]) -> [String; 2] {
        let versions = given(texts).unwrap();
        Engine::ALL.map(|engine| versions.of(engine).to_string())
    }

    #[test]
    fn what_is_not_given_is_built_in() {
        assert_eq!(told(&[]), ["12", "8.4"]);
        assert_eq!(told(&["postgresql=17"]), ["17", "8.4"]);
        assert_eq!(told(&["MySQL=8.0", "Postgresql=16.4"]), ["16.4", "8.0"]);
    }

    #[test]
    fn what_cannot_be_a_default_is_told() {
        for (texts, why) in [
            (&["17"][..], "write an engine and its version, such as postgresql=17"),
            (&["oracle=19"], "\"oracle\" is not an engine: write Postgresql or MySQL"),
            (&["postgresql=11"], "\"11\" is not a version of PostgreSQL that is offered"),
            (&["postgresql="], "\"\" is not a version of PostgreSQL"),
            (&["postgresql=16", "Postgresql=17"], "the default version of PostgreSQL is given twice"),
        ] {
            let error = given(texts).unwrap_err().to_string();
            assert!(error.starts_with(why), "{texts:?}: {error}");
        }
    }

    #[test]
    fn what_runs_goes_before_the_default() {
        let behind = |running: Option<&str>| {
            let observed = Observed { engine_version: running.map(str::to_owned), ..Observed::default() };
            let versions = given(&["postgresql=17"]).unwrap().behind(&observed);
            Engine::ALL.map(|engine| versions.of(engine).to_string())
        };
        assert_eq!(behind(None), ["17", "8.4"]);
        assert_eq!(behind(Some("12.22-rds.20250814")), ["12", "8.4"]);
        assert_eq!(behind(Some("8.0.36")), ["17", "8.0"]);
        assert_eq!(behind(Some("of the future")), ["17", "8.4"]);
    }
}
