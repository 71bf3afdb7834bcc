//! One GetFeatures message to its framed answer.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use tonic::Status;

use super::{
    decode::{decode, head},
    pool::Pool,
    response::{CollectedAnswer, Head, RawAnswer},
    shadow::Shadows,
    status,
};
use crate::{
    live::Live,
    metrics::Metrics,
    serve::{
        self, FetchedCall,
        answer::{Report, TensorShape},
        outcome::{Limits, Refusal},
        request::{Encoding, Most, StatusDetail},
        route::route,
    },
};

/// What calls need of the server.
#[derive(Debug)]
pub struct Calls {
    pub live: Live,
    pub limits: Limits,
    pub pool: Pool,
    pub metrics: Arc<Metrics>,
    pub shadows: Shadows,
}

impl Calls {
    /// Answers one message. The deadline is looked at between blocks of rows.
    pub fn answer(&self, message: &Bytes, deadline: Option<Instant>) -> Result<Bytes, Status> {
        let snapshot = self.live.current().ok_or_else(|| status::of_refusal(Refusal::NotReady))?;
        let head = head(message, Most::of(&snapshot)).map_err(|problems| status::invalid(&problems))?;
        let names_none = head.version == 0;
        let route = route(&snapshot, head).map_err(status::of_refusal)?;
        let decoded = decode(message, route.most_values(&self.limits));
        let request = decoded.map_err(|problems| status::invalid(&problems))?;
        let (feature_set, detail) = (route.version(&request), request.status);
        let call = serve::prepare_with(feature_set, request, &self.limits).map_err(status::of_refusal)?;
        let expired = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let call = call.fetch(&expired).map_err(status::of_refusal)?;
        let is_raw = |tensor: &TensorShape| tensor.encoding == Encoding::Raw && !tensor.ragged;
        let answer = if call.call().tensors().iter().all(is_raw) {
            self.raw(call, detail, &expired)
        } else {
            self.collected(call, detail, &expired)
        };
        if names_none && answer.is_ok() {
            self.shadows.offer(&snapshot, feature_set, message);
        }
        answer
    }

    fn raw(
        &self,
        fetched: FetchedCall,
        detail: StatusDetail,
        expired: &dyn Fn() -> bool,
    ) -> Result<Bytes, Status> {
        let call = fetched.call();
        let feature_set = call.feature_set().clone();
        let head = Head {
            version: feature_set.version(),
            fingerprint: feature_set.fingerprint(),
            rows: call.rows(),
        };
        let mut answer = RawAnswer::begin(&self.pool, head, call.tensors(), detail);
        let report = fetched.run(&mut answer.tensors(), expired).map_err(status::of_refusal)?;
        Ok(answer.finish(reported(&report, detail), &feature_set.spec().outputs))
    }

    fn collected(
        &self,
        fetched: FetchedCall,
        detail: StatusDetail,
        expired: &dyn Fn() -> bool,
    ) -> Result<Bytes, Status> {
        let call = fetched.call();
        let feature_set = call.feature_set().clone();
        let head = Head {
            version: feature_set.version(),
            fingerprint: feature_set.fingerprint(),
            rows: call.rows(),
        };
        let mut answer = CollectedAnswer::begin(head, call.tensors(), detail);
        let report = fetched.run(&mut answer.tensors(), expired).map_err(status::of_refusal)?;
        Ok(answer.finish(reported(&report, detail), &feature_set.spec().outputs))
    }
}

/// The counts that the answer reports.
fn reported(report: &Report, detail: StatusDetail) -> &[serve::answer::FeatureCounts] {
    if detail == StatusDetail::Off { &[] } else { &report.counts }
}
