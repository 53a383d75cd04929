//! A certificate authority, and a folder of certificates as kubelet mounts it.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::CertificateDer;
use webhook::tls::CertificateFiles;

/// Name of the Service, which the API server checks.
pub const SERVER: &str = "rds-webhook.rds-system.svc";

/// An authority that signs leaves.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, for clients to trust.
    pub root: CertificateDer<'static>,
}

/// A leaf and its key, both PEM.
#[derive(Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a root").der().clone();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// A leaf that holds from now, by the system's clock, for `lifetime`; negative ones ended already.
    pub fn leaf(&self, from: i64, to: i64) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![SERVER.to_owned()]).expect("a name");
        let at = |offset: i64| {
            let now = Timestamp::now().as_second();
            (std::time::SystemTime::UNIX_EPOCH + Duration::from_secs((now + offset).cast_unsigned())).into()
        };
        params.not_before = at(from);
        params.not_after = at(to);
        let cert = params.signed_by(&key, &self.issuer).expect("a leaf");
        Pair { cert: cert.pem(), key: key.serialize_pem() }
    }
}

/// A mounted Secret: `tls.crt` and `tls.key` are links into `..data`, which is a link to a folder that is swapped as a whole.
pub struct Mount {
    root: tempfile::TempDir,
    generation: std::cell::Cell<u32>,
}

impl Mount {
    pub fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        for file in ["tls.crt", "tls.key"] {
            symlink(Path::new("..data").join(file), root.path().join(file)).expect("a link");
        }
        Self { root, generation: std::cell::Cell::new(0) }
    }

    pub fn files(&self) -> CertificateFiles {
        CertificateFiles { cert: self.path("tls.crt"), key: self.path("tls.key") }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.root.path().join(file)
    }

    /// Swaps the folder, as kubelet does: a new one beside it, a new link, one rename.
    pub fn swap(&self, pair: &Pair) {
        let generation = self.generation.get() + 1;
        self.generation.set(generation);
        let folder = format!("..generation_{generation}");
        std::fs::create_dir(self.path(&folder)).expect("a folder");
        std::fs::write(self.path(&folder).join("tls.crt"), &pair.cert).expect("written");
        std::fs::write(self.path(&folder).join("tls.key"), &pair.key).expect("written");
        symlink(&folder, self.path("..data_tmp")).expect("a link");
        std::fs::rename(self.path("..data_tmp"), self.path("..data")).expect("swapped");
        if generation > 1 {
            std::fs::remove_dir_all(self.path(&format!("..generation_{}", generation - 1))).expect("removed");
        }
    }
}
