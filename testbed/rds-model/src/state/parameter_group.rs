//! A DB parameter group, and what of it the server of an instance runs with.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Instance, Tags};
use crate::parameters;
use crate::versions::EngineVersion;

/// A group that somebody made. The default ones are no entries of the state: they set nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ParameterGroup {
    /// In lower case.
    pub name: String,
    /// `postgres17`.
    pub family: String,
    /// For people.
    pub description: String,
    /// Its own.
    pub tags: Tags,
    /// What was set, and reset since, by the name of the parameter.
    pub settings: BTreeMap<String, Setting>,
}

/// What a group says of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Setting {
    /// None where it was reset: the default holds again.
    pub value: Option<String>,
    /// When instances in use of the group get it.
    pub method: ApplyMethod,
}

/// The `ApplyMethod` of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplyMethod {
    /// At once.
    Immediate,
    /// With the next reboot.
    PendingReboot,
}

impl ApplyMethod {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::PendingReboot => "pending-reboot",
        }
    }
}

/// Groups by name.
pub type ParameterGroups = BTreeMap<String, ParameterGroup>;

impl ParameterGroup {
    /// What it sets.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().filter_map(|(name, setting)| Some((name.as_str(), setting.value.as_deref()?)))
    }
}

/// The name of the default group of a version.
pub(crate) fn default_group(version: EngineVersion) -> String {
    format!("default.{}", version.family())
}

/// The parameters that the server of an instance runs with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Running {
    /// The group that the server was started with; none is the instance's.
    group: Option<String>,
    /// The values that differ from the default group's.
    pub values: BTreeMap<String, String>,
    /// Something waits for a reboot.
    pending_reboot: bool,
    /// Since when something is on its way to the running server.
    applying: Option<Timestamp>,
}

impl Running {
    /// Since when something is on its way to the running server.
    pub(crate) fn applying(&self) -> Option<Timestamp> {
        self.applying
    }

    /// The `ParameterApplyStatus` of the API.
    pub fn status(&self) -> &'static str {
        if self.pending_reboot {
            "pending-reboot"
        } else if self.applying.is_some() {
            "applying"
        } else {
            "in-sync"
        }
    }
}

impl Instance {
    /// The server is started with all that the group of the instance says. That it does is told when the start is over.
    pub fn load_parameters(&mut self, groups: &ParameterGroups) {
        self.running.values = groups.get(&self.parameter_group).map(wanted).unwrap_or_default();
        self.running.group = Some(self.parameter_group.clone());
        self.running.applying = None;
    }

    /// Looks what of the group the server does not run with, and what that waits for: a reboot where the group is another one, the parameter
    /// a static one, or the group says so.
    pub(crate) fn compare_parameters(&mut self, groups: &ParameterGroups, now: Timestamp) {
        let another = self.running.group.as_ref().is_some_and(|group| *group != self.parameter_group);
        let differences = self.differences(groups);
        self.running.pending_reboot = another || differences.values().any(|at_once| !at_once);
        let applying = !another && differences.values().any(|at_once| *at_once);
        self.running.applying = applying.then(|| self.running.applying.unwrap_or(now));
    }

    /// What the server runs with once that which needs no reboot is applied.
    pub fn parameters_applied_at_once(&self, groups: &ParameterGroups) -> BTreeMap<String, String> {
        let mut values = self.running.values.clone();
        let wanted = groups.get(&self.parameter_group).map(wanted).unwrap_or_default();
        for (name, _) in self.differences(groups).into_iter().filter(|(_, at_once)| *at_once) {
            match wanted.get(&name) {
                Some(value) => values.insert(name, value.clone()),
                None => values.remove(&name),
            };
        }
        values
    }

    /// The parameters in which the group and the server differ, and whether they are applied at once.
    fn differences(&self, groups: &ParameterGroups) -> BTreeMap<String, bool> {
        let group = groups.get(&self.parameter_group);
        let wanted = group.map(wanted).unwrap_or_default();
        let running = &self.running.values;
        let names = wanted.keys().chain(running.keys()).filter(|name| wanted.get(*name) != running.get(*name));
        let at_once = |name: &String| {
            let setting = group.and_then(|group| group.settings.get(name));
            let immediate = setting.is_some_and(|setting| setting.method == ApplyMethod::Immediate);
            let known = parameters::find(self.engine_version.major, name);
            immediate && known.is_some_and(|parameter| !parameter.is_static)
        };
        names.map(|name| (name.clone(), at_once(name))).collect()
    }
}

fn wanted(group: &ParameterGroup) -> BTreeMap<String, String> {
    group.values().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, instance};

    fn groups(settings: &[(&str, Option<&str>, ApplyMethod)]) -> ParameterGroups {
        let settings = settings.iter().map(|(name, value, method)| {
            ((*name).to_owned(), Setting { value: value.map(str::to_owned), method: *method })
        });
        let group = ParameterGroup {
            name: "mine".into(),
            family: "postgres12".into(),
            description: "mine".into(),
            tags: Tags::new(),
            settings: settings.collect(),
        };
        [("mine".to_owned(), group)].into()
    }

    #[test]
    fn a_static_one_waits_for_a_reboot_and_a_dynamic_one_does_not() {
        use ApplyMethod::{Immediate, PendingReboot};
        for (settings, expected) in [
            (&[("work_mem", Some("64"), Immediate)][..], "applying"),
            (&[("work_mem", Some("64"), PendingReboot)], "pending-reboot"),
            (&[("max_connections", Some("50"), PendingReboot)], "pending-reboot"),
            (&[("work_mem", Some("64"), Immediate), ("max_connections", Some("50"), PendingReboot)], "pending-reboot"),
            (&[("work_mem", None, Immediate)], "in-sync"),
        ] {
            let mut orders = instance("orders");
            orders.parameter_group = "mine".into();
            orders.load_parameters(&groups(&[]));
            orders.compare_parameters(&groups(settings), at(0));
            assert_eq!(orders.running.status(), expected, "{settings:?}");
            orders.running.values = orders.parameters_applied_at_once(&groups(settings));
            assert_eq!(orders.running.values.contains_key("work_mem"), expected == "applying" || settings.len() == 2);
            orders.load_parameters(&groups(settings));
            orders.compare_parameters(&groups(settings), at(1));
            assert_eq!(orders.running.status(), "in-sync", "{settings:?}");
        }
    }

    #[test]
    fn another_group_waits_for_a_reboot_whatever_it_says() {
        let mut orders = instance("orders");
        orders.load_parameters(&ParameterGroups::new());
        orders.parameter_group = "mine".into();
        let groups = groups(&[("work_mem", Some("64"), ApplyMethod::Immediate)]);
        orders.compare_parameters(&groups, at(0));
        assert_eq!((orders.running.status(), orders.running.applying()), ("pending-reboot", None));
    }
}
