//! Multi-hot encoding: a list of categories to one vector with a lane for each, as CountVectorizer and
//! MultiLabelBinarizer do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation, SPARSE_FROM,
    parameters::{Category, List},
    vocabulary::{UNKNOWN, Vocabulary},
    weighted::{NullVector, WIDTH_LIMIT, Weighted, values_and_weights},
};
use crate::{
    batch::{Column, Mark, Type},
    problem::Problems,
};

/// A vector with a lane for each category: whether, how often or with which weight it is in the list. Takes a list of
/// categories, or a single one, and for "sum" a second input, their weights: a list of float64, or a single one.
///
/// Null elements, and those whose weight is null or missing because the list of weights is shorter, are passed over;
/// the status reports them. An empty list gives zeros. NaN and infinite weights are added as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MultiHot {
    /// The categories in the order of the lanes; of the input's type, each once.
    pub categories: List<Category>,
    /// The number in a category's lane.
    pub weighting: Weighting,
    /// How an element outside of `categories` is treated; the status reports it.
    pub unknown: UnknownElement,
    /// The result for a null list or value, or for null weights.
    pub null: NullVector,
}

/// The number in the lane of a category.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weighting {
    /// 1 where it is in the list, else 0.
    Binary,
    /// How often it is in the list.
    Count,
    /// `ln(count) + 1`, and 0 where it is not in the list: scikit-learn's `sublinear_tf`.
    LogCount,
    /// The sum of its weights, in the order of the list; exactly where weights are given.
    Sum,
}

/// The effect of an unknown element.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownElement {
    /// It is passed over.
    Ignore,
    /// The whole vector is null.
    Null,
}

impl Operation for MultiHot {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let (input, weighted) = values_and_weights(inputs)?;
        let mut problems = Problems::none();
        let categories = self.categories.with_places("categories");
        let vocabulary = Vocabulary::new(categories, input.element, &mut problems);
        let width = self.categories.0.len();
        if width == 0 || width > WIDTH_LIMIT {
            problems.add("categories", format!("are {width}, must be from 1 to {WIDTH_LIMIT}"));
        }
        match (weighted, self.weighting == Weighting::Sum) {
            (true, false) => problems.add("weighting", "must be \"sum\" where weights are given"),
            (false, true) => problems.add("weighting", "is \"sum\", which takes weights as a second input"),
            _ => {}
        }
        problems.or(())?;
        let null = inputs.iter().any(|input| input.nullable) && self.null == NullVector::Null;
        let output = Type::vector(width).with_nullable(null || self.unknown == UnknownElement::Null);
        let Self { weighting, unknown, null, .. } = *self;
        let lane_names = self.categories.0.iter().map(Category::to_string).collect();
        let kernel = MultiHotKernel { vocabulary, width, weighting, unknown, null };
        Ok(Compiled { lane_names, ..Compiled::new(output, kernel) })
    }
}

#[derive(Debug)]
struct MultiHotKernel {
    vocabulary: Vocabulary,
    width: usize,
    weighting: Weighting,
    unknown: UnknownElement,
    null: NullVector,
}

impl Kernel for MultiHotKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let mut positions = vec![UNKNOWN; inputs[0].marks.len()];
        self.vocabulary.find(&inputs[0].values, 0, &mut positions);
        let weighted = Weighted::new(inputs);
        if self.width >= SPARSE_FROM {
            return self.run_sparse(weighted, &positions, inputs[0].rows(), out);
        }
        let (values, marks) = out.float64_mut();
        values.resize(inputs[0].rows() * self.width, 0.0);
        for (row, lanes) in values.chunks_exact_mut(self.width).enumerate() {
            let mut unknown = false;
            let mark =
                weighted.each(row, |element, weight| match lanes.get_mut(positions[element] as usize) {
                    Some(lane) if self.weighting == Weighting::Binary => *lane = 1.0,
                    Some(lane) => *lane += weight,
                    None => unknown = true,
                });
            if self.weighting == Weighting::LogCount {
                lanes.iter_mut().for_each(|lane| *lane = damped(*lane));
            }
            marks.push(self.result_mark(mark, unknown));
        }
    }
}

impl MultiHotKernel {
    fn run_sparse(&self, weighted: Weighted<'_>, positions: &[u32], rows: usize, out: &mut Column) {
        let (vectors, marks) = out.sparse_mut();
        let mut entries = Vec::new();
        for row in 0..rows {
            let mut unknown = false;
            let mark = weighted.each(row, |element, weight| match positions[element] {
                UNKNOWN => unknown = true,
                position => entries.push((position, weight)),
            });
            vectors.push_summed(&mut entries);
            match self.weighting {
                Weighting::Binary => vectors.map_last(|_| 1.0),
                Weighting::LogCount => vectors.map_last(damped),
                Weighting::Count | Weighting::Sum => {}
            }
            marks.push(self.result_mark(mark, unknown));
        }
    }

    fn result_mark(&self, mark: Mark, unknown: bool) -> Mark {
        let mark = if self.null == NullVector::Zeros { mark.filled() } else { mark };
        match (unknown, self.unknown) {
            (false, _) => mark,
            (true, UnknownElement::Ignore) => mark | Mark::UNKNOWN_CATEGORY,
            (true, UnknownElement::Null) => mark | Mark::UNKNOWN_CATEGORY.nulled(),
        }
    }
}

/// `ln(count) + 1`, and 0 for 0.
fn damped(count: f64) -> f64 {
    if count > 0.0 { count.ln() + 1.0 } else { count }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Element, ListRows, Strings, Values},
        transform::check::floats,
    };

    fn multi_hot(weighting: Weighting, unknown: UnknownElement, null: NullVector) -> MultiHot {
        let categories = List(["a", "b"].map(|text| Category::String(text.into())).to_vec());
        MultiHot { categories, weighting, unknown, null }
    }

    fn rows(offsets: &[u32], last: Mark) -> Option<ListRows> {
        let mut marks = vec![Mark::PRESENT; offsets.len() - 1];
        marks.pop();
        marks.push(last);
        Some(ListRows { offsets: offsets.to_vec(), marks })
    }

    /// Of [b, a, b, null], [], [a, new] and a null list.
    fn run(of: &MultiHot) -> Column {
        let compiled = of.compile(&[Type::scalar(Element::String).listed()]).expect("good");
        let values = Values::String(Strings::from_values(["b", "a", "b", "a", "a", "new"]));
        let mut marks = vec![Mark::PRESENT; 6];
        marks[3] = Mark::NULL;
        let input = Column { values, marks, list: rows(&[0, 4, 4, 6, 6], Mark::NULL) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&input], &mut out);
        out
    }

    #[test]
    fn elements_are_seen_counted_and_damped() {
        let of = |weighting| {
            let out = run(&multi_hot(weighting, UnknownElement::Ignore, NullVector::Zeros));
            let statuses = [Mark::NULL.filled(), Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL.filled()];
            assert_eq!(out.marks, statuses);
            out.float64().to_vec()
        };
        assert_eq!(of(Weighting::Binary), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(of(Weighting::Count), [1.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(of(Weighting::LogCount)[..2], [1.0, 2_f64.ln() + 1.0]);
    }

    #[test]
    fn nulls_and_unknown_elements_spoil_as_told() {
        let out = run(&multi_hot(Weighting::Count, UnknownElement::Null, NullVector::Null));
        assert_eq!(out.marks[2..], [Mark::UNKNOWN_CATEGORY.nulled(), Mark::NULL]);
    }

    #[test]
    fn weights_add_up() {
        let of = multi_hot(Weighting::Sum, UnknownElement::Ignore, NullVector::Null);
        let types = [Type::scalar(Element::String).listed(), Type::scalar(Element::Float64).listed()];
        let compiled = of.compile(&types).expect("good");
        let values = Values::String(Strings::from_values(["b", "a", "b", "b"]));
        let texts = Column { values, marks: vec![Mark::PRESENT; 4], list: rows(&[0, 3, 4], Mark::PRESENT) };
        let weights = [Some(0.5), Some(-1.0), Some(0.25)];
        let weights = Column { list: rows(&[0, 3, 3], Mark::NULL), ..floats(&weights) };
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&texts, &weights], &mut out);
        assert_eq!(out.float64()[..2], [-1.0, 0.75]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL]);
        assert!(of.compile(&types[..1]).is_err());
        assert!(multi_hot(Weighting::Count, of.unknown, of.null).compile(&types).is_err());
    }

    #[test]
    fn a_single_category_is_a_list_of_one() {
        let compiled = multi_hot(Weighting::Count, UnknownElement::Ignore, NullVector::Null);
        let compiled = compiled.compile(&[Type::scalar(Element::String)]).expect("good");
        assert_eq!(compiled.lane_names, ["a", "b"]);
        let values = Values::String(Strings::from_values(["b", "a"]));
        let mut out = Column::new(compiled.output);
        compiled
            .kernel
            .run(&[&Column { values, marks: vec![Mark::PRESENT, Mark::NULL], list: None }], &mut out);
        assert_eq!(out.float64()[..2], [0.0, 1.0]);
        assert_eq!(out.marks, [Mark::PRESENT, Mark::NULL]);
    }
}
