//! The evaluator against a second one that is written from the API's formula alone, on worlds of
//! which everything is known but whether an `ipBlock` covers pods.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

type Labels = Vec<(&'static str, &'static str)>;

#[derive(Debug, Clone)]
enum Condition {
    Is(&'static str, &'static str),
    In(&'static str, Vec<&'static str>),
    NotIn(&'static str, Vec<&'static str>),
    Exists(&'static str),
    Absent(&'static str),
}

#[derive(Debug, Clone)]
enum Who {
    Selectors(Option<Vec<Condition>>, Option<Vec<Condition>>),
    Block,
}

#[derive(Debug, Clone)]
enum On {
    All,
    From(u16, u16),
    Name(&'static str),
}

#[derive(Debug, Clone)]
struct Rule {
    peers: Vec<Who>,
    ports: Vec<(&'static str, On)>,
}

#[derive(Debug, Clone)]
struct Policy {
    namespace: usize,
    pods: Vec<Condition>,
    types: Vec<&'static str>,
    ingress: Vec<Rule>,
    egress: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Pod {
    namespace: usize,
    labels: Labels,
    http: Option<u16>,
}

#[derive(Debug, Clone)]
struct World {
    namespaces: Vec<Labels>,
    pods: Vec<Pod>,
    policies: Vec<Policy>,
}

// The formula.

fn holds(conditions: &[Condition], labels: &Labels) -> bool {
    let value = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
    conditions.iter().all(|c| match c {
        Condition::Is(key, wanted) => value(key) == Some(wanted),
        Condition::In(key, all) => value(key).is_some_and(|v| all.contains(&v)),
        Condition::NotIn(key, all) => !value(key).is_some_and(|v| all.contains(&v)),
        Condition::Exists(key) => value(key).is_some(),
        Condition::Absent(key) => value(key).is_none(),
    })
}

impl World {
    fn side(&self, target: usize, peer: usize, egress: bool, blocks: bool, (protocol, number): (&str, u16)) -> bool {
        let (own, other) = (&self.pods[target], &self.pods[peer]);
        let destination = if egress { other } else { own };
        let mut isolated = false;
        for policy in self.policies.iter().filter(|p| p.namespace == own.namespace && holds(&p.pods, &own.labels)) {
            let types = match policy.types.is_empty() {
                true if policy.egress.is_empty() => vec!["Ingress"],
                true => vec!["Ingress", "Egress"],
                false => policy.types.clone(),
            };
            if !types.contains(&if egress { "Egress" } else { "Ingress" }) {
                continue;
            }
            isolated = true;
            for rule in if egress { &policy.egress } else { &policy.ingress } {
                let peer = rule.peers.is_empty()
                    || rule.peers.iter().any(|who| match who {
                        Who::Block => blocks,
                        Who::Selectors(pods, namespaces) => {
                            pods.as_ref().is_none_or(|p| holds(p, &other.labels))
                                && match namespaces {
                                    None => other.namespace == policy.namespace,
                                    Some(n) => holds(n, &self.namespaces[other.namespace]),
                                }
                        }
                    });
                let port = rule.ports.is_empty()
                    || rule.ports.iter().any(|(p, on)| {
                        *p == protocol
                            && match on {
                                On::All => true,
                                On::From(first, last) => (first..=last).contains(&&number),
                                On::Name(name) => {
                                    *name == "http" && protocol == "TCP" && destination.http == Some(number)
                                }
                            }
                    });
                if peer && port {
                    return true;
                }
            }
        }
        !isolated
    }

    fn allowed(&self, from: usize, to: usize, blocks: bool, port: (&str, u16)) -> bool {
        self.side(from, to, true, blocks, port) && self.side(to, from, false, blocks, port)
    }
}

// The same world as manifests.

fn selector(conditions: &[Condition]) -> String {
    let labels: Vec<_> = conditions
        .iter()
        .filter_map(|c| match c {
            Condition::Is(key, value) => Some(format!("{key}: {value}")),
            _ => None,
        })
        .collect();
    let expressions: Vec<_> = conditions
        .iter()
        .filter_map(|c| match c {
            Condition::Is(..) => None,
            Condition::In(key, all) => Some(format!("{{key: {key}, operator: In, values: [{}]}}", all.join(", "))),
            Condition::NotIn(key, all) => {
                Some(format!("{{key: {key}, operator: NotIn, values: [{}]}}", all.join(", ")))
            }
            Condition::Exists(key) => Some(format!("{{key: {key}, operator: Exists}}")),
            Condition::Absent(key) => Some(format!("{{key: {key}, operator: DoesNotExist}}")),
        })
        .collect();
    format!("{{matchLabels: {{{}}}, matchExpressions: [{}]}}", labels.join(", "), expressions.join(", "))
}

fn rules(rules: &[Rule], peers: &str) -> String {
    let all: Vec<_> = rules
        .iter()
        .map(|rule| {
            let who: Vec<_> = rule
                .peers
                .iter()
                .map(|who| match who {
                    Who::Block => "{ipBlock: {cidr: 10.0.0.0/8}}".to_string(),
                    Who::Selectors(pods, namespaces) => {
                        let fields: Vec<_> = [("podSelector", pods), ("namespaceSelector", namespaces)]
                            .iter()
                            .filter_map(|(key, s)| s.as_ref().map(|s| format!("{key}: {}", selector(s))))
                            .collect();
                        format!("{{{}}}", fields.join(", "))
                    }
                })
                .collect();
            let ports: Vec<_> = rule
                .ports
                .iter()
                .map(|(protocol, on)| match on {
                    On::All => format!("{{protocol: {protocol}}}"),
                    On::From(first, last) => {
                        format!("{{protocol: {protocol}, port: {first}, endPort: {last}}}")
                    }
                    On::Name(name) => format!("{{protocol: {protocol}, port: {name}}}"),
                })
                .collect();
            format!("{{{peers}: [{}], ports: [{}]}}", who.join(", "), ports.join(", "))
        })
        .collect();
    format!("[{}]", all.join(", "))
}

fn map(labels: &Labels) -> String {
    let all: Vec<_> = labels.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", all.join(", "))
}

fn documents(world: &World) -> Vec<String> {
    let mut all: Vec<_> =
        world.namespaces.iter().enumerate().map(|(i, l)| namespace(&format!("n{i}"), &map(l))).collect();
    for (i, pod) in world.pods.iter().enumerate() {
        let ports = pod.http.map(|n| format!("ports: [{{name: http, containerPort: {n}}}]")).unwrap_or_default();
        let spec = format!("{{containers: [{{name: main, {ports}}}]}}");
        all.push(deployment_with(&format!("n{}/w{i}", pod.namespace), &map(&pod.labels), &spec));
    }
    for (i, p) in world.policies.iter().enumerate() {
        let spec = format!(
            "{{podSelector: {}, policyTypes: [{}], ingress: {}, egress: {}}}",
            selector(&p.pods),
            p.types.join(", "),
            rules(&p.ingress, "from"),
            rules(&p.egress, "to")
        );
        all.push(policy(&format!("n{}/p{i}", p.namespace), &spec));
    }
    all
}

// Worlds.

const KEYS: [&str; 3] = ["app", "tier", "env"];
const VALUES: [&str; 2] = ["x", "z"];

fn labels() -> impl Strategy<Value = Labels> {
    proptest::collection::vec(proptest::option::of(select(&VALUES[..])), 3)
        .prop_map(|values| KEYS.iter().zip(values).filter_map(|(key, value)| Some((*key, value?))).collect())
}

fn condition() -> impl Strategy<Value = Condition> {
    let key = || select(&KEYS[..]);
    let some = || proptest::sample::subsequence(VALUES.to_vec(), 1..=2);
    prop_oneof![
        3 => (key(), select(&VALUES[..])).prop_map(|(k, v)| Condition::Is(k, v)),
        1 => (key(), some()).prop_map(|(k, v)| Condition::In(k, v)),
        1 => (key(), some()).prop_map(|(k, v)| Condition::NotIn(k, v)),
        1 => key().prop_map(Condition::Exists),
        1 => key().prop_map(Condition::Absent),
    ]
}

fn conditions() -> impl Strategy<Value = Vec<Condition>> {
    // Two values of one key in `matchLabels` would be one key twice.
    proptest::collection::vec(condition(), 0..3).prop_map(|mut all| {
        let mut seen = Vec::new();
        all.retain(|c| match c {
            Condition::Is(key, _) => {
                !seen.contains(key) && {
                    seen.push(*key);
                    true
                }
            }
            _ => true,
        });
        all
    })
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        3 => conditions().prop_map(|p| Who::Selectors(Some(p), None)),
        3 => conditions().prop_map(|n| Who::Selectors(None, Some(n))),
        3 => (conditions(), conditions()).prop_map(|(p, n)| Who::Selectors(Some(p), Some(n))),
        1 => Just(Who::Block),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let on = prop_oneof![
        Just(On::All),
        (80u16..84, 0u16..3).prop_map(|(first, more)| On::From(first, first + more)),
        select(&["http", "grpc"][..]).prop_map(On::Name),
    ];
    let ports = proptest::collection::vec((select(&["TCP", "TCP", "UDP"][..]), on), 0..3);
    (proptest::collection::vec(who(), 0..3), ports).prop_map(|(peers, ports)| Rule { peers, ports })
}

fn world() -> impl Strategy<Value = World> {
    let rules = || proptest::collection::vec(rule(), 0..3);
    let types = select(vec![vec![], vec!["Ingress"], vec!["Egress"], vec!["Ingress", "Egress"]]);
    let policy = (0..2usize, conditions(), types, rules(), rules())
        .prop_map(|(namespace, pods, types, ingress, egress)| Policy { namespace, pods, types, ingress, egress });
    let pod = (0..2usize, labels(), proptest::option::of(80u16..84)).prop_map(|(namespace, labels, http)| Pod {
        namespace,
        labels,
        http,
    });
    (
        proptest::collection::vec(labels(), 2),
        proptest::collection::vec(pod, 1..4),
        proptest::collection::vec(policy, 0..5),
    )
        .prop_map(|(namespaces, pods, policies)| World { namespaces, pods, policies })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// What is certain while values are hidden stays so whatever they are.
    #[test]
    fn hidden_values_never_turn_an_answer(world in world(), hidden in 0..12usize) {
        let documents = documents(&world);
        let known = mesh(&documents);
        let mut documents = documents;
        let at = hidden % documents.len();
        if at < world.namespaces.len() {
            documents.remove(at);
        } else {
            for (value, instead) in [("tier: x", "tier: '${T}'"), ("[x", "['${T}'"), ("port: 81", "port: '${P}'"), ("containerPort: 80", "containerPort: '${P}'")] {
                documents[at] = documents[at].replace(value, instead);
            }
        }
        let guessed = mesh(&documents);
        let names: Vec<_> = (0..world.pods.len()).map(|i| format!("n{}/w{i}", world.pods[i].namespace)).collect();
        for from in &names {
            for to in &names {
                for on in ["80", "81", "82", "81/UDP"] {
                    let (truth, guess) = (says(&known, from, to, on), says(&guessed, from, to, on));
                    prop_assert!(
                        guess.starts_with("depends") || guess == truth || (guess.contains("blocked") && truth.contains("blocked")),
                        "{from} {to} {on}: {guess}, but {truth}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_formula_gives_the_same_answers(world in world()) {
        let mesh = mesh(&documents(&world));
        prop_assert!(mesh.reach.refused().is_empty());
        let peer = |i: usize| end(&mesh, &format!("n{}/w{i}", world.pods[i].namespace));
        for from in 0..world.pods.len() {
            for to in 0..world.pods.len() {
                for number in 79..86 {
                    for (word, protocol) in [("TCP", Protocol::Tcp), ("UDP", Protocol::Udp)] {
                        let expected = [false, true].map(|blocks| world.allowed(from, to, blocks, (word, number)));
                        let verdict = mesh.reach(peer(from), peer(to), Port { protocol, number });
                        match (expected, verdict) {
                            ([true, true], Verdict::Allowed)
                            | ([false, false], Verdict::Blocked(_))
                            | ([false, true], Verdict::Depends(Reason::IpBlockVsPod)) => {}
                            (expected, verdict) => prop_assert!(false, "{from} {to} {number} {word}: {expected:?} {verdict:?}"),
                        }
                    }
                }
            }
        }
    }
}
