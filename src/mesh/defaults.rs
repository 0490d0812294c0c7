//! Constant defaults of the Kubernetes API: what a missing field means to the API server.

/// Kind (empty for every kind with a pod template), the end of the parent's path without indices,
/// key, default. Source: `zz_generated.defaults.go` of Kubernetes 1.34.
const DEFAULTS: &[(&str, &str, &str, &str)] = &[
    ("Service", "spec.ports", "protocol", "TCP"),
    ("Service", "spec", "type", "ClusterIP"),
    ("Service", "spec", "sessionAffinity", "None"),
    ("", "containers.ports", "protocol", "TCP"),
    ("", "initContainers.ports", "protocol", "TCP"),
    ("NetworkPolicy", "ingress.ports", "protocol", "TCP"),
    ("NetworkPolicy", "egress.ports", "protocol", "TCP"),
    ("Deployment", "spec", "replicas", "1"),
    ("StatefulSet", "spec", "replicas", "1"),
    ("ReplicaSet", "spec", "replicas", "1"),
    ("HorizontalPodAutoscaler", "spec", "minReplicas", "1"),
    ("MutatingWebhookConfiguration", "webhooks", "failurePolicy", "Fail"),
    ("ValidatingWebhookConfiguration", "webhooks", "failurePolicy", "Fail"),
    ("MutatingWebhookConfiguration", "webhooks.clientConfig.service", "port", "443"),
    ("ValidatingWebhookConfiguration", "webhooks.clientConfig.service", "port", "443"),
    ("", "spec", "terminationGracePeriodSeconds", "30"),
    ("", "spec", "hostNetwork", "false"),
];

/// Whether any field of that name has a default.
pub fn has_default(key: &str) -> bool {
    DEFAULTS.iter().any(|(_, _, k, _)| *k == key)
}

/// The default of `key` under the value at `parent` (a path such as `spec.ports[0]`).
pub fn api_default(kind: &str, parent: &str, key: &str) -> Option<&'static str> {
    let mut path = String::new();
    let mut depth = 0;
    for c in parent.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => path.push(c),
            _ => {}
        }
    }
    let ends_with = |end: &str| path == end || (path.len() > end.len() && path.ends_with(&format!(".{end}")));
    DEFAULTS
        .iter()
        .find(|(k, end, name, _)| {
            let here = if k.is_empty() {
                ends_with(end)
            } else {
                *k == kind && (path == *end || end.contains('.') && ends_with(end))
            };
            *name == key && here
        })
        .map(|(_, _, _, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_hold_at_their_place_only() {
        assert_eq!(api_default("Service", "spec.ports[0]", "protocol"), Some("TCP"));
        assert_eq!(api_default("Deployment", "spec.template.spec.containers[1].ports[0]", "protocol"), Some("TCP"));
        assert_eq!(api_default("NetworkPolicy", "spec.ingress[0].ports[2]", "protocol"), Some("TCP"));
        assert_eq!(api_default("Deployment", "spec", "replicas"), Some("1"));
        assert_eq!(api_default("Deployment", "spec.template.spec", "replicas"), None);
        assert_eq!(api_default("ConfigMap", "data", "protocol"), None);
    }
}
