//! The certificate authority, made once, and the certificates it signs for the instances.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, RsaKeySize, SanType, date_time_ymd,
};

use super::{Layout, PostgresError};
use crate::store::write_atomically;

/// Signs the certificates of the instances.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads the authority of a data directory, or makes that of a region, under the name that it has in RDS.
    pub(crate) fn open(layout: &Layout, region: &str) -> Result<Self, PostgresError> {
        let (certificate_file, key_file) = (layout.ca_certificate(), layout.ca_key());
        if !(certificate_file.exists() && key_file.exists()) {
            let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, format!("Amazon RDS {region} Root CA RSA2048 G1"));
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

    /// Writes `server.crt` and `server.key`, for a name and an address, into an instance's folder. Its server must not be running.
    pub(crate) fn certify(
        &self,
        layout: &Layout,
        resource_id: &str,
        name: &str,
        address: IpAddr,
    ) -> Result<(), PostgresError> {
        let folder = layout.instance(resource_id);
        let (certificate_file, key_file) = (folder.join("server.crt"), folder.join("server.key"));
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, resource_id);
        params.subject_alt_names = vec![SanType::DnsName(name.try_into()?), SanType::IpAddress(address)];
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use x509_parser::extensions::GeneralName;
    use x509_parser::pem::Pem;

    use super::*;

    #[test]
    fn a_certificate_holds_the_name_and_the_address_also_after_a_new_start() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_owned());
        std::fs::create_dir_all(layout.instance("db-1")).unwrap();
        let authority = Authority::open(&layout, "eu-central-1").unwrap();
        for name in ["orders.c0.eu-central-1.rds.localhost", "renamed.c0.eu-central-1.rds.localhost"] {
            authority.certify(&layout, "db-1", name, Ipv4Addr::LOCALHOST.into()).unwrap();
            let content = std::fs::read(layout.instance("db-1").join("server.crt")).unwrap();
            let pem = Pem::iter_from_buffer(&content).next().unwrap().unwrap();
            let certificate = pem.parse_x509().unwrap();
            let held = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
            assert_eq!(held[..], [GeneralName::DNSName(name), GeneralName::IPAddress(&[127, 0, 0, 1])]);
        }
    }
}
