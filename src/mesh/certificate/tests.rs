//! Certificates and keys of `tests/certificates`, in Secrets and alone.

use data_encoding::BASE64;

use super::super::test_mesh;
use super::*;
use crate::yaml::NodeId;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../tests/certificates/", $name))
    };
}

const ROOT: &str = file!("root.pem");
const CA: &str = file!("ca.pem");
const KEY: &str = file!("ca.key");

fn read(pem: &str) -> Certificate {
    let place = Place { tree: 0, node: NodeId(0) };
    Certificate::read(place, &pem::blocks(pem.as_bytes()).0[0].der).unwrap()
}

/// A Secret with these parts, in `stringData`.
fn secret(parts: &[(&str, &str)]) -> String {
    let mut text =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: cacerts, namespace: istio-system}\nstringData:\n".to_string();
    for (key, value) in parts {
        let lines: String = value.lines().map(|line| format!("    {line}\n")).collect();
        text += &if lines.is_empty() { format!("  {key}: \"\"\n") } else { format!("  {key}: |\n{lines}") };
    }
    text
}

fn istios(ca: &str, key: &str, chain: &str, root: &str) -> String {
    secret(&[("ca-cert.pem", ca), ("ca-key.pem", key), ("cert-chain.pem", chain), ("root-cert.pem", root)])
}

/// Fit, and the way: subjects, `gap after …`, or `unknown`.
fn judged(secret: &str) -> (Fit, String) {
    let mesh = test_mesh(&[secret]);
    let pair = mesh.key_pair(ResourceId(0)).unwrap();
    let trust = match mesh.trust(&pair) {
        Trust::Whole(way) => way.iter().map(|c| c.subject.as_str()).collect::<Vec<_>>().join(" < "),
        Trust::Gap(last) => format!("gap after {}", last.subject),
        Trust::Unknown => "unknown".to_string(),
    };
    (mesh.fit(&pair), trust)
}

#[test]
fn what_a_certificate_says() {
    let ca = read(CA);
    assert_eq!((ca.subject.as_str(), ca.issuer.as_str()), ("Example Mesh CA", "Example Root"));
    // 2026-01-01 and 2046-01-01.
    assert_eq!((ca.first_day, ca.last_day), (20454, 27759));
    assert!(ca.is_ca && ca.may_sign && ca.serves_tls && !ca.is_self_signed);
    assert_eq!((ca.key, ca.key_bits, ca.hash), ("EC", 256, "SHA-256"));
    assert!(read(ROOT).is_self_signed);
    assert!(!read(file!("ca-leaf.pem")).is_ca);
    assert!(!read(file!("ca-eku.pem")).serves_tls);
    let kinds = [file!("rsa.pem"), file!("weak.pem"), file!("p384.pem"), file!("ed.pem"), file!("sha1.pem")];
    let kinds = kinds.map(|pem| {
        let certificate = read(pem);
        (certificate.key, certificate.key_bits, certificate.hash)
    });
    let p256 = "SHA-256";
    assert_eq!(
        kinds,
        [("RSA", 2048, p256), ("RSA", 1024, p256), ("EC", 384, p256), ("Ed25519", 0, p256), ("EC", 256, "SHA-1")]
    );
}

#[test]
fn who_signed_it() {
    for (certificate, issuer, expected) in [
        (CA, ROOT, Tri::Yes),
        (ROOT, ROOT, Tri::Yes),
        (CA, file!("mid.pem"), Tri::No),
        (CA, file!("other-root.pem"), Tri::No),
        (file!("below-rsa.pem"), file!("rsa.pem"), Tri::Yes),
        (file!("p384.pem"), ROOT, Tri::Yes),
        (file!("sha1.pem"), ROOT, Tri::Unknown),
    ] {
        assert_eq!(read(certificate).signed_by(&read(issuer)), expected, "{certificate}{issuer}");
    }
}

#[test]
fn keys_in_all_forms() {
    for (key, certificate, expected) in [
        (KEY, CA, Fit::Fits),
        (file!("ca.pk8"), CA, Fit::Fits),
        (file!("ca-nopoint.key"), CA, Fit::Fits),
        (file!("ca-nopoint.key"), ROOT, Fit::Differs),
        (file!("other.key"), CA, Fit::Differs),
        (file!("rsa.key"), CA, Fit::Differs),
        (file!("ca-enc.pk8"), CA, Fit::Encrypted),
        (file!("rsa.key"), file!("rsa.pem"), Fit::Fits),
        (file!("rsa.pk8"), file!("rsa.pem"), Fit::Fits),
        (file!("weak.key"), file!("weak.pem"), Fit::Fits),
        (file!("weak.key"), file!("rsa.pem"), Fit::Differs),
        (file!("p384.key"), file!("p384.pem"), Fit::Fits),
        (file!("p384.key"), CA, Fit::Differs),
        (file!("ed.key"), file!("ed.pem"), Fit::Fits),
        (file!("ed.key"), CA, Fit::Differs),
        (CA, CA, Fit::Unreadable),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", CA, Fit::Unreadable),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            CA,
            Fit::Encrypted,
        ),
    ] {
        assert_eq!(key::fit(key.as_bytes(), &read(certificate)), expected, "{key}{certificate}");
    }
}

#[test]
fn the_way_to_a_root() {
    let whole = "Example Mesh CA < Example Root";
    let mid = file!("mid.pem");
    let ca_mid = file!("ca-mid.pem");
    for (ca, chain, root, expected) in [
        (CA, [CA, ROOT].concat(), ROOT, whole),
        (CA, [ROOT, CA].concat(), ROOT, whole),
        (CA, String::new(), ROOT, whole),
        (ROOT, String::new(), ROOT, "Example Root"),
        (ca_mid, [ca_mid, mid].concat(), ROOT, "Example Mesh CA < Example Policy CA < Example Root"),
        (ca_mid, [ROOT, mid, ca_mid].concat(), ROOT, "Example Mesh CA < Example Policy CA < Example Root"),
        (ca_mid, ca_mid.to_string(), ROOT, "gap after Example Mesh CA"),
        (CA, CA.to_string(), file!("other-root.pem"), "gap after Example Mesh CA"),
        (CA, CA.to_string(), "${ROOT}", "unknown"),
        (ca_mid, "${CHAIN}".to_string(), ROOT, "unknown"),
        (file!("sha1.pem"), CA.to_string(), ROOT, "unknown"),
    ] {
        assert_eq!(judged(&istios(ca, KEY, &chain, root)).1, expected);
    }
    // Of two ways the one that stays valid for longer.
    let both = [file!("other-root.pem"), ROOT].concat();
    assert_eq!(judged(&istios(CA, KEY, CA, &both)), (Fit::Fits, whole.to_string()));
}

#[test]
fn secrets_in_every_layout_and_encoding() {
    let tls = secret(&[("tls.crt", CA), ("tls.key", file!("other.key")), ("ca.crt", ROOT)]);
    assert_eq!(judged(&tls), (Fit::Differs, "Example Mesh CA < Example Root".to_string()));
    let encoded = [CA, KEY, ROOT].map(|pem| BASE64.encode(pem.as_bytes()));
    let data = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: gw}}\ndata: {{cert: {}, key: {}, cacert: {}}}\n",
        encoded[0], encoded[1], encoded[2]
    );
    assert_eq!(judged(&data).0, Fit::Fits);
    let hidden = istios(CA, "ENC[AES256_GCM,data:x]", CA, ROOT);
    assert_eq!(judged(&hidden), (Fit::Unknown, "Example Mesh CA < Example Root".to_string()));
    assert!(test_mesh(&[&secret(&[("password", "x")])]).key_pair(ResourceId(0)).is_none());
}

#[test]
fn private_keys_are_found_and_certificates_are_none() {
    let mesh = test_mesh(&[&istios(CA, KEY, CA, ROOT)]);
    let found = mesh.private_keys(ResourceId(0));
    assert_eq!(found.len(), 1);
    assert_eq!(mesh.trees.node(found[0]).key().unwrap().text(), Some("ca-key.pem"));
    assert!(test_mesh(&[&istios(CA, "${KEY}", CA, ROOT)]).private_keys(ResourceId(0)).is_empty());
}

#[test]
fn credentials_are_looked_for_where_the_gateway_runs() {
    let gateway = |name: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{selector: {{istio: ingress}}, servers: [{{tls: {{credentialName: '{name}'}}}}]}}\n"
        )
    };
    let newer = |reference: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: g, namespace: shop}}\nspec: {{listeners: [{{tls: {{certificateRefs: [{{{reference}}}]}}}}]}}\n"
        )
    };
    let pods =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ingress, labels: {istio: ingress}}\nspec: {}\n";
    let secret = |home: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: tls, namespace: {home}}}\n");
    // Which Secret is found, and how often Gateways name the last resource.
    let found = |texts: &[&str]| {
        let mesh = test_mesh(texts);
        let place = Place { tree: 0, node: mesh.names_of_credentials(ResourceId(0))[0].id() };
        let shown = mesh.shown_by(ResourceId(texts.len() as u32 - 1)).len();
        (mesh.credential(ResourceId(0), place).ok().map(|id| mesh.resource(id).namespace().to_string()), shown)
    };
    let at = |home: &str| (Some(home.to_string()), 1);
    assert_eq!(found(&[&gateway("tls"), pods, &secret("ingress")]), at("ingress"));
    assert_eq!(found(&[&gateway("tls"), pods, &secret("shop")]), (None, 0));
    assert_eq!(found(&[&gateway("tls"), &secret("shop")]), at("shop"));
    assert_eq!(found(&[&gateway("kubernetes://other/tls"), pods, &secret("other")]), at("other"));
    for name in ["builtin://", "${NAME}", "configmap://ingress/tls"] {
        assert_eq!(found(&[&gateway(name), pods, &secret("ingress")]), (None, 0));
    }
    assert_eq!(found(&[&newer("name: tls"), &secret("shop")]), at("shop"));
    assert_eq!(found(&[&newer("name: tls, namespace: other"), &secret("other")]), at("other"));
    assert_eq!(found(&[&newer("name: tls, kind: ConfigMap"), &secret("shop")]), (None, 0));
}

#[test]
fn rubbish_is_refused_and_harms_nothing() {
    let der = pem::blocks(CA.as_bytes()).0.remove(0).der;
    let key = pem::blocks(KEY.as_bytes()).0.remove(0).der;
    let certificate = read(CA);
    let place = certificate.place;
    let armed =
        |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der));
    // Every byte another one, and every length.
    for at in 0..der.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut wrong = der.clone();
            wrong[at] ^= flip;
            if let Some(read) = Certificate::read(place, &wrong) {
                read.signed_by(&certificate);
                certificate.signed_by(&read);
                key::fit(KEY.as_bytes(), &read);
            }
        }
        assert!(Certificate::read(place, &der[..at]).is_none());
    }
    for label in ["EC PRIVATE KEY", "RSA PRIVATE KEY", "PRIVATE KEY"] {
        for at in 0..key.len() {
            let mut wrong = key.clone();
            wrong[at] ^= 0xff;
            key::fit(armed(label, &wrong).as_bytes(), &certificate);
            let fit = key::fit(armed(label, &key[..at]).as_bytes(), &certificate);
            assert!(fit == Fit::Unreadable, "{label} {at}: {fit:?}");
        }
    }
    for (label, der) in [("CERTIFICATE", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff][..]), ("PRIVATE KEY", &[0x30, 0x80])] {
        let text = istios(&armed(label, der), &armed(label, der), &armed(label, der), &armed(label, der));
        assert_eq!(judged(&text).1, "unknown");
    }
}

#[test]
fn bundles_without_end_are_cut_short() {
    let start = std::time::Instant::now();
    let chain = [file!("mid.pem"), file!("other-root.pem")].concat().repeat(200);
    let roots = file!("other-root.pem").repeat(400);
    judged(&istios(file!("ca-mid.pem"), KEY, &chain, &roots));
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
