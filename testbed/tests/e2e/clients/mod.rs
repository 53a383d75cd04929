//! Real clients log in with nothing but the files of a user's Secret, mounted as the kubelet mounts it: each verifies the server, refuses one
//! that cannot prove itself, and shows no password, whatever goes wrong and however much it logs.
//!
//! What needs no more than the test bed itself runs with the other tests; `./test.sh clients` runs those of other languages too.

mod example;
mod rust;
mod wrong;

use std::{
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use libtest_mimic::Trial;
use testbed::{controlplane::pki::Authority, eventually::eventually, kubelet::Volume, ports};
use tokio::{process::Command, time::timeout};

pub(crate) use self::rust::run_as_client;
use self::wrong::{Keys, Wrong};
use crate::{
    scene::Scene,
    world::{World, trial},
};

/// What installs and runs the clients of other languages, each a folder beside it.
const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");

/// Those that need more than the test bed has.
const FURTHER: [&str; 7] = ["psql", "python", "pgx", "node", "jdbc", "spring", "quarkus"];

/// What `client.sh` ends with where the machine lacks something.
const LACKING: i32 = 3;

/// How long a client may take: Java starts slowly on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// What each client asks, and what the server answers to the user `app`.
const QUESTION: &str = "SELECT format('%s is in %s as %s', session_user, current_database(), current_user)";
const ANSWER: &str = "app is in orders as orders-owner";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    let mut trials = vec![
        trial(world, "clients::each_mistake_is_where_it_should_be", async |_| wrong::is_where_it_should_be()),
        trial(world, "clients::i4_a_password_that_is_shown_is_found", async |_| a_password_that_is_shown_is_found()),
        trial(
            world,
            "clients::the_example_application_is_admitted_and_mounts_the_binding",
            example::is_admitted_and_mounts_the_binding,
        ),
        trial(world, "clients::i4_rust_needs_only_the_secret", async |world| needs_only_the_secret(world, RUST).await),
        trial(world, "clients::i4_libpq_needs_only_the_secret", async |world| {
            needs_only_the_secret(world, "libpq").await
        }),
    ];
    trials.extend(FURTHER.map(|client| {
        let test = async move |world: &World| needs_only_the_secret(world, client).await;
        trial(world, &format!("clients::i4_{client}_needs_only_the_secret"), test).with_ignored_flag(true)
    }));
    trials
}

/// The client that is this very program.
const RUST: &str = "rust";

async fn needs_only_the_secret(world: &World, client: &str) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, &format!("client-{client}")).await?;
    // From 15 on there is nothing without TLS, and what comes with it is a libpq that looks for addresses in certificates.
    scene.apply("orders", r#"{version: "18", users: {app: []}, databases: {orders: [app]}}"#).await?;
    let database = scene.ready("orders").await?;
    let Some(client) = Client::install(client).await? else { return Ok(()) };
    let secret = database.at("/status/binding/name").as_str().context("no binding")?.to_owned();
    let (right, folder) = (scene.keys(&secret).await?, world.folder(&scene.namespace));
    let password: String = right["password"].chars().rev().collect();
    let passwords = [right["password"].as_str(), password.as_str()];
    tell(client.name, &format!("instances are at {}", stack.rds().instances()?))?;

    let mounted = Mount::of(&scene, &secret, &folder).await?;
    let told = client.run(&mounted).await?;
    ensure!(told.status.success() && text(&told).contains(ANSWER), "{}: {}", client.name, Shown(&told, passwords));
    tell(client.name, ANSWER)?;
    let mut outputs = vec![("the Secret", told)];

    let (authority, [closed]) = (Authority::new("another authority")?, ports::free()?);
    let mistakes = [
        Wrong::Authority(authority.certificate()),
        Wrong::Name("localhost"),
        Wrong::Password(&password),
        Wrong::Port(closed),
    ];
    for wrong in mistakes {
        make(&scene, wrong.name(), &wrong.in_place_of(&right)?).await?;
        let told = client.run(&Mount::of(&scene, wrong.name(), &folder).await?).await?;
        let refused = !told.status.success() && !text(&told).contains(ANSWER);
        let reason = wrong.reasons().iter().find(|&reason| text(&told).contains(reason)).filter(|_| refused);
        let not_so =
            || format!("{} with {}: not refused for that: {}", client.name, wrong.name(), Shown(&told, passwords));
        tell(client.name, &format!("refused with {}: {}", wrong.name(), reason.with_context(not_so)?))?;
        outputs.push((wrong.name(), told));
    }
    for (case, told) in &outputs {
        let shown = passwords.into_iter().any(|password| shows(&text(told), password));
        ensure!(!shown, "{} shows a password with {case}: {}", client.name, Shown(told, passwords));
    }
    follows_a_new_password(&scene, &client, &mounted, &secret, &right["password"]).await
}

/// The files under a mount change with the Secret: who reads them when it connects needs no restart.
async fn follows_a_new_password(
    scene: &Scene<'_>,
    client: &Client<'_>,
    mounted: &Mount,
    secret: &str,
    before: &str,
) -> Result<()> {
    scene.ok(&["delete", "secret", secret]).await?;
    eventually("the same files to lead in with a new password", async || {
        let told = client.run(mounted).await?;
        let password = std::fs::read_to_string(mounted.secret().join("password"))?;
        ensure!(password != before, "the password is still the old one");
        ensure!(text(&told).contains(ANSWER), "{}", Shown(&told, [before, &password]));
        Ok(())
    })
    .await
}

/// A program that can be run.
struct Client<'a> {
    name: &'a str,
    program: PathBuf,
    args: Vec<&'a str>,
    installed: PathBuf,
}

impl<'a> Client<'a> {
    /// None where the machine lacks what it runs on, which is said aloud.
    async fn install(name: &'a str) -> Result<Option<Self>> {
        if name == RUST {
            let program = std::env::current_exe()?;
            return Ok(Some(Self { name, program, args: vec![rust::VERB], installed: PathBuf::new() }));
        }
        let program = Path::new(CLIENTS).join("client.sh");
        let output = Command::new(&program).args([name, "install"]).kill_on_drop(true).output();
        let output = output.await.context("running client.sh")?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() == Some(LACKING) && FURTHER.contains(&name) {
            tell(name, &format!("SKIPPED: {}", said.trim()))?;
            return Ok(None);
        }
        ensure!(output.status.success(), "{name} cannot be installed: {said}");
        tell(name, &format!("runs on {}", said.lines().next().unwrap_or_default()))?;
        let installed = String::from_utf8(output.stdout)?.trim().into();
        Ok(Some(Self { name, program, args: vec![name, "run"], installed }))
    }

    /// Runs it as a container's only process would be: it finds what is mounted, two variables, and nothing of the person at the keyboard.
    async fn run(&self, mount: &Mount) -> Result<Output> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", &mount.home)
            .env("SERVICE_BINDING_ROOT", &mount.bindings)
            .env("PGSSLROOTCERT", mount.secret().join("root.crt"))
            .env("INSTALLED", &self.installed)
            .env("QUESTION", QUESTION)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let ended = timeout(PATIENCE, command.output()).await;
        ended.with_context(|| format!("{} does not end", self.name))?.with_context(|| format!("running {}", self.name))
    }
}

/// A mounted Secret: in the folder `orders`, as an application that finds its bindings by SERVICE_BINDING_ROOT expects it.
struct Mount {
    bindings: PathBuf,
    /// Where neither a password file nor an authority lies.
    home: PathBuf,
    _volume: Volume,
}

impl Mount {
    async fn of(scene: &Scene<'_>, secret: &str, folder: &Path) -> Result<Self> {
        let (bindings, home) = (folder.join(secret).join("bindings"), folder.join(secret).join("home"));
        std::fs::create_dir_all(&home)?;
        let client = scene.stack.controlplane().client();
        let volume = Volume::of_secret(client, &scene.namespace, secret, &bindings.join("orders")).await?;
        Ok(Self { bindings, home, _volume: volume })
    }

    fn secret(&self) -> PathBuf {
        self.bindings.join("orders")
    }
}

async fn make(scene: &Scene<'_>, name: &str, keys: &Keys) -> Result<()> {
    let secrets: Api<Secret> = Api::namespaced(scene.stack.controlplane().client(), &scene.namespace);
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let secret = Secret { metadata, string_data: Some(keys.clone()), ..Secret::default() };
    secrets.create(&PostParams::default(), &secret).await?;
    Ok(())
}

fn tell(client: &str, what: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "clients: {client}: {what}")?)
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes)).join("\n")
}

/// What a client printed, for an error message: without the passwords, and not all of it.
struct Shown<'a>(&'a Output, [&'a str; 2]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.1.iter().fold(text(self.0), |text, password| text.replace(password, "<the password>"));
        let from = all.char_indices().rev().nth(4000).map_or(0, |(index, _)| index);
        write!(f, "{}\n{}", self.0.status, &all[from..])
    }
}

/// Whether a password is in a text, in one of the forms in which programs write one.
fn shows(text: &str, password: &str) -> bool {
    let numbers =
        |number: &dyn Fn(u8) -> String, between: &str| password.bytes().map(number).collect::<Vec<_>>().join(between);
    let hex = |byte: u8| format!("{byte:02x}");
    // What base64 makes of the password depends on what is before and behind it; the middle depends on the length of the former alone.
    let base64 = (0..3).map(|before| {
        let encoded = BASE64_STANDARD.encode([&b"   "[..before], password.as_bytes()].concat());
        encoded[4..encoded.len() - 4].to_owned()
    });
    let forms = [password.to_owned(), numbers(&hex, ""), numbers(&hex, " "), numbers(&|byte| byte.to_string(), ", ")];
    forms.into_iter().chain(base64).any(|form| text.contains(&form))
}

fn a_password_that_is_shown_is_found() -> Result<()> {
    const PASSWORD: &str = "q4Zt8mKx2LpW9vRb6NcY3sHd7JfG5aTe";
    let base64 = |text: String| BASE64_STANDARD.encode(text);
    for line in [
        format!("postgresql://app:{PASSWORD}@127.0.0.1:5432/orders"),
        base64(format!("\0app\0{PASSWORD}")),
        base64(format!("app:{PASSWORD}@")),
        base64(format!("password={PASSWORD}&")),
        format!("{:?}", PASSWORD.as_bytes()),
        format!("<Buffer 00 {} 00>", PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")),
    ] {
        ensure!(shows(&line, PASSWORD), "not found in {line}");
    }
    ensure!(!shows("SCRAM-SHA-256 app@127.0.0.1 root.crt", PASSWORD), "found where it is not");
    Ok(())
}
