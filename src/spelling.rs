//! What may have been meant by a word that nobody knows.

/// The name that is most alike, for "did you mean"; nothing if none is alike enough.
pub fn closest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wanted.chars().count() / 3).clamp(1, 3);
    // A character has four bytes at most.
    let near = known.into_iter().filter(|name| name.len().abs_diff(wanted.len()) <= 4 * allowed);
    let distances = near.map(|name| (strsim::damerau_levenshtein(wanted, name), name));
    distances.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}
