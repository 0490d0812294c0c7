//! Properties that hold for any input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use plimsoll::config::{FIXED_DATE, Flags, Settings};
use plimsoll::mesh::host;
use plimsoll::mesh::selector::{Labels, Selector, Tri};
use plimsoll::rule::load;
use plimsoll::run::Loaded;
use plimsoll::source::{FileId, SourceFile, Sources};
use plimsoll::yaml::parse::parse;
use plimsoll::yaml::scalar::Scalar;
use plimsoll::yaml::{Kind, Node, NodeId, Tree};
use plimsoll::{Outcome, check, fix};
use proptest::prelude::*;
use proptest::sample::select;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// One of the pieces between the bars.
fn one_of(pieces: &'static str) -> impl Strategy<Value = String> {
    select(pieces.split('¦').map(str::to_string).collect::<Vec<_>>())
}

fn tree(text: &str) -> Tree {
    parse(FileId(0), Arc::from(text))
}

/// Pieces of YAML that are legal together only by chance.
const PIECES: &str = concat!(
    "a¦b: ¦- ¦-¦: ¦:¦? ¦\n¦\n  ¦\n    ¦\r\n¦\t¦ ¦{¦}¦[¦]¦, ¦&x ¦*x¦*y¦<<: ¦!!str ¦!own ¦|\n  ¦>-\n  ¦",
    "|2+\n¦'¦\"¦\\¦\\u00e9¦# c¦---\n¦...\n¦%YAML 1.1\n¦null¦~¦yes¦1.30¦0x1f¦128Mi¦${X}¦{{ .x }}¦ENC[x]¦é¦",
    "日本¦🙂¦\u{feff}¦\u{85}¦\u{2028}¦\0¦kind: Service\n¦apiVersion: v1\n¦\"a\": 1",
);

fn soup() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(one_of(PIECES), 0..60).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

/// Plain scalars.
const PLAIN: &str = concat!(
    "a¦reviews¦x y¦é¦日本 語¦a#b¦a:b¦http://x/y?z¦-1¦1.30¦0755¦yes¦~¦128Mi¦--- x¦a'b¦x\"y¦$(X)¦v2¦500m¦",
    "10s¦2026-11-22¦",
);

/// A scalar as YAML writes it.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => one_of(PLAIN),
        1 => "[a-zé\u{4e00}-\u{4e10} ]{0,12}".prop_map(|text| format!("'{text}'")),
        1 => "[a-zé ]{0,8}".prop_map(|text| format!("\"{text}\\n\\u00e9\"")),
    ]
}

/// A legal document in block and flow style.
fn document() -> impl Strategy<Value = String> {
    let flow = scalar().prop_filter("stands in a flow", |s| !s.is_empty() && !s.contains([':', '#'])).prop_recursive(
        2,
        12,
        4,
        |inner| {
            let key = select(&["k", "é", "l m"][..]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
                (key, inner).prop_map(|(key, value)| format!("{{ {key}: {value} }}")),
            ]
        },
    );
    let leaf = prop_oneof![3 => scalar(), 1 => flow, 1 => Just("|\n text\n é\n".to_string())];
    let block = leaf.prop_recursive(3, 30, 5, |inner| {
        let indented = |text: &str| text.lines().map(|l| format!("  {l}\n")).collect::<String>();
        let entry = move |head: String, value: &str| {
            if value.starts_with('|') {
                let (first, rest) = value.split_once('\n').unwrap_or((value, ""));
                format!("{head} {first}\n{}", indented(rest))
            } else if value.contains('\n') {
                format!("{head}   # below\n{}", indented(value))
            } else {
                format!("{head} {value}\n")
            }
        };
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..5).prop_map(move |values| values
                .iter()
                .enumerate()
                .map(|(i, v)| entry(format!("k{i}é:"), v))
                .collect()),
            prop::collection::vec(inner, 1..4)
                .prop_map(move |values| values.iter().map(|v| entry("-".to_string(), v)).collect()),
        ]
    });
    (block, any::<bool>(), any::<bool>()).prop_map(|(text, crlf, bom)| {
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        if bom { format!("\u{feff}{text}") } else { text }
    })
}

fn nodes(tree: &Tree) -> impl Iterator<Item = Node<'_>> {
    (0..tree.len()).map(|i| tree.node(NodeId(i as u32)))
}

/// Children lie inside their parents, in order and apart; nodes stand in the order of their starts.
fn is_well_formed(tree: &Tree) -> Result<(), TestCaseError> {
    let mut last = 0;
    for node in nodes(tree) {
        let range = node.local_range();
        prop_assert!(tree.text().get(range.clone()).is_some(), "{node:?} lies outside of the text or cuts a character");
        prop_assert!(range.start >= last, "{node:?} starts before the node before it");
        last = range.start;
        if let Some(parent) = node.parent() {
            let outer = parent.local_range();
            prop_assert!(outer.start <= range.start && range.end <= outer.end, "{node:?} lies outside of {parent:?}");
        }
        let merges = node.entries().any(|(key, _)| key.parent() != Some(node));
        if node.is_alias() || merges {
            continue;
        }
        let mut end = range.start;
        let children = node.items().chain(node.entries().flat_map(|(key, value)| [key, value]));
        for child in children {
            prop_assert!(end <= child.local_range().start, "{child:?} overlaps what stands before it");
            end = child.local_range().end;
        }
    }
    Ok(())
}

/// The text under a plain scalar's span means that scalar.
fn scalars_stand_at_their_spans(tree: &Tree) -> Result<(), TestCaseError> {
    for node in nodes(tree).filter(|n| !n.is_alias() && n.kind() == Kind::Scalar && n.is_plain()) {
        let slice = &tree.text()[node.local_range()];
        // On several lines it depends on their indentation.
        if slice.contains(['\n', '\r', '\u{85}', '\u{2028}']) {
            continue;
        }
        // `-` is a key and no value.
        let is_key = node.parent().is_some_and(|parent| parent.entries().any(|(key, _)| key == node));
        let again = self::tree(&if is_key { format!("{slice}: x") } else { format!("x: {slice}") });
        let entry = again.roots().next().and_then(|root| root.entries().next());
        prop_assert!(again.errors.is_empty() && entry.is_some(), "{slice:?} can't be read alone");
        let value = entry.map(|(key, value)| if is_key { key } else { value }).unwrap();
        prop_assert_eq!(value.text(), node.text());
        let tagged = tree.text().contains('!');
        let nan = matches!(node.scalar(), Some(Scalar::Float(x)) if x.is_nan());
        prop_assert!(tagged || nan || value.scalar() == node.scalar(), "{:?} at {slice:?}", node.scalar());
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn any_text_becomes_a_tree_that_is_well_formed(text in soup()) {
        let tree = tree(&text);
        prop_assert!(tree.len() <= 3 * text.len() + 3, "{} nodes from {} bytes", tree.len(), text.len());
        is_well_formed(&tree)?;
        scalars_stand_at_their_spans(&tree)?;
    }

    #[test]
    fn legal_documents_are_read_and_every_scalar_stands_at_its_span(text in document()) {
        let tree = tree(&text);
        prop_assert!(tree.errors.is_empty(), "{:?}", tree.errors);
        is_well_formed(&tree)?;
        scalars_stand_at_their_spans(&tree)?;
        let line_ends = self::tree(&text.replace("\r\n", "\n"));
        let texts = |tree: &Tree| nodes(tree).map(|n| n.text().map(str::to_string)).collect::<Vec<_>>();
        prop_assert_eq!(texts(&tree), texts(&line_ends), "line ends change what is read");
    }
}

fn loaded() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| {
        let (set, problems) = load::load(&[], &[]);
        Loaded::new(set, problems)
    })
}

fn settings() -> Settings {
    let flags = Flags { today: Some(FIXED_DATE.to_string()), ..Flags::default() };
    let mut settings = Settings::new(&flags, None, &loaded().set).unwrap();
    settings.rules.iter_mut().for_each(|rule| rule.on = true);
    settings.namespace = "default".to_string();
    settings.jobs = 1;
    settings
}

fn sources(files: &[(String, String)]) -> Sources {
    Sources::new(files.iter().map(|(name, text)| SourceFile::new(name, Some(name.as_ref()), text.as_str())).collect())
}

/// Checks by all rules; a rule that fails is the failure of the property.
fn judged(files: &[(String, String)]) -> Result<Outcome, TestCaseError> {
    let outcome = check(&sources(files), loaded(), &settings());
    if let Some(problem) = outcome.problems.first() {
        return Err(TestCaseError::fail(format!("{}: {:?}", problem.message, problem.label)));
    }
    Ok(outcome)
}

/// Values where a rule may expect others.
const VALUES: &str = concat!(
    "1¦0¦-1¦443¦15012¦15017¦99999999999¦1.5¦\"1\"¦128Mi¦4Gi¦64Ti¦500m¦1e3¦10s¦1h30m¦true¦\"true\"¦false¦",
    "null¦~¦\"\"¦reviews¦reviews.shop¦'*'¦'*.example.com'¦reviews.shop.svc.cluster.local¦istiod¦shop¦",
    "istio-system¦\"${X}\"¦ENC[x]¦é日本¦[]¦{}¦[null]¦[1, a, {}]¦{ a: { b: c } }¦[[[]]]¦{ name: app }¦",
    "[{ name: app, port: 80 }]¦\"a: [\"¦'{\"a\": 1}'¦1.30¦1.30.2¦v1¦TCP¦Always¦10.0.0.0/8¦enabled¦sidecar",
);

fn value() -> impl Strategy<Value = String> {
    one_of(VALUES)
}

/// One resource of a kind that rules care about; a third of its values is random.
fn resource() -> impl Strategy<Value = String> {
    let name = select(&["reviews", "cart", "istiod"][..]);
    let namespace = select(&["shop", "istio-system"][..]);
    let values = prop::collection::vec(prop::option::weighted(0.33, value()), 8);
    (0..12usize, name, namespace, values).prop_map(|(kind, name, namespace, values)| {
        // `_` is replaced by one of the random values, or by what stands behind it up to `;`.
        let (api, kind, body) = KINDS[kind];
        let mut values = values.into_iter().cycle();
        let mut text = String::new();
        for (i, part) in body.split('_').enumerate() {
            let (usual, rest) = if i == 0 { ("", part) } else { part.split_once(';').unwrap_or((part, "")) };
            let random = values.next().flatten().filter(|_| i > 0);
            text += &(random.unwrap_or_else(|| usual.to_string()) + rest);
        }
        let name = match kind {
            "ConfigMap" => "istio",
            "Namespace" => namespace,
            _ => name,
        };
        format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  {text}\n")
    })
}

/// Group, kind and what follows `metadata.namespace`.
const KINDS: [(&str, &str, &str); 12] = [
    (
        "networking.istio.io/v1",
        "VirtualService",
        "annotations: _{};
spec:
  hosts: _[reviews];
  gateways: _[mesh];
  http:
    - match: _[{ uri: { prefix: / } }];
      timeout: _10s;
      route:
        - destination: { host: _reviws;, subset: _v9;, port: { number: _443; } }",
    ),
    (
        "networking.istio.io/v1",
        "DestinationRule",
        "labels: _{};
spec:
  host: _reviews;
  exportTo: _['*'];
  trafficPolicy: _{};
  subsets:
    - name: _v1;
      labels: { version: _v1; }
    - _{ name: v2 };",
    ),
    (
        "v1",
        "Service",
        "labels: _{};
spec:
  selector: { app: _istiod; }
  ports:
    - { name: _https;, port: _443;, targetPort: _15012;, protocol: _TCP; }
    - _{ port: 80 };",
    ),
    (
        "networking.istio.io/v1",
        "ServiceEntry",
        "labels: _{};
spec:
  hosts: _['*.example.com'];
  resolution: _DNS;
  ports: [{ number: _443;, protocol: _TLS; }]
  exportTo: [_'.';]",
    ),
    (
        "apps/v1",
        "Deployment",
        "labels: { app: istiod }
spec:
  replicas: _1;
  template:
    metadata: { labels: { app: istiod } }
    spec:
      containers:
        - name: _discovery;
          image: _istio/pilot:1.30.2;
          ports: _[{ containerPort: 15017 }];
          env: _[];
          resources: { requests: { memory: _1Gi; }, limits: _{ memory: 2Gi }; }",
    ),
    (
        "apps/v1",
        "Deployment",
        "labels: { app: cart }
spec:
  replicas: _1;
  template:
    metadata:
      labels: { app: cart, sidecar.istio.io/inject: \"true\" }
      annotations: { sidecar.istio.io/proxyMemory: _128Mi;, sidecar.istio.io/proxyMemoryLimit: _64Mi; }
    spec:
      containers:
        - name: _app;
          ports: [{ containerPort: _15001;, protocol: _TCP; }, _{};]
          resources: _{};",
    ),
    (
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "labels: _{};
spec:
  podSelector: _{};
  policyTypes: _[Ingress];
  ingress:
    - from: _[{ podSelector: {} }];
      ports: [{ port: _443;, protocol: _TCP; }]
  egress: _[];",
    ),
    ("v1", "Namespace", "labels: { istio-injection: _enabled;, istio.io/rev: _x; }"),
    (
        "v1",
        "ConfigMap",
        "labels: _{};
data:
  mesh: |
    defaultConfig: { discoveryAddress: _istiod.istio-system.svc:15012;, concurrency: _2; }
    accessLogFile: _/dev/stdout;
  values: _'{ \"global\": { \"proxy\": { \"resources\": {} } } }';",
    ),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
        "labels: _{};
webhooks:
  - name: _namespace.sidecar-injector.istio.io;
    namespaceSelector: _{};
    failurePolicy: _Fail;
    clientConfig: { service: { name: istiod, namespace: _istio-system;, port: _443;, path: _/inject; } }",
    ),
    (
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        "labels: _{};
spec:
  scaleTargetRef: { kind: Deployment, apiVersion: apps/v1, name: _istiod; }
  minReplicas: _1;
  maxReplicas: _5;
  metrics: _[];",
    ),
    (
        "networking.istio.io/v1",
        "Gateway",
        "labels: _{};
spec:
  selector: { istio: _ingressgateway; }
  servers: [{ port: { number: _443;, protocol: _HTTPS;, name: _a; }, hosts: _['*'];, tls: _{}; }]",
    ),
];

/// Files with resources of all sorts.
fn cluster() -> impl Strategy<Value = Vec<(String, String)>> {
    let file = prop::collection::vec(resource(), 1..4).prop_map(|resources| resources.join("---\n"));
    prop::collection::vec(file, 1..5)
        .prop_map(|texts| texts.into_iter().enumerate().map(|(i, text)| (format!("{i}.yaml"), text)).collect())
}

/// All examples of the built-in rules.
fn examples() -> &'static Vec<Vec<(String, String)>> {
    static EXAMPLES: OnceLock<Vec<Vec<(String, String)>>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let examples = loaded().set.rules.iter().flat_map(|rule| &rule.page.examples);
        examples.map(|e| e.files.iter().map(|f| (f.name.clone(), f.text.clone())).collect()).collect()
    })
}

/// An example in which some values are replaced.
fn mutated_example() -> impl Strategy<Value = Vec<(String, String)>> {
    let places = prop::collection::vec((any::<prop::sample::Index>(), value()), 1..5);
    (0..examples().len(), places).prop_map(|(number, places)| {
        let mut files = examples()[number].clone();
        for (place, value) in places {
            let file = place.index(files.len());
            let text = &mut files[file].1;
            let tree = tree(text);
            let values: Vec<_> =
                nodes(&tree).filter(|n| n.key().is_some() || n.parent().is_some_and(Node::is_seq)).collect();
            if values.is_empty() {
                continue;
            }
            let range = values[place.index(values.len())].local_range();
            // What stands behind on the line, a comment, stays behind the value.
            text.replace_range(range, &value);
        }
        files
    })
}

type Said = BTreeMap<(String, String, String, String), usize>;

/// What was found, without the files in which it stands.
fn said(outcome: &Outcome) -> Said {
    let mut said = Said::new();
    for f in &outcome.findings {
        let owner = format!("{:?}", f.resource);
        let key = (f.rule.to_string(), owner, f.primary.yaml_path.clone(), format!("{} {}", f.severity, f.message));
        *said.entry(key).or_default() += 1;
    }
    said
}

proptest! {
    #![proptest_config(config(150))]

    #[test]
    fn no_rule_fails_on_any_cluster(files in cluster()) {
        judged(&files)?;
    }

    #[test]
    fn no_rule_fails_on_an_example_with_other_values(files in mutated_example()) {
        judged(&files)?;
    }

    #[test]
    fn threads_change_nothing(files in cluster()) {
        let one = judged(&files)?;
        let mut settings = settings();
        settings.jobs = 4;
        let many = check(&sources(&files), loaded(), &settings);
        let text = |outcome: &Outcome| outcome.findings.iter().map(|f| format!("{f:?}")).collect::<Vec<_>>();
        prop_assert_eq!(text(&one), text(&many));
    }

    #[test]
    fn the_order_of_files_changes_no_finding(files in cluster(), order in any::<prop::sample::Index>()) {
        // Each identity once: which of two copies comes first is the order's to say.
        let identity = |text: &str| {
            let cluster_scoped = text.contains("kind: Namespace") || text.contains("WebhookConfiguration");
            let lines = text.lines().take(if cluster_scoped { 4 } else { 5 });
            lines.map(str::to_string).collect::<Vec<_>>()
        };
        let mut seen = BTreeSet::new();
        let documents: Vec<String> = files
            .iter()
            .flat_map(|(_, text)| text.split("---\n").map(str::to_string))
            .filter(|text| seen.insert(identity(text)))
            .collect();
        let named = |turned: usize| -> Vec<(String, String)> {
            let count = documents.len();
            (0..count).map(|i| (format!("{i:02}.yaml"), documents[(i + turned) % count].clone())).collect()
        };
        let (first, second) = (judged(&named(0))?, judged(&named(order.index(documents.len())))?);
        prop_assert_eq!(said(&first), said(&second));
        let mut backwards = named(0);
        let texts: Vec<String> = documents.iter().rev().cloned().collect();
        backwards.iter_mut().zip(texts).for_each(|(file, text)| file.1 = text);
        prop_assert_eq!(said(&first), said(&judged(&backwards)?));
    }

    #[test]
    fn fixes_leave_yaml_that_can_be_read_and_settle(files in prop_oneof![cluster(), mutated_example()]) {
        let before = judged(&files)?;
        let fixed = fix::converge(sources(&files), true, |sources| check(sources, loaded(), &settings()).findings);
        let after = check(&fixed.sources, loaded(), &settings());
        prop_assert!(after.broken_input <= before.broken_input);
        prop_assert!(fixed.settled, "fixes undo each other");
        let again = fix::apply(&fixed.sources, &after.findings, true);
        prop_assert!(again.files.is_empty(), "a second round changes something");
    }
}

fn label_map() -> impl Strategy<Value = BTreeMap<&'static str, &'static str>> {
    prop::collection::btree_map(select(&["app", "tier", "v"][..]), select(&["a", "b", "c"][..]), 0..4)
}

#[derive(Debug, Clone)]
struct Condition {
    key: &'static str,
    operator: &'static str,
    values: Vec<&'static str>,
}

fn condition() -> impl Strategy<Value = Condition> {
    let values = prop::collection::vec(select(&["a", "b", "c"][..]), 0..3);
    let operator = select(&["In", "NotIn", "Exists", "DoesNotExist", "Equals"][..]);
    (select(&["app", "tier", "v"][..]), operator, values).prop_map(|(key, operator, values)| Condition {
        key,
        operator,
        values,
    })
}

/// The documentation of `LabelSelectorRequirement`, word by word; nothing for what the API server refuses.
fn holds(condition: &Condition, labels: &BTreeMap<&str, &str>) -> Option<bool> {
    let has = labels.get(condition.key);
    let listed = has.is_some_and(|value| condition.values.contains(value));
    match (condition.operator, condition.values.is_empty()) {
        ("In", false) => Some(listed),
        ("NotIn", false) => Some(!listed),
        ("Exists", true) => Some(has.is_some()),
        ("DoesNotExist", true) => Some(has.is_none()),
        _ => None,
    }
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn selectors_select_what_the_documentation_says(
        equal in label_map(), conditions in prop::collection::vec(condition(), 0..3), labels in label_map()
    ) {
        let map = |map: &BTreeMap<&str, &str>| map.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join(", ");
        let listed = conditions.iter().map(|c| {
            format!("{{ key: {}, operator: {}, values: [{}] }}", c.key, c.operator, c.values.join(", "))
        });
        let text = format!("{{ matchLabels: {{ {} }}, matchExpressions: [{}] }}", map(&equal), listed.collect::<Vec<_>>().join(", "));
        let (selector, label_text) = (tree(&text), tree(&format!("{{ {} }}", map(&labels))));
        let found = Selector::read(selector.roots().next()).matches(&Labels::read(label_text.roots().next()));
        let wanted = conditions.iter().try_fold(true, |all, c| holds(c, &labels).map(|holds| all && holds));
        let equals = equal.iter().all(|(key, value)| labels.get(key) == Some(value));
        prop_assert_eq!(found, Tri::from(wanted.is_some_and(|wanted| wanted && equals)), "{}", text);
    }

    #[test]
    fn labels_that_may_be_more_never_turn_a_yes_into_a_no(
        conditions in prop::collection::vec(condition(), 0..3), labels in label_map(), more in label_map()
    ) {
        let listed = conditions.iter().map(|c| format!("{{ key: {}, operator: {}, values: [{}] }}", c.key, c.operator, c.values.join(", ")));
        let text = tree(&format!("matchExpressions: [{}]", listed.collect::<Vec<_>>().join(", ")));
        let selector = Selector::read(text.roots().next());
        let read = |labels: &BTreeMap<&str, &str>| {
            let mut read = Labels::default();
            labels.iter().for_each(|(key, value)| read.set(key, value));
            read
        };
        let mut open = read(&labels);
        open.open = true;
        let mut all = more;
        all.extend(labels);
        // What is certain of open labels holds for whatever is added to them.
        let certain = selector.matches(&open);
        prop_assert!(certain == Tri::Unknown || certain == selector.matches(&read(&all)));
    }
}

/// All texts of these letters up to a length.
fn texts(length: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    for _ in 0..length {
        let longer: Vec<String> = all.iter().flat_map(|t| ["a", "b", "."].map(|c| format!("{t}{c}"))).collect();
        all.extend(longer);
        all.sort();
        all.dedup();
    }
    all
}

#[test]
fn hosts_overlap_and_cover_as_sets_of_names_do() {
    let names = texts(5);
    let patterns: Vec<String> =
        texts(3).into_iter().filter(|t| !t.is_empty()).chain(texts(3).into_iter().map(|t| format!("*{t}"))).collect();
    let meant: Vec<BTreeSet<&str>> = patterns
        .iter()
        .map(|pattern| match pattern.strip_prefix('*') {
            Some(suffix) => names.iter().filter(|n| n.ends_with(suffix)).map(String::as_str).collect(),
            None => BTreeSet::from([pattern.as_str()]),
        })
        .collect();
    for (a, means_a) in patterns.iter().zip(&meant) {
        for (b, means_b) in patterns.iter().zip(&meant) {
            assert_eq!(host::overlap(a, b), !means_a.is_disjoint(means_b), "{a} and {b}");
            assert_eq!(host::covered_by(a, b), means_a.is_subset(means_b), "{a} in {b}");
        }
    }
}
