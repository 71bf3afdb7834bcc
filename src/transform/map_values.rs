//! Map values: a category to its fitted number or vector, as target encoding, frequency encoding and dictionaries do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{Category, List, PerLane, Real},
    single,
    vocabulary::Vocabulary,
};
use crate::{
    batch::{Column, Element, Mark, Type},
    problem::Problems,
};

/// The number or the vector that belongs to a scalar category, as float64. Among float categories "nan" is a key, and
/// all NaNs are it; both zeros are one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapValues {
    /// The categories; of the input's type, each once.
    pub keys: List<Category>,
    /// For each key its number, or for each key its vector, all of one width. They are served as they are: NaN and
    /// infinities too.
    pub values: Mapped,
    /// The result for a category that is not among the keys; its status reports it.
    pub unknown: StandIn,
    /// The result for null; its status reports it.
    pub null: StandIn,
}

/// Numbers or vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be an array of numbers, or of arrays of numbers")]
pub enum Mapped {
    Numbers(List<Real>),
    Vectors(List<Vec<Real>>),
}

/// What stands for what has no value of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandIn {
    Null,
    /// This number, or these numbers for the lanes of a vector.
    Value(PerLane),
}

impl Operation for MapValues {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        let vocabulary = Vocabulary::new(self.keys.with_places("keys"), input.element, &mut problems);
        let width = self.values.check(self.keys.0.len(), &mut problems);
        let lanes = width.unwrap_or(1);
        for (field, stand_in) in [("unknown", &self.unknown), ("null", &self.null)] {
            if let StandIn::Value(value) = stand_in {
                value.check(&format!("{field}.value"), lanes, "", |_| true, &mut problems);
            }
        }
        problems.or(())?;
        let nullable = self.unknown == StandIn::Null || (input.nullable && self.null == StandIn::Null);
        let output = Type { element: Element::Float64, width, nullable, ..input };
        let mut values = self.values.flat();
        let unknown = self.unknown.append(lanes, &mut values);
        let null = self.null.append(lanes, &mut values);
        Ok(Compiled::new(output, MapKernel { vocabulary, values, lanes, unknown, null }))
    }
}

impl Mapped {
    /// The width of vectors.
    fn check(&self, keys: usize, problems: &mut Problems) -> Option<usize> {
        let (count, width) = match self {
            Self::Numbers(numbers) => (numbers.0.len(), None),
            Self::Vectors(vectors) => (vectors.0.len(), vectors.0.first().map(Vec::len)),
        };
        if count != keys {
            problems.add("values", format!("has {count} values for {keys} keys"));
        }
        if let (Self::Vectors(vectors), Some(width)) = (self, width) {
            if width == 0 {
                problems.add("values", "must have vectors of at least one number");
            }
            for (position, vector) in vectors.0.iter().enumerate().filter(|(_, vector)| vector.len() != width)
            {
                let message = format!("has {} numbers, the first vector {width}", vector.len());
                problems.add(format!("values[{position}]"), message);
            }
        }
        width
    }

    fn flat(&self) -> Vec<f64> {
        match self {
            Self::Numbers(numbers) => numbers.0.iter().map(|number| number.0).collect(),
            Self::Vectors(vectors) => vectors.0.iter().flatten().map(|number| number.0).collect(),
        }
    }
}

impl StandIn {
    /// Adds its lanes to the values, or a placeholder, and returns where, and whether the result is null.
    fn append(&self, lanes: usize, values: &mut Vec<f64>) -> StandInRow {
        let at = values.len() / lanes;
        match self {
            Self::Null => values.extend(std::iter::repeat_n(0.0, lanes)),
            Self::Value(value) => values.extend((0..lanes).map(|lane| value.get(lane))),
        }
        StandInRow { at, null: *self == Self::Null }
    }
}

/// A row of the values that stands in for what has none.
#[derive(Debug, Clone, Copy)]
struct StandInRow {
    at: usize,
    null: bool,
}

impl StandInRow {
    fn mark(self, mark: Mark) -> Mark {
        if self.null { mark.nulled() } else { mark.filled() }
    }
}

#[derive(Debug)]
struct MapKernel {
    vocabulary: Vocabulary,
    /// Row after row: the keys' values, then those that stand in.
    values: Vec<f64>,
    lanes: usize,
    unknown: StandInRow,
    null: StandInRow,
}

impl Kernel for MapKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (values, marks) = out.float64_mut();
        marks.extend(
            inputs[0].marks.iter().map(|&mark| if mark.is_null() { self.null.mark(mark) } else { mark }),
        );
        for _ in 0..marks.len() {
            values.extend_from_slice(self.row(self.null.at));
        }
        let lanes = self.lanes;
        self.vocabulary.each(inputs[0], |index, position| {
            let at = match position {
                Some(position) => position as usize,
                None => {
                    marks[index] = self.unknown.mark(inputs[0].marks[index] | Mark::UNKNOWN_CATEGORY);
                    self.unknown.at
                }
            };
            values[index * lanes..(index + 1) * lanes].copy_from_slice(self.row(at));
        });
    }
}

impl MapKernel {
    fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.lanes..(at + 1) * self.lanes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Strings, Values},
        transform::check::{results, run_float},
    };

    fn map(values: &str, unknown: &str, null: &str) -> MapValues {
        let json =
            format!(r#"{{"keys": ["a", "b"], "values": {values}, "unknown": {unknown}, "null": {null}}}"#);
        serde_json::from_str(&json).expect("readable")
    }

    /// Of "b", "new" and a null.
    fn run(of: &MapValues) -> Column {
        let compiled = of.compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["b", "new", "a"]));
        let input = Column { values, marks: vec![Mark::PRESENT, Mark::PRESENT, Mark::NULL], list: None };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    #[test]
    fn categories_have_their_numbers() {
        let out = run(&map("[0.25, 0.75]", r#"{"value": 0.5}"#, r#""null""#));
        assert_eq!(results(&out), [Some(0.75), Some(0.5), None]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL]);
        let out = run(&map("[0.25, 0.75]", r#""null""#, r#"{"value": -1}"#));
        assert_eq!(results(&out), [Some(0.75), None, Some(-1.0)]);
        assert_eq!(out.marks[1..], [Mark::UNKNOWN_CATEGORY.nulled(), Mark::NULL.filled()]);
    }

    #[test]
    fn categories_have_their_vectors() {
        let out = run(&map("[[1, 2], [3, 4]]", r#"{"value": [5, 6]}"#, r#"{"value": 7}"#));
        assert_eq!(out.float64(), [3.0, 4.0, 5.0, 6.0, 7.0, 7.0]);
    }

    #[test]
    fn numbers_are_keys_too() {
        let json = r#"{"keys": [0, "nan"], "values": [1, 2], "unknown": "null", "null": "null"}"#;
        let map: MapValues = serde_json::from_str(json).expect("readable");
        let out = run_float(&map, &[Some(-0.0), Some(f64::NAN), Some(3.0), None]);
        assert_eq!(results(&out), [Some(1.0), Some(2.0), None, None]);
    }

    #[test]
    fn every_bad_parameter_is_told() {
        let bad = map("[[1, 2], [3], []]", r#"{"value": [5]}"#, r#"{"value": 7}"#);
        let problems = bad.compile(&[Type::scalar(Element::String)]).expect_err("four problems");
        assert_eq!(problems.len(), 4, "{problems}");
    }
}
