//! Loading a table from Parquet beside the parquet crate alone, which reads the same columns and drops them: how fast, how
//! much memory at most, and which part building keys and index has.

mod support;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::{
    fs::{self, File},
    hint::black_box,
    num::NonZero,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Instant,
};

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::Compression,
    file::properties::WriterProperties,
};
use quiver::table::{Loader, Silent, Table, TableSchema};
use serde_json::{Value, json};
use support::{Effort, Report, median};

/// Rows of one row group.
const GROUP: usize = 1 << 17;

/// Rows of a batch, as loading reads embeddings.
const BATCH: usize = 4096;

fn main() {
    let effort = Effort::from_arguments();
    let report = Report::begin("load");
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    println!(
        "{:<12} {:>8} {:>11} {:>11} {:>9} {:>9} {:>8}",
        "", "threads", "crate MB/s", "load MB/s", "of crate", "index", "peak"
    );
    let mut bench = Bench { effort, report };
    for kind in [Kind::Embeddings, Kind::Entities] {
        let table = Written::write(kind, if effort.quick { 200_000 } else { kind.rows() });
        for threads in [1, cores] {
            bench.measure(&table, NonZero::new(threads).unwrap_or(NonZero::<usize>::MIN));
        }
    }
}

/// Which table is loaded.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Integer keys and 64 floats.
    Embeddings,
    /// String keys, a category, a price and a list of tags.
    Entities,
}

struct Bench {
    effort: Effort,
    report: Report,
}

/// A table's folder, and one of its keys alone.
struct Written {
    kind: Kind,
    folder: PathBuf,
    keys: PathBuf,
}

impl Bench {
    fn measure(&mut self, table: &Written, threads: NonZero<usize>) {
        let (mut alone, mut loaded, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        let (mut peak, mut memory) = (0, 0);
        for _ in 0..self.effort.rounds {
            alone.push(seconds(|| read_alone(&table.file(), &table.columns())));
            let before = resident("VmRSS");
            reset_peak();
            let started = Instant::now();
            let whole = load(&table.folder, threads);
            loaded.push(started.elapsed().as_secs_f64());
            peak = peak.max(resident("VmHWM").saturating_sub(before));
            memory = whole.memory();
            drop(whole);
            keys.push(
                seconds(|| load(&table.keys, threads))
                    - seconds(|| read_alone(&table.file(), &table.columns()[..1])),
            );
        }
        let [alone, loaded, keys] = [alone, loaded, keys].map(median);
        // Both read the same columns, so the table's size serves as their measure.
        let speed = |seconds: f64| memory as f64 / seconds / 1e6;
        let (share, index) = (alone / loaded, keys.max(0.0) / loaded);
        let times = peak as f64 / memory as f64;
        let name = table.kind.name();
        let (of_crate, of_load) = (speed(alone), speed(loaded));
        println!(
            "{name:<12} {threads:>8} {of_crate:>11.0} {of_load:>11.0} {:>8.0}% {:>8.0}% {times:>7.2}x",
            share * 100.0,
            index * 100.0
        );
        let figures = json!({"threads": threads.get(), "crate_mb_per_second": of_crate,
            "load_mb_per_second": of_load, "share_of_crate": share, "index_share": index, "peak_times_memory": times});
        self.report.add(name, figures);
    }
}

fn load(folder: &Path, threads: NonZero<usize>) -> Table {
    let table = Loader { threads, ..Loader::new(&Silent) }.load(folder);
    table.unwrap_or_else(|problems| panic!("{problems}"))
}

/// Reads columns as the parquet crate gives them, on one thread.
fn read_alone(file: &Path, columns: &[&str]) {
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(File::open(file).expect("opens")).expect("Parquet");
    let schema = builder.schema().clone();
    let roots = columns.iter().map(|column| schema.index_of(column).expect("a column"));
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_projection(mask).with_batch_size(BATCH).build().expect("reads");
    for batch in reader {
        black_box(batch.expect("a batch"));
    }
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    black_box(work());
    started.elapsed().as_secs_f64()
}

/// A value of `/proc/self/status` in bytes; 0 where there is none.
fn resident(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Makes `VmHWM` the memory of now.
fn reset_peak() {
    // Where that is not allowed, the peak is that of the whole run.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Embeddings => "embeddings",
            Self::Entities => "entities",
        }
    }

    fn rows(self) -> usize {
        4_000_000
    }

    /// The key's column first.
    fn columns(self) -> Value {
        match self {
            Self::Embeddings => {
                json!([{"name": "v", "dtype": "float32", "shape": {"vector": 64}, "nan": "value"}])
            }
            Self::Entities => json!([
                {"name": "category", "dtype": "string", "shape": "scalar"},
                {"name": "price", "dtype": "float64", "shape": "scalar", "nan": "value"},
                {"name": "tags", "dtype": "int32", "shape": "list"}]),
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Embeddings => "int64",
            Self::Entities => "string",
        }
    }

    fn batch(self, first: usize, rows: usize) -> RecordBatch {
        let numbers = first as u64..(first + rows) as u64;
        // Every row has other bytes, so that nothing compresses better than real data.
        let mixed = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let columns: Vec<(&str, ArrayRef)> = match self {
            Self::Embeddings => {
                let elements = numbers.clone().flat_map(|row| (0..64).map(move |lane| row * 64 + lane));
                let elements = elements.map(|element| (mixed(element) >> 40) as f32 / (1 << 24) as f32 - 0.5);
                let field = Arc::new(Field::new_list_field(DataType::Float32, false));
                let elements = Arc::new(Float32Array::from_iter_values(elements));
                let vectors = FixedSizeListArray::try_new(field, 64, elements, None).expect("vectors");
                let keys = Int64Array::from_iter_values(numbers.map(|row| mixed(row) as i64));
                vec![("id", Arc::new(keys)), ("v", Arc::new(vectors))]
            }
            Self::Entities => {
                let keys = StringArray::from_iter_values(numbers.clone().map(|row| format!("ad-{row:09}")));
                let categories = numbers.clone().map(|row| format!("category-{}", mixed(row) % 5000));
                let prices =
                    Float64Array::from_iter_values(numbers.clone().map(|row| mixed(row) as f64 / 1e15));
                let tags =
                    numbers.flat_map(|row| (0..row % 8).map(move |tag| (mixed(row + tag) % 100_000) as i32));
                let lengths = (first..first + rows).map(|row| row % 8);
                let field = Arc::new(Field::new_list_field(DataType::Int32, false));
                let tags = Arc::new(Int32Array::from_iter_values(tags));
                let tags = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), tags, None)
                    .expect("lists");
                let categories = StringArray::from_iter_values(categories);
                vec![
                    ("id", Arc::new(keys)),
                    ("category", Arc::new(categories)),
                    ("price", Arc::new(prices)),
                    ("tags", Arc::new(tags)),
                ]
            }
        };
        RecordBatch::try_from_iter(columns).expect("a batch")
    }
}

impl Written {
    fn write(kind: Kind, rows: usize) -> Self {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/quiver-bench/load").join(kind.name());
        let (folder, keys) = (target.join("whole"), target.join("keys"));
        for (folder, columns) in [(&folder, kind.columns()), (&keys, json!([]))] {
            fs::create_dir_all(folder).expect("makes a folder");
            let schema = json!({"format": "quiver.table/1", "name": kind.name(), "version": 1,
                "key": [{"name": "id", "dtype": kind.key()}], "columns": columns});
            TableSchema::from_json(&schema.to_string()).unwrap_or_else(|problems| panic!("{problems}"));
            fs::write(folder.join("table.json"), schema.to_string()).expect("writes");
        }
        let written = Self { kind, folder, keys };
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let properties = properties.set_max_row_group_row_count(Some(GROUP)).build();
        let file = File::create(written.file()).expect("creates");
        let mut writer =
            ArrowWriter::try_new(file, kind.batch(0, 0).schema(), Some(properties)).expect("starts");
        for first in (0..rows).step_by(BATCH) {
            writer.write(&kind.batch(first, BATCH.min(rows - first))).expect("writes");
        }
        writer.close().expect("closes");
        let _ = fs::remove_file(written.keys.join("rows.parquet"));
        fs::hard_link(written.file(), written.keys.join("rows.parquet")).expect("links");
        written
    }

    fn file(&self) -> PathBuf {
        self.folder.join("rows.parquet")
    }

    fn columns(&self) -> Vec<&'static str> {
        match self.kind {
            Kind::Embeddings => vec!["id", "v"],
            Kind::Entities => vec!["id", "category", "price", "tags"],
        }
    }
}
