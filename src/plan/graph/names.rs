//! The names of a spec's parts: whole, unique, and fit for their place.

use std::collections::HashSet;

use super::Builder;
use crate::{spec::FEATURE_REFERENCE, table::check_plain_name};

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

    fn check_plain(&mut self, place: &str, name: &str) {
        if let Err(why) = check_plain_name(name) {
            self.problems.add(place, why);
        }
    }
}
