//! From a request to filled tensors: everything that a transport needs, and nothing that knows one.
//!
//! [`prepare`] holds a request against its feature set and reports every problem at once; the [`Call`] that it gives
//! knows all sizes, so that the answer's buffers are made before a row is computed. Nothing here awaits or logs.

use std::sync::Arc;

use crate::{
    plan::{
        fetch::Inputs,
        graph::Form,
        job::Fetched,
        layout::Output,
        run::{Elements, Ran, Stopped, Target},
    },
    problem::{Problems, listed, quoted},
    snapshot::{FeatureSet, Snapshot},
    spec::{Scope, Spec},
};
use answer::{Part, Report, TensorBuffer, TensorShape};
use outcome::{Limits, Refusal};
use request::{Encoding, Head, Layout, OutputWanted, Request};

pub mod answer;
pub mod bind;
pub mod compare;
pub mod outcome;
pub mod request;
pub mod route;

/// A checked request, ready to run.
#[derive(Debug)]
pub struct Call {
    feature_set: Arc<FeatureSet>,
    inputs: Inputs,
    tensors: Vec<TensorShape>,
    answer: AnswerBytes,
}

/// A call whose rows are found: it looks nothing up any more.
#[derive(Debug)]
pub struct FetchedCall {
    call: Call,
    fetched: Fetched,
}

/// How large the answer may be, and how much of that is known to be taken.
#[derive(Debug, Clone, Copy)]
struct AnswerBytes {
    limit: usize,
    known: usize,
}

/// Holds a request against the feature set that it names, and against the limits.
pub fn prepare(snapshot: &Snapshot, request: Request, limits: &Limits) -> Result<Call, Refusal> {
    let feature_set = snapshot.find(&request.feature_set, request.version).map_err(Refusal::NotFound)?;
    prepare_with(feature_set, request, limits)
}

/// Rejects more columns or outputs than a feature set has.
fn check_head(feature_set: &FeatureSet, head: Head<'_>) -> Result<(), Refusal> {
    let Spec { name, inputs, outputs, .. } = feature_set.spec();
    let mut problems = Problems::of_request();
    if head.columns > inputs.len() {
        let message = format!("are {}; feature set {name:?} has {} inputs", head.columns, inputs.len());
        problems.add("columns", message);
    }
    if head.outputs > outputs.len() {
        let message = format!("are {}; feature set {name:?} has {} outputs", head.outputs, outputs.len());
        problems.add("outputs", message);
    }
    problems.or(()).map_err(Refusal::Invalid)
}

/// Holds a request against the version that answers it, and against the limits.
pub fn prepare_with(
    feature_set: &Arc<FeatureSet>,
    request: Request,
    limits: &Limits,
) -> Result<Call, Refusal> {
    check_head(feature_set, request.head())?;
    let rows = bind::row_count(feature_set, &request);
    if rows > limits.rows {
        let place = if request.rows.is_some() { "rows" } else { "columns" };
        let message = format!("{rows} rows; one request may have {}", limits.rows);
        return Err(Refusal::TooLarge(Problems::one(place, message)));
    }
    let mut problems = Problems::of_request();
    let outputs = wanted_outputs(feature_set, &request, &mut problems);
    let (status, layout) = (request.status, request.layout);
    let tensors = outputs.iter().flat_map(|wanted| shapes(feature_set, wanted, layout, rows));
    let tensors: Vec<TensorShape> = tensors.collect();
    // Before the inputs are made: columns that were not sent are as long as the answer.
    let known = tensors.iter().map(|tensor| tensor.known_bytes() + tensor.status_bytes(status)).sum();
    let answer = AnswerBytes { limit: limits.answer_bytes, known };
    if known > answer.limit {
        let hint = sparse_hint(feature_set, &tensors);
        let message = format!("the answer takes {known} bytes; one answer may have {}{hint}", answer.limit);
        return Err(Refusal::TooLarge(Problems::one("", message)));
    }
    let inputs = bind::bind(feature_set, request, rows, &mut problems);
    let inputs = problems.or(inputs).map_err(Refusal::Invalid)?;
    check_sizes(feature_set.spec(), &inputs, limits)?;
    Ok(Call { feature_set: feature_set.clone(), inputs, tensors, answer })
}

/// What makes an answer of mostly zeros smaller, where there are such features in it.
fn sparse_hint(feature_set: &FeatureSet, tensors: &[TensorShape]) -> &'static str {
    let plan = feature_set.plan();
    let is_wide = |tensor: &&TensorShape| {
        let features = plan.outputs[tensor.output].features.iter();
        let mut forms = features.map(|feature| plan.graph.nodes[feature.node].form);
        tensor.encoding != Encoding::Sparse && forms.any(Form::is_compact)
    };
    match tensors.iter().find(is_wide) {
        Some(_) => "; with encoding ENCODING_SPARSE only the values that are not 0 are sent and counted",
        None => "",
    }
}

/// Rejects columns whose rows have more text or longer lists than one may have.
fn check_sizes(spec: &Spec, inputs: &Inputs, limits: &Limits) -> Result<(), Refusal> {
    let mut problems = Problems::of_request();
    for (input, column) in spec.inputs.iter().zip(&inputs.columns) {
        if let Some(bytes) = column.text_beyond(limits.text_bytes) {
            let (name, limit) = (&input.name, limits.text_bytes);
            problems
                .add("columns", format!("{name:?} has {bytes} bytes of text; one column may have {limit}"));
        }
        let elements = column.elements();
        if input.dtype.list && elements > limits.list_elements {
            let (name, limit) = (&input.name, limits.list_elements);
            problems.add(
                "columns",
                format!("{name:?} has {elements} list elements; one column may have {limit}"),
            );
        }
    }
    problems.or(()).map_err(Refusal::TooLarge)
}

impl Call {
    /// What the call runs on.
    pub fn feature_set(&self) -> &Arc<FeatureSet> {
        &self.feature_set
    }

    /// The number of rows N.
    pub fn rows(&self) -> usize {
        self.inputs.rows
    }

    /// The tensors in the order of the answer.
    pub fn tensors(&self) -> &[TensorShape] {
        &self.tensors
    }

    /// Finds the rows that the tensors need. `expired` is asked now and then; true ends the call with
    /// [`Refusal::DeadlineExceeded`].
    pub fn fetch(self, expired: &dyn Fn() -> bool) -> Result<FetchedCall, Refusal> {
        let outputs = self.tensors.iter().map(|tensor| (tensor.output, tensor.dtype));
        match self.feature_set.fetch(&self.inputs, outputs, expired) {
            Ok(fetched) => Ok(FetchedCall { call: self, fetched }),
            Err(stopped) => Err(self.refusal(stopped)),
        }
    }

    fn refusal(&self, stopped: Stopped) -> Refusal {
        match stopped {
            Stopped::Expired => Refusal::DeadlineExceeded,
            Stopped::Full => {
                let limit = self.answer.limit;
                let message = format!(
                    "the answer takes more than {limit} bytes, which one answer may have: its sparse tensors have too \
                    many values that are not 0, or its ragged ones too many elements; ask for fewer rows or outputs"
                );
                Refusal::TooLarge(Problems::one("", message))
            }
        }
    }
}

impl FetchedCall {
    /// The call itself.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Fills the tensors and counts what they hold. `expired` is asked between blocks of rows; true ends the call with
    /// [`Refusal::DeadlineExceeded`].
    pub fn run(
        self,
        buffers: &mut [TensorBuffer<'_>],
        expired: &dyn Fn() -> bool,
    ) -> Result<Report, Refusal> {
        let feature_set = self.call.feature_set.clone();
        let (ran, rows, values) = self.run_uncounted(buffers, expired)?;
        feature_set.count(rows, values, &ran);
        Ok(Report { counts: ran.counted, lookups: ran.missed, rows, values })
    }

    /// The same for an answer that nobody gets. Gives the rows and the elements of all tensors.
    fn run_uncounted(
        self,
        buffers: &mut [TensorBuffer<'_>],
        expired: &dyn Fn() -> bool,
    ) -> Result<(Ran, usize, usize), Refusal> {
        let Self { call, fetched } = self;
        let mut targets: Vec<Target<'_>> = call
            .tensors
            .iter()
            .zip(buffers)
            .map(|(tensor, buffer)| Target {
                output: tensor.output,
                part: tensor.part,
                dtype: tensor.dtype,
                elements: match &mut buffer.elements {
                    Elements::Dense(data) => Elements::Dense(data),
                    Elements::Sparse(rows) => Elements::Sparse(rows),
                    Elements::Ragged(rows) => Elements::Ragged(rows),
                },
                status: &mut *buffer.status,
            })
            .collect();
        let room = call.answer.limit - call.answer.known;
        let ran = call.feature_set.run(&call.inputs, fetched, &mut targets, room, expired);
        let ran = ran.map_err(|stopped| call.refusal(stopped))?;
        let values = call.tensors.iter().zip(&targets).map(|(tensor, target)| match &target.elements {
            Elements::Dense(_) => tensor.rows * tensor.width,
            Elements::Sparse(rows) => rows.columns.len(),
            Elements::Ragged(rows) => rows.elements() * tensor.width,
        });
        let values = values.sum();
        Ok((ran, call.inputs.rows, values))
    }
}

/// An output with the element type and the encoding that it is wanted in.
struct Wanted<'a> {
    position: usize,
    output: &'a Output,
    dtype: crate::spec::OutputType,
    encoding: Encoding,
}

impl Wanted<'_> {
    /// A ragged tensor has no sparse form: it comes raw where sparse ones are wanted.
    fn encoding_of_tensors(&self) -> Encoding {
        match self.encoding {
            Encoding::Sparse if self.output.ragged => Encoding::Raw,
            encoding => encoding,
        }
    }
}

/// The outputs that a request names, or all.
fn wanted_outputs<'a>(
    feature_set: &'a FeatureSet,
    request: &Request,
    problems: &mut Problems,
) -> Vec<Wanted<'a>> {
    let outputs = &feature_set.plan().outputs;
    let (named, encoding): (&[OutputWanted], _) = (&request.outputs, request.encoding);
    if named.is_empty() {
        let all = outputs.iter().enumerate();
        let wanted = |(position, output): (usize, &'a Output)| Wanted {
            position,
            output,
            dtype: output.dtype,
            encoding,
        };
        return all.map(wanted).collect();
    }
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    let mut listed = false;
    for (place, named) in named.iter().enumerate() {
        let Some(position) = outputs.iter().position(|output| output.name == named.name) else {
            let known =
                if std::mem::replace(&mut listed, true) { String::new() } else { known_outputs(outputs) };
            let message = format!("there is no output {}{known}", quoted(&named.name));
            problems.add(format!("outputs[{place}].name"), message);
            continue;
        };
        if wanted.iter().any(|other| other.position == position) {
            problems.add(format!("outputs[{place}].name"), format!("{:?} is there twice", named.name));
        }
        let output = &outputs[position];
        let dtype = named.dtype.unwrap_or(output.dtype);
        if !feature_set.plan().can_serve_as(position, dtype) {
            let message = format!("{:?} has float64 features, which int64 can't hold", named.name);
            problems.add(format!("outputs[{place}].dtype"), message);
        }
        wanted.push(Wanted { position, output, dtype, encoding: named.encoding.unwrap_or(encoding) });
    }
    wanted
}

fn known_outputs(outputs: &[Output]) -> String {
    format!("; the outputs are: {}", listed(outputs.iter().map(|output| output.name.as_str())))
}

/// The tensors of one output; a part without features is left out.
fn shapes(feature_set: &FeatureSet, wanted: &Wanted<'_>, layout: Layout, rows: usize) -> Vec<TensorShape> {
    let shape = |part: Part, rows: usize, width: usize, features: usize| TensorShape {
        output: wanted.position,
        name: feature_set.plan().outputs[wanted.position].name.clone(),
        dtype: wanted.dtype,
        encoding: wanted.encoding_of_tensors(),
        part,
        rows,
        width,
        features,
        ragged: wanted.output.ragged,
    };
    let Output { width, request_width, features, .. } = wanted.output;
    if layout == Layout::Dense {
        return vec![shape(Part::All, rows, *width, features.len())];
    }
    let shared = features.iter().filter(|feature| feature.scope == Scope::Request).count();
    let parts = [
        shape(Part::Request, 1, *request_width, shared),
        shape(Part::Row, rows, width - request_width, features.len() - shared),
    ];
    parts.into_iter().filter(|part| part.features > 0).collect()
}
