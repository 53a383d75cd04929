//! The certificate authority, made once, and the certificates it signs for the instances.

use std::net::{IpAddr, Ipv4Addr};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, date_time_ymd,
};

use super::{Layout, PostgresError};
use crate::store::write_atomically;

/// Signs the certificates of the instances.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads the authority of a data directory, or makes it.
    pub(crate) fn open(layout: &Layout) -> Result<Self, PostgresError> {
        let (certificate_file, key_file) = (layout.ca_certificate(), layout.ca_key());
        if !(certificate_file.exists() && key_file.exists()) {
            let key = KeyPair::generate()?;
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, "Local RDS Root CA");
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.not_before = date_time_ymd(2024, 1, 1);
            params.not_after = date_time_ymd(2061, 1, 1);
            let certificate = params.self_signed(&key)?;
            write_atomically(&key_file, key.serialize_pem().as_bytes()).map_err(PostgresError::file(&key_file))?;
            write_atomically(&certificate_file, certificate.pem().as_bytes())
                .map_err(PostgresError::file(&certificate_file))?;
        }
        let read = |path| std::fs::read_to_string(&path).map_err(PostgresError::file(path));
        let key = KeyPair::from_pem(&read(key_file)?)?;
        Ok(Self { issuer: Issuer::from_ca_cert_pem(&read(certificate_file)?, key)? })
    }

    /// Writes `server.crt` and `server.key` for 127.0.0.1 into an instance's folder, once.
    pub(crate) fn certify(&self, layout: &Layout, resource_id: &str) -> Result<(), PostgresError> {
        let folder = layout.instance(resource_id);
        let (certificate_file, key_file) = (folder.join("server.crt"), folder.join("server.key"));
        if certificate_file.exists() && key_file.exists() {
            return Ok(());
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, resource_id);
        params.subject_alt_names = vec![SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2061, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer)?;
        write_atomically(&key_file, key.serialize_pem().as_bytes()).map_err(PostgresError::file(&key_file))?;
        write_atomically(&certificate_file, certificate.pem().as_bytes())
            .map_err(PostgresError::file(&certificate_file))
    }
}
