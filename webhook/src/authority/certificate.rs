//! Authorities, and the leaves they sign: ECDSA on P-256, like the recipes for cert-manager.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::tls::{self, Material, MaterialError};

/// Certificates begin this much before they are made: the clocks of API servers differ, by less than this.
pub(super) const BACKDATED: Duration = Duration::from_mins(5);

/// A certificate that API servers are told to trust.
#[derive(Clone, PartialEq, Eq)]
pub struct Anchor {
    der: CertificateDer<'static>,
    /// Its first second.
    pub not_before: Timestamp,
    /// Its last second.
    pub not_after: Timestamp,
}

/// An authority with its key.
#[derive(Clone)]
pub struct Authority {
    /// The certificate that API servers are told to trust for it.
    pub anchor: Anchor,
    key: Arc<KeyPair>,
}

/// Why there is no authority, or no leaf. No variant shows a key.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AuthorityError {
    /// Not a certificate.
    #[error("is not one readable PEM certificate")]
    NotACertificate,
    /// A certificate that must not sign others.
    #[error("is not the certificate of an authority")]
    NotAnAuthority,
    /// A certificate of the future.
    #[error("begins only at {0}: it was made by a clock that was ahead")]
    NotBegun(Timestamp),
    /// Not a key.
    #[error("has a key that is not a readable PEM private key")]
    NotAKey,
    /// A key of another certificate.
    #[error("has a key that does not fit its certificate")]
    Mismatch,
    /// Signing failed.
    #[error("cannot make a certificate: {0}")]
    Make(String),
    /// What was signed cannot be served.
    #[error("cannot serve the certificate that was made: {0}")]
    Serve(#[from] MaterialError),
}

impl Anchor {
    /// Reads a certificate.
    ///
    /// # Errors
    /// When it is none.
    pub fn new(der: CertificateDer<'static>) -> Result<Self, AuthorityError> {
        let (not_before, not_after) = tls::validity(&der).ok_or(AuthorityError::NotACertificate)?;
        Ok(Self { der, not_before, not_after })
    }

    /// Reads a bundle. One that is empty, or has a part that cannot be read, holds nothing to rely on.
    pub fn bundle(pem: &[u8]) -> Vec<Self> {
        Self::parse_bundle(pem).unwrap_or_default()
    }

    /// Reads a bundle of certificates, possibly none.
    ///
    /// # Errors
    /// When a part of it cannot be read.
    pub fn parse_bundle(pem: &[u8]) -> Result<Vec<Self>, AuthorityError> {
        CertificateDer::pem_slice_iter(pem)
            .map(|der| Self::new(der.map_err(|_| AuthorityError::NotACertificate)?))
            .collect()
    }

    /// The bundle of these certificates, as PEM.
    pub fn render_bundle<'a>(anchors: impl IntoIterator<Item = &'a Self>) -> String {
        let encoding = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
        let pem = |anchor: &Self| pem::encode_config(&pem::Pem::new("CERTIFICATE", anchor.der.to_vec()), encoding);
        anchors.into_iter().map(pem).collect()
    }

    /// It has ended.
    pub fn ended(&self, now: Timestamp) -> bool {
        now > self.not_after
    }

    /// It has begun, also if it was made by a clock that is a little ahead of ours.
    pub fn begun(&self, now: Timestamp) -> bool {
        self.not_before <= now + BACKDATED
    }

    /// The certificate, DER.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// When two thirds of its life are over.
    pub(super) fn two_thirds(&self) -> Timestamp {
        two_thirds(self.not_before, self.not_after)
    }
}

/// When two thirds of the life of a certificate of ours are over.
fn two_thirds(not_before: Timestamp, not_after: Timestamp) -> Timestamp {
    let born = (not_before + BACKDATED).min(not_after);
    not_after - not_after.duration_since(born) / 3
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = X509Certificate::from_der(&self.der).map(|(_, certificate)| certificate.subject().to_string());
        write!(f, "{} until {}", name.unwrap_or_default(), self.not_after)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.anchor.fmt(f)
    }
}

impl PartialEq for Authority {
    fn eq(&self, other: &Self) -> bool {
        self.anchor == other.anchor
    }
}

impl Authority {
    /// A new authority that lives from `now` on.
    ///
    /// # Errors
    /// When there is no randomness to be had.
    pub fn generate(now: Timestamp, lifetime: Duration) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(make)?;
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = SystemTime::from(now - BACKDATED).into();
        params.not_after = SystemTime::from(now + lifetime).into();
        params.distinguished_name = DistinguishedName::new();
        // Each has a name of its own, so that whoever verifies a leaf finds its authority at the first try.
        let name = format!("rds-webhook authority {}", hex(&params.key_identifier(&key)));
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).map_err(make)?;
        Ok(Self { anchor: Anchor::new(certificate.der().clone())?, key: Arc::new(key) })
    }

    /// Reads a certificate and its key, both PEM.
    ///
    /// # Errors
    /// When one of them cannot be read, they do not fit each other, or they must not sign.
    pub fn parse(certificate: &[u8], key: &[u8]) -> Result<Self, AuthorityError> {
        let anchors = Anchor::parse_bundle(certificate)?;
        let [anchor] = <[Anchor; 1]>::try_from(anchors).map_err(|_| AuthorityError::NotACertificate)?;
        let key = std::str::from_utf8(key).ok().and_then(|pem| KeyPair::from_pem(pem).ok());
        let key = key.ok_or(AuthorityError::NotAKey)?;
        let (_, x509) = X509Certificate::from_der(&anchor.der).map_err(|_| AuthorityError::NotACertificate)?;
        if x509.public_key().subject_public_key.data != key.der_bytes() {
            return Err(AuthorityError::Mismatch);
        }
        if !x509.is_ca() {
            return Err(AuthorityError::NotAnAuthority);
        }
        Ok(Self { anchor, key: Arc::new(key) })
    }

    /// Its certificate and its key, both PEM.
    pub fn render(&self) -> (String, String) {
        (Anchor::render_bundle([&self.anchor]), self.key.serialize_pem())
    }

    /// A leaf for a server of these names with a key of its own, which lives from `now` on and never longer than the authority.
    ///
    /// # Errors
    /// When there is no randomness to be had, or a name is none.
    pub(super) fn issue(
        &self,
        names: &[String],
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<Material, AuthorityError> {
        let issuer = Issuer::from_ca_cert_der(&self.anchor.der, &*self.key).map_err(make)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(make)?;
        let mut params = CertificateParams::new(names).map_err(make)?;
        params.distinguished_name = DistinguishedName::new();
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = SystemTime::from(now - BACKDATED).into();
        params.not_after = SystemTime::from((now + lifetime).min(self.anchor.not_after)).into();
        let certificate = params.signed_by(&key, &issuer).map_err(make)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Material::new(vec![certificate.der().clone()], || Ok(key))?)
    }
}

/// When a leaf that [`Authority::issue`] made is to be replaced: after two thirds of its life.
pub(super) fn renewal(leaf: &Material) -> Timestamp {
    two_thirds(leaf.not_before, leaf.not_after)
}

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn make(error: rcgen::Error) -> AuthorityError {
    AuthorityError::Make(error.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_392_000).expect("a second of our time")
    }

    #[test]
    fn what_is_written_is_read_again() {
        let authority = Authority::generate(now(), Duration::from_hours(24)).expect("an authority");
        let (certificate, key) = authority.render();
        assert_eq!(Authority::parse(certificate.as_bytes(), key.as_bytes()).expect("read"), authority);
        assert_eq!(authority.anchor.two_thirds(), now() + Duration::from_hours(16));
        assert!(!authority.anchor.ended(now() + Duration::from_hours(24)));
        assert!(authority.anchor.ended(now() + Duration::from_hours(25)));
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        let one = Authority::generate(now(), Duration::from_hours(24)).expect("an authority");
        let other = Authority::generate(now(), Duration::from_hours(24)).expect("an authority");
        let ((certificate, key), (_, foreign)) = (one.render(), other.render());
        let leaf = one.issue(&["a.b.svc".into()], now(), Duration::from_hours(1)).expect("a leaf");
        let leaf = Anchor::render_bundle([&Anchor::new(leaf.chain()[0].clone()).expect("a certificate")]);
        let both = format!("{certificate}{certificate}");
        for (certificate, key, error) in [
            ("", &key, AuthorityError::NotACertificate),
            ("none", &key, AuthorityError::NotACertificate),
            (&both, &key, AuthorityError::NotACertificate),
            (&certificate, &"none".to_owned(), AuthorityError::NotAKey),
            (&certificate, &foreign, AuthorityError::Mismatch),
            (&leaf, &key, AuthorityError::Mismatch),
        ] {
            assert_eq!(Authority::parse(certificate.as_bytes(), key.as_bytes()), Err(error));
        }
        let own = KeyPair::generate().expect("a key");
        let self_signed = CertificateParams::default().self_signed(&own).expect("a certificate");
        let (certificate, key) = (self_signed.pem(), own.serialize_pem());
        let parsed = Authority::parse(certificate.as_bytes(), key.as_bytes());
        assert_eq!(parsed, Err(AuthorityError::NotAnAuthority));
    }

    #[test]
    fn a_leaf_never_outlives_its_authority() {
        let authority = Authority::generate(now(), Duration::from_hours(3)).expect("an authority");
        let late = now() + Duration::from_hours(2);
        let leaf = authority.issue(&["a.b.svc".into()], late, Duration::from_hours(9)).expect("a leaf");
        assert_eq!(leaf.not_after, authority.anchor.not_after);
        assert_eq!(renewal(&leaf), late + Duration::from_mins(40));
    }

    #[test]
    fn nothing_printed_shows_a_key() {
        let authority = Authority::generate(now(), Duration::from_hours(3)).expect("an authority");
        let shown = format!("{authority:?}");
        assert!(shown.starts_with("CN=rds-webhook authority ") && shown.len() < 100, "{shown}");
    }
}
