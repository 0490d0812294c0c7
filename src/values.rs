//! Which values of a chart set what was rendered from it.
//!
//! For Istio's own charts a table knows the key. For others the keys that the template reads near the
//! field are named, as candidates: which line of a template made a line of its output is never certain.

use crate::finding::Finding;
use crate::resource::Resource;
use crate::rule::table::Table;
use crate::source::SourceFile;

/// The table of Istio's own charts.
pub const TABLE: &str = "istio-chart-values";

/// So many keys of a template are named.
const MOST: usize = 4;

/// Keys that say nothing about what sets a field.
const FRAME: [&str; 5] = ["spec", "template", "metadata", "data", "containers"];

/// The key and its value, as a finding tells it: `set "x.y: 4Gi" in the values of chart "istiod"`.
/// `chart` is what [`Resource::chart`] holds; a chart in a chart has its values under its own name.
pub fn set(chart: Option<&str>, key: &str, value: Option<&str>) -> String {
    let charts: Vec<&str> = chart.unwrap_or_default().split('/').collect();
    let prefix: String = charts.iter().skip(1).map(|name| format!("{name}.")).collect();
    let value = value.map_or(String::new(), |value| format!(": {value}"));
    match charts.first().filter(|name| !name.is_empty()) {
        Some(name) => format!("set `{prefix}{key}{value}` in the values of chart \"{name}\""),
        None => format!("set `{key}{value}` in the chart's values"),
    }
}

/// Whether a resource may come from one of Istio's charts: it does not come from a chart of another name.
pub fn may_be_istios(resource: &Resource) -> bool {
    let chart = resource.chart.as_deref().and_then(|chart| chart.rsplit('/').next());
    chart.is_none_or(|chart| ["base", "cni", "gateway", "istiod", "istiod-remote", "ztunnel"].contains(&chart))
}

/// The values key of one of Istio's charts for a field; `path` has list items by their names.
pub fn exact(table: &Table, resource: &Resource, path: &str, is_istio: bool) -> Option<String> {
    let chart = resource.chart.as_deref()?.rsplit('/').next()?;
    // Others, too, call a chart "gateway".
    if chart == "gateway" && !is_istio {
        return None;
    }
    let start = format!("{chart} {} ", resource.kind);
    let fitting = table.rows.iter().filter_map(|(row, columns)| {
        let field = row.strip_prefix(&start)?;
        let below = path.strip_prefix(field)?;
        let is_below = below.is_empty() || below.starts_with(['.', '|', '[']);
        let key = columns.get("values").and_then(serde_yaml::Value::as_str)?;
        is_below.then(|| (field.len(), format!("{key}{}", below.replace('|', "."))))
    });
    fitting.max_by_key(|(length, _)| *length).map(|(_, key)| key)
}

/// The keys that the template of a finding reads near its field, in words.
pub fn candidates(file: &SourceFile, finding: &Finding) -> Option<String> {
    let path = finding.primary.template.as_deref()?;
    let template = file.rendered.as_ref()?.templates.values().find(|template| template.path == path)?;
    let (near, keys) = read_near(&template.text, &finding.primary.yaml_path)?;
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    Some(format!("the template reads {} at \"{near}\"; one of them may set it", keys.join(", ")))
        .map(|text| if keys.len() == 1 { text.replace("one of them may set it", "it may set this") } else { text })
}

/// The innermost key of a path for which a template reads values, and what it reads there.
fn read_near<'p>(template: &str, path: &'p str) -> Option<(&'p str, Vec<String>)> {
    let lines: Vec<&str> = template.lines().collect();
    let keys = path.split(['.', '|']).map(|part| part.split('[').next().unwrap_or(part));
    for key in keys.collect::<Vec<_>>().into_iter().rev().filter(|key| !key.is_empty()) {
        if FRAME.contains(&key) {
            return None;
        }
        let mut found: Vec<String> = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let content = line.trim_start_matches([' ', '-']);
            if !content.strip_prefix(key).is_some_and(|rest| rest.starts_with(':')) {
                continue;
            }
            // What decides whether the line is there stands right above it.
            let above = lines[..number].iter().rev().take_while(|line| is_action(line)).take(2);
            let indent = line.len() - content.len();
            let is_block = content[key.len() + 1..].trim_matches(['|', '>', '-', ' ']).is_empty();
            let below = if is_block { block(&lines[number + 1..], indent) } else { &[] };
            for line in above.chain([line]).chain(below) {
                for value in values_of(line) {
                    if !found.contains(&value) && found.len() < MOST {
                        found.push(value);
                    }
                }
            }
        }
        if !found.is_empty() {
            return Some((key, found));
        }
    }
    None
}

/// The lines that belong to a key without a value on its own line: deeper ones and actions, up to the
/// end of what encloses the key.
fn block<'l, 't>(lines: &'l [&'t str], indent: usize) -> &'l [&'t str] {
    let mut open = 0;
    for (number, line) in lines.iter().enumerate() {
        let content = line.trim_start();
        let action = content.trim_start_matches(['{', '-', ' ']);
        if !is_action(line) {
            if !content.is_empty() && line.len() - content.len() <= indent {
                return &lines[..number];
            }
        } else if ["if ", "with ", "range "].iter().any(|word| action.starts_with(word)) {
            open += 1;
        } else if action.starts_with("end") {
            if open == 0 {
                return &lines[..number];
            }
            open -= 1;
            // A condition at the key's own depth was all that it holds.
            if open == 0 && line.len() - content.len() <= indent {
                return &lines[..=number];
            }
        }
    }
    lines
}

/// Whether a line of a template holds nothing but an action.
fn is_action(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("{{") && line.ends_with("}}")
}

/// `a.b` of every `.Values.a.b` in a line.
fn values_of(line: &str) -> impl Iterator<Item = String> + '_ {
    line.split(".Values.").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        let key = rest[..end].trim_end_matches('.');
        (!key.is_empty()).then(|| key.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
kind: Deployment
spec:
  replicas: {{ .Values.replicas | default 1 }}
  template:
    spec:
      containers:
      - name: server
        image: "{{ .Values.images.repository }}:{{ .Values.images.tag | default .Chart.AppVersion }}"
        {{- with .Values.frontend.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        ports:
        - containerPort: 8080
      {{- if .Values.nodeSelector }}
      nodeSelector:
{{ toYaml .Values.nodeSelector | indent 8 }}
      {{- end }}
      {{- if .Values.dns }}
      dnsPolicy: {{ .Values.dns }}
      {{- end }}
"#;

    #[test]
    fn a_template_reads_values_near_a_field() {
        let near = |path: &str| read_near(TEMPLATE, path).map(|(key, values)| format!("{key}: {}", values.join(" ")));
        let told = |text: &str| Some(text.to_string());
        assert_eq!(near("spec.replicas"), told("replicas: replicas"));
        assert_eq!(near("spec.template.spec.containers[0].image"), told("image: images.repository images.tag"));
        let memory = "spec.template.spec.containers[0].resources.limits.memory";
        assert_eq!(near(memory), told("resources: frontend.resources"));
        assert_eq!(near("spec.template.spec.nodeSelector.disk"), told("nodeSelector: nodeSelector"));
        // Nothing is read there, and what is read elsewhere says nothing.
        assert_eq!(near("spec.template.spec.containers[0].ports[0].containerPort"), None);
        assert_eq!(near("metadata.name"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn a_chart_in_a_chart_has_its_values_under_its_name() {
        assert_eq!(set(Some("istiod"), "a.b", Some("2")), "set `a.b: 2` in the values of chart \"istiod\"");
        assert_eq!(set(Some("mesh/istiod"), "a", None), "set `istiod.a` in the values of chart \"mesh\"");
        assert_eq!(set(None, "a", None), "set `a` in the chart's values");
    }
}
