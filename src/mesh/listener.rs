//! The ports on which istiod's pods listen.

use super::{Mesh, WorkloadId};
use crate::yaml::Node;

/// Something that istiod serves on a port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The injection and validation webhooks.
    Webhooks,
    /// Configuration and certificates, with TLS.
    Discovery,
    /// The same without TLS.
    PlainDiscovery,
}

impl Listener {
    /// The flag that moves it, and where it is without that flag. Source:
    /// `pilot/cmd/pilot-discovery/app/cmd.go` of istio/istio 1.31.
    fn flag(self) -> (&'static str, u16) {
        match self {
            Listener::Webhooks => ("--httpsAddr", 15017),
            Listener::Discovery => ("--secureGRPCAddr", 15012),
            Listener::PlainDiscovery => ("--grpcAddr", 15010),
        }
    }
}

impl Mesh {
    /// The port of istiod's pods on which it serves that; nothing where the manifest does not show it.
    pub fn listens(&self, istiod: WorkloadId, listener: Listener) -> Option<u16> {
        let (flag, default) = listener.flag();
        let containers = self.containers(self.workload(istiod));
        let discovery = containers.into_iter().find(|c| c.get("name").and_then(Node::text) == Some("discovery"))?;
        let words = ["command", "args"].into_iter().flat_map(|key| discovery.get(key)).flat_map(Node::items);
        let words: Vec<&str> = words.filter_map(Node::text).collect();
        // `--httpsAddr=:15017` and `--httpsAddr :15017` are the same.
        let given = words.iter().enumerate().find_map(|(i, word)| match word.strip_prefix(flag)? {
            "" => Some(words.get(i + 1).copied().unwrap_or("")),
            rest => rest.strip_prefix('='),
        });
        match given {
            None => Some(default),
            Some(address) => address.rsplit_once(':')?.1.parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_mesh;
    use super::*;

    fn ports(args: &str) -> [Option<u16>; 3] {
        let mesh = test_mesh(&[&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {{metadata: {{labels: {{app: istiod}}}}, spec: {{containers: [{{name: discovery, args: [{args}]}}]}}}}}}\n"
        )]);
        [Listener::Webhooks, Listener::Discovery, Listener::PlainDiscovery]
            .map(|listener| mesh.listens(WorkloadId(0), listener))
    }

    #[test]
    fn flags_move_listeners() {
        assert_eq!(ports("discovery"), [Some(15017), Some(15012), Some(15010)]);
        assert_eq!(
            ports("discovery, '--httpsAddr=:16017', '--secureGRPCAddr', ':16012'").map(Option::unwrap),
            [16017, 16012, 15010]
        );
        assert_eq!(ports("'--secureGRPCAddr=[::]:16012'")[1], Some(16012));
        assert_eq!(ports("'--secureGRPCAddr=:${PORT}', '--httpsAddr=$(ADDR)', '--grpcAddr'"), [None, None, None]);
    }
}
