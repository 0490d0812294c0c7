//! From a manifest to a [`Variant`]: the API's defaults, and what the API server refuses.
//!
//! A value that stands elsewhere (`${PORT}`) is never refused; it makes its part unknown.

use super::super::Mesh;
use super::super::selector::{Selector, Tri};
use super::policy::{Choice, PeerItem, PortItem, Ports, Rule, Section, Variant, Who};
use super::syntax::{is_label_key, is_label_value, is_port_name};
use super::{Cidr, Direction, Protocol};
use crate::resource::ResourceId;
use crate::yaml::scalar::{self, Scalar};
use crate::yaml::{Node, Place};

/// Why the API server refuses an object, and where.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) place: Place,
    pub(super) reason: String,
}

type Read<T> = Result<T, Refusal>;

/// Reads one policy.
pub(super) fn compile(mesh: &Mesh, id: ResourceId) -> Read<Variant> {
    let root = mesh.resource(id).root;
    let read = Reader { tree: root.tree };
    let spec = read.map(mesh.root(id).get("spec"), "spec")?;
    let field = |key| spec.and_then(|s| s.get(key)).filter(|n| !n.is_null());
    let pods = read.choice(field("podSelector"))?;
    let types = read.list(field("policyTypes"), "policyTypes")?;
    let ingress = read.rules(field("ingress"), "ingress", "from")?;
    let egress = read.rules(field("egress"), "egress", "to")?;

    // A spec that stands elsewhere could say anything.
    let hidden = spec.is_some_and(Node::is_unknown);
    let egress_hidden = field("egress").is_some_and(Node::is_unknown);
    let mut listed = [Tri::No; 2];
    for node in &types {
        match node.string() {
            _ if node.is_unknown() => listed = listed.map(|l| l.or(Tri::Unknown)),
            Some("Egress") => listed[Direction::Egress as usize] = Tri::Yes,
            Some("Ingress") => listed[Direction::Ingress as usize] = Tri::Yes,
            _ => return read.refuse(*node, "a policy type is Ingress or Egress"),
        }
    }
    if let Some(third) = types.get(2) {
        return read.refuse(*third, "there are two policy types at most");
    }
    let section = |direction: Direction, rules: Vec<Rule>| {
        let isolates = match direction {
            _ if hidden => Tri::Unknown,
            _ if !types.is_empty() => listed[direction as usize],
            Direction::Ingress => Tri::Yes,
            Direction::Egress if egress_hidden => Tri::Unknown,
            Direction::Egress => (!rules.is_empty()).into(),
        };
        let unknown = hidden.then(|| read.unknown_rule(root)).into_iter();
        Section { isolates, rules: rules.into_iter().chain(unknown).collect() }
    };
    let place = pods.place.or_else(|| field("policyTypes").or(spec).map(|n| read.at(n))).unwrap_or(root);
    Ok(Variant {
        id,
        place,
        types: field("policyTypes").map(|n| read.at(n)),
        pods: Choice { unknown: pods.unknown || hidden, ..pods },
        ingress: section(Direction::Ingress, ingress),
        egress: section(Direction::Egress, egress),
    })
}

/// Reads parts of one tree.
struct Reader {
    tree: u32,
}

impl Reader {
    fn at(&self, node: Node<'_>) -> Place {
        Place { tree: self.tree, node: node.id() }
    }

    fn refuse<T>(&self, node: Node<'_>, reason: impl Into<String>) -> Read<T> {
        Err(Refusal { place: self.at(node), reason: reason.into() })
    }

    /// A map, or a value that stands elsewhere; null is nothing.
    fn map<'t>(&self, node: Option<Node<'t>>, what: &str) -> Read<Option<Node<'t>>> {
        match node {
            Some(node) if node.is_null() => Ok(None),
            Some(node) if !node.is_map() && !node.is_unknown() => self.refuse(node, format!("{what} is a map")),
            node => Ok(node),
        }
    }

    /// The items of a list. A list that stands elsewhere is one item of which nothing is known.
    fn list<'t>(&self, node: Option<Node<'t>>, what: &str) -> Read<Vec<Node<'t>>> {
        match node {
            None => Ok(Vec::new()),
            Some(node) if node.is_null() => Ok(Vec::new()),
            Some(node) if node.is_seq() => Ok(node.items().collect()),
            Some(node) if node.is_unknown() => Ok(vec![node]),
            Some(node) => self.refuse(node, format!("{what} is a list")),
        }
    }

    fn unknown_rule(&self, place: Place) -> Rule {
        Rule { place, peers: vec![PeerItem { place, who: Who::Unknown }], ports: Vec::new() }
    }

    fn rules(&self, node: Option<Node<'_>>, what: &str, peers: &str) -> Read<Vec<Rule>> {
        self.list(node, what)?.into_iter().map(|item| self.rule(item, peers)).collect()
    }

    fn rule(&self, item: Node<'_>, peers: &str) -> Read<Rule> {
        let place = self.at(item);
        let Some(map) = self.map(Some(item), "a rule")? else {
            return Ok(Rule { place, peers: Vec::new(), ports: Vec::new() });
        };
        if map.is_unknown() {
            return Ok(self.unknown_rule(place));
        }
        let who = |item| Ok(PeerItem { place: self.at(item), who: self.peer(item)? });
        Ok(Rule {
            place,
            peers: self.list(map.get(peers), peers)?.into_iter().map(who).collect::<Read<_>>()?,
            ports: self.list(map.get("ports"), "ports")?.into_iter().map(|p| self.port(p)).collect::<Read<_>>()?,
        })
    }

    fn peer(&self, item: Node<'_>) -> Read<Who> {
        if item.is_unknown() {
            return Ok(Who::Unknown);
        }
        let map = self.map(Some(item), "a peer")?;
        let field = |key| map.and_then(|m| m.get(key)).filter(|n| !n.is_null());
        let (pods, namespaces, block) = (field("podSelector"), field("namespaceSelector"), field("ipBlock"));
        match (block, pods.or(namespaces)) {
            (None, None) => self.refuse(item, "a peer needs podSelector, namespaceSelector or ipBlock"),
            (Some(block), Some(_)) => self.refuse(block, "ipBlock stands alone, without selectors"),
            (Some(block), None) => self.block(block),
            (None, Some(_)) => {
                let choice = |node: Option<Node<'_>>| node.map(|n| self.choice(Some(n))).transpose();
                Ok(Who::Pods { pods: choice(pods)?, namespaces: choice(namespaces)? })
            }
        }
    }

    fn block(&self, block: Node<'_>) -> Read<Who> {
        self.map(Some(block), "ipBlock")?;
        if block.is_unknown() {
            return Ok(Who::Unknown);
        }
        let Some(node) = block.get("cidr") else {
            return self.refuse(block, "an ipBlock needs a cidr");
        };
        let excepts = self.list(block.get("except"), "except")?;
        if node.is_unknown() || excepts.iter().any(|e| e.is_unknown()) {
            return Ok(Who::Unknown);
        }
        let cidr = self.cidr(node)?;
        let except = excepts
            .into_iter()
            .map(|node| match self.cidr(node)? {
                hole if hole != cidr && cidr.contains(hole) => Ok(hole),
                _ => self.refuse(node, format!("except must be a part of {cidr}, and not all of it")),
            })
            .collect::<Read<_>>()?;
        Ok(Who::Block { cidr, except })
    }

    fn cidr(&self, node: Node<'_>) -> Read<Cidr> {
        match node.string().and_then(Cidr::parse) {
            Some(cidr) => Ok(cidr),
            None => self.refuse(node, "a range of addresses is written as 10.0.0.0/8"),
        }
    }

    fn port(&self, item: Node<'_>) -> Read<PortItem> {
        let map = self.map(Some(item), "a port")?;
        let field = |key| map.and_then(|m| m.get(key)).filter(|n| !n.is_null());
        if item.is_unknown() {
            return Ok(PortItem { place: self.at(item), protocol: None, ports: Ports::Unknown });
        }
        let protocol = match field("protocol") {
            None => Some(Protocol::Tcp),
            Some(node) if node.is_unknown() => None,
            Some(node) => match node.string().and_then(Protocol::parse) {
                Some(protocol) => Some(protocol),
                None => return self.refuse(node, "a protocol is TCP, UDP or SCTP"),
            },
        };
        let place = self.at(field("port").unwrap_or(item));
        let ports = match field("port") {
            None => Ports::All,
            Some(node) if node.is_unknown() => Ports::Unknown,
            Some(node) => match node.scalar() {
                Some(Scalar::Int(_)) => {
                    let number = self.number(node)?;
                    Ports::Range(number, number)
                }
                Some(Scalar::Text(name)) if is_port_name(name) => Ports::Named(name.into()),
                Some(Scalar::Text(name)) if name.bytes().all(|b| b.is_ascii_digit()) => {
                    return self.refuse(node, "a number in quotes is a port's name, and names need a letter");
                }
                _ => {
                    return self.refuse(node, "a port is a number or a name of up to 15 of a-z, 0-9 and -");
                }
            },
        };
        let ports = match (field("endPort"), ports) {
            (None, ports) => ports,
            (Some(end), Ports::Unknown) if end.is_unknown() || end.int().is_some() => Ports::Unknown,
            (Some(end), Ports::Range(..)) if end.is_unknown() => Ports::Unknown,
            (Some(end), Ports::Range(first, _)) => match self.number(end)? {
                last if last >= first => Ports::Range(first, last),
                _ => {
                    return self.refuse(end, format!("endPort must not be less than port, {first}"));
                }
            },
            (Some(end), _) => return self.refuse(end, "endPort needs a number as port"),
        };
        Ok(PortItem { place, protocol, ports })
    }

    fn number(&self, node: Node<'_>) -> Read<u16> {
        match node.int().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0) {
            Some(number) => Ok(number),
            None => self.refuse(node, "a port number is from 1 to 65535"),
        }
    }

    /// A label selector; missing, it selects everything.
    fn choice(&self, node: Option<Node<'_>>) -> Read<Choice> {
        let map = self.map(node, "a selector")?;
        let labels = self.map(map.and_then(|m| m.get("matchLabels")), "matchLabels")?;
        let expressions = self.list(map.and_then(|m| m.get("matchExpressions")), "matchExpressions")?;
        let mut unknown = [map, labels].into_iter().flatten().any(Node::is_unknown);
        for (key, value) in labels.into_iter().flat_map(Node::entries) {
            self.label_key(key)?;
            self.label_value(value)?;
        }
        for item in expressions {
            unknown |= self.expression(item)?;
        }
        let mut selector = Selector::read(map);
        // Only conditions with parts that stand elsewhere are left to be invalid.
        selector.invalid = false;
        let before = selector.requirements.len();
        selector.requirements.retain(|r| !scalar::is_unknown(&r.key));
        unknown |= selector.requirements.len() < before;
        Ok(Choice { place: node.map(|n| self.at(n)), selector, unknown })
    }

    /// Whether a condition has parts that stand elsewhere.
    fn expression(&self, item: Node<'_>) -> Read<bool> {
        self.map(Some(item), "a condition")?;
        let field = |key| item.get(key).filter(|n| !n.is_null());
        let values = self.list(field("values"), "values")?;
        let (Some(key), Some(operator)) = (field("key"), field("operator")) else {
            return if item.is_unknown() { Ok(true) } else { self.refuse(item, "a condition needs key and operator") };
        };
        self.label_key(key)?;
        for value in &values {
            self.label_value(*value)?;
        }
        let hidden = field("values").is_some_and(Node::is_unknown);
        match operator.string() {
            _ if operator.is_unknown() => return Ok(true),
            Some("In" | "NotIn") if values.is_empty() => {
                return self.refuse(operator, "this operator needs values");
            }
            Some("Exists" | "DoesNotExist") if !values.is_empty() => {
                return self.refuse(operator, "this operator takes no values");
            }
            Some("In" | "NotIn" | "Exists" | "DoesNotExist") => {}
            _ => return self.refuse(operator, "an operator is In, NotIn, Exists or DoesNotExist"),
        }
        Ok(hidden || key.is_unknown())
    }

    fn label_key(&self, key: Node<'_>) -> Read<()> {
        match key.text() {
            Some(text) if key.is_unknown() || is_label_key(text) => Ok(()),
            _ => self.refuse(key, "this can't be the key of a label"),
        }
    }

    fn label_value(&self, value: Node<'_>) -> Read<()> {
        match value.scalar() {
            _ if value.is_unknown() => Ok(()),
            Some(Scalar::Text(text)) if is_label_value(text) => Ok(()),
            Some(Scalar::Null) => Ok(()),
            Some(Scalar::Text(_)) | None => self.refuse(value, "this can't be the value of a label"),
            Some(_) => self.refuse(value, "the value of a label is text: put it in quotes"),
        }
    }
}
