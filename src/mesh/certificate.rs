//! Certificates and private keys in Secrets: what istiod signs with, what gateways show.
//!
//! A rule sees no value of a Secret. What it may know about one is read here, and said in answers that hold
//! nothing of a private key. Source of the layouts: `pilot/pkg/bootstrap/istio_ca.go` and
//! `pilot/pkg/credentials/kube/secrets.go` of istio/istio 1.31.

mod key;
mod path;
mod pem;
mod x509;

use std::collections::HashMap;

use super::Mesh;
use super::absence::Absence;
use super::selector::{Selector, Tri};
use crate::resource::ResourceId;
use crate::yaml::{Node, Place, scalar};

pub use key::Fit;
pub use path::Trust;
pub use x509::Certificate;

/// The parts of a Secret that belong together: the keys of certificate, private key, the certificates in
/// between and the roots.
const LAYOUTS: [[&str; 4]; 3] = [
    // `kubernetes.io/tls`, which istiod, too, looks for first: what lies in between follows the certificate.
    ["tls.crt", "tls.key", "tls.crt", "ca.crt"],
    // Istio's own for `cacerts`.
    ["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"],
    // The older one of gateways.
    ["cert", "key", "cert", "cacert"],
];

/// A certificate with its private key and what leads to a root, as a Secret holds them.
#[derive(Debug, Clone, Copy)]
pub struct KeyPair {
    /// The Secret.
    pub secret: ResourceId,
    /// The certificate.
    pub certificate: Place,
    /// Its private key.
    pub key: Option<Place>,
    /// Certificates between it and a root.
    pub chain: Option<Place>,
    /// Roots.
    pub roots: Option<Place>,
}

/// The certificates of a value.
#[derive(Debug, Default)]
pub struct Certificates {
    /// Those that can be read, in order.
    pub items: Vec<Certificate>,
    /// Why others can't, as in "it is base64 of base64".
    pub fault: Option<&'static str>,
    /// The input shows them, or shows that there are none.
    pub is_known: bool,
}

impl Mesh {
    /// The value that a Secret has under a key; what stands in `stringData` wins.
    fn secret_part(&self, secret: ResourceId, key: &str) -> Option<Place> {
        self.at(secret, &["stringData", key]).or_else(|| self.at(secret, &["data", key]))
    }

    /// The parts of a Secret, by the layout that its keys show; nothing if it has none of them.
    pub fn key_pair(&self, secret: ResourceId) -> Option<KeyPair> {
        LAYOUTS.iter().find_map(|[certificate, key, chain, roots]| {
            let certificate = self.secret_part(secret, certificate)?;
            Some(KeyPair {
                secret,
                certificate,
                key: self.secret_part(secret, key),
                chain: self.secret_part(secret, chain),
                roots: self.secret_part(secret, roots),
            })
        })
    }

    /// The PEM text of a value, decoded where the API wants it in base64: in a Secret, and as the `caBundle`
    /// of a webhook.
    fn pem(&self, place: Place) -> Option<Result<Vec<u8>, &'static str>> {
        let node = self.trees.node(place);
        let is_base64 = self.owner(place).is_some_and(|id| {
            let data = self.root(id).get("data").map(|data| data.target().id());
            let resource = self.resource(id);
            &*resource.kind == "Secret" && place.tree == resource.root.tree && node.parent().map(Node::id) == data
        });
        let is_bundle = node.key().and_then(Node::text) == Some("caBundle");
        pem::text(node.text()?, is_base64 || is_bundle)
    }

    /// The certificates that a value holds, of a Secret, a ConfigMap or whatever takes PEM.
    pub fn certificates(&self, place: Place) -> Certificates {
        let text = match self.pem(place) {
            None => return Certificates::default(),
            Some(Err(fault)) => return Certificates { fault: Some(fault), is_known: true, ..Certificates::default() },
            Some(Ok(text)) => text,
        };
        let (blocks, is_damaged) = pem::blocks(&text);
        let ours: Vec<_> = blocks.iter().filter(|block| block.label == "CERTIFICATE").collect();
        let items: Vec<_> = ours.iter().filter_map(|block| Certificate::read(place, &block.der)).collect();
        let fault = if is_damaged {
            Some("a block of its PEM is cut or damaged")
        } else if ours.is_empty() {
            Some("no block of its PEM is a certificate")
        } else {
            (items.len() < ours.len()).then_some("what its PEM holds is no X.509 certificate")
        };
        Certificates { items, fault, is_known: true }
    }

    /// The certificate of a key pair.
    fn own_certificate(&self, pair: &KeyPair) -> Option<Certificate> {
        self.certificates(pair.certificate).items.into_iter().next()
    }

    /// Whether the private key belongs to the certificate.
    pub fn fit(&self, pair: &KeyPair) -> Fit {
        let key = pair.key.and_then(|place| self.pem(place));
        match (self.own_certificate(pair), key) {
            (_, Some(Err(_))) => Fit::Unreadable,
            (Some(certificate), Some(Ok(text))) => key::fit(&text, &certificate),
            _ => Fit::Unknown,
        }
    }

    /// What kind of PEM block stands first where the private key belongs; istiod reads no other. Nothing
    /// where that is not shown.
    pub fn first_block(&self, pair: &KeyPair) -> Option<String> {
        let text = self.pem(pair.key?)?.ok()?;
        pem::blocks(&text).0.into_iter().next().map(|block| block.label)
    }

    /// Where the certificate of a key pair leads to.
    pub fn trust(&self, pair: &KeyPair) -> Trust {
        let list = |place: Option<Place>| place.map(|place| self.certificates(place));
        let is_whole = |list: &Certificates| list.is_known && list.fault.is_none();
        let (Some(own), Some(roots)) = (self.own_certificate(pair), list(pair.roots).filter(is_whole)) else {
            return Trust::Unknown;
        };
        // An empty text has no certificates; one that is to be filled in is not shown.
        let chain = list(pair.chain).unwrap_or_default();
        let is_empty =
            pair.chain.is_none_or(|place| self.trees.node(place).text().is_some_and(|t| t.trim().is_empty()));
        match path::find(&own, &chain.items, &roots.items) {
            Trust::Gap(_) if !is_whole(&chain) && !is_empty => Trust::Unknown,
            trust => trust,
        }
    }

    /// The values of a Secret or ConfigMap that hold a private key in clear, in a file as somebody wrote
    /// it: none of what was rendered, read from a cluster or from standard input.
    pub fn private_keys(&self, id: ResourceId) -> Vec<Place> {
        if self.resource(id).generated {
            return Vec::new();
        }
        let tree = self.resource(id).root.tree;
        let maps = ["data", "stringData"].iter().filter_map(|key| self.root(id).get(key));
        // Whatever holds a private key is marked as secret.
        let values = maps.flat_map(Node::entries).filter(|(_, value)| value.is_secret());
        let values = values.map(|(_, value)| Place { tree, node: value.id() });
        values.filter(|place| matches!(self.pem(*place), Some(Ok(text)) if pem::holds_private_key(&text))).collect()
    }

    /// The Secret that a Gateway means by a `credentialName`, or by an item of `certificateRefs`: in the
    /// namespace of the pods that it selects, or in its own where they were not read.
    pub fn credential(&self, gateway: ResourceId, named: Place) -> Result<ResourceId, Absence> {
        let elsewhere = || Absence::unknown("credentials of gateways");
        let node = self.trees.node(named);
        let own = self.resource(gateway).namespace();
        let (homes, name) = if node.is_map() {
            let is_secret = node.get("kind").is_none_or(|kind| kind.text() == Some("Secret"));
            let name = node.get("name").and_then(known).filter(|_| is_secret).ok_or_else(elsewhere)?;
            (vec![node.get("namespace").map_or(Ok(own), |home| known(home).ok_or_else(elsewhere))?], name)
        } else {
            let name = known(node).ok_or_else(elsewhere)?;
            match name.split_once("://") {
                None => (self.homes_of_gateway(gateway).ok_or_else(elsewhere)?, name),
                Some(("kubernetes", rest)) => match rest.split_once('/') {
                    None => (self.homes_of_gateway(gateway).ok_or_else(elsewhere)?, rest),
                    Some((home, name)) => (vec![home], name),
                },
                Some(_) => return Err(elsewhere()),
            }
        };
        match homes.iter().find_map(|home| self.named("", "Secret", home, name).first()) {
            Some(secret) if self.resource(*secret).is_open() => Err(Absence::unknown("copies of a Secret")),
            Some(secret) => Ok(*secret),
            None if self.is_external("", "Secret", homes[0], name) => Err(Absence::unknown("externals")),
            None => Err(self.absence_of("", "Secret", homes[0], name)),
        }
    }

    /// The places at which Gateways name a Secret for TLS.
    pub fn shown_by(&self, secret: ResourceId) -> &[Place] {
        self.credentials.get_or_init(|| self.all_credentials()).get(&secret).map_or(&[], Vec::as_slice)
    }

    fn all_credentials(&self) -> HashMap<ResourceId, Vec<Place>> {
        let mut all: HashMap<_, Vec<Place>> = HashMap::new();
        let gateways = |group| self.of_kind(group, "Gateway");
        for gateway in gateways("networking.istio.io").chain(gateways("gateway.networking.k8s.io")) {
            let tree = self.resource(gateway).root.tree;
            for node in self.names_of_credentials(gateway) {
                let place = Place { tree, node: node.id() };
                if let Ok(secret) = self.credential(gateway, place) {
                    all.entry(secret).or_default().push(place);
                }
            }
        }
        all
    }

    /// Each `credentialName` of a Gateway, or each item of its `certificateRefs`.
    pub fn names_of_credentials(&self, gateway: ResourceId) -> Vec<Node<'_>> {
        let spec = self.root(gateway).get("spec");
        let items = |key| spec.and_then(|spec| spec.get(key)).into_iter().flat_map(Node::items);
        let tls = |key| items(key).filter_map(|item| item.get("tls"));
        let names = tls("servers").flat_map(|tls| {
            let many = tls.get("credentialNames").into_iter().flat_map(Node::items);
            tls.get("credentialName").into_iter().chain(many)
        });
        names
            .chain(tls("listeners").flat_map(|tls| tls.get("certificateRefs").into_iter().flat_map(Node::items)))
            .collect()
    }

    /// The namespaces of the pods that a Gateway of Istio's selects, or its own where none was read; nothing
    /// where the input does not show which they are.
    fn homes_of_gateway(&self, gateway: ResourceId) -> Option<Vec<&str>> {
        let selector = Selector::equality(self.root(gateway).at(&["spec", "selector"]));
        if selector.is_empty() {
            return None;
        }
        let (mut homes, mut is_unsure) = (Vec::new(), false);
        for workload in &self.workloads {
            match selector.matches(&workload.labels) {
                Tri::Yes => homes.push(&*workload.namespace),
                Tri::No => {}
                Tri::Unknown => is_unsure = true,
            }
        }
        homes.sort_unstable();
        homes.dedup();
        match homes.is_empty() {
            true if is_unsure => None,
            true => Some(vec![self.resource(gateway).namespace()]),
            false => Some(homes),
        }
    }
}

/// The text of a value that the input shows.
fn known(node: Node<'_>) -> Option<&str> {
    node.text().filter(|text| !scalar::is_unknown(text))
}

#[cfg(test)]
mod tests;
