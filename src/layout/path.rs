//! Names of files as paths with `/`, without looking at the disk.

/// A path without `.` and with `..` taken back where that is possible.
pub fn normal(path: &str) -> String {
    join("", path)
}

/// The folder of a normal path; empty for a file at the top.
pub fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A reference from a folder, as a normal path.
pub fn join(folder: &str, reference: &str) -> String {
    let absolute = reference.starts_with('/') || (folder.starts_with('/') && !reference.starts_with('/'));
    let start = if reference.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in start.split('/').chain(reference.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    if absolute { format!("/{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_without_a_disk() {
        for (folder, reference, path) in [
            ("", "./a.yaml", "a.yaml"),
            ("a/b", "../c.yaml", "a/c.yaml"),
            ("a", "../../x", "../x"),
            ("../a", "..", ".."),
            ("/r/a", "../b/", "/r/b"),
            ("a", "/b", "/b"),
        ] {
            assert_eq!(join(folder, reference), path, "{folder} {reference}");
        }
    }
}
