//! The configuration files of an instance, written anew at each start.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::path::Path;

use rds_model::EngineVersion;

use super::parameters;
use super::recovery::{self, Target};
use crate::endpoints::Listening;

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The clients of the instance, as its parameter group says.
    Clients,
    /// The service alone, also without TLS, and nothing of the group holds.
    Service,
}

/// What the configuration depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config<'a> {
    pub(crate) version: EngineVersion,
    /// Where clients come to.
    pub(crate) listening: &'a Listening,
    pub(crate) access: Access,
    /// The instance's folder, with the certificate.
    pub(crate) folder: &'a Path,
    /// The host based access rules.
    pub(crate) hba: &'a Path,
    pub(crate) logs: &'a Path,
    /// What the parameter group says that the default one does not.
    pub(crate) values: &'a BTreeMap<String, String>,
    /// The instance class, which formulas go by.
    pub(crate) class: &'a str,
    /// Whether statements that modify are logged, so that they can be counted.
    pub(crate) log_statements: bool,
    /// Whether its write-ahead log is kept.
    pub(crate) archive: bool,
    /// Whether clients can only read, as from a read replica.
    pub(crate) read_only: bool,
    /// How far the log of another server is played first.
    pub(crate) recovery: Option<Target>,
}

impl Config<'_> {
    /// `postgresql.conf`: what RDS sets, and sizes that let many servers share a machine. Without fsync a crash of the machine may cost the
    /// data, which a test bed can afford; a crash of the servers does not.
    pub(crate) fn postgresql_conf(&self) -> String {
        let file = |name: &str| quote(&self.folder.join(name));
        let force_ssl = u8::from(parameters::force_ssl(self.version, self.values));
        let log_statement = if self.log_statements { "mod" } else { "none" };
        let addresses: Vec<String> = self.listening.addresses.iter().map(IpAddr::to_string).collect();
        let mut conf = format!(
            "listen_addresses = '{addresses}'\n\
             port = {port}\n\
             unix_socket_directories = ''\n\
             hba_file = {hba}\n\
             ssl = on\n\
             ssl_cert_file = {certificate}\n\
             ssl_key_file = {key}\n\
             rds.force_ssl = {force_ssl}\n\
             rds.extensions = {extensions}\n\
             shared_preload_libraries = 'pg_stat_statements'\n\
             max_connections = 60\n\
             shared_buffers = 16MB\n\
             max_wal_size = 256MB\n\
             min_wal_size = 32MB\n\
             max_worker_processes = 4\n\
             huge_pages = off\n\
             fsync = off\n\
             timezone = 'UTC'\n\
             log_timezone = 'UTC'\n\
             logging_collector = on\n\
             log_directory = {logs}\n\
             log_filename = 'postgresql.log.%Y-%m-%d-%H'\n\
             log_rotation_age = 60\n\
             log_rotation_size = 0\n\
             log_truncate_on_rotation = off\n\
             log_line_prefix = '{prefix}'\n\
             log_checkpoints = off\n\
             log_statement = {log_statement}\n",
            addresses = addresses.join(", "),
            port = self.listening.port,
            extensions = super::admin::literal(&super::extensions::setting()),
            hba = quote(self.hba),
            certificate = file("server.crt"),
            key = file("server.key"),
            logs = quote(self.logs),
            prefix = super::logs::LINE_PREFIX,
        );
        if self.archive {
            conf.push_str(&recovery::archiving(self.version));
        }
        if self.read_only {
            conf.push_str("default_transaction_read_only = on\n");
        }
        if let Some(target) = self.recovery {
            conf.push_str(&target.settings());
        }
        if self.version.major >= 18 {
            // One process less for each of the many servers.
            conf.push_str("io_method = sync\n");
        }
        if self.access == Access::Clients {
            conf.push_str(&parameters::lines(self.values, self.class));
        }
        conf
    }

    /// `pg_hba.conf`: `rdsadmin` is the service's own; everyone else comes over TLS, where it is not forced also without.
    pub(crate) fn pg_hba_conf(&self) -> String {
        if self.access == Access::Service {
            return format!("host all rdsadmin {}/32 scram-sha-256\n", self.listening.addresses[0]);
        }
        // `md5` accepts a SCRAM verifier too, and does SCRAM then.
        let mut rules = format!(
            "hostssl all rdsadmin {}/32 scram-sha-256\n\
             host all rdsadmin all reject\n\
             host rdsadmin all all reject\n\
             host replication all all reject\n",
            self.listening.addresses[0]
        );
        let everyone = if parameters::force_ssl(self.version, self.values) { "hostssl" } else { "host" };
        if !self.listening.from_this_machine {
            let _ = writeln!(rules, "{everyone} all all all md5");
            return rules;
        }
        // They come from the address that they come to.
        for address in &self.listening.addresses {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            // Writing to a String cannot fail.
            let _ = writeln!(rules, "{everyone} all all {address}/{bits} md5");
        }
        rules
    }
}

fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::LazyLock;

    use super::*;

    static LOOPBACK: LazyLock<Listening> = LazyLock::new(|| Listening {
        addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        port: 20_000,
        from_this_machine: true,
    });

    static DEFAULTS: BTreeMap<String, String> = BTreeMap::new();

    fn config(major: u16) -> Config<'static> {
        Config {
            version: EngineVersion::default_of(major).unwrap(),
            listening: &LOOPBACK,
            access: Access::Clients,
            folder: Path::new("/it's"),
            hba: Path::new("/it's/pg_hba.conf"),
            logs: Path::new("/logs"),
            values: &DEFAULTS,
            class: "db.t4g.micro",
            log_statements: true,
            archive: true,
            read_only: false,
            recovery: None,
        }
    }

    #[test]
    fn clients_come_to_every_address_of_a_name() {
        assert!(config(12).postgresql_conf().starts_with("listen_addresses = '127.0.0.1, ::1'\n"));
        assert!(config(12).pg_hba_conf().ends_with("\nhost all all 127.0.0.1/32 md5\nhost all all ::1/128 md5\n"));
    }

    #[test]
    fn a_network_of_the_instances_own_is_open_to_others() {
        let listening = Listening { addresses: vec![[198, 18, 78, 32].into()], port: 5432, from_this_machine: false };
        let rules = Config { listening: &listening, ..config(15) }.pg_hba_conf();
        assert!(
            rules.starts_with("hostssl all rdsadmin 198.18.78.32/32 scram-sha-256\nhost all rdsadmin all reject\n")
        );
        assert!(rules.ends_with("\nhostssl all all all md5\n"));
    }

    #[test]
    fn the_log_is_kept_and_played_where_that_is_wanted() {
        assert!(config(17).postgresql_conf().contains("archive_command = 'cp --sparse=always %p ../archive/17/%f'\n"));
        assert!(!Config { archive: false, ..config(17) }.postgresql_conf().contains("archive"));
        let at = "2026-03-01T04:05:06.123456789Z".parse().unwrap();
        let conf = |target| Config { recovery: Some(target), ..config(17) }.postgresql_conf();
        assert!(conf(Target::At(at)).contains("recovery_target_time = '2026-03-01 04:05:06.123456+00'\n"));
        assert!(!conf(Target::End).contains("recovery_target_time") && conf(Target::End).contains("hot_standby = off"));
    }

    #[test]
    fn tls_is_forced_from_15_on() {
        assert!(config(14).pg_hba_conf().contains("\nhost all all"));
        assert!(config(15).pg_hba_conf().contains("\nhostssl all all"));
        assert!(config(15).postgresql_conf().contains("rds.force_ssl = 1\n"));
        assert!(config(12).postgresql_conf().contains("'/it''s/server.key'"));
    }
}
