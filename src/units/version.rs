use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A version, compared by its first three numbers: `1.30` is 1.30.0, and later than 1.4.
#[derive(Debug, Clone, Copy)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number, if it is said.
    pub patch: Option<u32>,
}

impl Version {
    /// Reads `1.30`, `v1.30.2`, `1.30.2-distroless`, `v1.29.1-gke.1500`; nothing for `latest`, for a
    /// digest, or for a number alone.
    pub fn parse(text: &str) -> Option<Version> {
        Version::split(text).map(|(version, _)| version)
    }

    /// A version and what follows its numbers: `distroless` of `1.30.2-distroless`, nothing of `1.30.2`.
    pub fn split(text: &str) -> Option<(Version, &str)> {
        let text = text.trim().strip_prefix(['v', 'V']).unwrap_or(text.trim());
        let (core, rest) = match text.find(['-', '+', '_']) {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, ""),
        };
        let mut parts = core.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        let patch = match parts.next() {
            Some(patch) => Some(patch.parse().ok()?),
            None => None,
        };
        parts.next().is_none().then_some((Version { major, minor, patch }, rest))
    }

    /// How many minor versions it is later than another; nothing between major ones.
    pub fn minors_after(self, other: Version) -> Option<i64> {
        (self.major == other.major).then(|| i64::from(self.minor) - i64::from(other.minor))
    }

    /// Its minor version, as tables name it: `1.30` of 1.30.2.
    pub fn series(self) -> String {
        format!("{}.{}", self.major, self.minor)
    }

    fn numbers(self) -> (u32, u32, u32) {
        (self.major, self.minor, self.patch.unwrap_or(0))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.numbers() == other.numbers()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.numbers().cmp(&other.numbers())
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.numbers().hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.patch {
            Some(patch) => write!(f, "{}.{}.{patch}", self.major, self.minor),
            None => f.write_str(&self.series()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_no_numbers() {
        let v = |t| Version::parse(t).unwrap();
        assert!(v("1.30") > v("1.4"));
        assert_eq!(v("1.30"), v("1.30.0"));
        assert_eq!(v("v1.30.2-distroless"), v("1.30.2"));
        assert_eq!(v("v1.29.1-gke.1500"), v("1.29.1"));
        for text in ["latest", "1", "", "1.x", "sha256:abc", "1.2.3.4"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn minor_versions_are_counted() {
        let v = |t| Version::parse(t).unwrap();
        assert_eq!(v("1.31").minors_after(v("1.29.4")), Some(2));
        assert_eq!(v("1.29").minors_after(v("1.30.0")), Some(-1));
        assert_eq!(v("2.0").minors_after(v("1.30")), None);
        assert_eq!((v("1.30").to_string(), v("1.30.2").series()), ("1.30".into(), "1.30".into()));
        assert_eq!(Version::split("1.30.2-asm.1").unwrap().1, "asm.1");
    }
}
