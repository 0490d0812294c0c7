//! A plan for programs: memory in bytes, CPU in cores, absent where it is not known.

use serde_json::{Map, Value, json};

use super::{Asked, Istiod, Measured, Part, Plan, Resources, Spot, Sum, Tally};
use crate::mesh::capacity::Amount;
use crate::mesh::injection::Component;
use crate::units::Quantity;

/// The contract's version.
const VERSION: u32 = 1;

/// All plans as one object.
pub fn render(plans: &[Plan]) -> String {
    let clusters: Vec<Value> = plans.iter().map(of).collect();
    crate::report::json::escaped(&json!({ "version": VERSION, "clusters": clusters }))
}

fn of(plan: &Plan) -> Value {
    let assumed = &plan.what_if;
    let sidecars = &plan.sidecars;
    let tier = plan.tier.map(|tier| {
        json!({
            "services": tier.services,
            "memory": bytes(tier.request),
            "memoryLimit": bytes(tier.limit),
            "byObjects": tier.by_objects,
            "whose": plan.figures,
        })
    });
    let namespaces = sidecars.namespaces.iter().map(|namespace| {
        json!({
            "name": namespace.name,
            "certain": tally(namespace.certain),
            "possible": tally(namespace.possible),
            "memory": sum(&namespace.memory, bytes),
            "cpu": sum(&namespace.cpu, cores),
        })
    });
    let profiles =
        plan.profiles.iter().map(|p| json!({ "name": p.name, "memory": bytes(p.memory), "upper": bytes(p.upper) }));
    let nodes = plan.nodes.as_ref().map(|nodes| {
        let part = |has: Option<Quantity>, asked: (Quantity, Quantity), unit: fn(Quantity) -> Value| {
            present(json!({ "allocatable": has.map(unit), "least": unit(asked.0), "most": unit(asked.1) }))
        };
        json!({
            "nodes": nodes.has.nodes,
            "cordoned": nodes.has.cordoned,
            "memory": part(nodes.has.memory, nodes.memory, bytes),
            "cpu": part(nodes.has.cpu, nodes.cpu, cores),
            "unknown": nodes.unknown,
        })
    });
    let scope = plan.scope.as_ref().map(|scope| {
        present(json!({
            "narrowed": scope.narrowed,
            "wide": scope.wide,
            "unsure": scope.unsure,
            "services": scope.all,
            "ownServices": scope.own,
            "memory": scope.memory.map(bytes),
            "assumedForEachPod": scope.each.map(bytes),
        }))
    });
    let advice = plan.advice.iter().map(|advice| {
        json!({ "what": advice.what, "why": advice.why, "locations": advice.spots.iter().map(spot).collect::<Vec<_>>() })
    });
    present(json!({
        "name": plan.cluster,
        "environment": plan.environment,
        "whatIf": (!assumed.is_empty()).then(|| present(json!({
            "services": assumed.services, "sidecars": assumed.sidecars, "tracing": assumed.tracing,
        }))),
        "istio": plan.istio.map(|version| version.to_string()),
        "services": plan.services,
        "objects": plan.objects,
        "workloads": tally(plan.workloads),
        "tracing": plan.tracing,
        "tier": tier,
        "measured": plan.measured.as_ref().map(measured),
        "istiods": plan.istiods.iter().map(istiod).collect::<Vec<_>>(),
        "sidecars": present(json!({
            "certain": tally(sidecars.certain),
            "possible": tally(sidecars.possible),
            "ambient": tally(sidecars.ambient),
            "open": sidecars.open,
            "byChartDefault": sidecars.by_default,
            "podsInSums": { "least": sidecars.pods.0, "most": sidecars.pods.1 },
            "memory": sum(&sidecars.memory, bytes),
            "cpu": sum(&sidecars.cpu, cores),
            "each": sidecars.each.as_ref().map(resources),
            "measuredEach": plan.measured_sidecar.as_ref().map(measured),
            "namespaces": namespaces.collect::<Vec<_>>(),
        })),
        "profiles": profiles.collect::<Vec<_>>(),
        "components": plan.components.iter().map(component).collect::<Vec<_>>(),
        "nodes": nodes,
        "scope": scope,
        "unknown": plan.unknown,
        "advice": advice.collect::<Vec<_>>(),
    }))
}

/// Without the keys that have no value.
fn present(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn bytes(quantity: Quantity) -> Value {
    json!(quantity.as_f64().round() as i64)
}

fn cores(quantity: Quantity) -> Value {
    json!(quantity.as_f64())
}

fn tally(tally: Tally) -> Value {
    json!({
        "workloads": tally.workloads,
        "least": tally.least,
        "most": tally.most,
        "unsaid": tally.unsaid,
        "eachNode": tally.each_node,
        "unknown": tally.unknown,
    })
}

fn sum(sum: &Sum, unit: fn(Quantity) -> Value) -> Value {
    json!({
        "least": unit(sum.least),
        "most": unit(sum.most),
        "limit": unit(sum.limit),
        "unlimited": sum.unlimited,
        "unknown": sum.unknown,
    })
}

fn measured(measured: &Measured) -> Value {
    present(json!({
        "whose": measured.whose,
        "services": measured.services,
        "sidecars": measured.sidecars,
        "cpu": measured.cpu.map(cores),
        "memory": measured.memory.map(bytes),
    }))
}

fn spot(spot: &Spot) -> Value {
    present(json!({ "path": spot.path, "line": spot.line, "template": spot.template }))
}

fn asked(asked: &Asked, unit: fn(Quantity) -> Value) -> Value {
    let (amount, state) = match asked.amount {
        Amount::Of(quantity) => (Some(unit(quantity)), if asked.default { "default" } else { "set" }),
        Amount::Unset => (None, "unset"),
        Amount::Unknown => (None, "unknown"),
    };
    present(json!({ "state": state, "amount": amount, "location": asked.spot.as_ref().map(spot) }))
}

fn resources(resources: &Resources) -> Value {
    json!({
        "memory": asked(&resources.memory, bytes),
        "memoryLimit": asked(&resources.memory_limit, bytes),
        "cpu": asked(&resources.cpu, cores),
        "cpuLimit": asked(&resources.cpu_limit, cores),
    })
}

fn istiod(istiod: &Istiod) -> Value {
    json!({
        "namespace": istiod.namespace,
        "name": istiod.name,
        "revision": istiod.revision,
        "location": spot(&istiod.spot),
        "pods": tally(istiod.pods),
        "resources": resources(&istiod.resources),
    })
}

fn component(part: &Part) -> Value {
    let component = match part.component {
        Component::Istiod => "istiod",
        Component::Gateway => "gateway",
        Component::Waypoint => "waypoint",
        Component::Ztunnel => "ztunnel",
        Component::IstioCni => "istio-cni",
    };
    json!({
        "component": component,
        "namespace": part.namespace,
        "name": part.name,
        "pods": tally(part.pods),
        "resources": resources(&part.resources),
    })
}
