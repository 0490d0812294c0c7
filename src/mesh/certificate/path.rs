//! The way from a certificate to a root.

use super::x509::Certificate;
use crate::mesh::selector::Tri;

/// Signatures that are checked to find one way.
const MOST_CHECKS: usize = 64;

/// Certificates on a way.
const LONGEST: usize = 10;

/// Where the signatures lead to, from issuer to issuer.
#[derive(Debug)]
pub enum Trust {
    /// To a root: all certificates on the way, the root last.
    Whole(Vec<Certificate>),
    /// To a certificate whose issuer is not among those that were given.
    Gap(Certificate),
    /// Not all of it can be read or checked.
    Unknown,
}

struct Search<'a> {
    between: &'a [Certificate],
    roots: &'a [Certificate],
    checks: usize,
    /// Some signature could not be checked.
    is_unsure: bool,
    best: Option<Vec<&'a Certificate>>,
    gap: Vec<&'a Certificate>,
}

/// Finds the way that stays valid for longest, in whatever order the certificates stand.
pub(super) fn find(from: &Certificate, between: &[Certificate], roots: &[Certificate]) -> Trust {
    let mut search = Search { between, roots, checks: MOST_CHECKS, is_unsure: false, best: None, gap: Vec::new() };
    search.go_on(&mut vec![from]);
    match search.best {
        Some(way) => Trust::Whole(way.into_iter().cloned().collect()),
        None if search.is_unsure => Trust::Unknown,
        None => search.gap.last().map_or(Trust::Unknown, |last| Trust::Gap((*last).clone())),
    }
}

fn last_day(way: &[&Certificate]) -> Option<i64> {
    way.iter().map(|certificate| certificate.last_day).min()
}

impl<'a> Search<'a> {
    fn go_on(&mut self, way: &mut Vec<&'a Certificate>) {
        let Some(last) = way.last().copied() else { return };
        if self.roots.iter().any(|root| root.is(last)) {
            self.found(way.clone());
            return;
        }
        if way.len() > self.gap.len() {
            self.gap.clone_from(way);
        }
        if way.len() >= LONGEST {
            self.is_unsure = true;
            return;
        }
        for root in self.roots {
            if self.signs(root, last) {
                let mut whole = way.clone();
                whole.push(root);
                self.found(whole);
            }
        }
        for issuer in self.between {
            if !way.iter().any(|passed| passed.is(issuer)) && self.signs(issuer, last) {
                way.push(issuer);
                self.go_on(way);
                way.pop();
            }
        }
    }

    fn signs(&mut self, issuer: &Certificate, certificate: &Certificate) -> bool {
        if self.checks == 0 {
            self.is_unsure = true;
            return false;
        }
        let answer = certificate.signed_by(issuer);
        // One of another name is passed over without a look at its signature.
        self.checks -= usize::from(certificate.issuer == issuer.subject);
        self.is_unsure |= answer == Tri::Unknown;
        answer.is_yes()
    }

    fn found(&mut self, way: Vec<&'a Certificate>) {
        let is_better = self.best.as_ref().is_none_or(|best| last_day(&way) > last_day(best));
        if is_better {
            self.best = Some(way);
        }
    }
}
