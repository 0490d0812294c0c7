//! What one X.509 certificate says, and whether another one signed it.

use std::sync::Arc;

use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::prelude::{FromDer, X509Version};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::mesh::selector::Tri;
use crate::yaml::Place;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Characters of a name that are kept.
const LONGEST_NAME: usize = 100;

/// The sizes of RSA keys that signatures can be checked with.
const CHECKED_RSA: std::ops::RangeInclusive<usize> = 2048..=8192;

/// One certificate. What an extension that can't be read would say counts as said in the certificate's
/// favour.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The value that holds it.
    pub place: Place,
    /// The common name of its owner, or the whole name where there is none.
    pub subject: String,
    /// The common name of who signed it.
    pub issuer: String,
    /// Its first day, in days since 1970-01-01, UTC.
    pub first_day: i64,
    /// Its last day, in days since 1970-01-01, UTC.
    pub last_day: i64,
    /// Whether it belongs to a certificate authority (`basicConstraints`).
    pub is_ca: bool,
    /// Whether it may sign certificates: `keyUsage` holds `keyCertSign`, or there is none.
    pub may_sign: bool,
    /// How many certificate authorities may follow below it (`pathlen`).
    pub path_length: Option<u32>,
    /// Whether it may be used for servers: `extendedKeyUsage` holds `serverAuth` or `any`, or there is none.
    pub serves_tls: bool,
    /// `RSA`, `EC`, or what else its key is.
    pub key: &'static str,
    /// The size of its key; 0 if it is not known.
    pub key_bits: usize,
    /// The hash of its signature: `SHA-1`; empty if it is not known.
    pub hash: &'static str,
    /// Whether it names itself as its issuer.
    pub is_self_signed: bool,
    der: Arc<[u8]>,
}

impl Certificate {
    /// Reads one that stands in a value; nothing if it is none.
    pub(super) fn read(place: Place, der: &[u8]) -> Option<Certificate> {
        let (_, parsed) = X509Certificate::from_der(der).ok()?;
        let constraints = parsed.basic_constraints();
        let constraints = constraints.as_ref().map(|found| found.as_ref().map(|extension| extension.value));
        let usage = parsed.key_usage();
        let extended = parsed.extended_key_usage();
        Some(Certificate {
            place,
            subject: name(parsed.subject()),
            issuer: name(parsed.issuer()),
            first_day: parsed.validity().not_before.timestamp().div_euclid(DAY),
            last_day: parsed.validity().not_after.timestamp().div_euclid(DAY),
            // The first version of X.509 has no extensions.
            is_ca: parsed.version() != X509Version::V3
                || constraints.as_ref().map_or(true, |found| found.is_some_and(|c| c.ca)),
            may_sign: usage.as_ref().map_or(true, |found| found.as_ref().is_none_or(|u| u.value.key_cert_sign())),
            path_length: constraints.ok().flatten().and_then(|found| found.path_len_constraint),
            serves_tls: extended
                .as_ref()
                .map_or(true, |found| found.as_ref().is_none_or(|e| e.value.any || e.value.server_auth)),
            key: key_name(parsed.public_key()),
            key_bits: key_bits(parsed.public_key()),
            hash: hash(&parsed),
            is_self_signed: parsed.issuer().as_raw() == parsed.subject().as_raw(),
            der: der.into(),
        })
    }

    /// Whether both are the same certificate.
    pub fn is(&self, other: &Certificate) -> bool {
        self.der == other.der
    }

    /// Its bytes.
    pub(super) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether another one signed it. Unknown where the algorithm is one that can't be checked here: RSA
    /// below 2048 bits, SHA-1, curves other than P-256 and P-384.
    pub fn signed_by(&self, other: &Certificate) -> Tri {
        if self.issuer != other.subject {
            return Tri::No;
        }
        let (Ok((_, own)), Ok((_, theirs))) =
            (X509Certificate::from_der(&self.der), X509Certificate::from_der(&other.der))
        else {
            return Tri::Unknown;
        };
        if own.issuer().as_raw() != theirs.subject().as_raw() {
            return Tri::No;
        }
        if matches!(self.hash, "MD5" | "SHA-1" | "") || other.key == "RSA" && !CHECKED_RSA.contains(&other.key_bits) {
            return Tri::Unknown;
        }
        match own.verify_signature(Some(theirs.public_key())) {
            Ok(()) => Tri::Yes,
            Err(X509Error::SignatureVerificationError) => Tri::No,
            Err(_) => Tri::Unknown,
        }
    }
}

/// The common name of a name, or all of it.
fn name(name: &X509Name<'_>) -> String {
    let common = name.iter_common_name().find_map(|attribute| attribute.as_str().ok());
    let text = common.map_or_else(|| name.to_string(), str::to_string);
    text.chars().take(LONGEST_NAME).collect()
}

fn key_name(key: &SubjectPublicKeyInfo<'_>) -> &'static str {
    match key.parsed() {
        Ok(PublicKey::RSA(_)) => "RSA",
        Ok(PublicKey::EC(_)) => "EC",
        Ok(PublicKey::DSA(_)) => "DSA",
        _ if key.algorithm.algorithm.to_id_string() == "1.3.101.112" => "Ed25519",
        _ => "",
    }
}

fn key_bits(key: &SubjectPublicKeyInfo<'_>) -> usize {
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let significant = rsa.modulus.iter().skip_while(|byte| **byte == 0);
            let first = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
            significant.count() * 8 - first
        }
        // P-521 has points of 66 bytes.
        Ok(PublicKey::EC(point)) => {
            if point.key_size() == 528 {
                521
            } else {
                point.key_size()
            }
        }
        _ => 0,
    }
}

fn hash(certificate: &X509Certificate<'_>) -> &'static str {
    match certificate.signature_algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" | "1.3.14.3.2.25" => "MD5",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" => "SHA-1",
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" => "SHA-256",
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => "SHA-384",
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "1.3.101.112" => "SHA-512",
        // RSASSA-PSS, whose parameters name the hash.
        "1.2.840.113549.1.1.10" => "PSS",
        _ => "",
    }
}
