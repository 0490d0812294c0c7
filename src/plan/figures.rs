//! Whose figures a plan goes by: the parameters of rules, and two tables of `rules/data`.

use crate::mesh::Mesh;
use crate::resource::ResourceId;
use crate::rule::params::ParamValue;
use crate::rule::{RuleSet, Setting};
use crate::script::fits;
use crate::units::Quantity;

/// The rules with what holds for them in one cluster.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'a> {
    /// The rules and tables.
    pub set: &'a RuleSet,
    /// How each rule takes part, in their order.
    pub settings: &'a [Setting],
}

/// What istiod has to have from some number of Services on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// From so many Services on.
    pub services: u64,
    /// What it asks for.
    pub request: Quantity,
    /// What it may use, if there is a limit.
    pub limit: Quantity,
    /// So many configuration objects are there that it asks for the limit.
    pub by_objects: bool,
}

/// What somebody measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Who.
    pub whose: String,
    /// Up to so many Services, where that is known.
    pub services: Option<u64>,
    /// Up to so many sidecars, where that is known.
    pub sidecars: Option<u64>,
    /// CPU cores.
    pub cpu: Option<Quantity>,
    /// Bytes.
    pub memory: Option<Quantity>,
}

/// What a proxy needs by what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// `basic`, `tracing`, `heavy`.
    pub name: &'static str,
    /// From so many bytes.
    pub memory: Quantity,
    /// To so many.
    pub upper: Quantity,
}

const MEASURED: &str = "measured-sizes";
const PROFILES: &str = "proxy-profiles";

impl Figures<'_> {
    /// The value of a rule's parameter; for one resource, if overrides may say otherwise of it.
    pub fn param(&self, rule: &str, key: &str, of: Option<(&Mesh, ResourceId)>) -> Option<&ParamValue> {
        let number = self.set.rules.iter().position(|r| r.id.as_str() == rule)?;
        let setting = self.settings.get(number)?;
        let mut overrides = setting.overrides.iter().rev();
        let overridden = of
            .and_then(|(mesh, id)| overrides.find_map(|o| o.params.get(key).filter(|_| fits(&o.condition, mesh, id))));
        overridden.or_else(|| setting.params.get(key))
    }

    /// A number that a rule goes by.
    pub fn number(&self, rule: &str, key: &str, of: Option<(&Mesh, ResourceId)>) -> Option<u64> {
        match self.param(rule, key, of)? {
            ParamValue::Number(number) => Some(*number as u64),
            _ => None,
        }
    }

    /// Whose figures the parameters are, as messages say it.
    pub fn whose(&self, mesh: &Mesh) -> &'static str {
        if mesh.declared.official { "Istio's measurement" } else { "field experience" }
    }

    /// The tier for so many Services and configuration objects, as the rule about istiod's memory has it.
    pub fn tier(&self, mesh: &Mesh, istiod: Option<ResourceId>, services: u64, objects: u64) -> Option<Tier> {
        const RULE: &str = "sizing/istiod-memory-below-tier";
        let of = istiod.map(|id| (mesh, id));
        let ParamValue::List(tiers) = self.param(RULE, "tiers", of)? else { return None };
        let by_objects = self.number(RULE, "many_objects", of).is_some_and(|many| objects >= many);
        let read = |tier: &ParamValue| {
            let ParamValue::Map(fields) = tier else { return None };
            let field = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value);
            let quantity = |key: &str| match field(key) {
                Some(ParamValue::Quantity(quantity)) => Some(*quantity),
                _ => None,
            };
            let Some(ParamValue::Number(from)) = field("services") else { return None };
            let (request, limit) = (quantity("request")?, quantity("limit")?);
            let request = if by_objects { limit } else { request };
            Some(Tier { services: *from as u64, request, limit, by_objects })
        };
        tiers.iter().filter_map(read).rfind(|tier| tier.services <= services)
    }

    /// A row of the table of what was measured.
    pub fn measured(&self, row: &str) -> Option<Measured> {
        let cell = |column: &str| self.cell(MEASURED, row, column);
        let number = |column: &str| cell(column).and_then(|text| text.parse().ok());
        let quantity = |column: &str| cell(column).and_then(|text| Quantity::parse(&text));
        Some(Measured {
            whose: cell("whose")?,
            services: number("services"),
            sidecars: number("sidecars"),
            cpu: quantity("cpu"),
            memory: quantity("memory"),
        })
    }

    /// What was measured of an istiod with so many Services and sidecars: the smallest mesh that covers it.
    pub fn measured_istiod(&self, services: u64, sidecars: u64) -> Option<Measured> {
        let rows = self.set.tables.get(MEASURED)?.rows.keys().filter(|row| row.starts_with("istiod "));
        let mut all: Vec<Measured> = rows.filter_map(|row| self.measured(row)).collect();
        all.retain(|measured| measured.sidecars.is_some_and(|most| sidecars <= most));
        all.sort_by_key(|measured| measured.sidecars);
        all.into_iter().next().filter(|measured| measured.services.is_none_or(|most| services <= most))
    }

    /// What proxies need, from the least to the most.
    pub fn profiles(&self) -> Vec<Profile> {
        let profile = |name: &'static str| {
            let quantity = |column: &str| Quantity::parse(&self.cell(PROFILES, name, column)?);
            let memory = quantity("memory")?;
            Some(Profile { name, memory, upper: quantity("upper").unwrap_or(memory) })
        };
        ["basic", "tracing", "heavy"].into_iter().filter_map(profile).collect()
    }

    /// What istiod asks for of CPU by field experience.
    pub fn istiod_cpu(&self) -> Option<Quantity> {
        Quantity::parse(&self.cell(PROFILES, "istiod", "cpu")?)
    }

    fn cell(&self, table: &str, row: &str, column: &str) -> Option<String> {
        match self.set.tables.get(table)?.rows.get(row)?.get(column)? {
            serde_yaml::Value::String(text) => Some(text.clone()),
            serde_yaml::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}
