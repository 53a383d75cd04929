//! The authorities in the CA bundle, told apart by the region whose servers they sign for: an application is given those of its own
//! endpoint and no others.

use std::collections::BTreeMap;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What RDS calls its root authorities: `Amazon RDS eu-central-1 Root CA RSA2048 G1` (the global bundle, the bundles of GovCloud and
/// China). Those without an algorithm in their name expired in 2024, those of Beta and Preview have a word more.
const PREFIX: &str = "Amazon RDS ";
const SUFFIX: &str = " Root CA ";

/// The authorities of all regions, parsed once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorities(BTreeMap<String, Region>);

/// The authorities of one region, by algorithm and generation, such as `RSA2048 G1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region(BTreeMap<String, String>);

impl Authorities {
    /// Reads a bundle in PEM. Certificates that cannot be read or name no region are left out: they are none of RDS's root authorities.
    ///
    /// # Errors
    /// What makes it no PEM.
    pub fn parse(bundle: &[u8]) -> Result<Self, String> {
        let mut regions: BTreeMap<String, Region> = BTreeMap::new();
        for certificate in CertificateDer::pem_slice_iter(bundle) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            // A certificate that another one signed is no root, whatever it is called.
            let Ok((_, parsed)) = X509Certificate::from_der(&certificate) else { continue };
            if parsed.subject() != parsed.issuer() {
                continue;
            }
            let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
            if let Some((region, algorithm)) = name.and_then(root_of) {
                regions.entry(region.to_owned()).or_default().0.insert(algorithm.to_owned(), encode(&certificate));
            }
        }
        Ok(Self(regions))
    }

    /// The authorities of a region, if there are any.
    pub fn of(&self, region: &str) -> Option<&Region> {
        self.0.get(region)
    }

    /// How many regions have authorities.
    pub(crate) fn regions(&self) -> usize {
        self.0.len()
    }
}

impl Region {
    /// All of them, as PEM, whatever their order in the bundle.
    pub fn pem(&self) -> String {
        self.0.values().map(String::as_str).collect()
    }

    /// The one that signs for servers of an authority that RDS calls so (CACertificateIdentifier, `rds-ca-rsa2048-g1`), as PEM; of a region
    /// that has only one, that one.
    pub fn signer(&self, identifier: Option<&str>) -> Option<&str> {
        if let (1, Some(only)) = (self.0.len(), self.0.values().next()) {
            return Some(only);
        }
        let algorithm = identifier?.strip_prefix("rds-ca-")?.replace('-', " ").to_uppercase();
        self.0.get(&algorithm).map(String::as_str)
    }
}

/// Region and algorithm in the name of a root authority.
fn root_of(name: &str) -> Option<(&str, &str)> {
    let (region, algorithm) = name.strip_prefix(PREFIX)?.split_once(SUFFIX)?;
    (!region.contains(' ') && !algorithm.is_empty()).then_some((region, algorithm))
}

fn encode(certificate: &CertificateDer<'_>) -> String {
    let block = pem::Pem::new("CERTIFICATE", certificate.as_ref());
    pem::encode_config(&block, pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF))
}

/// The region in the name of an endpoint, `<identifier>.<hash>.<region>.rds.amazonaws.com`, where it has one.
pub(crate) fn region_of(host: &str) -> Option<&str> {
    let labels: Vec<_> = host.split('.').collect();
    match labels[..] {
        [_, _, region, "rds", ..] => Some(region),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    use super::*;

    /// A root authority of this name, as PEM.
    pub(crate) fn root(name: &str) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("there is entropy");
        params.self_signed(&key).expect("the fixture can be signed").pem()
    }

    fn of_region(region: &str) -> Vec<String> {
        ["RSA2048", "RSA4096", "ECC384"].map(|kind| root(&format!("Amazon RDS {region} Root CA {kind} G1"))).into()
    }

    fn certificates(pem: &str) -> Vec<Vec<u8>> {
        let found = CertificateDer::pem_slice_iter(pem.as_bytes()).map(|one| one.expect("it is PEM").to_vec());
        found.collect()
    }

    #[test]
    fn a_region_gets_its_own_authorities_and_no_others() {
        let regions = ["eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-7"];
        let bundle: String = regions.iter().flat_map(|region| of_region(region)).collect();
        let authorities = Authorities::parse(bundle.as_bytes()).unwrap();
        assert_eq!(authorities.regions(), regions.len());
        for region in regions {
            let pem = authorities.of(region).unwrap().pem();
            let names: Vec<_> = certificates(&pem)
                .iter()
                .map(|der| X509Certificate::from_der(der).unwrap().1.subject().to_string())
                .collect();
            let wanted = ["ECC384", "RSA2048", "RSA4096"];
            assert_eq!(names, wanted.map(|kind| format!("CN=Amazon RDS {region} Root CA {kind} G1")));
            assert!(certificates(&pem).iter().all(|der| certificates(&bundle).contains(der)));
        }
        assert_eq!(authorities.of("eu-central"), None);
    }

    #[test]
    fn what_is_no_root_authority_of_rds_is_left_out() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Amazon RDS Root 2019 CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let above = Issuer::new(params, key);
        let mut below = CertificateParams::default();
        below.distinguished_name.push(DnType::CommonName, "Amazon RDS eu-west-9 Root CA RSA2048 G1");
        let below = below.signed_by(&KeyPair::generate().unwrap(), &above).unwrap().pem();
        let others = [
            "Amazon RDS Beta us-east-1 Root CA RSA2048 G1",
            "Amazon RDS Preview us-east-2 Root CA ECC384 G1",
            "Amazon RDS af-south-1 Root CA",
            "Amazon RDS af-south-1 Root CA ",
            "Amazon RDS Root 2019 CA",
            "Amazon RDS eu-central-1 2019 CA",
            "Amazon Root CA 1",
        ];
        let bundle: String = others.iter().map(|name| root(name)).chain([below]).collect();
        assert_eq!(Authorities::parse(bundle.as_bytes()), Ok(Authorities::default()));
    }

    #[test]
    fn i5_neither_the_order_of_the_bundle_nor_its_line_ends_change_what_is_given() {
        let one = of_region("eu-central-1");
        let other: String = one.iter().rev().chain(&one).map(|pem| pem.replace('\n', "\r\n")).collect();
        assert_eq!(Authorities::parse(one.concat().as_bytes()), Authorities::parse(other.as_bytes()));
    }

    #[test]
    fn the_signer_is_the_one_that_rds_names() {
        let authorities = Authorities::parse(of_region("eu-central-1").concat().as_bytes()).unwrap();
        let region = authorities.of("eu-central-1").unwrap();
        for (identifier, algorithm) in
            [("rds-ca-rsa2048-g1", "RSA2048"), ("rds-ca-rsa4096-g1", "RSA4096"), ("rds-ca-ecc384-g1", "ECC384")]
        {
            let signer = certificates(region.signer(Some(identifier)).unwrap());
            let name = X509Certificate::from_der(&signer[0]).unwrap().1.subject().to_string();
            assert_eq!(name, format!("CN=Amazon RDS eu-central-1 Root CA {algorithm} G1"));
        }
        for unknown in [None, Some("rds-ca-2019"), Some("rds-ca-rsa2048-g2"), Some("")] {
            assert_eq!(region.signer(unknown), None, "{unknown:?}");
        }
        let alone = Authorities::parse(root("Amazon RDS local-1 Root CA RSA2048 G1").as_bytes()).unwrap();
        let alone = alone.of("local-1").unwrap();
        assert_eq!(alone.signer(None), Some(alone.pem().as_str()));
    }

    #[test]
    fn the_region_is_a_label_of_the_endpoint() {
        for (host, region) in [
            ("orders.abc.eu-central-1.rds.amazonaws.com", Some("eu-central-1")),
            ("orders.abc.cn-north-1.rds.amazonaws.com.cn", Some("cn-north-1")),
            ("orders.abc.us-gov-west-1.rds.amazonaws.com", Some("us-gov-west-1")),
            ("rds.rds.us-east-1.rds.example", Some("us-east-1")),
            ("127.0.0.1", None),
            ("orders.example.org", None),
            ("", None),
        ] {
            assert_eq!(region_of(host), region, "{host}");
        }
    }
}
