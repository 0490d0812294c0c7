//! Charts of the input around Istio's own: a `Chart.yaml` with a dependency on one of them, and the values
//! that stand for it in the `values.yaml` beside it.

use super::path;
use crate::mesh::release::{self, Holds, Layer, Release};
use crate::source::{FileId, Sources};
use crate::yaml::{Node, Place, Trees};

/// A release that a chart of the input makes.
#[derive(Debug, Clone)]
pub struct Umbrella {
    /// The chart's folder.
    pub folder: String,
    /// What it makes of one of Istio's charts.
    pub release: Release,
    /// The file with its values.
    pub values: FileId,
}

/// The releases of Istio's charts that charts of the input make. What other values files of a chart set
/// is not known: which of them is given along with the chart's own, only who installs it says.
pub fn releases(sources: &Sources, trees: &Trees) -> Vec<Umbrella> {
    let named: Vec<(String, u32)> =
        trees.files().map(|(number, tree)| (path::normal(&sources.file(tree.file).name), number)).collect();
    let mut found = Vec::new();
    for (name, number) in named.iter().filter(|(name, _)| name.rsplit('/').next() == Some("Chart.yaml")) {
        let folder = path::folder(name);
        let Some(chart) = trees.tree(*number).roots().next() else { continue };
        let values_name = path::join(folder, "values.yaml");
        let Some((_, values)) = named.iter().find(|(name, _)| *name == values_name) else { continue };
        // The files of a chart that are no part of it: sets of values for some installations.
        let other = |name: &str| {
            let rest = name.strip_prefix(folder).map(|rest| rest.trim_start_matches('/'));
            let is_below = rest.is_some_and(|rest| folder.is_empty() || name.len() > folder.len() + rest.len());
            let is_part =
                |rest: &str| ["templates/", "charts/", "crds/", "Chart."].iter().any(|part| rest.starts_with(part));
            is_below && name != values_name && rest.is_some_and(|rest| !is_part(rest))
        };
        let others: Vec<u32> = named.iter().filter(|(name, _)| other(name)).map(|(_, number)| *number).collect();
        for dependency in chart.get("dependencies").into_iter().flat_map(Node::items) {
            let made = release(trees, (*number, chart, dependency), *values, &others);
            let values = trees.tree(*values).file;
            found.extend(made.map(|release| Umbrella { folder: folder.to_string(), release, values }));
        }
    }
    found
}

/// What a dependency makes of one of Istio's charts; nothing where it is another chart, or switched off.
fn release(
    trees: &Trees,
    (number, chart, dependency): (u32, Node<'_>, Node<'_>),
    values: u32,
    others: &[u32],
) -> Option<Release> {
    let name = dependency.get("name")?;
    let repository = dependency.get("repository").and_then(Node::text).unwrap_or("");
    let istios = release::chart_of(name.text()?, repository)?;
    let alias = dependency.get("alias").and_then(Node::text).unwrap_or(istios);
    let root = trees.tree(values).roots().next()?;
    let condition = dependency.get("condition").and_then(Node::text).and_then(|paths| {
        let mut paths = paths.split(',').map(|path| path.trim().split('.').collect::<Vec<_>>());
        paths.find_map(|path| root.at(&path))
    });
    if condition.is_some_and(|node| node.bool() != Some(true)) {
        return None;
    }
    let layers = |tree: u32, holds: Holds| {
        let root = trees.tree(tree).roots().next();
        let at = move |key: &str| {
            let node = root?.get(key).filter(|node| node.is_map())?;
            Some(Place { tree, node: node.id() })
        };
        let global = at("global").map(|place| Layer { below: vec!["global".into()], place, holds });
        let own = at(alias).map(|place| Layer { below: Vec::new(), place, holds });
        global.into_iter().chain(own).collect::<Vec<_>>()
    };
    let hidden = others.iter().flat_map(|tree| layers(*tree, Holds::Some));
    let home = root.at(&["global", "istioNamespace"]).or_else(|| root.at(&[alias, "global", "istioNamespace"]));
    let namespace = home.and_then(Node::text).unwrap_or("istio-system");
    let own = chart.get("name").and_then(Node::text).unwrap_or("");
    Some(Release {
        chart: istios,
        path: format!("{own}/{alias}").into(),
        place: Place { tree: number, node: name.id() },
        name: own.into(),
        namespace: namespace.into(),
        version: dependency.get("version").map(|node| Place { tree: number, node: node.id() }),
        layers: hidden.chain(layers(values, Holds::Values)).collect(),
        open: false,
        revision: None,
        profile: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    const CHART: &str = "name: mesh\ndependencies:\n- {name: istiod, alias: control, version: 1.30.2, condition: control.enabled}\n- {name: gateway, repository: 'https://blob.istio.io/istio-release/charts'}\n- {name: gateway, repository: 'https://other.example'}\n";

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        let sources =
            Sources::new(files.iter().map(|(name, text)| SourceFile::new(*name, None, text.to_string())).collect());
        let trees = Trees::new(sources.iter().map(|(id, f)| crate::yaml::parse::parse(id, f.text.clone())));
        let layer = |layer: &Layer| {
            let keys: Vec<_> = trees.node(layer.place).entries().filter_map(|(key, _)| key.text()).collect();
            format!("{}{:?}:{}", layer.below.join("."), layer.holds, keys.join(","))
        };
        let tell = |umbrella: Umbrella| {
            let layers: Vec<_> = umbrella.release.layers.iter().map(layer).collect();
            format!("{} {} {}", umbrella.folder, umbrella.release.chart, layers.join(" "))
        };
        releases(&sources, &trees).into_iter().map(tell).collect()
    }

    #[test]
    fn a_chart_around_istios_charts_gives_them_values() {
        let values = "global: {hub: a}\ncontrol: {enabled: true, pilot: {}}\ngateway: {name: g}\n";
        assert_eq!(
            told(&[("m/Chart.yaml", CHART), ("m/values.yaml", values)]),
            ["m istiod globalValues:hub Values:enabled,pilot", "m gateway globalValues:hub Values:name"]
        );
        assert_eq!(told(&[("m/Chart.yaml", CHART), ("m/values.yaml", "control: {enabled: false}")]), ["m gateway "]);
        assert!(told(&[("m/Chart.yaml", CHART)]).is_empty());
    }

    #[test]
    fn what_other_values_files_set_is_not_known() {
        let chart = "name: mesh\ndependencies: [{name: istiod}]\n";
        let files = [
            ("Chart.yaml", chart),
            ("charts/istiod/values.yaml", "istiod: {x: 1}"),
            ("values-prod.yaml", "istiod: {pilot: {}}"),
            ("values.yaml", "istiod: {pilot: {}, meshConfig: {}}"),
        ];
        assert_eq!(told(&files), [" istiod Some:pilot Values:pilot,meshConfig"]);
    }
}
