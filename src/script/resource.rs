//! Resources: what the tool knows beside the manifest's own fields.

use std::rc::Rc;

use rhai::{Dynamic, ImmutableString};

use super::engine::TableRef;
use super::list::L;
use super::value::{V, place};
use super::vocabulary::{On, Words};
use super::{Context, Result, fail};
use crate::mesh::WorkloadId;
use crate::mesh::absence::Absence;
use crate::mesh::selector::Tri;
use crate::mesh::service::Target;
use crate::resource::ResourceId;
use crate::rule::header::Role;
use crate::rule::table::Table;
use crate::yaml::{Node, Place};

impl Context {
    /// The resource that a value is, for words that only resources answer.
    pub(crate) fn need_resource(&self, v: V, word: &str) -> Result<ResourceId> {
        match self.as_resource(v) {
            Some(id) => Ok(id),
            None => fail(format!("{word} is asked of a resource, and this is {}", self.described(v))),
        }
    }

    pub(crate) fn need_workload(&self, v: V, word: &str) -> Result<WorkloadId> {
        let id = self.need_resource(v, word)?;
        match self.mesh.workload_of(id) {
            Some(workload) => Ok(workload),
            None => fail(format!("{word} is asked of a workload, and this is a {}", self.mesh.resource(id).kind)),
        }
    }

    fn described(&self, v: V) -> String {
        if self.is_missing(v) {
            return "a value that is not set".to_string();
        }
        format!("the value at {}", self.path(v, false))
    }

    /// A mandatory or defaulted field of a resource: its value, or `default` in its place.
    fn field(&self, v: V, path: &[&str], default: &str) -> V {
        match self.mesh.trees.get(v.place, path) {
            Some(found) => V::at(found),
            None => self.missing(v.place, path.iter().map(|k| Rc::from(*k)).collect(), Some(default.into())),
        }
    }

    pub(crate) fn root(&self, id: ResourceId) -> V {
        V::at(self.mesh.resource(id).root)
    }

    pub(crate) fn workload_root(&self, id: WorkloadId) -> V {
        self.root(self.mesh.workload(id).resource)
    }

    /// The pod template of a resource that may have one and has none: missing, or unknown.
    fn no_template(&self, v: V) -> Option<V> {
        let id = self.as_resource(v).filter(|id| self.mesh.workload_of(*id).is_none())?;
        let resource = self.mesh.resource(id);
        let path = crate::mesh::workload::template_path(&resource.group, &resource.kind)?;
        Some(path.iter().fold(v, |v, key| self.get(v, &Rc::from(*key), crate::yaml::key_hash(key))))
    }

    /// A list of parts of the pod template that `no_template` answered.
    fn no_parts(&self, template: V) -> L {
        let unknown = self.is_unknown(template).then(|| Absence::unknown("pod templates"));
        L::new(Vec::new(), Some(template), Some(unknown.unwrap_or_else(Absence::certain)))
    }

    fn containers(&self, v: V, word: &str) -> Result<L> {
        if let Some(template) = self.no_template(v) {
            return Ok(self.no_parts(template));
        }
        let workload = self.mesh.workload(self.need_workload(v, word)?);
        let tree = workload.template.tree;
        let items = self.mesh.containers(workload).iter().map(|n| place(tree, n.id())).collect();
        let list = self.mesh.pod_spec(workload).and_then(|s| s.get("containers"));
        let at = list.map_or(workload.template, |n| Place { tree, node: n.id() });
        Ok(L::new(items, Some(V::at(at)), Some(Absence::certain())))
    }

    /// Route destinations of a VirtualService, mirrors included.
    fn destinations(&self, v: V) -> L {
        let root = self.node(v);
        let routes = |protocol: &'static str| root.at(&["spec", protocol]).into_iter().flat_map(Node::items);
        let mut found = Vec::new();
        for http in routes("http") {
            found.extend(http.get("route").into_iter().flat_map(Node::items).filter_map(|r| r.get("destination")));
            found.extend(http.get("mirror"));
            found.extend(http.get("mirrors").into_iter().flat_map(Node::items).filter_map(|m| m.get("destination")));
        }
        for route in routes("tcp").chain(routes("tls")) {
            found.extend(route.get("route").into_iter().flat_map(Node::items).filter_map(|r| r.get("destination")));
        }
        let items = found.into_iter().filter(|n| n.is_map()).map(|n| self.sibling(v, n)).collect();
        L::new(items, Some(v), None)
    }

    /// Ports: of a Service its `ports`, of a workload all that its containers declare.
    fn ports(&self, v: V) -> Result<L> {
        let id = self.need_resource(v, "ports()")?;
        let tree = v.place.tree;
        if let Some(template) = self.no_template(v) {
            return Ok(self.no_parts(template));
        }
        if let Some(workload) = self.mesh.workload_of(id) {
            let containers = self.mesh.containers(self.mesh.workload(workload));
            let ports = containers.iter().flat_map(|c| c.get("ports")).flat_map(Node::items);
            return Ok(L::new(ports.map(|n| place(tree, n.id())).collect(), Some(v), Some(Absence::certain())));
        }
        let list = self.mesh.root(id).at(&["spec", "ports"]);
        let at = list.map_or(v, |n| self.sibling(v, n));
        let items = list.into_iter().flat_map(Node::items).map(|n| self.sibling(v, n)).collect();
        Ok(L::new(items, Some(at), Some(Absence::certain())))
    }
}

/// The words that only resources answer.
pub(super) fn register(words: &mut Words<'_>) {
    use On::Resource;
    let c = words.context();
    let x = c.clone();
    words.fallible(Resource, "kind()", "its kind, as a value", "", move |v: V| -> Result<V> {
        x.need_resource(v, "kind()").map(|id| x.field(v, &["kind"], &x.mesh.resource(id).kind))
    });
    let x = c.clone();
    words.fallible(Resource, "name()", "`metadata.name`", "", move |v: V| -> Result<V> {
        x.need_resource(v, "name()").map(|id| x.field(v, &["metadata", "name"], &x.mesh.resource(id).name))
    });
    let x = c.clone();
    words.fallible(
        Resource,
        "namespace()",
        "its namespace, also where the manifest leaves it to the default",
        "",
        move |v: V| -> Result<V> {
            let id = x.need_resource(v, "namespace()")?;
            Ok(x.field(v, &["metadata", "namespace"], x.mesh.resource(id).namespace()))
        },
    );
    let x = c.clone();
    words.fallible(Resource, "labels()", "`metadata.labels`; of a workload those of its pods", "", move |v: V| {
        x.metadata(v, "labels")
    });
    let x = c.clone();
    words.fallible(
        Resource,
        "annotations()",
        "`metadata.annotations`; of a workload those of its pods",
        "",
        move |v: V| x.metadata(v, "annotations"),
    );
    let x = c.clone();
    words.fallible(
        Resource,
        "is(role)",
        "whether it certainly has that role",
        "",
        move |v: V, role: ImmutableString| {
            let id = x.need_resource(v, "is()")?;
            match Role::parse(&role) {
                Some(role) => Ok(crate::mesh::roles::has(&x.mesh, id, role).is_yes()),
                None => fail(super::check::no_role(&role).unwrap_or_default()),
            }
        },
    );
    let x = c.clone();
    words.word(
        Resource,
        "origin()",
        "the template or file that it was rendered from; empty if none",
        "",
        move |v: V| {
            let template =
                x.as_resource(v).and_then(|id| x.mesh.resource(id).template.as_deref().map(ImmutableString::from));
            template.unwrap_or_default()
        },
    );
    let x = c.clone();
    words.fallible(Resource, "pod()", "the pod template: `metadata` and `spec` of its pods", "", move |v: V| {
        match x.no_template(v) {
            Some(missing) => Ok(missing),
            None => Ok(V::at(x.mesh.workload(x.need_workload(v, "pod()")?).template)),
        }
    });
    let x = c.clone();
    words.fallible(Resource, "containers()", "all containers, init containers included", "", move |v: V| {
        x.containers(v, "containers()")
    });
    let x = c.clone();
    words.fallible(
        Resource,
        "app_containers()",
        "the containers that run with the pod (`containers` and native sidecars) and are not Istio's",
        "",
        move |v: V| -> Result<L> {
            let all = x.containers(v, "app_containers()")?;
            if all.items.is_empty() {
                return Ok(all);
            }
            let workload = x.mesh.workload(x.need_workload(v, "app_containers()")?);
            let running = x.mesh.running_containers(workload);
            let own = |c: &Node<'_>| c.get("name").and_then(Node::text).is_some_and(|n| n.starts_with("istio-"));
            let own = |c: &Node<'_>| own(c) || crate::mesh::proxy::may_be_proxy(*c);
            let items = running.iter().filter(|c| !own(c)).map(|c| place(workload.template.tree, c.id())).collect();
            Ok(L { items: Rc::new(items), ..all })
        },
    );
    let x = c.clone();
    words.fallible(
        Resource,
        "container(name)",
        "the container of that name; missing if there is none",
        "",
        move |v: V, name: ImmutableString| {
            let all = x.containers(v, "container()")?;
            let found = all.items.iter().find(|c| x.node(**c).get("name").and_then(Node::text) == Some(name.as_str()));
            // One whose name the input does not show may be the one.
            let hides = |c: &V| x.node(*c).get("name").is_some_and(Node::is_unknown);
            let absence = || match all.items.iter().any(hides) {
                true => Absence::unknown("names of containers"),
                false => Absence::certain(),
            };
            Ok(match (found, all.place) {
                (Some(found), _) => *found,
                (None, place) => x.absent(place.unwrap_or(v).place, absence()),
            })
        },
    );
    let x = c.clone();
    words.fallible(
        Resource,
        "destinations()",
        "of a VirtualService: all `destination`s of its routes, mirrors included",
        "",
        move |v: V| x.need_resource(v, "destinations()").map(|_| x.destinations(v)),
    );
    let x = c.clone();
    words.fallible(
        Resource,
        "ports()",
        "of a Service: its ports; of a workload: all that its containers declare",
        "",
        move |v: V| x.ports(v),
    );
    let x = c.clone();
    words.fallible(
        Resource,
        "port(number)",
        "the item of `ports()` with that number; missing if there is none, or if it is no number",
        "",
        move |v: V, number: Dynamic| -> Result<V> {
            let ports = x.ports(v)?;
            let asked = number.clone().try_cast::<V>();
            if let Some(unknown) = asked.filter(|asked| x.is_unknown(*asked)) {
                return Ok(unknown);
            }
            let wanted = match asked {
                Some(value) => x.number(value),
                None => super::compare::plain_text(&number).and_then(|text| text.trim().parse().ok()),
            };
            let Some(wanted) = wanted else { return Ok(x.missing(asked.unwrap_or(v).place, Vec::new(), None)) };
            let is = |p: &V| {
                let node = x.node(*p);
                node.get("port").or_else(|| node.get("containerPort")).and_then(Node::int).map(|n| n as f64)
                    == Some(wanted)
            };
            let found = ports.items.iter().find(|p| is(p));
            // An item that can't be read may be the one.
            let unsure = |p: &V| {
                let node = x.node(*p);
                node.get("port").or_else(|| node.get("containerPort")).is_none_or(|n| n.int().is_none())
            };
            Ok(match (found, ports.place) {
                (Some(found), _) => *found,
                (None, _) if ports.items.iter().any(unsure) => x.unknown_at(v.place, "ports"),
                (None, place) => x.absent(place.unwrap_or(v).place, Absence::certain()),
            })
        },
    );
    let x = c.clone();
    words.fallible(
        Resource,
        "misplaced(table)",
        "keys of annotations, its own and of its pods, that the column `kinds` of a table gives to other kinds only",
        "workloads",
        move |v: V, table: TableRef| match x.rules.tables.get(table.0.as_str()) {
            Some(table) => x.misplaced(v, table),
            None => Ok(L::new(Vec::new(), None, None)),
        },
    );
    let x = c;
    words.fallible(
        Resource,
        "target(port)",
        "of a workload: the number of its port that an item of a Service's `ports` leads to; missing if none",
        "",
        move |workload: V, port: V| {
            let id = x.need_workload(workload, "target()")?;
            Ok(match x.mesh.target_port(x.node(port), id) {
                Target::Port(number) => Dynamic::from(i64::from(number)),
                Target::NoSuchName => Dynamic::from(x.absent(port.place, Absence::certain())),
                Target::Unknown => Dynamic::from(x.unknown_at(port.place, "target port")),
            })
        },
    );
}

impl Context {
    /// Annotations of a resource and of its pods that the column `kinds` of a table gives to other kinds.
    fn misplaced(&self, v: V, table: &Table) -> Result<L> {
        let id = self.need_resource(v, "misplaced()")?;
        let resource = self.mesh.resource(id);
        let is_for = |key: &str, kind: &str| {
            let kinds = table.rows.get(key).and_then(|row| row.get("kinds")?.as_sequence());
            kinds.is_none_or(|kinds| kinds.iter().any(|k| k.as_str() == Some(kind)))
        };
        let mut found = Vec::new();
        let root = self.node(v);
        // What an owner made has the annotations of the owner.
        if &*resource.kind != "Pod" && root.at(&["metadata", "ownerReferences"]).is_none_or(Node::is_null) {
            for (key, _) in root.at(&["metadata", "annotations"]).into_iter().flat_map(Node::entries) {
                let Some(text) = key.text().filter(|text| !is_for(text, &resource.kind)) else { continue };
                if self.mesh.pods_have_annotation(id, text) == Tri::No {
                    found.push(self.sibling(v, key));
                }
            }
        }
        if let Some(workload) = self.mesh.workload_of(id) {
            let template = self.mesh.trees.node(self.mesh.workload(workload).template);
            let pods = template.at(&["metadata", "annotations"]).into_iter().flat_map(Node::entries);
            let wrong = pods.filter(|(key, _)| key.text().is_some_and(|text| !is_for(text, "Pod")));
            found.extend(wrong.map(|(key, _)| self.sibling(v, key)));
        }
        Ok(L::new(found, None, None))
    }

    fn metadata(&self, v: V, key: &str) -> Result<V> {
        let id = self.need_resource(v, key)?;
        let mut path = match self.mesh.workload_of(id) {
            Some(_) => {
                let resource = self.mesh.resource(id);
                crate::mesh::workload::template_path(&resource.group, &resource.kind).unwrap_or(&[]).to_vec()
            }
            None => Vec::new(),
        };
        path.extend(["metadata", key]);
        Ok(match self.mesh.trees.get(v.place, &path) {
            Some(found) => V::at(found),
            None => {
                // The deepest part that exists, and the keys below it.
                let depth =
                    (0..path.len()).rev().find(|n| self.mesh.trees.get(v.place, &path[..*n]).is_some()).unwrap_or(0);
                let parent = self.mesh.trees.get(v.place, &path[..depth]).unwrap_or(v.place);
                self.missing(parent, path[depth..].iter().map(|k| Rc::from(*k)).collect(), None)
            }
        })
    }
}
