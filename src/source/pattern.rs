//! Glob patterns on paths.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Patterns with their texts.
#[derive(Debug, Clone, Default)]
pub struct Patterns {
    texts: Vec<String>,
    globs: GlobSet,
}

impl Patterns {
    /// Compiles patterns: `*` stays within a folder, `**` crosses folders; a pattern without a wildcard
    /// that names a folder means everything below it.
    ///
    /// # Errors
    ///
    /// The number of the first pattern that means nothing, and why.
    pub fn new(texts: &[String]) -> Result<Patterns, (usize, String)> {
        let mut set = GlobSetBuilder::new();
        for (number, text) in texts.iter().enumerate() {
            let plain = text.trim_start_matches("./").trim_end_matches('/');
            // The configuration's own folder is everything.
            let plain = if matches!(plain, "" | ".") { "**" } else { plain };
            let glob = |text: &str| {
                let built = GlobBuilder::new(text).literal_separator(true).build();
                built.map_err(|e| (number, e.kind().to_string()))
            };
            set.add(glob(plain)?);
            set.add(glob(&format!("{plain}/**"))?);
        }
        let globs = set.build().map_err(|e| (0, e.to_string()))?;
        Ok(Patterns { texts: texts.to_vec(), globs })
    }

    /// The first pattern that matches a path with `/` between folders.
    pub fn matching(&self, path: &str) -> Option<&str> {
        self.globs.matches(path).first().map(|i| self.texts[*i / 2].as_str())
    }

    /// The numbers of all patterns that match a path with `/` between folders, in order.
    pub fn all_matching(&self, path: &str) -> Vec<usize> {
        let mut numbers: Vec<usize> = self.globs.matches(path).into_iter().map(|i| i / 2).collect();
        numbers.dedup();
        numbers
    }

    /// The patterns that match none of these paths.
    pub fn unmatched(&self, paths: &[String]) -> Vec<&str> {
        let used: std::collections::BTreeSet<usize> =
            paths.iter().flat_map(|path| self.globs.matches(path)).map(|i| i / 2).collect();
        self.texts.iter().enumerate().filter(|(i, _)| !used.contains(i)).map(|(_, text)| text.as_str()).collect()
    }

    /// As they were written.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_files_or_all_below_a_folder() {
        let matches =
            |pattern: &str, path: &str| Patterns::new(&[pattern.to_string()]).unwrap().matching(path) == Some(pattern);
        for (pattern, path, expected) in [
            ("envs/prod", "envs/prod/eu/a.yaml", true),
            ("envs/prod/", "envs/prod/a.yaml", true),
            ("./envs/*", "envs/prod/a.yaml", true),
            ("envs/**", "envs/prod/eu/a.yaml", true),
            ("envs/*.yaml", "envs/prod/a.yaml", false),
            ("**/test/**", "a/test/b.yaml", true),
            ("envs/prod", "envs/production/a.yaml", false),
            ("*.json", "a.json", true),
            (".", "a/b.json", true),
            ("./", "a.json", true),
            ("{a,b}/**", "b/x.yaml", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        assert!(Patterns::new(&["a".to_string(), "[".to_string()]).is_err_and(|(n, _)| n == 1));
    }
}
