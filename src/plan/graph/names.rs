//! The names of a spec's parts: whole, unique, and fit for their place.

use std::collections::HashSet;

use super::Builder;
use crate::spec::FEATURE_REFERENCE;

impl<'a> Builder<'a> {
    pub(super) fn check_names(&mut self) {
        let spec = self.spec;
        self.check_plain("name", &spec.name);
        self.check_unique("inputs", spec.inputs.iter().map(|input| input.name.as_str()));
        self.check_unique("lookups", spec.lookups.iter().map(|lookup| lookup.name.as_str()));
        self.check_unique("features", spec.features.iter().map(|feature| feature.name.as_str()));
        self.check_unique("outputs", spec.outputs.iter().map(|output| output.name.as_str()));
        for (position, lookup) in spec.lookups.iter().enumerate() {
            let place = format!("lookups[{position}].name");
            if lookup.name == FEATURE_REFERENCE {
                let message = "\"feature\" can't be a lookup's name: feature.<name> refers to features";
                self.problems.add(place, message);
            } else if !lookup.name.is_empty() {
                self.check_plain(&place, &lookup.name);
            }
        }
    }

    fn check_unique(&mut self, field: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = HashSet::new();
        for (position, name) in names.enumerate() {
            let place = format!("{field}[{position}].name");
            if name.is_empty() {
                self.problems.add(place, "must not be empty");
            } else if !seen.insert(name) {
                self.problems.add(place, format!("{name:?} is there twice"));
            }
        }
    }

    /// A folder's name, or a prefix that ends at a dot.
    fn check_plain(&mut self, place: &str, name: &str) {
        if name.is_empty() {
            self.problems.add(place, "must not be empty");
        } else if name.contains(['.', '/', '\\']) || name.chars().any(char::is_control) {
            let message =
                format!("{name:?} must not contain a dot, a slash, a backslash or a control character");
            self.problems.add(place, message);
        }
    }
}
