//! What is assumed instead of what was read: `services=300,sidecars=2000,tracing=on`.

use crate::spelling::closest;

/// Assumptions; what is missing is taken from the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// How many Services istiod sees.
    pub services: Option<u64>,
    /// How many pods have a sidecar.
    pub sidecars: Option<u64>,
    /// Whether proxies trace.
    pub tracing: Option<bool>,
}

const KEYS: [&str; 3] = ["services", "sidecars", "tracing"];

impl WhatIf {
    /// Reads `key=value` texts.
    ///
    /// # Errors
    ///
    /// A sentence about the first that means nothing.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<WhatIf, String> {
        let mut what_if = WhatIf::default();
        for text in texts {
            let (key, value) = text.split_once('=').unwrap_or((text, ""));
            let number = || {
                let number = value.parse().ok().filter(|n| *n <= 10_000_000);
                number.ok_or(format!("{key}=\"{value}\" is no number; write {key}=300"))
            };
            match key {
                "services" => what_if.services = Some(number()?),
                "sidecars" => what_if.sidecars = Some(number()?),
                "tracing" => {
                    what_if.tracing = Some(match value {
                        "on" | "true" => true,
                        "off" | "false" => false,
                        _ => return Err(format!("tracing=\"{value}\" is neither on nor off")),
                    });
                }
                _ => {
                    let near = closest(key, KEYS).map(|near| format!("; did you mean \"{near}\"?"));
                    return Err(format!("\"{key}\" is none of {}{}", KEYS.join(", "), near.unwrap_or_default()));
                }
            }
        }
        Ok(what_if)
    }

    /// Whether nothing is assumed.
    pub fn is_empty(&self) -> bool {
        *self == WhatIf::default()
    }

    /// As the flag would say it: `services=300,tracing=on`.
    pub fn in_words(&self) -> String {
        let services = self.services.map(|n| format!("services={n}"));
        let sidecars = self.sidecars.map(|n| format!("sidecars={n}"));
        let tracing = self.tracing.map(|on| format!("tracing={}", if on { "on" } else { "off" }));
        [services, sidecars, tracing].into_iter().flatten().collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assumptions_are_read_and_written() {
        let what_if = WhatIf::parse(["services=300", "sidecars=2000", "tracing=on"]).unwrap();
        assert_eq!(what_if.in_words(), "services=300,sidecars=2000,tracing=on");
        assert!(WhatIf::parse([]).unwrap().is_empty());
        for (text, part) in [
            ("service=3", "did you mean \"services\""),
            ("services=many", "no number"),
            ("services=-1", "no number"),
            ("tracing=maybe", "neither on nor off"),
            ("services", "no number"),
        ] {
            let error = WhatIf::parse([text]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
