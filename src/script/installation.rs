//! What a rule may ask the mesh about how Istio is installed and set up.

use rhai::ImmutableString;

use super::Result;
use super::list::L;
use super::mesh::M;
use super::value::V;
use super::vocabulary::{On, Words};
use crate::mesh::absence::Absence;
use crate::mesh::release;

/// The words about the installation.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "request(container, resource)",
        "what a container asks for of `cpu` or `memory` in the end: its request, its limit, or the default of a LimitRange",
        "LimitRange, VerticalPodAutoscaler",
        move |_: M, container: V, resource: ImmutableString| -> Result<V> {
            let workload = x.resource_of(container).and_then(|id| x.mesh.workload_of(id));
            Ok(match workload.filter(|_| container.ghost == 0) {
                Some(workload) => x.setting(x.mesh.request(workload, x.node(container), &resource)),
                None => x.unknown_at(container.place, "containers"),
            })
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "istio_variables(resource)",
        "the names of environment variables that a resource hands to Istio's own processes: in their containers, as `proxyMetadata`, in values of an IstioOperator",
        "workloads",
        move |_: M, v: V| -> Result<L> {
            let id = x.need_resource(v, "istio_variables()")?;
            Ok(L::new(x.mesh.istio_variables(id).into_iter().map(V::at).collect(), Some(v), None))
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "sidecar_of(workload)",
        "the `Sidecar` that narrows what its proxy receives; missing if none does",
        "Sidecar",
        move |_: M, v: V| -> Result<V> {
            Ok(match x.mesh.sidecar_of(x.need_workload(v, "sidecar_of()")?) {
                Ok(found) => x.root(found),
                Err(absence) => x.absent(v.place, absence),
            })
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "tracing(resource)",
        "what names the provider for the traces that a Telemetry, mesh configuration, istiod or workload sets up; missing if nothing is traced",
        "mesh configuration, Telemetry",
        move |_: M, v: V| -> Result<V> {
            Ok(match x.mesh.tracing(x.need_resource(v, "tracing()")?) {
                Ok(place) => V::at(place),
                Err(absence) => x.absent(v.place, absence),
            })
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "sampling(resource)",
        "the percentage of requests that it lets trace; missing if it sets none, or something else overrides it",
        "mesh configuration, Telemetry",
        move |_: M, v: V| -> Result<V> {
            let id = x.need_resource(v, "sampling()")?;
            Ok(x.mesh.sampling(id).map_or_else(|| x.missing(v.place, Vec::new(), None), V::at))
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "profile(istiod)",
        "the profile that what installs it names; missing if it names none, or if istiod was rendered",
        "HelmRelease, Application, IstioOperator, Istio",
        move |_: M, v: V| -> Result<V> {
            let release = x.mesh.resource(x.need_resource(v, "profile()")?).release;
            let release = release.and_then(|number| x.mesh.releases.get(number as usize));
            let profile = release.and_then(|release| release.profile(&x.mesh.trees));
            Ok(profile.map_or_else(|| x.missing(v.place, Vec::new(), None), V::at))
        },
    );
    let x = c.clone();
    words.word(
        On::Mesh,
        "chart_values(chart)",
        "the maps of values that are written for one of Istio's charts, `istiod`, `gateway` …: in HelmReleases, Applications, IstioOperators, the Sail operator's resources, and ConfigMaps `values`",
        "HelmRelease, Application, IstioOperator, Istio",
        move |_: M, chart: ImmutableString| {
            let values = x.mesh.chart_values(&chart).into_iter().map(|(values, _)| V::at(values));
            L::new(values.collect(), None, Some(Absence::unknown(format!("values of chart {chart}"))))
        },
    );
    let x = c.clone();
    words.word(
        On::Mesh,
        "chart_version(values)",
        "the version of the chart that a map of `chart_values` is for, as it is written; missing if none is",
        "HelmRelease, Application, IstioOperator, Istio",
        move |_: M, values: V| {
            let all = release::CHARTS.iter().flat_map(|chart| x.mesh.chart_values(chart));
            let own = all.filter(|(place, _)| *place == values.place).find_map(|(_, version)| version);
            own.map_or_else(|| x.missing(values.place, Vec::new(), None), V::at)
        },
    );
    let x = c.clone();
    words.fallible(
        On::Mesh,
        "variable(istiod, name)",
        "what an environment variable of istiod is set to; missing if it is not, unknown if it comes from elsewhere",
        "Istiod",
        move |_: M, v: V, name: ImmutableString| -> Result<V> {
            let id = x.need_resource(v, "variable()")?;
            // An istiod that is not rendered has no container.
            let Some(workload) = x.mesh.workload_of(id) else {
                return Ok(x.unknown_at(v.place, "environment of istiod"));
            };
            Ok(match x.mesh.variable(workload, "discovery", &name) {
                Ok(place) => V::at(place),
                Err(absence) => x.absent(v.place, absence),
            })
        },
    );
    let x = c;
    words.fallible(
        On::Mesh,
        "istiod_addresses(resource)",
        "the values of a resource that say at which address proxies reach istiod: `discoveryAddress`, `caAddress` …",
        "mesh configuration, injector",
        move |_: M, v: V| {
            let id = x.need_resource(v, "istiod_addresses()")?;
            Ok(L::new(x.mesh.istiod_addresses(id).into_iter().map(V::at).collect(), None, None))
        },
    );
}
