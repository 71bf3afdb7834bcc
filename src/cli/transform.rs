//! `quiver transform`: the same plan over files of rows, training data say, bit for bit as it serves.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::HumanCount;

use super::{Failure, chosen::Chosen, print, reading::Reading};
use crate::{
    batch::time::now,
    config::ShowProgress,
    files::{Format, Found, Losses, Refusals, Writer},
    loading::Loading,
    problem::Problems,
    serve::{
        self,
        answer::{Elements, TensorBuffer},
        outcome::{Limits, Refusal},
        request::{Encoding, Layout, Request, RequestColumn, StatusDetail},
    },
    snapshot::{self, Binder, FeatureSet, Snapshot},
    table::Progress as _,
};
use columns::{Columns, Tensor};
use inputs::InputFile;

pub mod columns;
pub mod inputs;

#[derive(Debug, Args)]
#[command(
    after_help = "Each row of a file is a request of one row: columns have the inputs' names, those of request \
    scope too; other columns are ignored. Types are converted where nothing is lost; an empty CSV field is null.\n\n\
    A tensor's columns have the names that the spec gives; else they are named as the feature, or feature[column] where \
    it is wider. A name that two outputs share is prefixed with the output's name. bfloat16 is written as float32.\n\n\
    Example: quiver transform --repository DIR --feature-set ads_ctr --input day-*.parquet --output features.parquet"
)]
pub struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Files of rows, in this order: Parquet, Arrow IPC, CSV; folders of them (Hive's too); patterns as 'day-*.parquet'
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    input: Vec<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    /// Reads values that the inputs' types don't hold as the nearest ones, or as null where none is near
    #[arg(long)]
    lossy: bool,
    /// The output file: *.parquet or *.arrow. It is replaced once everything is written
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// What becomes a column: each column of a tensor, or each output as a fixed-size list
    #[arg(long, value_enum, default_value_t = Arrangement::Each)]
    columns: Arrangement,
    /// Adds the features' statuses as numbers, in columns named .status: 0 present, 1 stale, 2 out of range, 3 unknown
    /// category, 4 null, 5 key not found
    #[arg(long)]
    status: bool,
    /// Maximum number of rows computed at a time; fewer for wide outputs
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    batch_rows: u32,
}

/// Bytes of a batch's tensors.
const MOST_BATCH_BYTES: usize = 256 << 20;

/// How tensors become columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arrangement {
    Each,
    Outputs,
}

/// Checks all files against the feature set, then reads, computes and writes batch by batch.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut problems = Problems::none();
    let found = arguments.reading.find(&arguments.input, &mut problems);
    let format = output_format(&found, &arguments.output)?;
    let feature_set = load(arguments)?;
    let files = inputs::open_all(&found, feature_set.spec(), arguments.lossy, &mut problems);
    problems.or(()).map_err(|problems| Failure::Failed(problems.to_string()))?;
    let columns = Columns::of(feature_set.plan(), arguments.columns, arguments.status)
        .map_err(|problems| Failure::Failed(problems.to_string()))?;
    let of_output = |why| Failure::of(&arguments.output.display().to_string(), why);
    let notes = notes(&feature_set);
    let writer = Writer::create(&arguments.output, format, &columns.written(), &notes).map_err(of_output)?;
    let loading = Loading::over("transforming", files.iter().map(InputFile::bytes).sum(), ShowProgress::Auto);
    let mut run = Run {
        arguments,
        snapshot: Snapshot::new([feature_set]),
        columns: &columns,
        writer,
        refusals: Refusals::default(),
        losses: Losses::default(),
        buffers: Vec::new(),
    };
    let done = files.iter().try_for_each(|file| run.transform(file, &loading));
    let losses = std::mem::take(&mut run.losses);
    let done = done.and_then(|()| run.finish().map_err(of_output));
    let counted = loading.finish();
    done?;
    eprint!("{losses}");
    let (rows, width) = (HumanCount(counted.rows), columns.written().len());
    let output = arguments.output.display();
    print(&format!("{rows} rows and {width} columns in {output}, written in {:.1?}\n", counted.took))
}

/// The output's format, and that it is none of the inputs.
fn output_format(inputs: &[Found], output: &Path) -> Result<Format, Failure> {
    if inputs.iter().any(|input| same_file(&input.path, output)) {
        return Err(Failure::Usage(format!("{} is an input too", output.display())));
    }
    match Format::of(output) {
        Some(format) if format.is_typed() => Ok(format),
        _ => Err(Failure::Usage(format!("{}: must be named *.parquet or *.arrow", output.display()))),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn load(arguments: &Arguments) -> Result<FeatureSet, Failure> {
    let Chosen { repository, feature_set, version } = &arguments.chosen;
    let loading = Loading::start(repository, ShowProgress::Auto);
    let loaded = snapshot::load_per_row(repository, feature_set, *version, &Binder::default(), &loading);
    loading.finish();
    loaded.map_err(|problems| Failure::Failed(problems.to_string()))
}

/// What made the file, for its metadata.
fn notes(feature_set: &FeatureSet) -> Vec<(&'static str, String)> {
    let tables = feature_set.tables().iter().map(|table| {
        let schema = table.schema();
        format!("{} {}", schema.name, schema.version)
    });
    vec![
        ("quiver.feature_set", feature_set.name().to_owned()),
        ("quiver.version", feature_set.version().to_string()),
        ("quiver.fingerprint", feature_set.fingerprint().to_owned()),
        ("quiver.tables", tables.collect::<Vec<_>>().join(", ")),
    ]
}

/// The work in progress.
struct Run<'a> {
    arguments: &'a Arguments,
    snapshot: Snapshot,
    columns: &'a Columns,
    writer: Writer,
    refusals: Refusals,
    losses: Losses,
    /// Elements and statuses of each tensor, for the next batch.
    buffers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Run<'_> {
    /// Adds a file's rows. After the first row that can't be read, the others are only read.
    fn transform(&mut self, file: &InputFile, loading: &Loading) -> Result<(), Failure> {
        let mut first_row = 0;
        let of_file = |why| Failure::of(file.name(), why);
        for batch in file.batches(self.rows_at_once()).map_err(of_file)? {
            let batch = batch.map_err(of_file)?;
            let (rows, bytes) = (batch.rows, batch.bytes);
            file.sort_misfits(&batch, first_row, &mut self.refusals, &mut self.losses);
            if self.refusals.is_empty() {
                self.compute(rows, file.request_columns(batch))?;
            }
            first_row += rows;
            loading.add(rows as u64, bytes);
        }
        Ok(())
    }

    /// The rows of a batch; fewer where they are wide, so that a batch's tensors take little memory.
    fn rows_at_once(&self) -> usize {
        let wide = self.columns.row_bytes().max(1);
        (self.arguments.batch_rows as usize).min((MOST_BATCH_BYTES / wide).max(1))
    }

    fn compute(&mut self, rows: usize, columns: Vec<RequestColumn>) -> Result<(), Failure> {
        let status = if self.arguments.status { StatusDetail::Rows } else { StatusDetail::Off };
        let request = Request {
            feature_set: self.arguments.chosen.feature_set.clone(),
            version: 0,
            rows: u32::try_from(rows).ok(),
            columns,
            outputs: Vec::new(),
            layout: Layout::Dense,
            encoding: Encoding::Raw,
            status,
            now: now(),
        };
        let limits = Limits {
            rows: usize::MAX,
            text_bytes: usize::MAX,
            list_elements: usize::MAX,
            answer_bytes: usize::MAX,
        };
        let call = serve::prepare(&self.snapshot, request, &limits).map_err(refused)?;
        let shapes = call.tensors().to_vec();
        self.buffers.resize_with(shapes.len(), Default::default);
        for ((data, statuses), shape) in self.buffers.iter_mut().zip(&shapes) {
            data.resize(shape.data_bytes(), 0);
            statuses.resize(shape.status_bytes(status), 0);
        }
        let buffers = self.buffers.iter_mut();
        let buffers = buffers.map(|(data, status)| TensorBuffer { elements: Elements::Dense(data), status });
        let call = call.fetch(&|| false).map_err(refused)?;
        call.run(&mut buffers.collect::<Vec<_>>(), &|| false).map_err(refused)?;
        let tensors = shapes.iter().zip(&self.buffers);
        let tensors = tensors.map(|(shape, (data, status))| Tensor { shape, data, status });
        let cells = self.columns.cells(&tensors.collect::<Vec<_>>());
        let of_output = |why| Failure::of(&self.arguments.output.display().to_string(), why);
        self.writer.write(cells).map_err(of_output)
    }

    /// Completes the output where every row was read.
    fn finish(self) -> Result<(), String> {
        self.refusals.or(()).map_err(|problems| format!("is not written:\n{problems}"))?;
        self.writer.finish()
    }
}

fn refused(refusal: Refusal) -> Failure {
    Failure::Failed(match refusal {
        Refusal::Invalid(problems) | Refusal::TooLarge(problems) => problems.to_string(),
        Refusal::NotFound(message) => message,
        Refusal::NotReady | Refusal::DeadlineExceeded => "the plan did not run".to_owned(),
    })
}
