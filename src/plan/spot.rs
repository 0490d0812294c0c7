//! Where something stands, for a person who goes there.

use std::fmt;

use super::Scene;
use crate::report::sanitize::one_line;
use crate::yaml::Place;

/// A file and a line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file's name, as the user would write it.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The template that it was rendered from, if it was.
    pub template: Option<String>,
}

impl fmt::Display for Spot {
    /// `istio.yaml:55`, or `istiod/templates/deployment.yaml (stdin:310)` for what was rendered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.template {
            Some(template) => write!(f, "{template} ({}:{})", self.path, self.line),
            None => write!(f, "{}:{}", self.path, self.line),
        }
    }
}

impl Scene<'_> {
    /// Where a value stands.
    pub(super) fn spot(&self, place: Place) -> Spot {
        let span = self.mesh.trees.node(place).place();
        let file = self.sources.file(span.file);
        let template = self.mesh.owner(place).and_then(|id| self.mesh.resource(id).template.as_deref());
        Spot {
            path: one_line(&file.name).into_owned(),
            line: file.line_col(span.start).line,
            template: template.map(|template| one_line(template).into_owned()),
        }
    }
}
