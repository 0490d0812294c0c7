//! `plimsoll snapshot`

use std::collections::BTreeSet;

use super::{Status, out, project};
use crate::kinds::{is_cluster_scoped, resolve, resource_name};
use crate::resource::COLLECTED;
use crate::script::{Kind, kinds_read};

/// Names and keys of Secrets, with something in place of each value that nobody takes for one.
const WITHOUT_VALUES: &str = r#"'{{range .items}}---{{"\n"}}apiVersion: v1{{"\n"}}kind: Secret{{"\n"}}metadata: {name: {{printf "%q" .metadata.name}}, namespace: {{printf "%q" .metadata.namespace}}, uid: {{printf "%q" .metadata.uid}}}{{"\n"}}type: {{printf "%q" (or .type "Opaque")}}{{"\n"}}data: { {{range $key, $value := .data}}{{printf "%q" $key}}: "${NOT_COLLECTED}", {{end}}}{{"\n"}}{{end}}'"#;

#[derive(Debug, clap::Args)]
#[command(after_help = "It prints a command for a shell, and runs nothing: plimsoll snapshot | sh > cluster.yaml\n\
    The command only reads. What it writes says which kinds were collected, so that `plimsoll check cluster.yaml` \
    knows what is not there.")]
pub(super) struct Arguments {
    #[command(flatten)]
    project: project::Origin,
    /// The context of the kubeconfig; the default is the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Only these namespaces; name Istio's, too (comma-separated, repeatable)
    #[arg(long, short, value_delimiter = ',', value_name = "NAME")]
    namespace: Vec<String>,
    /// The values of Secrets, too; without it only their names and keys are collected
    #[arg(long)]
    secrets: bool,
}

pub(super) fn run(arguments: &Arguments) -> Status {
    let loaded = match arguments.project.read(&[]) {
        Ok(project) => project.loaded,
        Err(status) => return status,
    };
    if !loaded.problems.is_empty() {
        return super::complain(&loaded.problems);
    }
    out(&command(&kinds_read(&loaded.set, &loaded.checked), arguments));
    Status::Clean
}

/// A line for a POSIX shell. An unknown kind would make `kubectl get` fail as a whole, so that it first asks
/// which kinds there are; what it collected is said only if nothing failed.
fn command(kinds: &BTreeSet<Kind>, arguments: &Arguments) -> String {
    let context = arguments.context.as_ref().map_or(String::new(), |name| format!(" --context {}", quoted(name)));
    let kubectl = format!("kubectl{context}");
    let is_secret = |(group, kind): &&Kind| group.is_empty() && kind == "Secret";
    let (cluster, namespaced): (Vec<&Kind>, Vec<&Kind>) =
        kinds.iter().filter(|kind| !is_secret(kind) || arguments.secrets).partition(|(g, k)| is_cluster_scoped(g, k));
    let served = |kinds: &[&Kind]| {
        let names: Vec<String> =
            kinds.iter().map(|(group, kind)| resource_name(group, kind).replace('.', "[.]")).collect();
        format!("\"$(printf '%s\\n' \"$r\" | grep -xE '{}' | paste -sd, -)\"", names.join("|"))
    };
    let secrets = |scope: &str| match arguments.secrets {
        true => String::new(),
        false => format!(" {kubectl} get secrets {scope} -o go-template={WITHOUT_VALUES} || c=1;"),
    };
    let mut line = format!("r=$({kubectl} api-resources --verbs=list -o name); c=$?;");
    let mut collected: BTreeSet<&Kind> = cluster.iter().copied().collect();
    if arguments.namespace.is_empty() {
        let all: Vec<&Kind> = cluster.iter().chain(&namespaced).copied().collect();
        line += &format!(" {kubectl} get {} --all-namespaces -o yaml || c=1;", served(&all));
        line += &secrets("--all-namespaces");
        // Their names and keys are all there, whatever their values are.
        collected = kinds.iter().collect();
    } else {
        let names: Vec<String> = arguments.namespace.iter().map(|name| quoted(name)).collect();
        line += &format!(" {kubectl} get {} -o yaml || c=1;", served(&cluster));
        line += &format!(" for n in {}; do echo ---; {kubectl}", names.join(" "));
        line += &format!(" -n \"$n\" get {} -o yaml || c=1;{} done;", served(&namespaced), secrets("-n \"$n\""));
    }
    let names: Vec<String> = collected.into_iter().map(name).collect();
    line += &format!(" test $c = 0 && echo '{COLLECTED}{}'\n", names.join(", "));
    line
}

/// A kind as the configuration writes it.
fn name((group, kind): &Kind) -> String {
    if resolve(kind) == Some((group.as_str(), kind.as_str())) { kind.clone() } else { format!("{kind}.{group}") }
}

/// A word that the shell takes as it stands.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
