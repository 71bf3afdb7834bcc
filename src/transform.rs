//! The catalogue of fitted transforms: each file holds one operation's parameters, checks, kernel and tests.
//!
//! A transform sees columns, never a row or a name. Its parameters are the spec's: every behavioural switch is a
//! required field, and unknown fields are rejected. To add an operation, write its file, and add its `mod`
//! line and its line in [`Transform`] below.

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use inputs::{single, single_float};
use inputs::{single_scalar_float, single_vector, two_vectors};

use crate::{
    batch::{Column, Mark, Type},
    problem::{Problems, quoted},
};

pub mod age;
pub mod arithmetic;
pub mod binarize;
mod bspline;
pub mod bucketize;
pub mod cast;
pub mod char_ngrams;
pub mod choose;
pub mod clip;
pub mod coalesce;
pub mod compare;
pub mod concat;
pub mod constant;
pub mod cosine;
pub mod count;
pub mod cyclical;
pub mod decay;
pub mod distance;
pub mod dot;
pub mod elements_at;
pub mod expr;
pub mod fallback;
mod farm;
pub mod feature_hash;
pub mod format;
pub mod frequency_cap;
pub mod gather;
pub mod hash_bucket;
pub mod hash_cross;
pub mod hashing;
pub mod impute;
mod inputs;
pub mod interpolate;
mod inverse_normal;
pub mod join_text;
mod keys;
pub mod kv_dot;
pub mod kv_lookup;
pub mod lane;
pub mod lanes;
mod lifted;
pub mod log;
pub mod log1p;
pub mod logic;
pub mod map_values;
pub mod math;
pub mod max_abs;
pub mod min_max;
pub mod missing_indicator;
pub mod multi_hot;
mod murmur3;
mod murmur64a;
pub mod nearest;
pub mod ngrams;
pub mod normalize;
pub mod normalize_text;
pub mod occurrences;
pub mod one_hot;
pub mod ordinal;
pub mod overlap;
mod pairs;
pub mod parameters;
pub mod parse_time;
mod pick;
pub mod pick_keys;
pub mod polynomial;
pub mod pool;
pub mod power;
pub mod prefix_ngrams;
pub mod project;
mod python_characters;
pub mod quantile;
pub mod rank;
pub mod recent;
pub mod robust_scale;
mod search;
pub mod smoothed_rate;
pub mod spark_hash;
pub mod spline;
pub mod standardize;
mod sum;
pub mod take;
pub mod time_parts;
mod times;
pub mod tokenize;
pub mod truncate;
mod vocabulary;
mod weighted;

/// Lanes from which vectors of mostly zeros are kept as sparse ones.
pub const SPARSE_FROM: usize = 128;

/// An operation's parameters as the spec writes them.
pub trait Operation {
    /// Checks the parameters against the types of the inputs, and makes the kernel. Problems' places are fields of
    /// the operation.
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems>;

    /// Whether lists among its inputs are taken element by element: it is then compiled for elements. Operations of a
    /// single elementwise input need not say so.
    fn takes_elements(&self, _inputs: &[Type]) -> bool {
        false
    }
}

/// A checked operation, ready to run.
#[derive(Debug)]
pub struct Compiled {
    /// The type of the result.
    pub output: Type,
    pub kernel: Box<dyn Kernel>,
    /// A name for each lane of the result (a category, say); empty where lanes have no names.
    pub lane_names: Vec<String>,
    /// Parts that a plan computes as nodes of their own, each when what it reads is known, and not with every run.
    pub derived: Vec<Derived>,
    /// What the kernel reads, as [`Derived::reads`] counts; `None` for all inputs and then all derived parts.
    pub reads: Option<Vec<usize>>,
}

/// A part of an operation.
#[derive(Debug)]
pub struct Derived {
    /// What it reads, by position: the operation's inputs first, then the parts before this one.
    pub reads: Vec<usize>,
    /// The part itself, without parts of its own.
    pub compiled: Compiled,
    /// What it computes, where other operations have the same part: of equal parts that read the same, one is computed.
    pub same_as: Option<Meaning>,
}

/// What a part of an operation computes, apart from what it reads.
#[derive(Debug)]
pub enum Meaning {
    /// The same as this operation.
    Operation(Transform),
    /// What all parts of this name do.
    Named(String),
}

impl Compiled {
    /// A result whose lanes have no names, computed of the inputs at once.
    pub fn new(output: Type, kernel: impl Kernel + 'static) -> Self {
        let (lane_names, derived) = (Vec::new(), Vec::new());
        Self { output, kernel: Box::new(kernel), lane_names, derived, reads: None }
    }
}

/// The computation of one operation over a block of values.
pub trait Kernel: Debug + Send + Sync {
    /// Fills `out.values` and `out.marks` from the inputs; what they held before has no meaning, only their
    /// capacity. The inputs have the types that were compiled for and as many values each.
    ///
    /// An elementwise kernel looks at values and marks alone, whether they are rows or list elements: who calls it
    /// hands the list's rows on. A kernel that takes lists to single values (pooling) reads `list`; one that gives
    /// lists of its own also fills `out.list`.
    fn run(&self, inputs: &[&Column], out: &mut Column);

    /// Whether its lists are its own, not those of its inputs: it fills `out.list`.
    fn gives_lists(&self) -> bool {
        false
    }

    /// Whether its vectors may come as float32 columns.
    fn takes_float32(&self) -> bool {
        false
    }

    /// Whether its wide vectors may come in a compact form: one-hot slots or sparse vectors.
    fn takes_sparse(&self) -> bool {
        false
    }

    /// Whether an input may have a single row beside others with more: it then goes with each of theirs.
    fn takes_single_rows(&self) -> bool {
        false
    }

    /// The same of an input that is a list, by its position. What it makes of a block's rows must not grow with the
    /// list's length: repeated lists make blocks smaller.
    fn takes_single_list(&self, _input: usize) -> bool {
        false
    }
}

/// The float64 values of an input for `count` rows; a single row is every row's.
fn repeated(input: &Column, lanes: usize, count: usize) -> impl Iterator<Item = (&[f64], Mark)> {
    rows_of(input.float64(), &input.marks, lanes, count)
}

/// The values of `count` rows with their marks; a single row is every row's.
fn rows_of<'a, T>(
    values: &'a [T],
    marks: &'a [Mark],
    lanes: usize,
    count: usize,
) -> impl Iterator<Item = (&'a [T], Mark)> {
    let step = usize::from(marks.len() == count);
    (0..count).map(move |row| {
        let row = row * step;
        (&values[row * lanes..(row + 1) * lanes], marks[row])
    })
}

/// How many rows inputs have of which single rows go with each row of the others.
fn row_count(inputs: &[&Column]) -> usize {
    inputs.iter().map(|input| input.marks.len()).find(|&rows| rows != 1).unwrap_or(1)
}

/// Adds the joined marks of `count` rows: null where any input is, with the gravest status.
fn join_marks(inputs: &[&Column], count: usize, marks: &mut Vec<Mark>) {
    marks.resize(count, Mark::PRESENT);
    for input in inputs {
        match *input.marks.as_slice() {
            [single] => marks.iter_mut().for_each(|mark| *mark |= single),
            ref each => marks.iter_mut().zip(each).for_each(|(mark, &of_input)| *mark |= of_input),
        }
    }
}

macro_rules! operations {
    ($($family:literal { $($module:ident :: $name:ident = $tag:literal,)+ })+) => {
        /// One step of a feature.
        #[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "op")]
        pub enum Transform {
            $($(#[serde(rename = $tag)] $name($module::$name),)+)+
        }

        impl Transform {
            /// What operations have to do with, and their names, as specs write them.
            pub const FAMILIES: &[(&str, &[&str])] = &[$(($family, &[$($tag),+])),+];

            /// Reads the operation of this name from its fields.
            fn from_fields(name: &str, fields: Value) -> Result<Self, Problems> {
                match name {
                    $($($tag => serde_path_to_error::deserialize(fields).map(Self::$name).map_err(Problems::of_json),)+)+
                    _ => {
                        let message = format!(
                            "there is no operation {}; `quiver schema operations` lists the available ones",
                            quoted(name)
                        );
                        Err(Problems::one("op", message))
                    }
                }
            }

            /// The name that specs use.
            pub fn name(&self) -> &'static str {
                match self { $($(Self::$name(_) => $tag,)+)+ }
            }
        }

        impl Operation for Transform {
            fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
                match self { $($(Self::$name(operation) => lifted::compile(operation, inputs),)+)+ }
            }
        }
    };
}

impl Transform {
    /// The operation's name in a step as specs write it, if there is such an operation.
    pub fn known_name(step: &Value) -> Option<&'static str> {
        let written = step.get("op")?.as_str()?;
        Self::FAMILIES.iter().flat_map(|(_, names)| *names).copied().find(|name| *name == written)
    }

    /// Reads a step as specs write it; a problem's place is the field that is wrong, however deep.
    pub fn from_value(step: Value) -> Result<Self, Problems> {
        let Value::Object(mut fields) = step else {
            return Err(Problems::one(
                "",
                format!("is {step}, must be an object with \"op\" and the fields of that operation"),
            ));
        };
        match fields.remove("op") {
            Some(Value::String(name)) => Self::from_fields(&name, Value::Object(fields)),
            Some(other) => Err(Problems::one("op", format!("is {other}, must be an operation's name"))),
            None => Err(Problems::one("", "missing field `op`")),
        }
    }
}

impl<'de> Deserialize<'de> for Transform {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

operations! {
    "Missing values" {
        impute::Impute = "impute",
        missing_indicator::MissingIndicator = "missing_indicator",
        coalesce::Coalesce = "coalesce",
    }
    "Scaling" {
        standardize::Standardize = "standardize",
        min_max::MinMax = "min_max",
        max_abs::MaxAbs = "max_abs",
        robust_scale::RobustScale = "robust_scale",
        clip::Clip = "clip",
        quantile::Quantile = "quantile",
        power::Power = "power",
    }
    "Numbers" {
        cast::Cast = "cast",
        math::Math = "math",
        log1p::Log1p = "log1p",
        log::Log = "log",
        arithmetic::Arithmetic = "arithmetic",
        binarize::Binarize = "binarize",
        bucketize::Bucketize = "bucketize",
        rank::Rank = "rank",
        interpolate::Interpolate = "interpolate",
        spline::Spline = "spline",
    }
    "Conditions and expressions" {
        compare::Compare = "compare",
        logic::Logic = "logic",
        choose::Choose = "choose",
        constant::Constant = "constant",
        expr::Expr = "expr",
    }
    "Categories" {
        ordinal::Ordinal = "ordinal",
        one_hot::OneHot = "one_hot",
        multi_hot::MultiHot = "multi_hot",
        map_values::MapValues = "map_values",
    }
    "Hashing and crossing" {
        hash_bucket::HashBucket = "hash_bucket",
        hash_cross::HashCross = "hash_cross",
        spark_hash::SparkHash = "spark_hash",
        feature_hash::FeatureHash = "feature_hash",
    }
    "Vectors" {
        normalize::Normalize = "normalize",
        gather::Gather = "gather",
        dot::Dot = "dot",
        cosine::Cosine = "cosine",
        distance::Distance = "distance",
        concat::Concat = "concat",
        lane::Lane = "lane",
        lanes::Lanes = "lanes",
        truncate::Truncate = "truncate",
        polynomial::Polynomial = "polynomial",
        project::Project = "project",
    }
    "Lists" {
        pool::Pool = "pool",
        take::Take = "take",
        count::Count = "count",
        overlap::Overlap = "overlap",
        occurrences::Occurrences = "occurrences",
        kv_dot::KvDot = "kv_dot",
        kv_lookup::KvLookup = "kv_lookup",
    }
    "Sequences" {
        recent::Recent = "recent",
        nearest::Nearest = "nearest",
        elements_at::ElementsAt = "elements_at",
        prefix_ngrams::PrefixNgrams = "prefix_ngrams",
    }
    "Text" {
        format::Format = "format",
        join_text::JoinText = "join_text",
        normalize_text::NormalizeText = "normalize_text",
        tokenize::Tokenize = "tokenize",
        ngrams::Ngrams = "ngrams",
        char_ngrams::CharNgrams = "char_ngrams",
    }
    "Time" {
        parse_time::ParseTime = "parse_time",
        time_parts::TimeParts = "time_parts",
        cyclical::Cyclical = "cyclical",
        age::Age = "age",
    }
    "Ads" {
        decay::Decay = "decay",
        smoothed_rate::SmoothedRate = "smoothed_rate",
        frequency_cap::FrequencyCap = "frequency_cap",
    }
}

/// A kernel of one float function a lane; nulls stay null and are not computed.
///
/// Every lane has its own parameters; a scalar is a vector of one lane.
pub(crate) fn map_lanes<P>(
    input: &Column,
    out: &mut Column,
    parameters: &[P],
    function: impl Fn(&P, f64) -> f64,
) {
    if input.values.is_compact() {
        return map_sparse(input, out, |lane, x| function(&parameters[lane as usize], x));
    }
    let source = input.float64();
    let (values, marks) = out.float64_mut();
    marks.extend_from_slice(&input.marks);
    match parameters {
        [single] => values.extend(source.iter().map(|&x| function(single, x))),
        many => values.extend(
            source
                .chunks_exact(many.len())
                .flat_map(|lanes| many.iter().zip(lanes))
                .map(|(p, &x)| function(p, x)),
        ),
    }
}

/// A function of the lanes of sparse vectors or one-hot slots that are not zero; of 0 it must be 0.0.
fn map_sparse(input: &Column, out: &mut Column, function: impl Fn(u32, f64) -> f64) {
    let (vectors, marks) = out.sparse_mut();
    marks.extend_from_slice(&input.marks);
    for row in 0..input.marks.len() {
        input.values.entries(row, |lane, value| vectors.push(lane, function(lane, value)));
        vectors.end();
    }
}

/// Whether a function gives 0.0, not -0.0, for 0.0 in every lane: sparse vectors then stay sparse.
fn zeros_stay<P>(parameters: &[P], function: impl Fn(&P, f64) -> f64) -> bool {
    parameters.iter().all(|of_lane| function(of_lane, 0.0).to_bits() == 0)
}

/// Tests' tables: runs an operation over values and gives the results.
#[cfg(test)]
pub(crate) mod check {
    use super::*;
    use crate::batch::{Element, Strings, Values};

    /// A scalar float column; `None` is null.
    pub fn floats(values: &[Option<f64>]) -> Column {
        Column {
            values: Values::Float64(values.iter().map(|value| value.unwrap_or(f64::NAN)).collect()),
            marks: values
                .iter()
                .map(|value| if value.is_some() { Mark::PRESENT } else { Mark::NULL })
                .collect(),
            list: None,
        }
    }

    /// A column of present vectors.
    pub fn vectors(lanes: usize, values: &[f64]) -> Column {
        let marks = vec![Mark::PRESENT; values.len() / lanes];
        Column { values: Values::Float64(values.to_vec()), marks, list: None }
    }

    /// Compiles for vectors and runs.
    pub fn run_vectors(operation: &impl Operation, lanes: usize, values: &[f64]) -> Column {
        let compiled = operation.compile(&[Type::vector(lanes)]).expect("parameters are good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&vectors(lanes, values)], &mut out);
        out
    }

    /// Compiles for one nullable scalar float and runs.
    pub fn run_float(operation: &impl Operation, values: &[Option<f64>]) -> Column {
        let compiled = operation.compile(&[Type::scalar(Element::Float64)]).expect("parameters are good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&floats(values)], &mut out);
        out
    }

    /// A scalar int64 column; `None` is null.
    pub fn integers(values: &[Option<i64>]) -> Column {
        let marks = values.iter().map(|value| if value.is_some() { Mark::PRESENT } else { Mark::NULL });
        let marks = marks.collect();
        let values = values.iter().map(|value| value.unwrap_or(i64::MIN)).collect();
        Column { values: Values::Int64(values), marks, list: None }
    }

    /// Compiles for one nullable string and runs.
    pub fn run_text(operation: &impl Operation, values: &[Option<&str>]) -> Column {
        let compiled = operation.compile(&[Type::scalar(Element::String)]).expect("parameters are good");
        let marks = values.iter().map(|value| if value.is_some() { Mark::PRESENT } else { Mark::NULL });
        let marks = marks.collect();
        let values = Strings::from_values(values.iter().map(|value| value.unwrap_or("under a null")));
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&Column { values: Values::String(values), marks, list: None }], &mut out);
        out
    }

    /// A result's strings.
    pub fn texts(column: &Column) -> Vec<&str> {
        column.strings().iter().collect()
    }

    /// A float result with nulls as `None`.
    pub fn results(column: &Column) -> Vec<Option<f64>> {
        let lanes = column.float64().len() / column.marks.len().max(1);
        let of_value = |position: usize| column.marks[position / lanes.max(1)];
        let result = |(position, &value): (usize, &f64)| (!of_value(position).is_null()).then_some(value);
        column.float64().iter().enumerate().map(result).collect()
    }
}
