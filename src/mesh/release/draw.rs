//! What Istio's charts make of a release's values: istiod, its autoscaler, the mesh's configuration, and
//! the workloads of the other charts, as far as facts are read from them.
//!
//! Source: the templates of `manifests/charts` of istio/istio 1.31.

use super::Release;
use super::defaults::Defaults;
use super::template::{self, Part};
use super::values::{Behind, Found, How, UNKNOWN, Values};
use crate::mesh::installation::DEFAULT_REVISION;
use crate::resource::{Copy, Part as Kustomized, Resource};
use crate::source::FileId;
use crate::yaml::composed::{Composer, From};
use crate::yaml::scalar::is_unknown;
use crate::yaml::{Node, Place, Trees, parse};

/// What the charts of all releases render. A release whose istiod was read, of the same revision and
/// namespace, is left out, and so is what else was read under its name.
pub(in crate::mesh) fn draw(
    trees: &Trees,
    releases: &[Release],
    read: &[Resource],
    defaults: &Defaults,
) -> Vec<Resource> {
    let behind: Vec<Behind> = releases.iter().map(|release| Behind::new(release, trees, defaults)).collect();
    let all = releases.iter().zip(&behind).enumerate();
    let all = all.map(|(number, (release, behind))| Drawing::new(trees, number as u32, release, behind));
    let drawn = all.filter(|drawing| !drawing.is_rendered(read)).flat_map(|drawing| drawing.resources());
    drawn.filter(|resource| !read.iter().any(|other| other.identity() == resource.identity())).collect()
}

struct Drawing<'t> {
    trees: &'t Trees,
    number: u32,
    release: &'t Release,
    values: Values<'t>,
    /// The name of what the chart makes.
    name: String,
    /// Empty for the default revision.
    revision: String,
}

impl<'t> Drawing<'t> {
    fn new(trees: &'t Trees, number: u32, release: &'t Release, behind: &'t Behind) -> Drawing<'t> {
        let values = Values::new(trees, release, behind);
        let written = values.top("revision");
        let revision = match (&release.revision, values.text(&written)) {
            (Some(revision), _) => revision.to_string(),
            (None, Some(text)) => text.to_string(),
            (None, None) if matches!(written, Found::Unknown) => UNKNOWN.to_string(),
            (None, None) => String::new(),
        };
        let revision = if revision == DEFAULT_REVISION { String::new() } else { revision };
        let name = match release.chart {
            "istiod" if is_unknown(&revision) => "istiod".to_string(),
            "istiod" => with_revision("istiod", &revision),
            "cni" => "istio-cni-node".to_string(),
            "ztunnel" => "ztunnel".to_string(),
            _ => values.text(&values.own("name")).filter(|n| !n.is_empty()).unwrap_or(&release.name).to_string(),
        };
        Drawing { trees, number, release, values, name, revision }
    }

    /// Whether the istiod of this release was read.
    fn is_rendered(&self, read: &[Resource]) -> bool {
        let home = self.trees.outermost(self.release.place).tree;
        // Where a chart of the input goes to is not known.
        let anywhere = !read.iter().any(|resource| resource.root.tree == home);
        self.release.chart == "istiod"
            && read.iter().filter(|r| &*r.kind == "Deployment" && &*r.group == "apps").any(|resource| {
                let label = |key: &str| {
                    let labels = self.trees.get(resource.root, &["spec", "template", "metadata", "labels", key]);
                    labels.and_then(|place| self.trees.node(place).text())
                };
                let revision = label("istio.io/rev").filter(|rev| *rev != DEFAULT_REVISION).unwrap_or("");
                label("app") == Some("istiod")
                    && (revision == self.revision || is_unknown(&self.revision))
                    && (anywhere || resource.namespace() == &*self.release.namespace)
            })
    }

    fn is_true(&self, path: &str) -> Option<bool> {
        self.values.is_true(&self.values.own(path))
    }

    fn is_true_at_top(&self, path: &str) -> Option<bool> {
        self.values.is_true(&self.values.top(path))
    }

    fn resources(&self) -> Vec<Resource> {
        let scaled = |paths: &[&str]| {
            let all: Vec<_> = paths.iter().map(|path| self.is_true(path)).collect();
            if all.contains(&Some(false)) {
                Some(false)
            } else {
                all.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
            }
        };
        let mut drawn = Vec::new();
        match self.release.chart {
            "istiod" if self.is_true_at_top("istiodRemote.enabled") == Some(false) || self.release.open => {
                let scaled = scaled(&["autoscaleEnabled", "autoscaleMin", "autoscaleMax"]);
                drawn.extend(self.render(template::ISTIOD, scaled));
                drawn.extend(self.render(template::ISTIOD_SCALER, scaled).filter(|_| scaled == Some(true)));
                drawn.extend(self.mesh_config());
                drawn.extend(self.injector());
            }
            "gateway" if self.values.text(&self.values.own("kind")) == Some("Deployment") => {
                let scaled = scaled(&["autoscaling.enabled"]);
                drawn.extend(self.render(template::GATEWAY, scaled));
                drawn.extend(self.render(template::GATEWAY_SCALER, scaled).filter(|_| scaled == Some(true)));
            }
            "ztunnel" => drawn.extend(self.render(template::ZTUNNEL, None)),
            "cni" => drawn.extend(self.render(template::CNI, None)),
            _ => {}
        }
        drawn
    }

    /// What a template makes of the values. `scaled` is whether an autoscaler sets the replicas.
    fn render(&self, template: &str, scaled: Option<bool>) -> Option<Resource> {
        let mut composer = Composer::new(self.trees, self.release.place);
        for line in template.lines() {
            let parts = template::parts(line);
            if parts.iter().all(|part| self.is_there(part, scaled)) {
                for part in &parts {
                    self.part(&mut composer, part, scaled);
                    composer.frame();
                }
                composer.push("\n");
            }
        }
        self.resource(composer.finish(None)?)
    }

    /// Whether the line of a template that has this part is there.
    fn is_there(&self, part: &Part<'_>, scaled: Option<bool>) -> bool {
        match part {
            Part::With(path) => self.is_true(path) != Some(false),
            Part::WithTop(path) => self.is_true_at_top(path) != Some(false),
            Part::Replicas(_) => scaled != Some(true),
            Part::Revision => !self.revision.is_empty(),
            _ => true,
        }
    }

    fn part(&self, composer: &mut Composer<'_>, part: &Part<'_>, scaled: Option<bool>) {
        let put = |composer: &mut Composer<'_>, found: &Found<'_>, path: &str, how: How| {
            self.values.put(composer, found, self.values.near(path), how);
        };
        match part {
            Part::Text(text) => composer.push(text),
            Part::Open => composer.expect_more(),
            Part::Name => composer.quote(&self.name),
            Part::Namespace => composer.quote(&self.release.namespace),
            Part::Release if self.release.name.is_empty() => composer.quote(UNKNOWN),
            Part::Release => composer.quote(&self.release.name),
            Part::Chart => {
                let version = self.release.version.filter(|_| self.release.has_exact_version(self.trees));
                match version.and_then(|place| self.trees.node(place).text()) {
                    Some(version) => composer.quote(&format!("{}-{version}", self.release.chart)),
                    None => composer.quote(UNKNOWN),
                }
            }
            Part::Revision => composer.quote(&self.revision),
            Part::Label => composer.quote(if self.revision.is_empty() { DEFAULT_REVISION } else { &self.revision }),
            Part::Pod => composer.quote(if self.revision.is_empty() { "pilot" } else { "istiod" }),
            Part::Own(path) | Part::With(path) => put(composer, &self.values.own(path), path, How::Whole),
            Part::Top(path) | Part::WithTop(path) => put(composer, &self.values.top(path), path, How::Whole),
            Part::Replicas(path) => match scaled {
                Some(_) => put(composer, &self.values.own(path), path, How::Whole),
                None => put(composer, &Found::Unknown, path, How::Whole),
            },
            Part::More(path) => self.values.put_entries(composer, &self.values.own(path), self.values.near(path)),
            Part::Selector(key) => {
                let found = self.values.own(&format!("labels.{key}"));
                let default = if *key == "istio" { self.name.trim_start_matches("istio-") } else { &self.name };
                match self.values.text(&found) {
                    Some(_) => put(composer, &found, "labels", How::Text),
                    None if self.release.open => put(composer, &Found::Unknown, "labels", How::Text),
                    None => composer.quote(default),
                }
            }
            Part::Image => self.image(composer),
            Part::Variables => self.variables(composer),
        }
    }

    /// `hub/image:tag-variant`. The chart's version is the tag where none is written.
    fn image(&self, composer: &mut Composer<'_>) {
        let either = |key: &str| {
            let own = self.values.own(key);
            if self.values.is_true(&own) == Some(true) { own } else { self.values.top(&format!("global.{key}")) }
        };
        let (hub, tag, variant, image) = (either("hub"), either("tag"), either("variant"), self.values.own("image"));
        let version = self.release.version.filter(|_| self.release.has_exact_version(self.trees) && !self.release.open);
        let place = self.values.place(&tag).or(version);
        composer.mark(place.unwrap_or(self.release.place), From::Frame);
        let text = |found: &Found<'t>| self.values.text(found);
        let written = version.and_then(|place| self.trees.node(place).text());
        // Operators write the version as `v1.30.1`; the image's tag is the bare one.
        let written = written.map(|text| text.strip_prefix('v').unwrap_or(text));
        let tag = text(&tag).or(written.filter(|_| !matches!(tag, Found::Some(_))));
        match (text(&image), text(&hub), tag) {
            (Some(image), ..) if image.contains('/') => composer.quote(image),
            (Some(image), Some(hub), Some(tag)) => {
                let variant = text(&variant).filter(|v| !v.is_empty()).map_or(String::new(), |v| format!("-{v}"));
                composer.quote(&format!("{hub}/{image}:{tag}{variant}"));
            }
            _ => composer.quote(UNKNOWN),
        }
    }

    /// The environment of istiod.
    fn variables(&self, composer: &mut Composer<'_>) {
        let mut fixed = |name: &str, value: &str| {
            composer.push(&format!("{{name: {name}, value: "));
            composer.quote(value);
            composer.push("}, ");
        };
        fixed("REVISION", if self.revision.is_empty() { DEFAULT_REVISION } else { &self.revision });
        let env = self.values.own("env");
        for (key, place, value) in self.values.entries_of(&env) {
            composer.push("{name: ");
            composer.mark(place.unwrap_or(self.values.near("env")), From::Frame);
            composer.quote(key);
            composer.push(", value: ");
            self.values.put(composer, &value, self.values.near("env"), How::Text);
            composer.frame();
            composer.push("}, ");
        }
        for (item, place) in self.values.items(&self.values.top("k8s.env")) {
            composer.push("{");
            for (key, value) in ["name", "value"].into_iter().filter_map(|key| Some((key, item.get(key)?))) {
                composer.push(&format!("{key}: "));
                composer.mark(Place { node: value.id(), ..place }, From::Value);
                composer.quote(value.text().unwrap_or(UNKNOWN));
                composer.frame();
                composer.push(", ");
            }
            composer.push("}, ");
        }
        let sampling = self.values.own("traceSampling");
        if self.values.is_true(&sampling) != Some(false) {
            composer.push("{name: PILOT_TRACE_SAMPLING, value: ");
            self.values.put(composer, &sampling, self.values.near("traceSampling"), How::Text);
            composer.frame();
            composer.push("}, ");
        }
        if self.release.open {
            composer.push(&format!("{{name: \"{UNKNOWN}\", value: \"{UNKNOWN}\"}}, "));
        }
    }

    /// `istiod/templates/configmap.yaml`: what the template says, and `meshConfig` over it.
    fn mesh_config(&self) -> Option<Resource> {
        if !self.release.open && self.is_true("configMap") != Some(true) {
            return None;
        }
        let base = parse::parse(FileId(0), self.mesh_base().into());
        let found = self.values.over(self.values.top("meshConfig"), base.roots().next()?);
        let mut composer = Composer::new(self.trees, self.release.place);
        self.values.put(&mut composer, &found, self.values.near("meshConfig"), How::Whole);
        self.config_map("istio", vec![("mesh", composer)])
    }

    fn mesh_base(&self) -> String {
        let quote = |text: &str| serde_json::Value::from(text).to_string();
        let namespace = &*self.release.namespace;
        let root = self.values.top("global.istioNamespace");
        let mut text = format!(
            "trustDomain: cluster.local\nenablePrometheusMerge: true\nrootNamespace: {}\ndefaultConfig:\n  discoveryAddress: {}\n",
            quote(self.values.text(&root).unwrap_or(UNKNOWN)),
            quote(&format!("{}.{namespace}.svc:15012", self.name)),
        );
        let tracer = self.values.top("global.proxy.tracer");
        match self.values.text(&tracer) {
            Some("none" | "") => {}
            Some("zipkin") => {
                let address = quote(&format!("zipkin.{namespace}:9411"));
                text.push_str(&format!("  tracing: {{zipkin: {{address: {address}}}}}\n"));
            }
            Some(tracer) => text.push_str(&format!("  tracing: {{{}: {{}}}}\n", quote(tracer))),
            None => text.push_str(&format!("  tracing: {}\n", quote(UNKNOWN))),
        }
        let telemetry = ["telemetry.enabled", "telemetry.v2.enabled", "telemetry.v2.prometheus.enabled"];
        if telemetry.iter().all(|path| self.is_true_at_top(path) == Some(true)) {
            text.push_str("defaultProviders: {metrics: [prometheus]}\n");
        }
        text
    }

    /// `istiod/templates/istiod-injector-configmap.yaml`, without the templates of pods.
    fn injector(&self) -> Option<Resource> {
        if self.is_true_at_top("global.omitSidecarInjectorConfigMap") == Some(true) {
            return None;
        }
        let put = |composer: &mut Composer<'_>, key: &str, path: &str, how: How| {
            composer.frame();
            composer.push(&format!("{key}: "));
            self.values.put(composer, &self.values.top(path), self.values.near(path), how);
            composer.push(", ");
        };
        let mut values = Composer::new(self.trees, self.release.place);
        values.expect_more();
        values.push("{");
        put(&mut values, "global", "global", How::Part);
        put(&mut values, "sidecarInjectorWebhook", "sidecarInjectorWebhook", How::Part);
        values.frame();
        values.push("revision: ");
        values.quote(&self.revision);
        values.push("}");
        let mut config = Composer::new(self.trees, self.release.place);
        config.expect_more();
        config.push("{");
        put(&mut config, "policy", "global.proxy.autoInject", How::Text);
        for key in ["alwaysInjectSelector", "neverInjectSelector"] {
            put(&mut config, key, &format!("sidecarInjectorWebhook.{key}"), How::Whole);
        }
        config.push("}");
        self.config_map("istio-sidecar-injector", vec![("values", values), ("config", config)])
    }

    /// A ConfigMap that holds texts, which are parsed already.
    fn config_map(&self, name: &str, texts: Vec<(&str, Composer<'t>)>) -> Option<Resource> {
        let mut composer = Composer::new(self.trees, self.release.place);
        composer.push("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ");
        composer.quote(&with_revision(name, &self.revision));
        composer.push(", namespace: ");
        composer.quote(&self.release.namespace);
        composer.push("}\ndata:\n");
        for (key, text) in &texts {
            composer.push(&format!("  {key}: "));
            composer.quote(text.text());
            composer.push("\n");
        }
        let root = composer.finish(None)?;
        for (key, text) in texts {
            text.finish(Some(self.trees.get(root, &["data", key])?))?;
        }
        self.resource(root)
    }

    /// The resource that was made.
    fn resource(&self, root: Place) -> Option<Resource> {
        let node = self.trees.node(root);
        let text = |path: &[&str]| node.at(path).and_then(Node::text);
        let (group, version) = text(&["apiVersion"]).map(|v| v.split_once('/').unwrap_or(("", v)))?;
        Some(Resource {
            root,
            file: node.tree().file,
            group: group.into(),
            version: version.into(),
            kind: text(&["kind"])?.into(),
            namespace: Some(self.release.namespace.clone()),
            name: text(&["metadata", "name"])?.into(),
            template: None,
            chart: Some(self.release.path.clone()),
            generated: true,
            live: false,
            copy: Copy::Only,
            part: Kustomized::Whole,
            release: Some(self.number),
        })
    }
}

/// A name with the revision behind it.
fn with_revision(name: &str, revision: &str) -> String {
    if revision.is_empty() { name.to_string() } else { format!("{name}-{revision}") }
}
