//! What hostile input may cost.

/// What hostile input may cost. Nesting is bounded by the parser (255 levels).
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Nodes of one text; past it the rest of the text is not read.
    pub(super) nodes: usize,
    /// Aliases of one text.
    pub(super) aliases: usize,
    /// Bytes of one scalar. The API server takes no request over 3 MiB.
    pub(super) scalar: usize,
    /// Comments without a blank before them that are repaired in one text; each costs another reading.
    pub(super) repairs: usize,
    /// Errors of one text; past it the rest of the text is not read.
    pub(super) errors: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { nodes: 400_000_000, aliases: 100_000, scalar: 4 << 20, repairs: 16, errors: 100 }
    }
}

/// Whether kubectl's decoder refuses a document with so many nodes, of which so many stand behind
/// aliases (go.yaml.in/yaml: "document contains excessive aliasing").
pub(super) fn is_excessive(aliased: u64, size: u64) -> bool {
    let (low, high) = (400_000.0, 4_000_000.0);
    let allowed = match size as f64 {
        size if size <= low => 0.99,
        size if size >= high => 0.10,
        size => 0.99 - 0.89 * (size - low) / (high - low),
    };
    aliased > 100 && size > 1_000 && aliased as f64 / size as f64 > allowed
}
