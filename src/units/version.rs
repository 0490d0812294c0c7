use std::fmt;

/// A version, compared by its first three numbers: `1.30` is 1.30.0, and later than 1.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Version {
    /// Reads `1.30`, `v1.30.2`, `1.30.2-distroless`, `v1.29.1-gke.1500`; nothing for `latest`, for a
    /// digest, or for a number alone.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().strip_prefix(['v', 'V']).unwrap_or(text.trim());
        let core = text.split(['-', '+', '_']).next()?;
        let mut parts = core.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        let patch = match parts.next() {
            Some(patch) => patch.parse().ok()?,
            None => 0,
        };
        parts.next().is_none().then_some(Version { major, minor, patch })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_no_numbers() {
        let v = |t| Version::parse(t).unwrap();
        assert!(v("1.30") > v("1.4"));
        assert_eq!(v("v1.30.2-distroless"), v("1.30.2"));
        assert_eq!(v("v1.29.1-gke.1500"), v("1.29.1"));
        for text in ["latest", "1", "", "1.x", "sha256:abc", "1.2.3.4"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
