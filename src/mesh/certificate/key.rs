//! Whether a private key belongs to a certificate. Nothing of the key leaves this file.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::pem::{self, Block};
use super::x509::Certificate;

/// Object identifiers of keys in PKCS#8, in DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// What becomes of a certificate and a private key that are used together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// They are a pair.
    Fits,
    /// The key belongs to another certificate.
    Differs,
    /// The key needs a password, which nobody can give.
    Encrypted,
    /// There is no private key, or one that is damaged.
    Unreadable,
    /// The input does not show it, or the kind of key is not known here.
    Unknown,
}

/// Whether the first private key of a PEM text belongs to a certificate.
pub(super) fn fit(text: &[u8], certificate: &Certificate) -> Fit {
    let (blocks, _) = pem::blocks(text);
    let Some(key) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
        // The older way to encrypt puts lines before the base64.
        let is_encrypted = text.windows(9).any(|window| window == b"ENCRYPTED");
        return if is_encrypted { Fit::Encrypted } else { Fit::Unreadable };
    };
    let Ok((_, parsed)) = X509Certificate::from_der(certificate.der()) else { return Fit::Unknown };
    let public = &parsed.public_key().subject_public_key.data;
    let own = match parsed.public_key().parsed() {
        Ok(PublicKey::RSA(rsa)) => Public::Rsa(without_zeros(rsa.modulus)),
        Ok(PublicKey::EC(_)) => Public::Ec(public, certificate.key_bits),
        _ if certificate.key == "Ed25519" => Public::Ed25519(public),
        _ => return Fit::Unknown,
    };
    compare(key, own)
}

/// The public key of a certificate.
#[derive(Clone, Copy)]
enum Public<'a> {
    /// The modulus.
    Rsa(&'a [u8]),
    /// The point, and the size of the curve in bits.
    Ec(&'a [u8], usize),
    Ed25519(&'a [u8]),
}

fn compare(key: &Block, public: Public<'_>) -> Fit {
    match key.label.as_str() {
        "ENCRYPTED PRIVATE KEY" => Fit::Encrypted,
        "RSA PRIVATE KEY" => rsa(&key.der, public),
        "EC PRIVATE KEY" => ec(&key.der, public),
        "PRIVATE KEY" => pkcs8(&key.der, public).unwrap_or(Fit::Unreadable),
        _ => Fit::Unknown,
    }
}

/// PKCS#8: a version, the algorithm, the key.
fn pkcs8(der: &[u8], public: Public<'_>) -> Option<Fit> {
    let mut parts = Der(Der(der).take(SEQUENCE)?);
    parts.take(INTEGER)?;
    let algorithm = Der(parts.take(SEQUENCE)?).take(OBJECT)?;
    let key = parts.take(OCTETS)?;
    Some(match algorithm {
        RSA => rsa(key, public),
        EC => ec(key, public),
        ED25519 => ed25519(Der(key).take(OCTETS)?, public),
        _ => Fit::Unknown,
    })
}

/// PKCS#1: a version, the modulus, and what belongs to it.
fn rsa(der: &[u8], public: Public<'_>) -> Fit {
    let modulus = || {
        let mut parts = Der(Der(der).take(SEQUENCE)?);
        parts.take(INTEGER)?;
        parts.take(INTEGER)
    };
    match (modulus(), public) {
        (None, _) => Fit::Unreadable,
        (Some(modulus), Public::Rsa(own)) if without_zeros(modulus) == own => Fit::Fits,
        _ => Fit::Differs,
    }
}

/// SEC 1: a version, the secret number, perhaps the curve, perhaps the point.
fn ec(der: &[u8], public: Public<'_>) -> Fit {
    let read = || {
        let mut parts = Der(Der(der).take(SEQUENCE)?);
        parts.take(INTEGER)?;
        let secret = parts.take(OCTETS)?;
        parts.take(PARAMETERS);
        let point = parts.take(POINT).and_then(|point| Der(point).take(BITS)).and_then(|bits| bits.get(1..));
        Some((secret, point))
    };
    match (read(), public) {
        (None, _) => Fit::Unreadable,
        (Some((_, Some(point))), Public::Ec(own, _)) => {
            if point == own {
                Fit::Fits
            } else {
                Fit::Differs
            }
        }
        (Some((secret, None)), Public::Ec(own, bits)) => {
            let algorithm = match bits {
                256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
                384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
                _ => return Fit::Unknown,
            };
            let fits = EcdsaKeyPair::from_private_key_and_public_key(algorithm, secret, own, &SystemRandom::new());
            if fits.is_ok() { Fit::Fits } else { Fit::Differs }
        }
        _ => Fit::Differs,
    }
}

fn ed25519(seed: &[u8], public: Public<'_>) -> Fit {
    match (Ed25519KeyPair::from_seed_unchecked(seed), public) {
        (Err(_), _) => Fit::Unreadable,
        (Ok(_), Public::Ed25519(own)) => {
            let fits = Ed25519KeyPair::from_seed_and_public_key(seed, own);
            if fits.is_ok() { Fit::Fits } else { Fit::Differs }
        }
        _ => Fit::Differs,
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    &number[number.iter().take_while(|byte| **byte == 0).count()..]
}

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const PARAMETERS: u8 = 0xa0;
const POINT: u8 = 0xa1;

/// DER that is still to be read.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next element, if it has that tag; else it stays.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let [found, length, rest @ ..] = self.0 else { return None };
        if *found != tag {
            return None;
        }
        // From 128 on, the length stands in so many bytes that follow.
        let more = if length & 0x80 == 0 { 0 } else { usize::from(length & 0x7f) };
        if more > 3 || rest.len() < more {
            return None;
        }
        let long = rest[..more].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let length = if more == 0 { usize::from(*length) } else { long };
        let content = rest.get(more..more + length)?;
        self.0 = &rest[more + length..];
        Some(content)
    }
}
