//! Kinds of resources: their API group and whether they have a namespace.

/// A kind that this crate knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownKind {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Whether its resources have no namespace.
    pub cluster_scoped: bool,
}

const fn namespaced(group: &'static str, kind: &'static str) -> KnownKind {
    KnownKind { group, kind, cluster_scoped: false }
}

const fn cluster(group: &'static str, kind: &'static str) -> KnownKind {
    KnownKind { group, kind, cluster_scoped: true }
}

/// Built-in APIs, Istio, Gateway API, Sail, and what commonly stands beside them. A bare kind in a
/// rule means the first entry of that name. Source: API references of Kubernetes 1.34 and Istio 1.31.
pub const KNOWN: &[KnownKind] = &[
    namespaced("", "ConfigMap"),
    namespaced("", "Endpoints"),
    namespaced("", "Event"),
    namespaced("", "LimitRange"),
    cluster("", "Namespace"),
    cluster("", "Node"),
    namespaced("", "PersistentVolumeClaim"),
    cluster("", "PersistentVolume"),
    namespaced("", "Pod"),
    namespaced("", "ReplicationController"),
    namespaced("", "ResourceQuota"),
    namespaced("", "Secret"),
    namespaced("", "Service"),
    namespaced("", "ServiceAccount"),
    cluster("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    cluster("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    cluster("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    cluster("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    cluster("apiextensions.k8s.io", "CustomResourceDefinition"),
    cluster("apiregistration.k8s.io", "APIService"),
    namespaced("apps", "DaemonSet"),
    namespaced("apps", "Deployment"),
    namespaced("apps", "ReplicaSet"),
    namespaced("apps", "StatefulSet"),
    namespaced("argoproj.io", "Application"),
    namespaced("argoproj.io", "ApplicationSet"),
    namespaced("argoproj.io", "Rollout"),
    namespaced("autoscaling", "HorizontalPodAutoscaler"),
    namespaced("autoscaling.k8s.io", "VerticalPodAutoscaler"),
    namespaced("batch", "CronJob"),
    namespaced("batch", "Job"),
    cluster("certificates.k8s.io", "CertificateSigningRequest"),
    cluster("certificates.k8s.io", "ClusterTrustBundle"),
    namespaced("cert-manager.io", "Certificate"),
    cluster("cert-manager.io", "ClusterIssuer"),
    namespaced("cert-manager.io", "Issuer"),
    cluster("cilium.io", "CiliumClusterwideNetworkPolicy"),
    namespaced("cilium.io", "CiliumNetworkPolicy"),
    cluster("crd.projectcalico.org", "GlobalNetworkPolicy"),
    namespaced("discovery.k8s.io", "EndpointSlice"),
    namespaced("extensions.istio.io", "WasmPlugin"),
    cluster("external-secrets.io", "ClusterSecretStore"),
    namespaced("external-secrets.io", "ExternalSecret"),
    namespaced("helm.toolkit.fluxcd.io", "HelmRelease"),
    namespaced("install.istio.io", "IstioOperator"),
    namespaced("keda.sh", "ScaledObject"),
    namespaced("metrics.k8s.io", "PodMetrics"),
    namespaced("monitoring.coreos.com", "PodMonitor"),
    namespaced("monitoring.coreos.com", "ServiceMonitor"),
    namespaced("networking.istio.io", "DestinationRule"),
    namespaced("networking.istio.io", "EnvoyFilter"),
    namespaced("networking.istio.io", "Gateway"),
    namespaced("networking.istio.io", "ProxyConfig"),
    namespaced("networking.istio.io", "ServiceEntry"),
    namespaced("networking.istio.io", "Sidecar"),
    namespaced("networking.istio.io", "VirtualService"),
    namespaced("networking.istio.io", "WorkloadEntry"),
    namespaced("networking.istio.io", "WorkloadGroup"),
    namespaced("gateway.networking.k8s.io", "Gateway"),
    cluster("gateway.networking.k8s.io", "GatewayClass"),
    namespaced("gateway.networking.k8s.io", "GRPCRoute"),
    namespaced("gateway.networking.k8s.io", "HTTPRoute"),
    namespaced("gateway.networking.k8s.io", "ReferenceGrant"),
    namespaced("gateway.networking.k8s.io", "TCPRoute"),
    namespaced("gateway.networking.k8s.io", "TLSRoute"),
    namespaced("networking.k8s.io", "Ingress"),
    cluster("networking.k8s.io", "IngressClass"),
    namespaced("networking.k8s.io", "NetworkPolicy"),
    cluster("node.k8s.io", "RuntimeClass"),
    namespaced("policy", "PodDisruptionBudget"),
    cluster("policy.networking.k8s.io", "AdminNetworkPolicy"),
    cluster("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    cluster("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    cluster("projectcalico.org", "GlobalNetworkPolicy"),
    cluster("rbac.authorization.k8s.io", "ClusterRole"),
    cluster("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    namespaced("rbac.authorization.k8s.io", "Role"),
    namespaced("rbac.authorization.k8s.io", "RoleBinding"),
    cluster("sailoperator.io", "Istio"),
    cluster("sailoperator.io", "IstioCNI"),
    cluster("sailoperator.io", "IstioRevision"),
    cluster("sailoperator.io", "IstioRevisionTag"),
    cluster("sailoperator.io", "ZTunnel"),
    cluster("scheduling.k8s.io", "PriorityClass"),
    namespaced("security.istio.io", "AuthorizationPolicy"),
    namespaced("security.istio.io", "PeerAuthentication"),
    namespaced("security.istio.io", "RequestAuthentication"),
    cluster("storage.k8s.io", "CSIDriver"),
    cluster("storage.k8s.io", "StorageClass"),
    namespaced("telemetry.istio.io", "Telemetry"),
];

/// Whether a kind is known to have no namespace.
pub fn is_cluster_scoped(group: &str, kind: &str) -> bool {
    KNOWN.iter().any(|k| k.cluster_scoped && k.kind == kind && k.group == group)
}

/// Group and kind of a name as kubectl writes it: `Service`, `Gateway.gateway.networking.k8s.io`. A
/// bare name means the usual group; nothing if it is not known and has no group.
pub fn resolve(name: &str) -> Option<(&str, &str)> {
    match name.split_once('.') {
        Some((kind, group)) => Some((group, kind)),
        None => KNOWN.iter().find(|k| k.kind == name).map(|k| (k.group, k.kind)),
    }
}

/// `NetworkPolicy` → `NetworkPolicies`, `Service` → `Services`.
pub fn plural(kind: &str) -> String {
    match kind.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if kind.ends_with(['s', 'x']) => format!("{kind}es"),
        _ => format!("{kind}s"),
    }
}

/// The name under which kubectl lists resources of a kind: `deployments.apps`, `pods`.
pub fn resource_name(group: &str, kind: &str) -> String {
    let name = match kind {
        "PodMetrics" => "pods".to_string(),
        "Endpoints" | "SecurityContextConstraints" => kind.to_lowercase(),
        _ => plural(kind).to_lowercase(),
    };
    if group.is_empty() { name } else { format!("{name}.{group}") }
}
