//! What operations see: calls by method and code, rows and values, what was missing or unknown, what is in memory.
//!
//! Handles are made once, when a server starts or a version goes live, which they then hang on: a call touches counters
//! alone, and a version that is served no more counts its last calls.

mod ages;

use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant, UNIX_EPOCH},
};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString, Unit,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tonic::Code;

use crate::{
    batch::Status,
    budget::{Budget, Kind},
    plan::{layout::Feature, run::Ran},
    snapshot::{FeatureSet, Meter, Snapshot},
};

mod versions;

use ages::Ages;

/// Seconds; most calls end below a millisecond.
const BUCKETS: [f64; 19] = [
    0.00005, 0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02,
    0.05, 0.1, 0.25, 1.0, 5.0,
];

/// The methods that are counted apart; whatever else a client calls is one more, so that nobody can make new series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    GetFeatures,
    StreamFeatures,
    ListFeatureSets,
    GetFeatureSet,
    Upsert,
    Delete,
    Append,
    Write,
    Health,
    Reflection,
    ReflectionAlpha,
    Other,
}

impl Method {
    const ALL: [Self; 12] = [
        Self::GetFeatures,
        Self::StreamFeatures,
        Self::ListFeatureSets,
        Self::GetFeatureSet,
        Self::Upsert,
        Self::Delete,
        Self::Append,
        Self::Write,
        Self::Health,
        Self::Reflection,
        Self::ReflectionAlpha,
        Self::Other,
    ];

    /// The method of a request's path.
    pub fn of_path(path: &str) -> Self {
        match path {
            "/quiver.v1.FeatureService/GetFeatures" => Self::GetFeatures,
            "/quiver.v1.FeatureService/StreamFeatures" => Self::StreamFeatures,
            "/quiver.v1.FeatureService/ListFeatureSets" => Self::ListFeatureSets,
            "/quiver.v1.FeatureService/GetFeatureSet" => Self::GetFeatureSet,
            "/quiver.v1.TableService/Upsert" => Self::Upsert,
            "/quiver.v1.TableService/Delete" => Self::Delete,
            "/quiver.v1.TableService/Append" => Self::Append,
            "/quiver.v1.TableService/Write" => Self::Write,
            path if path.starts_with("/grpc.health.v1.Health/") => Self::Health,
            path if path.starts_with("/grpc.reflection.v1.ServerReflection/") => Self::Reflection,
            path if path.starts_with("/grpc.reflection.v1alpha.ServerReflection/") => Self::ReflectionAlpha,
            _ => Self::Other,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.labels().2
    }

    /// Type, service and name, as the metrics' labels.
    fn labels(self) -> (&'static str, &'static str, &'static str) {
        const OWN: &str = "quiver.v1.FeatureService";
        const TABLES: &str = "quiver.v1.TableService";
        match self {
            Self::GetFeatures => ("unary", OWN, "GetFeatures"),
            Self::StreamFeatures => ("bidi_stream", OWN, "StreamFeatures"),
            Self::ListFeatureSets => ("unary", OWN, "ListFeatureSets"),
            Self::GetFeatureSet => ("unary", OWN, "GetFeatureSet"),
            Self::Upsert => ("unary", TABLES, "Upsert"),
            Self::Delete => ("unary", TABLES, "Delete"),
            Self::Append => ("unary", TABLES, "Append"),
            Self::Write => ("bidi_stream", TABLES, "Write"),
            Self::Health => ("unary", "grpc.health.v1.Health", "Check"),
            Self::Reflection => {
                ("bidi_stream", "grpc.reflection.v1.ServerReflection", "ServerReflectionInfo")
            }
            Self::ReflectionAlpha => {
                ("bidi_stream", "grpc.reflection.v1alpha.ServerReflection", "ServerReflectionInfo")
            }
            Self::Other => ("unknown", "other", "other"),
        }
    }
}

/// All metrics of one server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    methods: Vec<OfMethod>,
    ages: Ages,
}

/// One method's handles.
#[derive(Clone)]
struct OfMethod {
    started: Counter,
    /// By the code's number.
    handled: Vec<Counter>,
    seconds: Histogram,
}

/// One version's handles.
struct OfFeatureSet {
    rows: Counter,
    values: Counter,
    /// For each lookup: keys, and those that were missing.
    lookups: Vec<(Counter, Counter)>,
    /// For each output and feature.
    features: Vec<Vec<OfFeature>>,
}

/// One feature's handles in an output.
struct OfFeature {
    /// By the status's number; none for present ones.
    by_status: [Counter; Status::COUNT],
    /// By the level of the fall-back that answered, for as many as there can be.
    by_level: Vec<Counter>,
}

/// The names that a status's rows are counted under.
const STATUS_NAMES: [&str; Status::COUNT] =
    ["present", "stale", "out_of_range", "unknown_category", "null", "key_not_found", "fallback"];

impl fmt::Debug for OfFeatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfFeatureSet").finish_non_exhaustive()
    }
}

impl Meter for OfFeatureSet {
    fn count(&self, rows: usize, values: usize, ran: &Ran) {
        self.rows.increment(rows as u64);
        self.values.increment(values as u64);
        for lookup in &ran.missed {
            let (keys, missing) = &self.lookups[lookup.lookup];
            keys.increment(lookup.keys.into());
            if lookup.missing > 0 {
                missing.increment(lookup.missing.into());
            }
        }
        for counts in &ran.counted {
            let OfFeature { by_status, by_level } = &self.features[counts.output][counts.feature];
            let by_status = by_status.iter().zip(&counts.by_status).skip(1);
            let by_level = by_level.iter().zip(&counts.by_level);
            for (counter, &count) in by_status.chain(by_level).filter(|(_, count)| **count > 0) {
                counter.increment(count.into());
            }
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Starts counting at 0.
    pub fn new() -> Self {
        let seconds = Matcher::Full("grpc_server_handling_seconds".to_owned());
        let builder = PrometheusBuilder::new();
        let recorder = match builder.set_buckets_for_metric(seconds, &BUCKETS) {
            Ok(builder) => builder.build_recorder(),
            Err(_) => PrometheusBuilder::new().build_recorder(),
        };
        let handle = recorder.handle();
        describe(&recorder);
        let methods = Method::ALL.iter().map(|&method| OfMethod::new(&recorder, method)).collect();
        Self { recorder, handle, methods, ages: Ages::default() }
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self) -> String {
        self.show_ages();
        self.handle.render()
    }

    /// Takes in what was recorded since the last time; without it, latencies pile up until somebody asks.
    pub fn keep_up(&self) {
        self.handle.run_upkeep();
    }

    /// Notes that a call began. What is given back notes its end.
    pub fn started(&self, method: Method) -> Observed {
        let of = self.methods[method as usize].clone();
        of.started.increment(1);
        Observed { of, started: Instant::now(), handled: false }
    }

    /// Makes the handles of a snapshot that goes live, and notes what is in memory.
    pub fn published(&self, snapshot: &Snapshot) {
        for feature_set in snapshot.feature_sets().flat_map(|(_, versions)| versions.values()) {
            feature_set.count_with(|| Arc::new(self.of_feature_set(feature_set)));
        }
        for name in snapshot.names() {
            let failed = snapshot.failed(name).count();
            self.gauge("quiver_feature_set_failed_versions", vec![label("feature_set", name)])
                .set(failed as f64);
        }
        for (name, versions) in snapshot.feature_sets() {
            let newest = versions.keys().next_back().copied().unwrap_or_default();
            self.gauge("quiver_feature_set_version", vec![label("feature_set", name)]).set(f64::from(newest));
        }
        let mut bytes: BTreeMap<&str, usize> = BTreeMap::new();
        // By name and version: the newest is noted last.
        for table in snapshot.tables() {
            let name = table.schema().name.as_str();
            let labels = || vec![label("table", name)];
            let bytes = bytes.entry(name).or_default();
            *bytes += table.memory();
            self.gauge("quiver_table_rows", labels()).set(f64::from(table.rows()));
            self.gauge("quiver_table_bytes", labels()).set(*bytes as f64);
            self.gauge("quiver_table_version", labels()).set(f64::from(table.schema().version));
        }
        self.take_ages(snapshot);
        self.counter("quiver_snapshots_published_total", Vec::new()).increment(1);
        let since_epoch = snapshot.loaded_at().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        self.gauge("quiver_snapshot_loaded_timestamp_seconds", Vec::new()).set(since_epoch.as_secs_f64());
    }

    fn of_feature_set(&self, of: &FeatureSet) -> OfFeatureSet {
        let labels =
            || vec![label("feature_set", of.name()), Label::new("version", of.version().to_string())];
        self.gauge("quiver_prepared_bytes", labels()).set(of.prepared_memory() as f64);
        let lookups = of.plan().graph.lookups.iter().enumerate().map(|(position, lookup)| {
            let labels = || {
                let table = of.table_of(position).schema().name.clone();
                [labels(), vec![label("lookup", &lookup.name), Label::new("table", table)]].concat()
            };
            (
                self.counter("quiver_lookup_keys_total", labels()),
                self.counter("quiver_lookup_missing_keys_total", labels()),
            )
        });
        let graph = &of.plan().graph;
        let features = of.plan().outputs.iter().map(|output| {
            let of_feature = |feature: &Feature| {
                let own = || {
                    [labels(), vec![label("output", &output.name), label("feature", &feature.name)]].concat()
                };
                let by_status = STATUS_NAMES.map(|status| match status {
                    "present" => Counter::noop(),
                    status => {
                        let labels = [own(), vec![label("status", status)]].concat();
                        self.counter("quiver_feature_rows_total", labels)
                    }
                });
                let by_level = (1..=graph.most_level(feature.node)).map(|level| {
                    let labels = [own(), vec![Label::new("level", level.to_string())]].concat();
                    self.counter("quiver_feature_fallback_rows_total", labels)
                });
                OfFeature { by_status, by_level: by_level.collect() }
            };
            output.features.iter().map(of_feature).collect()
        });
        OfFeatureSet {
            rows: self.counter("quiver_rows_total", labels()),
            values: self.counter("quiver_values_total", labels()),
            lookups: lookups.collect(),
            features: features.collect(),
        }
    }

    fn counter(&self, name: &'static str, labels: Vec<Label>) -> Counter {
        counter(&self.recorder, name, labels)
    }

    /// The gauge of the share of a table's rows that are in memory while it is loaded.
    pub fn load_progress(&self) -> Gauge {
        self.gauge("quiver_load_progress_ratio", Vec::new())
    }

    /// Notes the memory budget and what is reserved of it.
    pub fn memory(&self, budget: &Budget) {
        if let Some(limit) = budget.limit() {
            self.gauge("quiver_memory_budget_bytes", Vec::new()).set(limit as f64);
        }
        for kind in Kind::ALL {
            let labels = vec![label("kind", kind.name())];
            self.gauge("quiver_memory_reserved_bytes", labels).set(budget.taken_by(kind) as f64);
        }
    }

    fn gauge(&self, name: &'static str, labels: Vec<Label>) -> Gauge {
        self.recorder.register_gauge(&Key::from_parts(name, labels), &METADATA)
    }
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl OfMethod {
    fn new(recorder: &PrometheusRecorder, method: Method) -> Self {
        let (kind, service, name) = method.labels();
        let labels =
            || vec![label("grpc_type", kind), label("grpc_service", service), label("grpc_method", name)];
        let handled = CODES.iter().map(|code| {
            let labels = [labels(), vec![label("grpc_code", code)]].concat();
            counter(recorder, "grpc_server_handled_total", labels)
        });
        Self {
            started: counter(recorder, "grpc_server_started_total", labels()),
            handled: handled.collect(),
            seconds: recorder
                .register_histogram(&Key::from_parts("grpc_server_handling_seconds", labels()), &METADATA),
        }
    }
}

/// The codes' names by number, as Prometheus' gRPC libraries write them.
const CODES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// A call that began. Dropped without an end, it was cancelled by the client.
pub struct Observed {
    of: OfMethod,
    started: Instant,
    handled: bool,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Observed {
    /// Notes the end.
    pub fn handled(mut self, code: Code) {
        self.note(code);
    }

    fn note(&mut self, code: Code) {
        self.handled = true;
        self.of.handled[code as usize].increment(1);
        self.of.seconds.record(self.started.elapsed().as_secs_f64());
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        if !self.handled {
            self.note(Code::Cancelled);
        }
    }
}

fn label(name: &'static str, value: &str) -> Label {
    Label::new(name, value.to_owned())
}

fn counter(recorder: &PrometheusRecorder, name: &'static str, labels: Vec<Label>) -> Counter {
    recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
}

fn describe(recorder: &PrometheusRecorder) {
    let counters = [
        ("grpc_server_started_total", "Calls that began"),
        ("grpc_server_handled_total", "Calls that ended, by code"),
        ("quiver_rows_total", "Rows served"),
        ("quiver_values_total", "Elements of tensors served"),
        ("quiver_lookup_keys_total", "Keys looked up"),
        ("quiver_lookup_missing_keys_total", "Keys that their table does not have"),
        (
            "quiver_feature_rows_total",
            "Rows whose feature was not present, by status; a request-scope feature is one row",
        ),
        (
            "quiver_feature_fallback_rows_total",
            "Rows whose feature a fall-back answered, by its level from 1",
        ),
    ];
    for (name, text) in counters {
        recorder.describe_counter(KeyName::from_const_str(name), None, SharedString::const_str(text));
    }
    let gauges = [
        ("quiver_table_rows", "Rows of the table in memory"),
        ("quiver_table_bytes", "Bytes of all of the table's versions in memory"),
        ("quiver_table_version", "The table's version in memory"),
        ("quiver_table_oldest_row_timestamp_seconds", "The earliest event time of the version's rows"),
        ("quiver_table_newest_row_timestamp_seconds", "The latest event time of the version's rows"),
        ("quiver_table_row_age_rows", "Rows of the version that are at most `le` seconds old"),
        ("quiver_feature_set_version", "The feature set's newest version in memory"),
        (
            "quiver_feature_set_failed_versions",
            "The feature set's versions that could not be loaded and are not served",
        ),
        ("quiver_prepared_bytes", "Bytes of the version's load-time results"),
        ("quiver_table_failed_versions", "The table's versions that could not be loaded"),
        ("quiver_feature_set_share", "The version's share of the requests that name none, from 0 to 1"),
        (
            "quiver_load_progress_ratio",
            "Share of the rows in memory of the table that is loaded, or was the last",
        ),
        ("quiver_memory_budget_bytes", "The memory budget; absent without a limit"),
        ("quiver_memory_reserved_bytes", "Memory that is reserved, by what it is for"),
        ("quiver_snapshot_load_seconds", "How long the last reload took that changed anything"),
        ("quiver_reload_ok", "Whether nothing failed in the last reload that changed anything: 1 or 0"),
        ("quiver_reload_timestamp_seconds", "When versions were looked for the last time"),
        ("quiver_snapshot_loaded_timestamp_seconds", "When the snapshot was loaded"),
    ];
    let shadows = [
        ("quiver_snapshots_published_total", "Snapshots that were published"),
        ("quiver_shadow_requests_total", "Requests sampled for a shadow, by outcome"),
        ("quiver_shadow_rows_total", "Rows that were compared with a shadow"),
        ("quiver_shadow_different_rows_total", "Rows whose feature differed from the shadow's"),
    ];
    for (name, text) in shadows {
        recorder.describe_counter(KeyName::from_const_str(name), None, SharedString::const_str(text));
    }
    for (name, text) in gauges {
        recorder.describe_gauge(KeyName::from_const_str(name), None, SharedString::const_str(text));
    }
    let text =
        SharedString::const_str("Time from a call's headers to its answer's last byte being handed over");
    recorder.describe_histogram(
        KeyName::from_const_str("grpc_server_handling_seconds"),
        Some(Unit::Seconds),
        text,
    );
}
