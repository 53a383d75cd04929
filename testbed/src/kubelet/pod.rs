//! A Pod as a rendered Deployment asks for it, and what its one container is told.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{Container, EnvVar, PodSpec, Probe as ProbeSpec, ServiceAccount, Volume as PodVolume},
    },
    apimachinery::pkg::util::intstr::IntOrString,
};

/// A Pod with one container.
#[derive(Clone, Debug)]
pub struct Pod {
    pub(super) namespace: String,
    /// The ServiceAccount whose token it gets; none where the manifests withhold it.
    pub(super) token_of: Option<String>,
    args: Vec<String>,
    env: Vec<(String, Source)>,
    pub(super) mounts: Vec<Mount>,
    ports: BTreeMap<String, u16>,
    readiness: Probe,
    grace: Duration,
    /// Paths that its image has and this machine has elsewhere.
    image_files: Vec<(String, PathBuf)>,
}

/// How the kubelet asks whether a Pod is ready.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The page, with its slash.
    pub path: String,
    /// The port it is on.
    pub port: u16,
    /// The time from one question to the next.
    pub period: Duration,
    /// How many bad answers in a row make it unready.
    pub failures: u32,
}

/// A volume and where the container sees it.
#[derive(Clone, Debug)]
pub(super) struct Mount {
    pub(super) volume: String,
    pub(super) path: String,
    pub(super) content: Content,
}

/// What is in a volume.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The keys of an object as files.
    Keys { of: Keeper, name: String, optional: bool, mode: u32 },
    /// Nothing at first.
    Empty,
}

/// The kind of object whose keys become files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keeper {
    Secret,
    ConfigMap,
}

/// Where a variable of the environment comes from.
#[derive(Clone, Debug)]
enum Source {
    Value(String),
    Field(String),
}

/// What a container's process is given: its environment and its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) env: Vec<(String, String)>,
    pub(super) args: Vec<String>,
}

/// Where a Pod runs.
#[derive(Clone, Debug)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) address: Ipv4Addr,
    /// Below it, each volume has a folder of its name.
    pub(super) volumes: &'a Path,
}

impl Pod {
    /// Reads what a Deployment asks for, together with the ServiceAccount that it names.
    ///
    /// # Errors
    /// When it asks for something that the test bed does not play: better than to leave it out in silence.
    pub fn new(deployment: &Deployment, account: &ServiceAccount) -> Result<Self> {
        let name = deployment.metadata.name.as_deref().unwrap_or_default();
        Self::parse(deployment, account).with_context(|| format!("the Deployment {name}"))
    }

    fn parse(deployment: &Deployment, account: &ServiceAccount) -> Result<Self> {
        let template = deployment.spec.as_ref().map(|spec| &spec.template).context("it has no spec")?;
        let spec = template.spec.as_ref().context("its template has no spec")?;
        let [container] = spec.containers.as_slice() else { bail!("it has not one container") };
        ensure!(spec.init_containers.as_ref().is_none_or(Vec::is_empty), "init containers are not played");
        ensure!(container.command.is_none() && container.env_from.is_none(), "command and envFrom are not played");
        ensure!(spec.service_account_name == account.metadata.name, "its ServiceAccount is another");
        let automount = spec.automount_service_account_token.or(account.automount_service_account_token);
        let ports: BTreeMap<_, _> = container
            .ports
            .iter()
            .flatten()
            .map(|port| Ok((port.name.clone().unwrap_or_default(), u16::try_from(port.container_port)?)))
            .collect::<Result<_>>()?;
        Ok(Self {
            namespace: deployment.metadata.namespace.clone().context("it has no namespace")?,
            token_of: account.metadata.name.clone().filter(|_| automount.unwrap_or(true)),
            args: container.args.clone().unwrap_or_default(),
            env: container.env.iter().flatten().map(source).collect::<Result<_>>()?,
            mounts: mounts(spec, container)?,
            readiness: readiness(container.readiness_probe.as_ref().context("it has no readiness probe")?, &ports)?,
            ports,
            grace: Duration::from_secs(u64::try_from(spec.termination_grace_period_seconds.unwrap_or(30))?),
            image_files: Vec::new(),
        })
    }

    /// Gives a flag of the manifest another value.
    ///
    /// # Errors
    /// When the manifest has no such flag: the change would go unnoticed.
    pub fn set_flag(mut self, flag: &str, value: &str) -> Result<Self> {
        let found = self.args.iter_mut().find(|arg| arg.split_once('=').is_some_and(|(name, _)| name == flag));
        *found.with_context(|| format!("the manifest has no {flag}=…"))? = format!("{flag}={value}");
        Ok(self)
    }

    /// Adds a flag that the manifest has not.
    ///
    /// # Errors
    /// When it has it: that one is to be changed.
    pub fn add_flag(mut self, flag: &str, value: &str) -> Result<Self> {
        ensure!(!self.args.iter().any(|arg| arg.split('=').next() == Some(flag)), "the manifest has {flag} already");
        self.args.push(format!("{flag}={value}"));
        Ok(self)
    }

    /// Adds a variable of the environment, which wins over the manifest's.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), Source::Value(value.into())));
        self
    }

    /// Says where on this machine a file of the image is.
    #[must_use]
    pub fn image_file(mut self, path: &str, here: PathBuf) -> Self {
        self.image_files.push((path.to_owned(), here));
        self
    }

    /// The container's port of this name.
    ///
    /// # Errors
    /// When the manifest has none.
    pub fn port(&self, name: &str) -> Result<u16> {
        self.ports.get(name).copied().with_context(|| format!("the manifest has no port named {name}"))
    }

    /// How its readiness is asked for.
    pub fn readiness(&self) -> &Probe {
        &self.readiness
    }

    /// How long it may take to end before it is killed.
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// The environment and the arguments, as they are in the manifest but for addresses and paths.
    pub(super) fn command(&self, place: &Place<'_>) -> Result<Command> {
        let mut env: Vec<(String, String)> = Vec::new();
        for (name, source) in &self.env {
            let value = match source {
                Source::Value(text) => self.here(&expand(text, &env), place),
                Source::Field(path) => self.field(path, place)?,
            };
            env.retain(|(known, _)| known != name);
            env.push((name.clone(), value));
        }
        let args = self.args.iter().map(|arg| self.here(&expand(arg, &env), place)).collect();
        Ok(Command { env, args })
    }

    fn field(&self, path: &str, place: &Place<'_>) -> Result<String> {
        Ok(match path {
            "metadata.namespace" => self.namespace.clone(),
            "metadata.name" => place.name.to_owned(),
            "status.podIP" => place.address.to_string(),
            other => bail!("the field {other} is not played"),
        })
    }

    /// What a process outside of a container has to be told instead: its own address in place of all addresses, and where mounts and files
    /// of the image are.
    fn here(&self, text: &str, place: &Place<'_>) -> String {
        let (flag, value) = text.split_once('=').map_or(("", text), |(flag, value)| (flag, value));
        let with_flag = |value: String| if flag.is_empty() { value } else { format!("{flag}={value}") };
        if let Some(port) = value.strip_prefix("0.0.0.0:") {
            return with_flag(format!("{}:{port}", place.address));
        }
        if let Some((_, here)) = self.image_files.iter().find(|(path, _)| path == value) {
            return with_flag(here.display().to_string());
        }
        for mount in &self.mounts {
            let folder = place.volumes.join(&mount.volume);
            match value.strip_prefix(mount.path.as_str()) {
                Some("") => return with_flag(folder.display().to_string()),
                Some(rest) if rest.starts_with('/') => return with_flag(format!("{}{rest}", folder.display())),
                _ => {}
            }
        }
        text.to_owned()
    }
}

fn source(variable: &EnvVar) -> Result<(String, Source)> {
    let name = variable.name.clone();
    let source = match &variable.value_from {
        None => Source::Value(variable.value.clone().unwrap_or_default()),
        Some(from) => {
            let field = from.field_ref.as_ref();
            Source::Field(field.with_context(|| format!("the variable {name} comes from no field"))?.field_path.clone())
        }
    };
    Ok((name, source))
}

fn mounts(spec: &PodSpec, container: &Container) -> Result<Vec<Mount>> {
    let volumes: BTreeMap<_, _> = spec.volumes.iter().flatten().map(|volume| (volume.name.as_str(), volume)).collect();
    let mounts = container.volume_mounts.iter().flatten().map(|mount| {
        ensure!(mount.sub_path.is_none(), "subPath is not played: what it shows is never refreshed");
        let volume = volumes.get(mount.name.as_str()).with_context(|| format!("no volume {}", mount.name))?;
        Ok(Mount { volume: mount.name.clone(), path: mount.mount_path.clone(), content: content(volume)? })
    });
    mounts.collect()
}

fn content(volume: &PodVolume) -> Result<Content> {
    if volume.empty_dir.is_some() {
        return Ok(Content::Empty);
    }
    if let Some(map) = &volume.config_map {
        ensure!(map.items.is_none(), "items of a ConfigMap are not played");
        return keys(Keeper::ConfigMap, Some(map.name.clone()), map.optional, map.default_mode);
    }
    let secret = volume.secret.as_ref();
    let secret = secret.with_context(|| format!("the volume {} is of a kind that is not played", volume.name))?;
    ensure!(secret.items.is_none(), "items of a Secret are not played");
    keys(Keeper::Secret, secret.secret_name.clone(), secret.optional, secret.default_mode)
}

fn keys(of: Keeper, name: Option<String>, optional: Option<bool>, mode: Option<i32>) -> Result<Content> {
    Ok(Content::Keys {
        of,
        name: name.with_context(|| format!("a volume of a {of:?} without a name"))?,
        optional: optional.unwrap_or(false),
        mode: u32::try_from(mode.unwrap_or(0o644))?,
    })
}

fn readiness(probe: &ProbeSpec, ports: &BTreeMap<String, u16>) -> Result<Probe> {
    let page = probe.http_get.as_ref().context("its readiness is not asked for by HTTP")?;
    let port = match &page.port {
        IntOrString::Int(number) => u16::try_from(*number)?,
        IntOrString::String(name) => *ports.get(name).with_context(|| format!("no port named {name}"))?,
    };
    Ok(Probe {
        path: page.path.clone().unwrap_or_else(|| "/".to_owned()),
        port,
        period: Duration::from_secs(u64::try_from(probe.period_seconds.unwrap_or(10))?),
        failures: u32::try_from(probe.failure_threshold.unwrap_or(3))?,
    })
}

/// `$(NAME)` becomes the variable's value, `$$` a dollar; a name that is not known stays as it is.
///
/// As Kubernetes documents it for `args`, `command` and `env`.
fn expand(text: &str, env: &[(String, String)]) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let known = after.strip_prefix('(').and_then(|inner| {
            let (name, tail) = inner.split_once(')')?;
            let (_, value) = env.iter().find(|(known, _)| known == name)?;
            Some((value, tail))
        });
        rest = if let Some((value, tail)) = known {
            expanded.push_str(value);
            tail
        } else {
            expanded.push('$');
            after.strip_prefix('$').unwrap_or(after)
        };
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYMENT: &str = "
metadata: {name: web, namespace: shop}
spec:
  selector: {}
  template:
    spec:
      serviceAccountName: web
      terminationGracePeriodSeconds: 40
      containers:
        - name: web
          args: ['--listen=0.0.0.0:8443', --cert=/tls/tls.crt, --ca=/etc/ca.pem, '--in=$(SPACE)', --tlsdir=/tlsx, --flag]
          env:
            - {name: SPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
            - {name: FOLDER, value: /tls}
          ports: [{name: admin, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /readyz, port: admin}, periodSeconds: 2}
          volumeMounts: [{name: pair, mountPath: /tls}]
      volumes: [{name: pair, secret: {secretName: web-tls, optional: true, defaultMode: 288}}]
";

    fn pod(automount: &str) -> Pod {
        let deployment = serde_yaml_ng::from_str(DEPLOYMENT).unwrap();
        let account = serde_yaml_ng::from_str(&format!("{{metadata: {{name: web}}{automount}}}")).unwrap();
        Pod::new(&deployment, &account).unwrap()
    }

    fn place() -> Place<'static> {
        Place { name: "web-1", address: Ipv4Addr::new(127, 1, 2, 3), volumes: Path::new("/var/pods") }
    }

    #[test]
    fn a_process_is_told_what_the_manifest_says() {
        let Command { env, args } =
            pod("").image_file("/etc/ca.pem", PathBuf::from("/here/ca.pem")).command(&place()).unwrap();
        let expected = [
            "--listen=127.1.2.3:8443",
            "--cert=/var/pods/pair/tls.crt",
            "--ca=/here/ca.pem",
            "--in=shop",
            "--tlsdir=/tlsx",
            "--flag",
        ];
        assert_eq!(args, expected);
        let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(env, [("SPACE", "shop"), ("FOLDER", "/var/pods/pair")]);
    }

    #[test]
    fn a_token_is_for_those_who_may_have_one() {
        assert_eq!(pod("").token_of.as_deref(), Some("web"));
        assert_eq!(pod(", automountServiceAccountToken: true").token_of.as_deref(), Some("web"));
        assert_eq!(pod(", automountServiceAccountToken: false").token_of, None);
    }

    #[test]
    fn a_change_of_what_is_not_there_is_an_error() {
        let Command { args, .. } = pod("").set_flag("--in", "yard").unwrap().command(&place()).unwrap();
        assert_eq!(args[3], "--in=yard");
        assert!(pod("").set_flag("--out", "yard").is_err());
        assert!(pod("").add_flag("--in", "yard").is_err());
        assert!(pod("").add_flag("--out", "yard").is_ok());
    }

    #[test]
    fn variables_are_expanded_as_kubernetes_does() {
        let env = [("A".to_owned(), "1".to_owned())];
        for (text, expected) in
            [("$(A)$(A)", "11"), ("$(B)", "$(B)"), ("$$(A)", "$(A)"), ("5$ $A", "5$ $A"), ("$(A", "$(A")]
        {
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }
}
