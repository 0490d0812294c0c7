//! What no output may show: the values of Secrets, texts that hold a Secret, private keys. They are
//! unknown to rules, so that a rule can't print them either.

use std::collections::HashSet;

use super::{Kind, Node, NodeId, Tree, flag, key_hash, short_hash};
use crate::source::Span;

/// What stands before and after the body of a private key, `ENCRYPTED` or not.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Marks the scalars of a tree that are secret.
pub(super) fn hide(tree: &mut Tree) {
    let mut secret = HashSet::new();
    // A map may have many keys `kind`, and many maps may share one value.
    let (mut maps, mut seen) = (HashSet::new(), HashSet::new());
    let (kind, is_broad) =
        (short_hash(key_hash("kind")), tree.text.contains("Secret") || tree.text.contains(PRIVATE_KEY));
    for number in 0..tree.nodes.len() {
        let (node, raw) = (tree.node(NodeId(number as u32)), &tree.nodes[number]);
        match raw.kind {
            Kind::Scalar if raw.is_key && raw.hash == kind && node.text() == Some("kind") => {
                let map = node.parent().filter(|map| maps.insert(map.id()) && is_secret(*map));
                map.into_iter().for_each(|map| values(map, &mut seen, &mut secret));
            }
            Kind::Map if raw.flags & flag::MERGE != 0 && is_secret(node) => values(node, &mut seen, &mut secret),
            Kind::Scalar if is_broad && !raw.is_key && node.text().is_some_and(holds_a_secret) => {
                secret.insert(number as u32);
            }
            _ => {}
        }
    }
    let mut secret: Vec<u32> = secret.into_iter().collect();
    secret.sort_unstable();
    for number in &secret {
        tree.nodes[*number as usize].flags |= flag::UNKNOWN;
    }
    tree.secret = secret;
}

/// Whether a map says that it is a Secret, in one of its `kind`s.
fn is_secret(map: Node<'_>) -> bool {
    let is_secret = |(key, value): (Node<'_>, Node<'_>)| key.text() == Some("kind") && value.text() == Some("Secret");
    map.own_entries().any(is_secret) || map.get("kind").and_then(Node::text) == Some("Secret")
}

/// The scalars below `data` and `stringData`, wherever they stand: those that a second key of the
/// same name replaces, and those behind aliases. What was `seen` is not walked again.
fn values(map: Node<'_>, seen: &mut HashSet<NodeId>, secret: &mut HashSet<u32>) {
    let held = map.own_entries().chain(map.entries());
    let mut open: Vec<_> = held.filter(|(k, _)| matches!(k.text(), Some("data" | "stringData"))).map(|e| e.1).collect();
    while let Some(node) = open.pop() {
        let node = node.target();
        if !seen.insert(node.id()) {
            continue;
        }
        if node.kind() == Kind::Scalar {
            secret.insert(node.id().0);
        }
        open.extend(node.items());
        open.extend(node.own_entries().map(|(_, value)| value));
    }
}

/// Whether a text holds a Secret of its own, as `kubectl.kubernetes.io/last-applied-configuration`
/// does, or a private key.
fn holds_a_secret(text: &str) -> bool {
    let kinds = ["\"kind\":\"Secret\"", "\"kind\": \"Secret\"", "kind: Secret"];
    text.contains(PRIVATE_KEY)
        || (text.contains("ata\"") || text.contains("ata:")) && kinds.iter().any(|k| text.contains(k))
}

impl Tree {
    /// Whether a node's text must not be shown.
    pub(super) fn is_secret(&self, id: NodeId) -> bool {
        self.secret.binary_search(&id.0).is_ok()
    }

    /// The places whose text must not be shown, in no order.
    pub fn secrets(&self) -> Vec<Span> {
        let text = &self.text;
        // What composed text is made of is told by the trees that it stands in.
        if !self.origins.is_empty() {
            return Vec::new();
        }
        // Of a Secret that can't be read nobody knows where its values stand.
        if self.is_broken() && text.contains("Secret") {
            return vec![self.span(0, text.len() as u32)];
        }
        let mut spans: Vec<Span> = self.secret.iter().map(|id| self.node(NodeId(*id)).span()).collect();
        let mut from = 0;
        // Keys may stand in comments, too.
        while let Some(at) = text[from..].find(PRIVATE_KEY).map(|n| from + n) {
            let body = at + PRIVATE_KEY.len();
            let end = text[body..].find("-----END").map_or(text.len(), |n| body + n);
            spans.push(self.span(body as u32, end as u32));
            from = (end + "-----END".len()).min(text.len());
            // The end's own marker opens no other key: at most `ENCRYPTED ` stands before it.
            from += text[from..].find(PRIVATE_KEY).map_or(0, |n| if n < 16 { n + PRIVATE_KEY.len() } else { 0 });
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::parse::parse;
    use crate::source::FileId;

    /// The texts that a rule can't read and no output shows.
    fn hidden(text: &str) -> Vec<String> {
        let tree = parse(FileId(0), Arc::from(text));
        assert!(tree.secret.iter().all(|id| tree.node(super::NodeId(*id)).is_unknown()));
        let mut spans = tree.secrets();
        spans.sort();
        spans.iter().map(|span| text[span.range()].to_string()).collect()
    }

    #[test]
    fn values_of_secrets_wherever_they_stand() {
        for (text, secrets) in [
            ("kind: Secret\ndata: {a: x1, b: [x2]}\nstringData:\n  c: |\n    x3\n", &["x1", "x2", "|\n    x3"][..]),
            ("kind: ConfigMap\ndata: {a: x1}", &[]),
            ("kind: List\nitems:\n- kind: Secret\n  data: {a: x1}\n", &["x1"]),
            ("kind: Object\nspec: {manifest: {kind: Secret, stringData: {a: x1}}}", &["x1"]),
            ("data: {a: x1}\nkind: Secret\ndata: {a: x2, a: x3}\n", &["x1", "x2", "x3"]),
            ("kind: ConfigMap\nkind: Secret\nkind: ConfigMap\ndata: {a: x1}\n", &["x1"]),
            ("a: &d {a: &x x1}\nb: {kind: Secret, data: *d}\nc: {kind: Secret, data: {b: *x}}", &["x1"]),
            (
                "a: &b {kind: Secret}\nc: {<<: *b, data: {a: x1}}\nd: &e {data: {a: x2}}\nf: {kind: Secret, <<: *e}",
                &["x1", "x2"],
            ),
            ("kind: \"S\\u0065cret\"\ndata: x1", &["x1"]),
        ] {
            assert_eq!(hidden(text), secrets, "{text}");
        }
    }

    #[test]
    fn texts_that_hold_a_secret() {
        let applied = r#"'{"apiVersion":"v1","data":{"a":"x1"},"kind":"Secret"}'"#;
        let text =
            format!("metadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: {applied}\n");
        assert_eq!(hidden(&text), [applied]);
        assert_eq!(
            hidden("a: |\n  kind: Secret\n  stringData: {a: x1}\n"),
            ["|\n  kind: Secret\n  stringData: {a: x1}"]
        );
        assert_eq!(hidden("a: |\n  name: secretName\n  data: 1\n"), [""; 0]);
    }

    #[test]
    fn private_keys_also_in_comments() {
        let text = "# -----BEGIN PRIVATE KEY-----\n# x1\n# -----END PRIVATE KEY-----\na: 1\n";
        assert_eq!(hidden(text), ["\n# x1\n# "]);
        assert_eq!(hidden("a: |\n  -----BEGIN EC PRIVATE KEY-----\n  x1\nb: 1\n").len(), 2);
    }

    #[test]
    fn a_map_with_many_kinds_takes_no_time() {
        let text = format!("{}data: {{a: x1}}\n", "kind: Secret\n".repeat(100_000));
        assert_eq!(hidden(&text), ["x1"]);
    }

    #[test]
    fn what_can_not_be_read_and_names_a_secret_is_hidden_as_a_whole() {
        let text = "kind: Secret\ndata: {a: x1\n";
        assert_eq!(hidden(text), [text]);
    }
}
