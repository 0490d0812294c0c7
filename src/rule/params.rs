//! Types and values of parameters.

use std::fmt;

use serde_yaml::Value;

use crate::units::{Date, Duration, Quantity, Version};

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamType {
    /// `text`
    Text,
    /// `number`
    Number,
    /// `boolean`
    Boolean,
    /// `quantity`
    Quantity,
    /// `duration`
    Duration,
    /// `date`
    Date,
    /// `version`, always in quotes
    Version,
    /// `cidr`
    Cidr,
    /// `glob`
    Glob,
    /// `one of [a, b]`
    OneOf(Vec<String>),
    /// `list of T`
    List(Box<ParamType>),
    /// `map of T`
    Map(Box<ParamType>),
    /// `record {a: T, b: U}`
    Record(Vec<(String, ParamType)>),
}

impl ParamType {
    /// Reads a type as headers write it.
    pub fn parse(text: &str) -> Result<ParamType, String> {
        let text = text.trim();
        // Types nest; nobody needs one that is longer.
        if text.len() > 500 {
            return Err("a type is at most 500 characters long".to_string());
        }
        if let Some(rest) = text.strip_prefix("list of ") {
            return Ok(ParamType::List(Box::new(ParamType::parse(rest)?)));
        }
        if let Some(rest) = text.strip_prefix("map of ") {
            return Ok(ParamType::Map(Box::new(ParamType::parse(rest)?)));
        }
        if let Some(rest) = text.strip_prefix("one of") {
            let list = rest.trim().strip_prefix('[').and_then(|r| r.strip_suffix(']'));
            let choices: Vec<String> =
                list.unwrap_or("").split(',').map(|c| c.trim().to_string()).filter(|c| !c.is_empty()).collect();
            return if choices.is_empty() {
                Err("write `one of [a, b]`".into())
            } else {
                Ok(ParamType::OneOf(choices))
            };
        }
        if let Some(rest) = text.strip_prefix("record") {
            let inner = rest.trim().strip_prefix('{').and_then(|r| r.strip_suffix('}'));
            let fields = inner.unwrap_or("").split(',').filter(|f| !f.trim().is_empty());
            let fields = fields
                .map(|field| {
                    let (name, kind) = field.split_once(':').ok_or("write `record {name: type, …}`")?;
                    Ok((name.trim().to_string(), ParamType::parse(kind)?))
                })
                .collect::<Result<Vec<_>, String>>()?;
            return if fields.is_empty() {
                Err("write `record {name: type, …}`".into())
            } else {
                Ok(ParamType::Record(fields))
            };
        }
        Ok(match text {
            "text" => ParamType::Text,
            "number" => ParamType::Number,
            "boolean" => ParamType::Boolean,
            "quantity" => ParamType::Quantity,
            "duration" => ParamType::Duration,
            "date" => ParamType::Date,
            "version" => ParamType::Version,
            "cidr" => ParamType::Cidr,
            "glob" => ParamType::Glob,
            other => {
                return Err(format!(
                    "unknown type \"{other}\"; there are text, number, boolean, quantity, duration, date, version, cidr, glob, one of […], list of T, map of T, record {{…}}"
                ));
            }
        })
    }
}

impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamType::Text => f.write_str("text"),
            ParamType::Number => f.write_str("number"),
            ParamType::Boolean => f.write_str("boolean"),
            ParamType::Quantity => f.write_str("quantity"),
            ParamType::Duration => f.write_str("duration"),
            ParamType::Date => f.write_str("date"),
            ParamType::Version => f.write_str("version"),
            ParamType::Cidr => f.write_str("cidr"),
            ParamType::Glob => f.write_str("glob"),
            ParamType::OneOf(choices) => write!(f, "one of [{}]", choices.join(", ")),
            ParamType::List(item) => write!(f, "list of {item}"),
            ParamType::Map(item) => write!(f, "map of {item}"),
            ParamType::Record(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
                write!(f, "record {{{}}}", fields.join(", "))
            }
        }
    }
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValue {
    /// Text, CIDRs, globs, choices.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Boolean(bool),
    /// A quantity.
    Quantity(Quantity),
    /// A duration.
    Duration(Duration),
    /// A version.
    Version(Version),
    /// A date.
    Date(Date),
    /// A list.
    List(Vec<ParamValue>),
    /// A map or a record, in the order of the file.
    Map(Vec<(String, ParamValue)>),
}

impl ParamValue {
    /// Checks a value against a type.
    pub fn read(value: &Value, kind: &ParamType) -> Result<ParamValue, String> {
        let wrong = || format!("{} is no {kind}", shown(value));
        Ok(match kind {
            ParamType::List(item) => {
                let items = value.as_sequence().ok_or_else(wrong)?;
                ParamValue::List(items.iter().map(|v| ParamValue::read(v, item)).collect::<Result<_, _>>()?)
            }
            ParamType::Map(item) => {
                let map = value.as_mapping().ok_or_else(wrong)?;
                let entries = map
                    .iter()
                    .map(|(k, v)| Ok((scalar_text(k).ok_or_else(wrong)?, ParamValue::read(v, item)?)))
                    .collect::<Result<_, String>>()?;
                ParamValue::Map(entries)
            }
            ParamType::Record(fields) => {
                let map = value.as_mapping().ok_or_else(wrong)?;
                if let Some(extra) = map.keys().filter_map(Value::as_str).find(|k| !fields.iter().any(|(n, _)| n == k))
                {
                    return Err(format!("unknown field \"{extra}\" in {kind}"));
                }
                let entries = fields
                    .iter()
                    .map(|(name, kind)| {
                        let value = map.get(name).ok_or_else(|| format!("field \"{name}\" is missing"))?;
                        Ok((name.clone(), ParamValue::read(value, kind)?))
                    })
                    .collect::<Result<_, String>>()?;
                ParamValue::Map(entries)
            }
            // 1.30 would be read as 1.3.
            ParamType::Version if value.is_number() => {
                return Err(format!("{} is a number; write a version in quotes", shown(value)));
            }
            _ => ParamValue::parse(&scalar_text(value).ok_or_else(wrong)?, kind)?,
        })
    }

    /// Reads a value from a flag or another scalar text. Lists, maps and records are written as YAML.
    pub fn parse(text: &str, kind: &ParamType) -> Result<ParamValue, String> {
        let unit = if *kind == ParamType::Duration && text.parse::<f64>().is_ok() {
            format!("; write {text}s")
        } else {
            String::new()
        };
        let wrong = || format!("\"{text}\" is no {kind}{unit}");
        Ok(match kind {
            ParamType::Text | ParamType::Glob => ParamValue::Text(text.to_string()),
            ParamType::Number => ParamValue::Number(text.parse().map_err(|_| wrong())?),
            ParamType::Boolean => ParamValue::Boolean(text.parse().map_err(|_| wrong())?),
            ParamType::Quantity => ParamValue::Quantity(Quantity::parse(text).ok_or_else(wrong)?),
            ParamType::Duration => ParamValue::Duration(Duration::parse(text).ok_or_else(wrong)?),
            ParamType::Version => ParamValue::Version(Version::parse(text).ok_or_else(wrong)?),
            ParamType::Date => ParamValue::Date(Date::parse(text).ok_or_else(wrong)?),
            ParamType::Cidr => {
                let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
                let address: std::net::IpAddr = address.parse().map_err(|_| wrong())?;
                let bits: u8 = bits.parse().map_err(|_| wrong())?;
                if bits > if address.is_ipv4() { 32 } else { 128 } {
                    return Err(wrong());
                }
                ParamValue::Text(text.to_string())
            }
            ParamType::OneOf(choices) if choices.iter().any(|c| c == text) => ParamValue::Text(text.to_string()),
            ParamType::OneOf(_) => return Err(wrong()),
            ParamType::List(_) | ParamType::Map(_) | ParamType::Record(_) => {
                let value: Value = super::read_yaml(text).map_err(|_| wrong())?;
                return ParamValue::read(&value, kind);
            }
        })
    }
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParamValue::Text(text) => f.write_str(text),
            ParamValue::Number(number) => write!(f, "{number}"),
            ParamValue::Boolean(value) => write!(f, "{value}"),
            ParamValue::Quantity(quantity) => write!(f, "{quantity}"),
            ParamValue::Duration(duration) => write!(f, "{duration}"),
            // 1.30 would be read as 1.3.
            ParamValue::Version(version) => write!(f, "\"{version}\""),
            ParamValue::Date(date) => write!(f, "{date}"),
            ParamValue::List(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            ParamValue::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                write!(f, "{{{}}}", entries.join(", "))
            }
        }
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    serde_yaml::to_string(value).map_or_else(|_| "this".to_string(), |t| format!("\"{}\"", t.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_and_print_alike() {
        for text in [
            "text",
            "list of quantity",
            "map of list of number",
            "one of [a, b]",
            "list of record {services: number, memory: quantity}",
        ] {
            assert_eq!(ParamType::parse(text).unwrap().to_string(), text);
        }
        for text in ["int", "list of", "one of []", "record {}", "record {a}"] {
            assert!(ParamType::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_checked() {
        let read = |text: &str, kind: &str| ParamValue::parse(text, &ParamType::parse(kind).unwrap());
        assert!(read("4Gi", "quantity").is_ok() && read("x", "quantity").is_err());
        assert!(read("10.0.0.0/8", "cidr").is_ok() && read("10.0.0.0/33", "cidr").is_err());
        assert!(read("2026-11-24", "date").is_ok() && read("soon", "date").is_err());
        assert!(read("[1, 2]", "list of number").is_ok() && read("[a]", "list of number").is_err());
        assert!(read("{a: 1}", "record {a: number}").is_ok() && read("{b: 1}", "record {a: number}").is_err());
    }
}
