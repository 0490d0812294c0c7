//! Releases of Istio's charts that the input asks for and somebody else renders: by Flux, Argo CD, k3s,
//! istioctl, the Sail operator, or a chart around Istio's own.
//!
//! Each is the chart's name, its version and the values that are written for it. What the chart would
//! render of them is drawn: a *virtual* istiod, whose places are those of the values.

pub mod defaults;
mod draw;
mod read;
mod template;
#[cfg(test)]
mod tests;
mod values;

use crate::units::Version;
use crate::yaml::{Place, Trees};

pub(super) use self::draw::draw;
pub(super) use self::read::read;

/// Istio's charts.
pub const CHARTS: [&str; 5] = ["base", "istiod", "gateway", "cni", "ztunnel"];

/// The chart of Istio's that has that name in a repository. Others, too, have a chart `base` or `gateway`.
pub fn chart_of(name: &str, repository: &str) -> Option<&'static str> {
    let chart = CHARTS.into_iter().find(|chart| *chart == name)?;
    (chart == "istiod" || repository.contains("istio")).then_some(chart)
}

/// One chart of Istio's with the values that are written for it.
#[derive(Debug, Clone)]
pub struct Release {
    /// The chart: one of [`CHARTS`].
    pub chart: &'static str,
    /// Where the chart lies, as Helm tells it: `istiod`, or `mesh/istiod` for a chart in a chart.
    pub path: Box<str>,
    /// Where it is asked for: the chart's name, or that of an operator's resource.
    pub place: Place,
    /// The release's own name; empty where an operator chooses it.
    pub name: Box<str>,
    /// The namespace that it goes to.
    pub namespace: Box<str>,
    /// The chart's version, or Istio's, where it is written.
    pub version: Option<Place>,
    /// What is written, the strongest first.
    pub layers: Vec<Layer>,
    /// What is not written here may be written elsewhere: `valuesFrom`, files of a remote repository.
    pub open: bool,
    /// The revision that an operator gives it; else the values say.
    pub revision: Option<Box<str>>,
    /// The profile that an operator's resource names beside the values.
    pub profile: Option<Place>,
}

/// Some of a release's values.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where in the chart's values it belongs; empty for all of them.
    pub below: Vec<Box<str>>,
    /// The map, or the value.
    pub place: Place,
    /// What it is, as far as it counts.
    pub holds: Holds,
}

/// How far a layer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Values as they are.
    Values,
    /// Text as `helm --set` takes it: `2` is a number.
    Arguments,
    /// Values that are there for some installations only: what they set is not known.
    Some,
}

impl Layer {
    /// All values of a chart.
    pub fn whole(place: Place) -> Layer {
        Layer { below: Vec::new(), place, holds: Holds::Values }
    }

    fn at(below: &[&str], place: Place) -> Layer {
        Layer { below: below.iter().map(|key| Box::from(*key)).collect(), place, holds: Holds::Values }
    }
}

impl Release {
    /// The version that is written; of `~1.30.0` and `1.30.x` the first that fits.
    pub fn version(&self, trees: &Trees) -> Option<Version> {
        let node = self.version.map(|place| trees.node(place)).filter(|node| !node.is_unknown())?;
        let text = node.text()?.trim();
        let first = text.strip_prefix('~').map_or_else(|| text.replace(".x", "").replace(".*", ""), str::to_string);
        Version::parse(&first)
    }

    /// A key of the chart's values, as this release has to write it: before Istio 1.24, and beside others
    /// that are written so, some stand below the chart's own map.
    pub fn key(&self, trees: &Trees, key: &str) -> String {
        let prefix = match self.chart {
            "istiod" => "pilot",
            "cni" => "cni",
            _ => return key.to_string(),
        };
        let first = key.split('.').next().unwrap_or(key);
        let nested = |layer: &Layer| layer.below.is_empty() && trees.node(layer.place).get(prefix).is_some();
        let older = self.version(trees).is_none_or(|version| (version.major, version.minor) < (1, 24));
        let is_below = first != prefix && !ROOT.contains(&first);
        match is_below && (older || self.layers.iter().any(nested)) {
            true => format!("{prefix}.{key}"),
            false => key.to_string(),
        }
    }

    /// Whether exactly that version is installed.
    fn has_exact_version(&self, trees: &Trees) -> bool {
        self.version.and_then(|place| trees.node(place).text()).is_some_and(|text| Version::parse(text).is_some())
    }

    /// Where the profile is named.
    pub fn profile(&self, trees: &Trees) -> Option<Place> {
        let whole = self.layers.iter().filter(|l| l.below.is_empty() && l.holds == Holds::Values);
        let written = |layer: &Layer| {
            let paths = [&["profile"][..], &["global", "profile"]];
            paths.into_iter().find_map(|path| trees.get(layer.place, path))
        };
        self.profile.or_else(|| whole.filter_map(written).next())
    }

    fn profile_name<'t>(&self, trees: &'t Trees) -> Option<&'t str> {
        self.profile(trees).and_then(|place| trees.node(place).text()).filter(|name| !name.is_empty())
    }
}

/// Keys of values that stand at the root in every version of the chart istiod.
const ROOT: [&str; 4] = ["global", "meshConfig", "sidecarInjectorWebhook", "revision"];

/// Profiles of Istio's charts and of istioctl. What any other changes is not known.
const PROFILES: [&str; 11] = [
    "default",
    "minimal",
    "empty",
    "stable",
    "preview",
    "demo",
    "ambient",
    "remote",
    "external",
    "openshift",
    "openshift-ambient",
];

impl super::Mesh {
    /// The maps of values that are written for one of Istio's charts, each with the place of the chart's
    /// version: those of releases, and those that a rendered chart keeps in the ConfigMap `values` (1.26).
    pub fn chart_values(&self, chart: &str) -> Vec<(Place, Option<Place>)> {
        let releases = self.releases.iter().filter(|release| release.chart == chart);
        let mut all: Vec<_> = releases
            .flat_map(|release| {
                let whole = release.layers.iter().filter(|l| l.below.is_empty() && l.holds == Holds::Values);
                whole.map(|layer| (layer.place, release.version))
            })
            .collect();
        if chart == "istiod" {
            let configs = self.of_kind("", "ConfigMap").filter(|id| {
                let name = &*self.resource(*id).name;
                (name == "values" || name.starts_with("values-")) && !self.resource(*id).is_open()
            });
            let original = configs.filter_map(|id| self.trees.parse(self.at(id, &["data", "original-values"])?));
            all.extend(original.map(|place| (place, None)));
        }
        all
    }
}
