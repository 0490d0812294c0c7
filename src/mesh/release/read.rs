//! Who asks for a chart of Istio's, and where the values stand that it gets.

use super::values::UNKNOWN;
use super::{Holds, Layer, PROFILES, Release, chart_of};
use crate::resource::{Copy, Resource};
use crate::yaml::{Node, Place, Trees};

/// All releases that the resources of one cluster ask for, in their order. What a patch may still change,
/// and what is there in differing copies, is left out.
pub(in crate::mesh) fn read(trees: &Trees, resources: &[Resource]) -> Vec<Release> {
    let reader = Reader { trees, resources };
    let mut releases = Vec::new();
    for resource in resources.iter().filter(|r| !r.is_open() && r.copy != Copy::Repeated) {
        let root = trees.node(resource.root);
        let Some(spec) = root.get("spec") else { continue };
        let one = match (&*resource.group, &*resource.kind) {
            ("helm.toolkit.fluxcd.io", "HelmRelease") => reader.helm_release(resource, spec),
            ("argoproj.io", "Application") => {
                releases.extend(reader.application(resource, spec));
                None
            }
            ("argoproj.io", "ApplicationSet") if spec.get("templatePatch").is_none() => {
                releases
                    .extend(spec.at(&["template", "spec"]).into_iter().flat_map(|s| reader.application(resource, s)));
                None
            }
            ("helm.cattle.io", "HelmChart") => reader.helm_chart(resource, spec),
            ("install.istio.io", "IstioOperator") => reader.operator(resource, spec),
            ("sailoperator.io", kind) => reader.sail(resource, kind, spec),
            _ => None,
        };
        releases.extend(one);
    }
    for release in &mut releases {
        release.open |= release.profile_name(trees).is_some_and(|name| !PROFILES.contains(&name));
    }
    releases
}

/// The text of a scalar that the input shows.
fn text<'t>(node: Option<Node<'t>>) -> Option<&'t str> {
    node.filter(|n| !n.is_unknown()).and_then(Node::text).filter(|t| !t.is_empty())
}

/// Whether a list or map has something in it, or may have.
fn has_any(node: Option<Node<'_>>) -> bool {
    node.is_some_and(|n| n.is_unknown() || n.items().next().is_some() || n.entries().next().is_some())
}

struct Reader<'t> {
    trees: &'t Trees,
    resources: &'t [Resource],
}

impl<'t> Reader<'t> {
    fn place(&self, resource: &Resource, node: Node<'_>) -> Place {
        Place { tree: resource.root.tree, node: node.id() }
    }

    /// Where a resource has its name.
    fn name(&self, resource: &Resource) -> Place {
        self.trees.get(resource.root, &["metadata", "name"]).unwrap_or(resource.root)
    }

    fn release(&self, chart: &'static str, resource: &Resource, place: Place, namespace: &str) -> Release {
        Release {
            chart,
            path: chart.into(),
            place,
            name: resource.name.clone(),
            namespace: namespace.into(),
            version: None,
            layers: Vec::new(),
            open: false,
            revision: None,
            profile: None,
        }
    }

    /// The resource that a reference names, by kind.
    fn referenced(&self, reference: Node<'_>, namespace: &str) -> Option<&'t Resource> {
        let (kind, name) = (text(reference.get("kind"))?, text(reference.get("name"))?);
        let namespace = text(reference.get("namespace")).unwrap_or(namespace);
        self.resources.iter().find(|r| {
            &*r.group == "source.toolkit.fluxcd.io" && (&*r.kind, &*r.name, r.namespace()) == (kind, name, namespace)
        })
    }

    /// Values in a text. Text that can't be read may say anything.
    fn add_text(&self, release: &mut Release, place: Place) {
        match self.trees.parse(place) {
            Some(values) => release.layers.push(Layer::whole(values)),
            None => release.open |= self.trees.node(place).text().is_none_or(|text| !text.trim().is_empty()),
        }
    }

    /// Values in a map.
    fn add_map(&self, release: &mut Release, resource: &Resource, values: Option<Node<'_>>) {
        let Some(node) = values.filter(|node| !node.is_null()) else { return };
        if node.is_map() {
            release.layers.push(Layer::whole(self.place(resource, node)));
        } else {
            release.open = true;
        }
    }

    /// Flux (`helm.toolkit.fluxcd.io`): what is inline wins over `valuesFrom`.
    fn helm_release(&self, resource: &Resource, spec: Node<'t>) -> Option<Release> {
        let patches = ["patches", "patchesStrategicMerge", "patchesJson6902"];
        let patched = |r: Node<'_>| patches.iter().any(|key| has_any(r.at(&["kustomize", key])));
        if spec.get("postRenderers").into_iter().flat_map(Node::items).any(patched) {
            return None;
        }
        let own = resource.namespace();
        let (chart, place, version) = match spec.at(&["chart", "spec"]) {
            Some(inline) => {
                let name = inline.get("chart")?;
                let source = inline.get("sourceRef");
                let url = source
                    .and_then(|s| self.referenced(s, own))
                    .and_then(|r| text(self.trees.node(r.root).at(&["spec", "url"])));
                let called = url.or_else(|| text(source?.get("name")));
                let chart = chart_of(text(Some(name))?, called.unwrap_or(""))?;
                (chart, self.place(resource, name), inline.get("version").map(|v| self.place(resource, v)))
            }
            None => {
                let reference = spec.get("chartRef")?;
                let source = self.referenced(reference, own)?;
                let root = self.trees.node(source.root);
                let (name, repository, version) = match &*source.kind {
                    "OCIRepository" => {
                        let url = text(root.at(&["spec", "url"]))?;
                        let version = root.at(&["spec", "ref", "tag"]).or_else(|| root.at(&["spec", "ref", "semver"]));
                        (url.trim_end_matches('/').rsplit('/').next()?, url, version)
                    }
                    _ => {
                        let repository = text(root.at(&["spec", "sourceRef", "name"])).unwrap_or("");
                        (text(root.at(&["spec", "chart"]))?, repository, root.at(&["spec", "version"]))
                    }
                };
                let place = reference.get("name")?;
                (chart_of(name, repository)?, self.place(resource, place), version.map(|v| self.place(source, v)))
            }
        };
        let target = text(spec.get("targetNamespace"));
        let mut release = self.release(chart, resource, place, target.unwrap_or(own));
        if let Some(name) = text(spec.get("releaseName")) {
            release.name = name.into();
        } else if let Some(target) = target {
            release.name = format!("{target}-{}", release.name).into();
        }
        release.version = version;
        release.open = has_any(spec.get("valuesFrom"));
        self.add_map(&mut release, resource, spec.get("values"));
        Some(release)
    }

    /// Argo CD: parameters win over `valuesObject`, that over `values`, and all of them over files.
    fn application(&self, resource: &Resource, spec: Node<'t>) -> Vec<Release> {
        let one = spec.get("source").into_iter();
        let sources = one.chain(spec.get("sources").into_iter().flat_map(Node::items));
        let read = |source: Node<'t>| {
            let name = source.get("chart")?;
            let chart = chart_of(text(Some(name))?, text(source.get("repoURL")).unwrap_or(""))?;
            let namespace = spec.at(&["destination", "namespace"]).and_then(Node::text).unwrap_or(UNKNOWN);
            let mut release = self.release(chart, resource, self.place(resource, name), namespace);
            release.version = source.get("targetRevision").map(|v| self.place(resource, v));
            let Some(helm) = source.get("helm") else { return Some(release) };
            if let Some(name) = text(helm.get("releaseName")) {
                release.name = name.into();
            }
            release.open = has_any(helm.get("valueFiles")) || has_any(helm.get("fileParameters"));
            // The last of two with one name wins.
            let parameters: Vec<_> = helm.get("parameters").into_iter().flat_map(Node::items).collect();
            for parameter in parameters.into_iter().rev() {
                let (Some(name), Some(value)) = (text(parameter.get("name")), parameter.get("value")) else {
                    release.open = true;
                    continue;
                };
                let is_text = parameter.get("forceString").and_then(Node::bool) == Some(true);
                release.layers.push(Layer {
                    below: keys_of(name),
                    place: self.place(resource, value),
                    holds: if is_text { Holds::Values } else { Holds::Arguments },
                });
            }
            let object = helm.get("valuesObject").filter(|node| !node.is_null());
            self.add_map(&mut release, resource, object);
            if let (None, Some(values)) = (object, helm.get("values")) {
                self.add_text(&mut release, self.place(resource, values));
            }
            Some(release)
        };
        sources.filter_map(read).collect()
    }

    /// The Helm controller of k3s and RKE2.
    fn helm_chart(&self, resource: &Resource, spec: Node<'t>) -> Option<Release> {
        let name = spec.get("chart")?;
        let repository = text(spec.get("repo")).or(text(Some(name)))?;
        let chart = chart_of(text(Some(name))?.rsplit('/').next()?, repository)?;
        let namespace = text(spec.get("targetNamespace")).unwrap_or(resource.namespace());
        let mut release = self.release(chart, resource, self.place(resource, name), namespace);
        release.version = spec.get("version").map(|v| self.place(resource, v));
        let more = |r: &Resource| &*r.kind == "HelmChartConfig" && r.name == resource.name;
        release.open =
            has_any(spec.get("set")) || has_any(spec.get("valuesSecrets")) || self.resources.iter().any(more);
        if let Some(values) = spec.get("valuesContent") {
            self.add_text(&mut release, self.place(resource, values));
        }
        Some(release)
    }

    /// istioctl and the operator of old: settings of a component win over `values`.
    fn operator(&self, resource: &Resource, spec: Node<'t>) -> Option<Release> {
        let pilot = spec.at(&["components", "pilot"]);
        let is_on = pilot.and_then(|p| p.get("enabled"));
        let bare = ["empty", "remote", "external"].contains(&text(spec.get("profile")).unwrap_or(""));
        let on =
            if bare { is_on.and_then(Node::bool) == Some(true) } else { is_on.is_none_or(|n| n.bool() == Some(true)) };
        if !on || has_any(pilot.and_then(|p| p.at(&["k8s", "overlays"]))) {
            return None;
        }
        let namespace = text(spec.get("namespace")).or_else(|| text(spec.at(&["values", "global", "istioNamespace"])));
        let mut release = self.release("istiod", resource, self.name(resource), namespace.unwrap_or("istio-system"));
        let at = |node: Node<'_>| self.place(resource, node);
        if let Some(component) = pilot {
            for (from, to) in OPERATOR {
                let found = component.get("k8s").and_then(|k8s| k8s.at(from));
                release.layers.extend(found.map(|node| Layer::at(to, at(node))));
            }
            for key in ["hub", "tag"] {
                release.layers.extend(component.get(key).map(|node| Layer::at(&["pilot", key], at(node))));
            }
        }
        for (key, to) in [
            ("hub", &["global", "hub"][..]),
            ("tag", &["global", "tag"]),
            ("revision", &["revision"]),
            ("meshConfig", &["meshConfig"]),
        ] {
            release.layers.extend(spec.get(key).map(|node| Layer::at(to, at(node))));
        }
        release.name = "".into();
        release.layers.extend(spec.get("namespace").map(|node| Layer::at(&["global", "istioNamespace"], at(node))));
        release.version = spec.get("tag").map(at);
        release.profile = spec.get("profile").map(at);
        self.add_map(&mut release, resource, spec.get("values"));
        Some(release)
    }

    /// The Sail operator. Its name is the revision's, with the version where each version has its own.
    fn sail(&self, resource: &Resource, kind: &str, spec: Node<'t>) -> Option<Release> {
        let (chart, home) = match kind {
            "Istio" => ("istiod", "istio-system"),
            "IstioCNI" => ("cni", "istio-cni"),
            "ZTunnel" => ("ztunnel", "ztunnel"),
            _ => return None,
        };
        let namespace = spec.get("namespace").and_then(Node::text).unwrap_or(home);
        let mut release = self.release(chart, resource, self.name(resource), namespace);
        release.name = "".into();
        release.version = spec.get("version").map(|v| self.place(resource, v));
        release.profile = spec.get("profile").map(|p| self.place(resource, p));
        if chart == "istiod" {
            // The operator overwrites what the values say.
            let home = spec.get("namespace").map(|node| self.place(resource, node));
            release.layers.extend(home.map(|place| Layer::at(&["global", "istioNamespace"], place)));
            let per_version = text(spec.at(&["updateStrategy", "type"])) == Some("RevisionBased");
            release.revision = Some(match text(spec.get("version")).filter(|_| per_version) {
                Some(version) => format!("{}-{}", resource.name, version.replace('.', "-")).into(),
                None => resource.name.clone(),
            });
        }
        self.add_map(&mut release, resource, spec.get("values"));
        Some(release)
    }
}

/// Settings of a component in an IstioOperator, and the values that they stand for.
const OPERATOR: &[(&[&str], &[&str])] = &[
    (&["resources"], &["pilot", "resources"]),
    (&["replicaCount"], &["pilot", "replicaCount"]),
    (&["hpaSpec", "minReplicas"], &["pilot", "autoscaleMin"]),
    (&["hpaSpec", "maxReplicas"], &["pilot", "autoscaleMax"]),
    (&["affinity"], &["pilot", "affinity"]),
    (&["nodeSelector"], &["pilot", "nodeSelector"]),
    (&["tolerations"], &["pilot", "tolerations"]),
    (&["podAnnotations"], &["pilot", "podAnnotations"]),
    (&["priorityClassName"], &["global", "priorityClassName"]),
    (&["env"], &["k8s", "env"]),
];

/// The keys of an argument of `helm --set`: `a.b\.c` has two.
fn keys_of(argument: &str) -> Vec<Box<str>> {
    let mut keys = vec![String::new()];
    let mut characters = argument.chars();
    while let Some(c) = characters.next() {
        match (c, keys.last_mut()) {
            ('.', _) => keys.push(String::new()),
            ('\\', Some(key)) => key.extend(characters.next()),
            (c, Some(key)) => key.push(c),
            _ => {}
        }
    }
    keys.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::{Mesh, test_mesh};
    use super::*;

    /// `chart name namespace version: values`, of each release.
    fn told(texts: &[&str]) -> Vec<String> {
        let mesh: Mesh = test_mesh(texts);
        let layer = |l: &Layer| {
            let node = mesh.trees.node(l.place);
            let keys: Vec<_> = node.entries().filter_map(|(key, _)| key.text()).collect();
            let inner = node.text().map_or(keys.join(","), str::to_string);
            format!("{}={inner}", l.below.join("."))
        };
        let tell = |r: &Release| {
            let layers: Vec<_> = r.layers.iter().map(layer).collect();
            let version = r.version(&mesh.trees).map_or("?".to_string(), |v| v.to_string());
            let open = if r.open { " open" } else { "" };
            format!("{} {} {} {version}: {}{open}", r.chart, r.name, r.namespace, layers.join(" "))
        };
        mesh.releases.iter().map(tell).collect()
    }

    fn flux(spec: &str) -> String {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: a, namespace: b}}\nspec: {{{spec}}}\n"
        )
    }

    #[test]
    fn helm_releases() {
        let inline = "chart: {spec: {chart: istiod, version: 1.30.x, sourceRef: {kind: HelmRepository, name: r}}}";
        assert_eq!(
            told(&[&flux(&format!("{inline}, values: {{pilot: {{}}, global: {{}}}}"))]),
            ["istiod a b 1.30: =pilot,global"]
        );
        assert_eq!(
            told(&[&flux(&format!(
                "{inline}, targetNamespace: istio-system, valuesFrom: [{{kind: ConfigMap, name: c}}]"
            ))]),
            ["istiod istio-system-a istio-system 1.30:  open"]
        );
        assert!(
            told(&[&flux(&format!("{inline}, postRenderers: [{{kustomize: {{patches: [{{patch: x}}]}}}}]"))])
                .is_empty()
        );
        // Others have a chart of that name, too.
        let gateway = flux(&inline.replace("istiod", "gateway"));
        assert!(told(&[&gateway]).is_empty());
        let repository = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: r, namespace: b}\nspec: {url: 'https://blob.istio.io/istio-release/charts'}\n";
        assert_eq!(told(&[&gateway, repository]), ["gateway a b 1.30: "]);
        let oci = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: r, namespace: b}\nspec: {url: 'oci://ghcr.io/istio/release/charts/ztunnel', ref: {tag: 1.29.1}}\n";
        assert_eq!(told(&[&flux("chartRef: {kind: OCIRepository, name: r}"), oci]), ["ztunnel a b 1.29.1: "]);
        assert_eq!(told(&[&flux("chart: {spec: {chart: istiod, version: '${v}'}}")]), ["istiod a b ?: "]);
    }

    #[test]
    fn applications() {
        let application = |kind: &str, spec: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: a, namespace: argocd}}\nspec: {spec}\n"
            )
        };
        let spec = "{destination: {namespace: istio-system}, source: {chart: istiod, targetRevision: 1.28.3, helm: {releaseName: r, values: \"pilot: {a: 1}\", parameters: [{name: 'pilot.b\\.c', value: '2'}]}}}";
        let wanted = "istiod r istio-system 1.28.3: pilot.b.c=2 =pilot";
        assert_eq!(told(&[&application("Application", spec)]), [wanted]);
        let set = format!("{{generators: [], template: {{spec: {spec}}}}}");
        assert_eq!(told(&[&application("ApplicationSet", &set)]), [wanted]);
        let several = "{sources: [{chart: istiod, helm: {valuesObject: {global: {}}, valueFiles: [$values/x.yaml]}}, {repoURL: x, ref: values}]}";
        assert_eq!(told(&[&application("Application", several)]), ["istiod a ${unknown} ?: =global open"]);
    }

    #[test]
    fn operators() {
        let operator = |spec: &str| {
            format!(
                "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {{name: a, namespace: b}}\nspec: {{{spec}}}\n"
            )
        };
        let spec = "tag: 1.22.1, meshConfig: {x: y}, values: {global: {}}, components: {pilot: {k8s: {replicaCount: 3, hpaSpec: {minReplicas: 2}}}}";
        assert_eq!(
            told(&[&operator(spec)]),
            [
                "istiod  istio-system 1.22.1: pilot.replicaCount=3 pilot.autoscaleMin=2 global.tag=1.22.1 meshConfig=x =global"
            ]
        );
        for none in [
            "profile: remote",
            "components: {pilot: {enabled: false}}",
            "components: {pilot: {k8s: {overlays: [{kind: Deployment}]}}}",
        ] {
            assert!(told(&[&operator(none)]).is_empty(), "{none}");
        }
        let sail = |kind: &str, spec: &str| {
            format!("apiVersion: sailoperator.io/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{{spec}}}\n")
        };
        assert_eq!(
            told(&[&sail("Istio", "namespace: mesh, version: v1.31.0-beta.1, values: {pilot: {}}")]),
            ["istiod  mesh 1.31.0: global.istioNamespace=mesh =pilot"]
        );
        assert_eq!(told(&[&sail("ZTunnel", "version: v1.29-latest")]), ["ztunnel  ztunnel 1.29: "]);
        let k3s = "apiVersion: helm.cattle.io/v1\nkind: HelmChart\nmetadata: {name: a, namespace: kube-system}\nspec: {chart: istiod, targetNamespace: istio-system, valuesContent: \"pilot: {}\"}\n";
        assert_eq!(told(&[k3s]), ["istiod a istio-system ?: =pilot"]);
    }
}
