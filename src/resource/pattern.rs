//! Patterns that mean resources: `Service/payments/api`, `Gateway/istio-ingress/*`, `ClusterRole/*`.

use crate::kinds;
use crate::spelling::closest;

/// A kind, a namespace and a name, the last two maybe with `*`, which stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePattern {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for cluster-scoped kinds.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl ResourcePattern {
    /// Reads `Kind/namespace/name`, or `Kind/name` of a cluster-scoped kind; kinds as kubectl writes them.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<ResourcePattern, String> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(format!("\"{text}\" has an empty part"));
        }
        let (kind, namespace, name) = match parts[..] {
            [kind, namespace, name] => (kind, namespace, name),
            [kind, name] => (kind, "", name),
            _ => return Err(format!("\"{text}\" is not written as Kind/namespace/name")),
        };
        let (group, kind) = self::kind(kind)?;
        let has_none = kinds::is_cluster_scoped(&group, &kind);
        if namespace.is_empty() && !has_none {
            return Err(format!("{kind} has a namespace: {kind}/NAMESPACE/{name}"));
        }
        if !namespace.is_empty() && has_none {
            return Err(format!("{kind} has no namespace: {kind}/{name}"));
        }
        let own = str::to_string;
        Ok(ResourcePattern { group, kind, namespace: own(namespace), name: own(name) })
    }

    /// Whether it means that resource; the namespace is empty for cluster-scoped kinds.
    pub fn fits(&self, group: &str, kind: &str, namespace: &str, name: &str) -> bool {
        self.group == group && self.kind == kind && fits(&self.namespace, namespace) && fits(&self.name, name)
    }

    /// Whether it means one resource only.
    pub fn is_exact(&self) -> bool {
        !self.namespace.contains('*') && !self.name.contains('*')
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// API group and kind of a name as kubectl writes it.
///
/// # Errors
///
/// That there is none, with what may have been meant.
pub fn kind(name: &str) -> Result<(String, String), String> {
    match kinds::resolve(name) {
        Some((group, kind)) => Ok((group.to_string(), kind.to_string())),
        None => Err(match closest(name, kinds::KNOWN.iter().map(|k| k.kind)) {
            Some(near) => format!("no kind of the usual APIs is called \"{name}\"; did you mean \"{near}\"?"),
            None => format!("no kind of the usual APIs is called \"{name}\"; those of others are written Kind.group"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_read_or_refused() {
        let fits = |text: &str, namespace: &str, name: &str| {
            let pattern = ResourcePattern::parse(text).unwrap();
            pattern.fits(&pattern.group, &pattern.kind, namespace, name)
        };
        assert!(fits("Service/shop/cart", "shop", "cart") && !fits("Service/shop/cart", "shop", "carts"));
        assert!(fits("Gateway/istio-*/*", "istio-ingress", "x") && fits("GatewayClass/istio", "", "istio"));
        assert!(ResourcePattern::parse("Service/shop/cart").unwrap().is_exact());
        for (text, part) in [
            ("Service/api", "has a namespace"),
            ("GatewayClass/shop/istio", "has no namespace"),
            ("Servce/a/b", "\"Service\""),
            ("x", "not written"),
            ("Service//b", "empty"),
            ("Service/a/b/c", "not written"),
        ] {
            assert!(ResourcePattern::parse(text).unwrap_err().contains(part), "{text}");
        }
    }
}
