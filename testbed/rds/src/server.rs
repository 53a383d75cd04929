//! Starting and stopping the whole.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::num::NonZero;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::thread::available_parallelism;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use rds_model::{Account, Quotas, Timetable};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::args::Options;
use crate::copies;
use crate::counters::Counters;
use crate::endpoints::Endpoints;
use crate::faults::Faults;
use crate::leftovers;
use crate::postgres::certificates::Authority;
use crate::postgres::{AdminPassword, Environment, Layout, Spawner};
use crate::router::router;
use crate::service::Service;
use crate::store::{Store, StoreError, write_atomically};
use crate::throttle::{BURST, Throttle};

/// Days that are shorter have no daily backup: nothing else could be done to an instance between two of them.
const SHORTEST_DAY: Duration = Duration::from_mins(10);

/// A running server. [`Server::stop`] ends it in good order; dropped, its PostgreSQL servers are killed with its runtime.
#[derive(Debug)]
pub struct Server {
    service: Arc<Service>,
    address: SocketAddr,
    serving: JoinHandle<io::Result<()>>,
    /// Held as long as the data directory is in use.
    _lock: Flock<File>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file or folder cannot be used.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server works in the data directory.
    #[error("{path} is in use by another local-rds", path = path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The address is not a loopback one.
    #[error("{0} is not a loopback address, and callers are not authenticated")]
    NotLoopback(SocketAddr),
    /// The state of an earlier run cannot be read.
    #[error(transparent)]
    State(#[from] StoreError),
    /// The certificate authority cannot be made or read.
    #[error("the certificate authority cannot be used: {0}")]
    Authority(String),
}

impl Server {
    /// Starts a server and, in the background, the PostgreSQL servers of the instances it finds. When this returns, it answers.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // Whoever gives the instances a network of their own knows who is in it.
        if !options.listen.ip().is_loopback() && options.instance_network.is_none() {
            return Err(StartError::NotLoopback(options.listen));
        }
        let layout = data_dir(&options.data_dir)?;
        let lock = lock(&layout)?;
        let store = if options.no_engines { Store::in_memory() } else { Store::open(layout.state_file())? };
        let authority =
            Authority::open(&layout, &options.region).map_err(|error| StartError::Authority(error.to_string()))?;
        let spawner = Spawner::start().map_err(file(layout.root()))?;
        let program = match options.program {
            Some(program) => program,
            None => std::env::current_exe().map_err(file(Path::new("/proc/self/exe")))?,
        };
        let (account, region) = (&options.account, &options.region);
        let endpoints = match options.instance_network {
            Some(first) => Endpoints::network(first, options.data_dir.join("hosts"), account, region),
            None => Endpoints::find(account, region).await,
        };
        let env = Environment {
            authority,
            endpoints,
            spawner,
            admin_password: admin_password(&layout)?,
            program,
            log_statements: options.log_statements,
            building: Semaphore::new(available_parallelism().map_or(1, NonZero::get)),
            layout,
        };
        let cooldown = options.storage_cooldown_scale.unwrap_or(options.time_scale);
        let timetable = Timetable::scaled(options.time_scale, cooldown);
        let timetable = Timetable { daily_backups: timetable.day >= SHORTEST_DAY, ..timetable };
        let service = Arc::new(Service {
            account: Account {
                security_groups: options.security_groups,
                subnet_groups: options.subnet_groups,
                quotas: Quotas {
                    instances: options.instance_quota,
                    manual_snapshots: options.snapshot_quota,
                    retained_backups: options.retained_backup_quota,
                    parameter_groups: options.parameter_group_quota,
                },
                ..Account::new(options.account, options.region, timetable)
            },
            store,
            env,
            engines: !options.no_engines,
            counters: Counters::default(),
            faults: Faults::default(),
            throttle: Throttle::new((!options.no_throttling).then_some(BURST)),
            snapshots_of_others: AtomicU32::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            workers: Mutex::new(HashMap::new()),
            files: Mutex::new(()),
        });
        leftovers::clear(&service).await;
        let listener = TcpListener::bind(options.listen).await;
        let listening = |source| StartError::Listen { address: options.listen, source };
        let listener = listener.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let stopping = service.stopping.clone().cancelled_owned();
        let serving =
            axum::serve(listener, router(Arc::clone(&service))).with_graceful_shutdown(stopping).into_future();
        let server = Self { serving: tokio::spawn(serving), service, address, _lock: lock };
        server.resume().await;
        server.announce()?;
        Ok(server)
    }

    /// The address of the API, as for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How clients find the instances, for people.
    pub fn instances(&self) -> String {
        self.service.env.endpoints.to_string()
    }

    /// The certificate authority that has signed the certificates of all instances, in PEM.
    pub fn ca_pem_path(&self) -> PathBuf {
        self.service.env.layout.ca_certificate()
    }

    /// Waits until the API ends by itself, which is a failure.
    pub async fn ended(&mut self) -> io::Error {
        match (&mut self.serving).await {
            Ok(Ok(())) => io::Error::other("the API has ended"),
            Ok(Err(error)) => error,
            Err(panicked) => io::Error::other(panicked),
        }
    }

    /// Stops answering, stops all PostgreSQL servers and waits for them.
    pub async fn stop(self) {
        self.service.stopping.cancel();
        self.service.tasks.close();
        self.service.tasks.wait().await;
        // Open connections of idle clients would hold it; everything it does is done.
        self.serving.abort();
        let _ = std::fs::remove_file(self.service.env.layout.ready_file());
    }

    /// Every instance gets its worker again, which takes up what was unfinished; so do the copies of snapshots.
    async fn resume(&self) {
        copies::resume(&self.service).await;
        let resource_ids: Vec<String> = self
            .service
            .store
            .read(|state| {
                let instances = state.instances.values();
                instances.map(|instance| instance.resource_id.clone()).collect()
            })
            .await;
        for resource_id in resource_ids {
            self.service.attend(&resource_id).await;
        }
    }

    /// Writes `ready.json`.
    fn announce(&self) -> Result<(), StartError> {
        let path = self.service.env.layout.ready_file();
        let ready = json!({
            "endpoint": self.endpoint(),
            "ca": self.ca_pem_path(),
            "instances": self.instances(),
            "pid": std::process::id(),
        });
        write_atomically(&path, format!("{ready}\n").as_bytes()).map_err(file(&path))
    }
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::File { path, source }
}

/// Makes the data directory, which others may enter but not list, and takes a `ready.json` of an earlier run away.
fn data_dir(path: &Path) -> Result<Layout, StartError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(path).map_err(file(path))?;
    // PostgreSQL is started elsewhere, and its lock files are compared with /proc.
    let layout = Layout::new(path.canonicalize().map_err(file(path))?);
    let _ = std::fs::remove_file(layout.ready_file());
    Ok(layout)
}

fn lock(layout: &Layout) -> Result<Flock<File>, StartError> {
    let path = layout.lock_file();
    let handle = File::create(&path).map_err(file(&path))?;
    Flock::lock(handle, FlockArg::LockExclusiveNonblock)
        .map_err(|_| StartError::InUse { path: layout.root().to_owned() })
}

/// The password of `rdsadmin`, made once.
fn admin_password(layout: &Layout) -> Result<AdminPassword, StartError> {
    let path = layout.admin_password();
    if !path.exists() {
        let (high, low): (u128, u128) = (rand::random(), rand::random());
        let password = format!("{high:032x}{low:032x}");
        write_atomically(&path, password.as_bytes()).map_err(file(&path))?;
    }
    std::fs::read_to_string(&path).map(AdminPassword::new).map_err(file(&path))
}
