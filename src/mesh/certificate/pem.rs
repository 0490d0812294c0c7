//! PEM texts as Secrets and ConfigMaps hold them. Whoever writes a manifest decides how long they are, so
//! every size has a bound.

use data_encoding::BASE64;
use x509_parser::pem::Pem;

use crate::yaml::scalar;

/// Bytes of a value that are read; a Secret has one mebibyte at most, in base64 a third more.
const MOST_BYTES: usize = 3 << 19;

/// Blocks of a text that are read; the bundles of browsers have about 150.
const MOST_BLOCKS: usize = 512;

/// What stands before the body of a block.
const BEGIN: &[u8] = b"-----BEGIN ";

/// One block of a PEM text.
#[derive(Debug)]
pub(super) struct Block {
    /// `CERTIFICATE` of `-----BEGIN CERTIFICATE-----`.
    pub(super) label: String,
    /// What it holds.
    pub(super) der: Vec<u8>,
}

/// The PEM text that a value holds, or why it can't be read; nothing where the value stands elsewhere, is
/// empty, or holds a word that somebody puts there until it is filled in.
pub(super) fn text(value: &str, is_base64: bool) -> Option<Result<Vec<u8>, &'static str>> {
    let value = value.trim();
    let is_cut = value.contains("...") || value.contains('…');
    if value.is_empty() || value.len() > MOST_BYTES || is_cut || scalar::is_unknown(value) {
        return None;
    }
    let is_encoded = value.starts_with("LS0tLS1");
    if !is_base64 {
        let plain = value.contains("-----BEGIN ").then(|| Ok(value.as_bytes().to_vec()));
        return plain.or(is_encoded.then_some(Err("it stands in base64 where plain text belongs")));
    }
    if value.starts_with("-----BEGIN ") {
        return Some(Err("it is PEM in `data`, which takes base64; `stringData` takes PEM"));
    }
    let bytes: Vec<u8> = value.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    match BASE64.decode(&bytes) {
        Ok(bytes) if holds(&bytes, b"...\n") => None,
        Ok(bytes) if holds(&bytes, BEGIN) => Some(Ok(bytes)),
        Ok(bytes) if bytes.starts_with(b"LS0tLS1") => Some(Err("it is base64 of base64")),
        Ok(bytes) if bytes.starts_with(&[0x30, 0x82]) => Some(Err("it is DER where PEM belongs")),
        Err(_) if is_encoded => Some(Err("its base64 is damaged")),
        _ => None,
    }
}

/// Its blocks up to the first that is cut or damaged, and whether there is such a one.
pub(super) fn blocks(text: &[u8]) -> (Vec<Block>, bool) {
    let mut blocks = Vec::new();
    for block in Pem::iter_from_buffer(text).take(MOST_BLOCKS) {
        match block {
            Ok(Pem { label, contents }) => blocks.push(Block { label, der: contents }),
            Err(_) => return (blocks, true),
        }
    }
    (blocks, false)
}

/// Whether some bytes hold a private key in PEM.
pub(super) fn holds_private_key(text: &[u8]) -> bool {
    holds(text, BEGIN) && blocks(text).0.iter().any(|block| block.label.ends_with("PRIVATE KEY"))
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str, is_base64: bool) -> Option<Result<usize, &'static str>> {
        text(value, is_base64).map(|text| text.map(|bytes| bytes.len()))
    }

    #[test]
    fn what_is_no_pem_says_why_or_is_left_to_be_filled_in() {
        let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let encoded = BASE64.encode(pem.as_bytes());
        assert_eq!(read(pem, false), Some(Ok(pem.len() - 1)));
        assert_eq!(read(&encoded, true), Some(Ok(pem.len())));
        assert_eq!(read(&format!("{}\n{}", &encoded[..40], &encoded[40..]), true), Some(Ok(pem.len())));
        let wrong = [
            (pem.to_string(), true),
            (encoded.clone(), false),
            (BASE64.encode(encoded.as_bytes()), true),
            (BASE64.encode(&[0x30, 0x82, 1, 2]), true),
            (encoded[..41].to_string(), true),
        ];
        for (value, is_base64) in wrong {
            assert!(matches!(read(&value, is_base64), Some(Err(_))), "{value}");
        }
        for left in
            ["", " \n", "${CA}", "ENC[AES,data:x]", "changeme", "<path:kv/data/ca#crt>", "LS0tLS1CRUdJ...", "Cg=="]
        {
            assert_eq!(read(left, true), None, "{left}");
        }
        assert_eq!(read("-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----", false), None);
        assert_eq!(read(&"A".repeat(4 * MOST_BYTES), true), None);
    }

    #[test]
    fn blocks_end_at_the_first_that_is_damaged() {
        let good = "-----BEGIN A B-----\nAAAA\n-----END A B-----\n";
        let read = |text: &str| {
            let (blocks, damaged) = blocks(text.as_bytes());
            (blocks.len(), damaged)
        };
        assert_eq!(read(good), (1, false));
        assert_eq!(read(&good.repeat(2)), (2, false));
        assert_eq!(read(&format!("{good}-----BEGIN A-----\nAA")), (1, true));
        assert_eq!(read(&format!("-----BEGIN A-----\n%%\n-----END A-----\n{good}")), (0, true));
        assert_eq!(read(&good.repeat(2 * MOST_BLOCKS)).0, MOST_BLOCKS);
        assert!(holds_private_key(good.replace("A B", "EC PRIVATE KEY").as_bytes()));
        assert!(!holds_private_key(good.as_bytes()));
    }
}
