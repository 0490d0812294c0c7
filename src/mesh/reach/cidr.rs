//! Ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses of one family, `10.0.0.0/8`. Bits behind the prefix are cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    base: IpAddr,
    prefix: u8,
}

/// Ranges that no pod and no API server has an address in: this network, loopback, link-local
/// (metadata services, NodeLocal DNSCache), multicast.
const SPECIAL: [Cidr; 7] = [
    Cidr { base: IpAddr::V4(Ipv4Addr::UNSPECIFIED), prefix: 8 },
    Cidr { base: IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), prefix: 8 },
    Cidr { base: IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), prefix: 16 },
    Cidr { base: IpAddr::V4(Ipv4Addr::new(224, 0, 0, 0)), prefix: 4 },
    Cidr { base: IpAddr::V6(Ipv6Addr::LOCALHOST), prefix: 128 },
    Cidr { base: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), prefix: 10 },
    Cidr { base: IpAddr::V6(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0)), prefix: 8 },
];

impl Cidr {
    /// The addresses that istio-cni gives to kubelet probes of ambient pods (case 82).
    pub const AMBIENT_PROBES: [Cidr; 2] = [
        Cidr { base: IpAddr::V4(Ipv4Addr::new(169, 254, 7, 127)), prefix: 32 },
        Cidr {
            base: IpAddr::V6(Ipv6Addr::new(0xfd16, 0x9254, 0x7127, 0x1337, 0xffff, 0xffff, 0xffff, 0xffff)),
            prefix: 128,
        },
    ];

    /// The range of a text with a prefix length, as the API server reads it: leading zeros are
    /// decimal, bits behind the prefix are ignored.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, prefix) = text.split_once('/')?;
        if !(1..=3).contains(&prefix.len()) || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let base = v4(address).map(IpAddr::V4).or_else(|| address.parse::<Ipv6Addr>().ok().map(IpAddr::V6))?;
        Cidr::new(base, prefix.parse().ok()?)
    }

    /// The range of that prefix length around an address; nothing if the length is too great.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Cidr> {
        let all = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        (prefix <= all).then(|| Cidr { base: masked(address, prefix), prefix })
    }

    /// One address.
    pub fn host(address: IpAddr) -> Cidr {
        let prefix = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Cidr { base: address, prefix }
    }

    /// Whether all addresses of the other range are in this one.
    pub fn contains(self, other: Cidr) -> bool {
        self.base.is_ipv4() == other.base.is_ipv4()
            && self.prefix <= other.prefix
            && masked(other.base, self.prefix) == self.base
    }

    /// Whether they share an address.
    pub fn overlaps(self, other: Cidr) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// Whether it is all of its family: `0.0.0.0/0`, `::/0` (case 44).
    pub fn is_everything(self) -> bool {
        self.prefix == 0
    }

    /// Whether no pod and no API server has an address in it.
    pub fn is_special(self) -> bool {
        SPECIAL.iter().chain(&Cidr::AMBIENT_PROBES).any(|range| range.contains(self))
    }

    /// Whether it never leaves the pod (case 77).
    pub fn is_loopback(self) -> bool {
        [SPECIAL[1], SPECIAL[4]].iter().any(|range| range.contains(self))
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// `010.0.0.1` is `10.0.0.1` to the API server.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then(|| octets.into())
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & mask))
        }
        IpAddr::V6(a) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn reads_as_the_api_server_does() {
        assert_eq!(cidr("10.1.2.3/8").to_string(), "10.0.0.0/8");
        assert_eq!(cidr("010.0.0.1/32").to_string(), "10.0.0.1/32");
        assert_eq!(cidr("fd00::1/8").to_string(), "fd00::/8");
        for bad in ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/+8", "::/129", "a/8", "/8", "10.0.0.0/"] {
            assert_eq!(Cidr::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn families_never_mix() {
        assert!(cidr("0.0.0.0/0").contains(cidr("10.0.0.0/8")));
        assert!(!cidr("0.0.0.0/0").contains(cidr("fd00::/8")));
        assert!(!cidr("::/0").overlaps(cidr("10.0.0.0/8")));
        assert!(cidr("10.0.0.0/24").overlaps(cidr("10.0.0.0/8")) && !cidr("10.0.0.0/24").contains(cidr("10.0.0.0/8")));
        assert!(cidr("169.254.20.10/32").is_special() && !cidr("0.0.0.0/0").is_special());
        assert!(cidr("127.0.0.1/32").is_loopback() && cidr("::1/128").is_loopback());
    }
}
