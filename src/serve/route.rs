//! Which version answers a request that names none.

use std::sync::Arc;

use super::{
    outcome::{Limits, Refusal},
    request::{Head, Request, RequestColumn},
};
use crate::{
    batch::Values,
    policy::Split,
    problem::Problems,
    snapshot::{FeatureSet, Snapshot, Versions},
    spec::Scope,
};

/// The versions that may answer a request.
#[derive(Debug, Clone, Copy)]
pub enum Route<'a> {
    One(&'a Arc<FeatureSet>),
    /// One of several, by the request's routing key; the first where that one is not in memory.
    Split(&'a Arc<FeatureSet>, &'a Versions, &'a Split),
}

/// Finds the versions that may answer, and rejects more columns or outputs than they have.
pub fn route<'a>(snapshot: &'a Snapshot, head: Head<'_>) -> Result<Route<'a>, Refusal> {
    let found = snapshot.find(head.feature_set, head.version).map_err(Refusal::NotFound)?;
    let route = match snapshot.split(head.feature_set) {
        Some((versions, split)) if head.version == 0 => Route::Split(found, versions, split),
        _ => Route::One(found),
    };
    route.check_head(head)?;
    Ok(route)
}

impl<'a> Route<'a> {
    /// The most values that one column of the request may have, before it is known which input the column is.
    pub fn most_values(&self, limits: &Limits) -> usize {
        self.most(|of| limits.values(of.spec()))
    }

    /// The version that answers the request.
    pub fn version(self, request: &Request) -> &'a Arc<FeatureSet> {
        match self {
            Self::One(only) => only,
            Self::Split(first, versions, split) => {
                let version = split.version(key_of(request, &split.routing_key).as_deref());
                version.and_then(|version| versions.get(&version)).unwrap_or(first)
            }
        }
    }

    /// Rejects more columns or outputs than any of the versions has.
    fn check_head(&self, head: Head<'_>) -> Result<(), Refusal> {
        match self {
            Self::One(only) => super::check_head(only, head),
            Self::Split(first, versions, split) => {
                let weighted = || split.versions.keys().filter_map(|version| versions.get(version));
                let any = weighted().any(|version| super::check_head(version, head).is_ok());
                if any { Ok(()) } else { super::check_head(first, head) }
            }
        }
    }

    /// The most of something that any of the versions has.
    fn most(&self, of: impl Fn(&FeatureSet) -> usize) -> usize {
        match self {
            Self::One(only) => of(only),
            Self::Split(first, versions, split) => {
                let weighted = split.versions.keys().filter_map(|version| versions.get(version));
                weighted.map(|version| of(version)).max().unwrap_or_default().max(of(first))
            }
        }
    }
}

/// The bytes of a request's routing key; none where it does not bring one, or one that its input would not take.
fn key_of(request: &Request, name: &str) -> Option<Vec<u8>> {
    let column: &RequestColumn = request.columns.iter().find(|column| column.name == name)?;
    if column.offsets.is_some() || column.nulls.first() == Some(&0) {
        return None;
    }
    let position = match &column.indices {
        Some(indices) => *indices.first()? as usize,
        None => 0,
    };
    match &column.values {
        Values::Int64(values) => values.get(position).map(|value| value.to_le_bytes().to_vec()),
        Values::Uint64(values) => values.get(position).map(|value| value.to_le_bytes().to_vec()),
        Values::Bool(values) => values.get(position).map(|value| vec![u8::from(*value)]),
        Values::String(values) => (position < values.len()).then(|| values.get(position).as_bytes().to_vec()),
        _ => None,
    }
}

/// What is wrong with a split for a version: its routing key must be an input of request scope and no float or list.
pub fn check_split(split: &Split, feature_set: &FeatureSet) -> Result<(), Problems> {
    let (name, version) = (&split.routing_key, feature_set.version());
    let input = feature_set.spec().inputs.iter().find(|input| input.name == *name);
    let problem = match input {
        None => format!("version {version} has no input {name:?}"),
        Some(input) if input.scope == Scope::Row => format!("{name:?} is of row scope in version {version}"),
        Some(input) if input.dtype.list || input.nan.is_some() => {
            format!("{name:?} is {} in version {version}, which can't be a key", input.dtype)
        }
        Some(_) => return Ok(()),
    };
    Err(Problems::one("serve.weighted.routing_key", problem))
}
