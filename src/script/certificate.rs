//! What a rule may ask about certificates and the keys that belong to them. The values of Secrets stay
//! unknown to it; what it gets are answers about them.

use std::rc::Rc;

use jiff::civil::Date;
use rhai::{Array, Dynamic, ImmutableString};

use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use super::{Context, Result};
use crate::mesh::absence::Absence;
use crate::mesh::certificate::{Certificate, Fit, KeyPair, Trust};
use crate::yaml::{Place, scalar};

/// A certificate.
#[derive(Debug, Clone)]
pub(super) struct C(Rc<Certificate>);

/// A certificate with its private key.
#[derive(Debug, Clone, Copy)]
pub(super) struct K(KeyPair);

/// The first day of the calendar that certificates are counted in.
const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// A day as text, `2027-01-31`.
fn day(number: i64) -> String {
    let span = jiff::Span::new().try_days(number);
    // Past the calendar's end: a certificate that never expires.
    span.and_then(|span| EPOCH.checked_add(span)).unwrap_or(Date::MAX).to_string()
}

impl Context {
    fn today(&self) -> Option<i64> {
        let today: Date = self.mesh.declared.today.parse().ok()?;
        Some(i64::from(EPOCH.until(today).ok()?.get_days()))
    }

    /// The key that a value of a Secret stands under: the value itself must not be shown.
    fn key_at(&self, place: Place) -> V {
        let value = V::at(place);
        self.node(value).key().map_or(value, |key| self.sibling(value, key))
    }

    /// The value that is meant: what stands under a key, or the value itself.
    fn held(&self, v: V) -> Option<Place> {
        let node = self.node(v);
        let value = if node.is_key() { node.entry().map_or(node, |(_, value)| value) } else { node };
        (v.ghost == 0).then(|| self.sibling(v, value).place)
    }

    fn certificates(&self, v: V) -> Array {
        let Some(place) = self.held(v) else { return Array::new() };
        let found = self.mesh.certificates(place);
        if !found.is_known && scalar::is_unknown(self.mesh.trees.node(place).text().unwrap_or_default()) {
            self.note_unknown("certificates that stand elsewhere");
        }
        found.items.into_iter().map(certificate).collect()
    }

    fn part_of_pair(&self, pair: &K, place: Option<Place>) -> V {
        let secret = self.mesh.resource(pair.0.secret).root;
        place.map_or_else(|| self.missing(secret, Vec::new(), None), |place| self.key_at(place))
    }
}

fn certificate(certificate: Certificate) -> Dynamic {
    Dynamic::from(C(Rc::new(certificate)))
}

/// The words about certificates.
pub(super) fn register(words: &mut Words<'_>) {
    on_mesh(words);
    on_pair(words);
    let c = words.context();
    let x = c.clone();
    words.word(On::Certificate, "place()", "the key under which it stands", "", move |c: C| x.key_at(c.0.place));
    for (signature, meaning, field) in [
        ("subject()", "whose it is: the common name", (|c| c.subject.clone()) as fn(&Certificate) -> String),
        ("issuer()", "who signed it: the common name", |c| c.issuer.clone()),
        ("not_before()", "its first day, `2026-01-31`", |c| day(c.first_day)),
        ("not_after()", "its last day, `2027-01-31`", |c| day(c.last_day)),
        ("key()", "the kind of its key: `RSA`, `EC`, `Ed25519`; empty for others", |c| c.key.to_string()),
        ("hash()", "the hash of its signature: `SHA-256`, `SHA-1`; empty for others", |c| c.hash.to_string()),
    ] {
        words.word(On::Certificate, signature, meaning, "", move |c: C| ImmutableString::from(field(&c.0)));
    }
    for (signature, meaning, field) in [
        ("is_ca()", "it belongs to a certificate authority", (|c| c.is_ca) as fn(&Certificate) -> bool),
        ("may_sign()", "its key usage admits that it signs certificates", |c| c.may_sign),
        ("serves_tls()", "its extended key usage admits servers, or it has none", |c| c.serves_tls),
        ("is_self_signed()", "it names itself as issuer, as roots do", |c| c.is_self_signed),
    ] {
        words.word(On::Certificate, signature, meaning, "", move |c: C| field(&c.0));
    }
    words.word(On::Certificate, "key_bits()", "the size of its key; 0 if it is not known", "", |c: C| {
        c.0.key_bits as i64
    });
    words.word(
        On::Certificate,
        "path_length()",
        "how many authorities may follow below it; -1 without a limit",
        "",
        |c: C| c.0.path_length.map_or(-1, i64::from),
    );
    let x = c.clone();
    words.word(
        On::Certificate,
        "days_left()",
        "days from today to its last one, negative when it has expired",
        "",
        move |c: C| x.today().map_or(i64::MAX, |today| c.0.last_day - today),
    );
    let x = c;
    words.word(
        On::Certificate,
        "days_until_valid()",
        "days from today to its first one, negative when it has begun",
        "",
        move |c: C| x.today().map_or(i64::MIN, |today| c.0.first_day - today),
    );
    words.word(On::Certificate, "same_as(certificate)", "it is the very same", "", |c: C, other: C| c.0.is(&other.0));
}

fn on_mesh(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    words.word(
        On::Mesh,
        "certificates(value)",
        "the certificates that a value holds, also one of a Secret, or what stands under a key, as an array",
        "",
        move |_: M, v: V| x.certificates(v),
    );
    let x = c.clone();
    words.word(
        On::Mesh,
        "certificate_fault(value)",
        "why certificates in a value can't be read, as in \"it is base64 of base64\"; empty if they can, or if it is not shown",
        "",
        move |_: M, v: V| {
            let fault = x.held(v).and_then(|place| x.mesh.certificates(place).fault);
            ImmutableString::from(fault.unwrap_or_default())
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "key_pair(secret)",
        "the certificate and private key of a Secret, in Istio's layout or that of `kubernetes.io/tls`, as an array of none or one",
        "",
        move |_: M, v: V| -> Result<Array> {
            let pair = x.mesh.key_pair(x.need_resource(v, "key_pair()")?);
            Ok(pair.into_iter().map(|pair| Dynamic::from(K(pair))).collect())
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "private_keys(resource)",
        "the keys of a Secret or ConfigMap under which a private key stands in clear",
        "",
        move |_: M, v: V| -> Result<L> {
            let found = x.mesh.private_keys(x.need_resource(v, "private_keys()")?);
            Ok(L::new(found.into_iter().map(|place| x.key_at(place)).collect(), None, Some(Absence::certain())))
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "shown_by(secret)",
        "where Gateways name a Secret for TLS: `credentialName`s and items of `certificateRefs`",
        "Gateway",
        move |_: M, v: V| -> Result<L> {
            let places = x.mesh.shown_by(x.need_resource(v, "shown_by()")?);
            Ok(L::new(places.iter().map(|place| V::at(*place)).collect(), None, None))
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "credentials(gateway)",
        "all names of Secrets for TLS in a Gateway: `credentialName`s and items of `certificateRefs`",
        "",
        move |_: M, v: V| -> Result<L> {
            let gateway = x.need_resource(v, "credentials()")?;
            let names = x.mesh.names_of_credentials(gateway).into_iter().map(|node| x.sibling(v, node)).collect();
            Ok(L::new(names, None, None))
        },
    );
    let x = c;
    words.fallible(
        On::Mesh,
        "credential(name, gateway)",
        "the Secret that a Gateway means by a `credentialName`, or an item of `certificateRefs`; missing if it was not read",
        "Secret",
        move |_: M, name: V, gateway: V| -> Result<V> {
            let gateway = x.need_resource(gateway, "credential()")?;
            if name.ghost != 0 || x.is_unknown(name) {
                return Ok(x.unknown_at(name.place, "credentials of gateways"));
            }
            Ok(match x.mesh.credential(gateway, name.place) {
                Ok(secret) => x.root(secret),
                Err(absence) => x.absent(name.place, absence),
            })
        },
    );
}

fn on_pair(words: &mut Words<'_>) {
    let c = words.context();
    for (signature, meaning, part) in [
        (
            "certificate()",
            "the key of the certificate",
            (|pair| Some(pair.certificate)) as fn(&KeyPair) -> Option<Place>,
        ),
        ("key()", "the key of the private key; missing if there is none", |pair| pair.key),
        ("chain()", "the key of the certificates in between; missing if there is none", |pair| pair.chain),
        ("roots()", "the key of the roots; missing if there is none", |pair| pair.roots),
    ] {
        let x = c.clone();
        words.word(On::KeyPair, signature, meaning, "", move |pair: K| x.part_of_pair(&pair, part(&pair.0)));
    }
    let x = c.clone();
    words.word(
        On::KeyPair,
        "fit()",
        "whether the private key belongs to the certificate: `fits`, `differs`, `encrypted`, `unreadable` or `unknown`",
        "",
        move |pair: K| match x.mesh.fit(&pair.0) {
            Fit::Fits => "fits",
            Fit::Differs => "differs",
            Fit::Encrypted => "encrypted",
            Fit::Unreadable => "unreadable",
            Fit::Unknown => "unknown",
        },
    );
    let x = c.clone();
    words.word(
        On::KeyPair,
        "first_block()",
        "the kind of PEM block that stands first where the private key belongs; empty if that is not shown",
        "",
        move |pair: K| ImmutableString::from(x.mesh.first_block(&pair.0).unwrap_or_default()),
    );
    let x = c.clone();
    words.word(
        On::KeyPair,
        "path()",
        "the certificates from its own to a root, the one that is valid for longest, as an array; empty if they don't lead to one, or can't be read",
        "",
        move |pair: K| -> Array {
            match x.mesh.trust(&pair.0) {
                Trust::Whole(way) => way.into_iter().map(certificate).collect(),
                _ => Array::new(),
            }
        },
    );
    let x = c;
    words.word(
        On::KeyPair,
        "gap()",
        "the certificate whose issuer is not there, as an array of none or one",
        "",
        move |pair: K| -> Array {
            match x.mesh.trust(&pair.0) {
                Trust::Gap(last) => vec![certificate(last)],
                _ => Array::new(),
            }
        },
    );
}
