//! Labels and selectors, with three answers: yes, no, and "the input does not show it".

use crate::yaml::{Node, NodeId};

/// An answer about something that may not be in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tri {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// The input does not show it.
    Unknown,
}

impl Tri {
    /// Both.
    pub fn and(self, other: Tri) -> Tri {
        match (self, other) {
            (Tri::No, _) | (_, Tri::No) => Tri::No,
            (Tri::Yes, Tri::Yes) => Tri::Yes,
            _ => Tri::Unknown,
        }
    }

    /// At least one.
    pub fn or(self, other: Tri) -> Tri {
        match (self, other) {
            (Tri::Yes, _) | (_, Tri::Yes) => Tri::Yes,
            (Tri::No, Tri::No) => Tri::No,
            _ => Tri::Unknown,
        }
    }

    /// The opposite; unknown stays unknown.
    pub fn negate(self) -> Tri {
        match self {
            Tri::Yes => Tri::No,
            Tri::No => Tri::Yes,
            Tri::Unknown => Tri::Unknown,
        }
    }

    /// Whether it is certain.
    pub fn is_yes(self) -> bool {
        self == Tri::Yes
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Tri {
        if value { Tri::Yes } else { Tri::No }
    }
}

/// One label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its key.
    pub key: Box<str>,
    /// Its value; nothing where the value stands elsewhere (`${NAME}`).
    pub value: Option<Box<str>>,
    /// The value's node in the resource's tree; nothing for labels that controllers add.
    pub node: Option<NodeId>,
}

/// The labels of one thing.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    list: Vec<Label>,
    /// Others may exist that were not read: absence of a key proves nothing.
    pub open: bool,
}

impl Labels {
    /// From a map of keys and values; anything else gives none. A map or a key that stands elsewhere
    /// (`${LABELS}`) leaves the labels open.
    pub fn read(map: Option<Node<'_>>) -> Labels {
        let open = map.is_some_and(|m| m.is_unknown() || m.entries().any(|(key, _)| key.is_unknown()));
        let list = map
            .into_iter()
            .flat_map(Node::entries)
            .filter_map(|(key, value)| {
                Some(Label {
                    key: key.text()?.into(),
                    value: value.text().filter(|_| !value.is_unknown()).map(Into::into),
                    node: Some(value.id()),
                })
            })
            .collect();
        Labels { list, open }
    }

    /// No labels that were read, but others may exist.
    pub fn open() -> Labels {
        Labels { open: true, ..Labels::default() }
    }

    /// Adds a label that a controller sets; it replaces one of the same key.
    pub fn set(&mut self, key: &str, value: &str) {
        self.list.retain(|l| &*l.key != key);
        self.list.push(Label { key: key.into(), value: Some(value.into()), node: None });
    }

    /// Adds a label whose value a controller makes up; it replaces one of the same key.
    pub fn set_unknown(&mut self, key: &str) {
        self.list.retain(|l| &*l.key != key);
        self.list.push(Label { key: key.into(), value: None, node: None });
    }

    /// The label of that key.
    pub fn get(&self, key: &str) -> Option<&Label> {
        self.list.iter().find(|l| &*l.key == key)
    }

    /// The known value of that key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(|l| l.value.as_deref())
    }

    /// Whether a label of that key has that value.
    pub fn is(&self, key: &str, value: &str) -> Tri {
        match self.get(key) {
            Some(Label { value: Some(v), .. }) => (**v == *value).into(),
            Some(_) => Tri::Unknown,
            None if self.open => Tri::Unknown,
            None => Tri::No,
        }
    }

    /// Whether a label of that key exists.
    pub fn has(&self, key: &str) -> Tri {
        match self.get(key) {
            Some(_) => Tri::Yes,
            None if self.open => Tri::Unknown,
            None => Tri::No,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.list.iter()
    }
}

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The key is there with one of the values.
    In,
    /// The key is not there, or has none of the values.
    NotIn,
    /// The key is there.
    Exists,
    /// The key is not there.
    DoesNotExist,
}

/// One condition of a selector.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The label's key.
    pub key: Box<str>,
    /// How.
    pub operator: Operator,
    /// With what; nothing for values that stand elsewhere.
    pub values: Vec<Option<Box<str>>>,
    /// The value in `matchLabels`, or the item of `matchExpressions`.
    pub node: Option<NodeId>,
}

/// A label selector: all requirements hold. Without any it matches everything; whether that is
/// what a given API means by an empty selector is for the caller to know.
#[derive(Debug, Clone, Default)]
pub struct Selector {
    /// The conditions.
    pub requirements: Vec<Requirement>,
    /// A condition that the API server refuses (unknown operator, values where none may be).
    pub invalid: bool,
}

impl Selector {
    /// A Kubernetes `LabelSelector`: `matchLabels` and `matchExpressions`.
    pub fn read(node: Option<Node<'_>>) -> Selector {
        let mut selector = Selector::equality(node.and_then(|n| n.get("matchLabels")));
        for item in node.and_then(|n| n.get("matchExpressions")).into_iter().flat_map(Node::items) {
            let values: Vec<_> = item
                .get("values")
                .into_iter()
                .flat_map(Node::items)
                .map(|v| v.text().filter(|_| !v.is_unknown()).map(Into::into))
                .collect();
            let operator = match item.get("operator").and_then(Node::text) {
                Some("In") => Operator::In,
                Some("NotIn") => Operator::NotIn,
                Some("Exists") => Operator::Exists,
                Some("DoesNotExist") => Operator::DoesNotExist,
                _ => {
                    selector.invalid = true;
                    continue;
                }
            };
            let wants_values = matches!(operator, Operator::In | Operator::NotIn);
            let Some(key) = item.get("key").and_then(Node::text).filter(|_| wants_values != values.is_empty()) else {
                selector.invalid = true;
                continue;
            };
            selector.requirements.push(Requirement { key: key.into(), operator, values, node: Some(item.id()) });
        }
        selector
    }

    /// A plain map of labels, as in a Service or in Istio's `selector`.
    pub fn equality(map: Option<Node<'_>>) -> Selector {
        let requirements = map
            .into_iter()
            .flat_map(Node::entries)
            .filter_map(|(key, value)| {
                Some(Requirement {
                    key: key.text()?.into(),
                    operator: Operator::In,
                    values: vec![value.text().filter(|_| !value.is_unknown()).map(Into::into)],
                    node: Some(value.id()),
                })
            })
            .collect();
        Selector { requirements, invalid: false }
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The conditions of both.
    pub fn and(&self, other: &Selector) -> Selector {
        let requirements = self.requirements.iter().chain(&other.requirements).cloned().collect();
        Selector { requirements, invalid: self.invalid || other.invalid }
    }

    /// The condition that there is no label of that key.
    pub fn without(key: &str) -> Selector {
        let absent = Requirement { key: key.into(), operator: Operator::DoesNotExist, values: Vec::new(), node: None };
        Selector { requirements: vec![absent], invalid: false }
    }

    /// Whether some labels meet all conditions; no where a value stands elsewhere.
    pub fn is_possible(&self) -> bool {
        if self.invalid || self.requirements.iter().any(|r| r.values.contains(&None)) {
            return false;
        }
        // Conditions about different keys never exclude each other.
        self.requirements.iter().all(|Requirement { key, .. }| {
            let about: Vec<_> = self.requirements.iter().filter(|r| r.key == *key).collect();
            let named = about.iter().flat_map(|r| &r.values).flatten().map(|value| Some(&**value));
            named.chain([None, Some("any other value")]).any(|value| {
                let mut labels = Labels::default();
                value.into_iter().for_each(|value| labels.set(key, value));
                about.iter().all(|r| r.matches(&labels).is_yes())
            })
        })
    }

    /// Whether the labels meet all conditions. A selector that the API server refuses matches nothing.
    pub fn matches(&self, labels: &Labels) -> Tri {
        if self.invalid {
            return Tri::No;
        }
        self.requirements.iter().fold(Tri::Yes, |all, r| all.and(r.matches(labels)))
    }
}

impl Requirement {
    /// The one value that the label must have, if it is that simple.
    pub fn single(&self) -> Option<(&str, &str)> {
        match (self.operator, self.values.as_slice()) {
            (Operator::In, [Some(value)]) => Some((&self.key, value)),
            _ => None,
        }
    }

    /// Whether the labels meet this condition.
    pub fn matches(&self, labels: &Labels) -> Tri {
        match self.operator {
            Operator::Exists => labels.has(&self.key),
            Operator::DoesNotExist => labels.has(&self.key).negate(),
            Operator::In => self.is_in(labels),
            Operator::NotIn => self.is_in(labels).negate(),
        }
    }

    fn is_in(&self, labels: &Labels) -> Tri {
        self.values.iter().fold(Tri::No, |any, value| {
            any.or(match value {
                Some(value) => labels.is(&self.key, value),
                None => labels.has(&self.key).and(Tri::Unknown),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use crate::yaml::parse::parse;
    use std::sync::Arc;

    fn labels(text: &str) -> Labels {
        let tree = parse(FileId(0), Arc::from(text));
        Labels::read(tree.roots().next())
    }

    fn selects(selector: &str, to: &Labels) -> Tri {
        let tree = parse(FileId(0), Arc::from(selector));
        Selector::read(tree.roots().next()).matches(to)
    }

    #[test]
    fn match_labels_and_expressions_are_all_needed() {
        let l = labels("{app: a, tier: web}");
        assert_eq!(selects("matchLabels: {app: a}", &l), Tri::Yes);
        assert_eq!(selects("matchLabels: {app: b}", &l), Tri::No);
        assert_eq!(
            selects("{matchLabels: {app: a}, matchExpressions: [{key: tier, operator: NotIn, values: [web]}]}", &l),
            Tri::No
        );
        assert_eq!(selects("{}", &l), Tri::Yes);
    }

    #[test]
    fn not_in_and_does_not_exist_hold_without_the_key() {
        let l = labels("{app: a}");
        assert_eq!(selects("matchExpressions: [{key: x, operator: NotIn, values: [y]}]", &l), Tri::Yes);
        assert_eq!(selects("matchExpressions: [{key: x, operator: DoesNotExist}]", &l), Tri::Yes);
        assert_eq!(selects("matchExpressions: [{key: x, operator: In, values: [y]}]", &l), Tri::No);
        assert_eq!(selects("matchExpressions: [{key: app, operator: Exists}]", &l), Tri::Yes);
    }

    #[test]
    fn what_the_api_server_refuses_matches_nothing() {
        let l = labels("{app: a}");
        for bad in [
            "{key: app, operator: In, values: []}",
            "{key: app, operator: Exists, values: [a]}",
            "{key: app, operator: is}",
        ] {
            assert_eq!(selects(&format!("matchExpressions: [{bad}]"), &l), Tri::No, "{bad}");
        }
    }

    #[test]
    fn selectors_are_possible_together_where_some_labels_fit_both() {
        let read = |text: &str| Selector::read(parse(FileId(0), Arc::from(text)).roots().next());
        let enabled = "matchExpressions: [{key: i, operator: In, values: [on]}]";
        let without = "matchExpressions: [{key: i, operator: DoesNotExist}]";
        for (a, b, expected) in [
            ("{}", "{}", true),
            (enabled, "{}", true),
            (enabled, enabled, true),
            (enabled, without, false),
            (without, without, true),
            (enabled, "matchLabels: {j: x}", true),
            ("matchLabels: {i: a}", "matchLabels: {i: b}", false),
            ("matchLabels: {i: a}", "matchExpressions: [{key: i, operator: NotIn, values: [b]}]", true),
            (
                "matchExpressions: [{key: i, operator: Exists}]",
                "matchExpressions: [{key: i, operator: NotIn, values: [b]}]",
                true,
            ),
            (enabled, "matchLabels: {i: '${VALUE}'}", false),
            ("matchExpressions: [{key: i, operator: is}]", "{}", false),
        ] {
            assert_eq!(read(a).and(&read(b)).is_possible(), expected, "{a} and {b}");
            assert_eq!(read(b).and(&read(a)).is_possible(), expected, "{b} and {a}");
        }
    }

    #[test]
    fn unknown_values_and_open_labels_are_unknown() {
        let l = labels("{app: \"${APP}\"}");
        assert_eq!(selects("matchLabels: {app: a}", &l), Tri::Unknown);
        assert_eq!(selects("matchLabels: {app: a, x: y}", &l), Tri::No);
        let mut open = labels("{a: b}");
        open.open = true;
        assert_eq!(selects("matchLabels: {c: d}", &open), Tri::Unknown);
        assert_eq!(selects("matchLabels: {a: c}", &open), Tri::No);
    }
}
