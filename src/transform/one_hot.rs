//! One-hot encoding: one column for each category.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    parameters::{Category, List},
    single,
    vocabulary::{UNKNOWN, Vocabulary},
};
use crate::{
    batch::{Column, Element, Mark, NO_SLOT, Type},
    problem::Problems,
};

/// A vector of zeros with a one at the category's column, as scikit-learn's OneHotEncoder. The columns are those of the
/// categories in order, then one for null where `null` says so, then one for all infrequent categories where there are
/// any, less the dropped one. Among floats "nan" is a category, and all NaNs are it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneHot {
    /// The categories with a column of their own; of the input's type, each once.
    pub categories: List<Category>,
    /// The categories that share the last column; empty for no such column.
    pub infrequent: List<Category>,
    /// Which column is left out, so that its categories are all zeros.
    pub drop: Drop,
    /// The result for a category in neither list; its status reports it.
    pub unknown: Hot,
    /// The result for null.
    pub null: NullHot,
}

/// The column that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drop {
    None,
    /// The column at this position, as scikit-learn's `drop_idx_`.
    Position(usize),
}

/// What stands for null.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NullHot {
    /// All zeros.
    Zeros,
    /// A one in the column of infrequent categories.
    Infrequent,
    /// A one in a column of its own.
    Column,
    Null,
}

/// What stands for an unknown category.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hot {
    /// All zeros.
    Zeros,
    /// A one in the column of infrequent categories.
    Infrequent,
    Null,
}

impl Operation for OneHot {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let input = single(inputs)?;
        let mut problems = Problems::none();
        if input.width.is_some() {
            problems.add("", format!("takes a scalar, its input is {input}"));
        }
        let vocabulary = Vocabulary::new(self.all_categories(), input.element, &mut problems);
        let columns = self.infrequent_column() + usize::from(!self.infrequent.0.is_empty());
        if let Drop::Position(position) = self.drop
            && position >= columns
        {
            problems.add("drop", format!("is position {position} of {columns} columns"));
        }
        let width = columns - usize::from(self.drop != Drop::None).min(columns);
        if width == 0 {
            problems.add("categories", "leave no column");
        }
        let to_infrequent =
            [("unknown", self.unknown == Hot::Infrequent), ("null", self.null == NullHot::Infrequent)];
        for (field, _) in to_infrequent.iter().filter(|(_, to)| *to && self.infrequent.0.is_empty()) {
            problems.add(*field, "there are no infrequent categories");
        }
        problems.or(())?;
        let nullable = self.unknown == Hot::Null || (input.nullable && self.null == NullHot::Null);
        let output = Type { element: Element::Float64, width: Some(width), nullable, ..input };
        Ok(Compiled { lane_names: self.lane_names(), ..Compiled::new(output, self.kernel(vocabulary)) })
    }
}

impl OneHot {
    fn all_categories(&self) -> impl Iterator<Item = (String, &Category)> {
        self.categories.with_places("categories").chain(self.infrequent.with_places("infrequent"))
    }

    /// The columns before that of infrequent categories.
    fn infrequent_column(&self) -> usize {
        self.categories.0.len() + usize::from(self.null == NullHot::Column)
    }

    fn lane_names(&self) -> Vec<String> {
        let null = (self.null == NullHot::Column).then(|| "null".to_owned());
        let infrequent = (!self.infrequent.0.is_empty()).then(|| "infrequent".to_owned());
        let mut names: Vec<String> =
            self.categories.0.iter().map(Category::to_string).chain(null).chain(infrequent).collect();
        if let Drop::Position(position) = self.drop {
            names.remove(position);
        }
        names
    }

    fn kernel(&self, vocabulary: Vocabulary) -> OneHotKernel {
        let (count, last) = (self.categories.0.len() as u32, self.infrequent_column() as u32);
        let slot = |column: u32| match self.drop {
            Drop::Position(dropped) if column as usize == dropped => NO_SLOT,
            Drop::Position(dropped) if column as usize > dropped => column - 1,
            _ => column,
        };
        let slots: Vec<u32> = (0..count).chain(self.infrequent.0.iter().map(|_| last)).map(slot).collect();
        let same = slots.iter().zip(0..).all(|(&slot, position)| slot == position);
        let slots = (!same).then_some(slots);
        let unknown = match self.unknown {
            Hot::Zeros => Some(NO_SLOT),
            Hot::Infrequent => Some(slot(last)),
            Hot::Null => None,
        };
        let null = match self.null {
            NullHot::Zeros => Some(NO_SLOT),
            NullHot::Infrequent => Some(slot(last)),
            NullHot::Column => Some(slot(count)),
            NullHot::Null => None,
        };
        OneHotKernel { vocabulary, slots, unknown, null }
    }
}

#[derive(Debug)]
struct OneHotKernel {
    vocabulary: Vocabulary,
    /// For each position of the vocabulary.
    slots: Option<Vec<u32>>,
    /// The slot of unknown categories, or none where the result is null.
    unknown: Option<u32>,
    /// The slot of null, likewise.
    null: Option<u32>,
}

/// The slot and the mark of a value without a category's column, from its mark so far.
fn stand_in(slot: Option<u32>, mark: Mark) -> (u32, Mark) {
    match slot {
        Some(slot) => (slot, mark.filled()),
        None => (NO_SLOT, mark.nulled()),
    }
}

impl Kernel for OneHotKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let (slots, marks) = out.one_hot_mut();
        slots.resize(inputs[0].marks.len(), UNKNOWN);
        self.vocabulary.find(&inputs[0].values, 0, slots);
        marks.extend_from_slice(&inputs[0].marks);
        match &self.slots {
            None => self.settle(slots, marks, |position| position),
            Some(slots_of) => self
                .settle(slots, marks, |position| slots_of.get(position as usize).copied().unwrap_or(NO_SLOT)),
        }
    }
}

impl OneHotKernel {
    /// Makes slots of positions, and marks what is unknown.
    ///
    /// Without branches: nulls and unknown categories come too seldom to wait for and too often to be predicted.
    #[inline]
    fn settle(&self, slots: &mut [u32], marks: &mut [Mark], slot_of: impl Fn(u32) -> u32) {
        for (slot, mark) in slots.iter_mut().zip(marks) {
            let (null, unknown) = (mark.is_null(), *slot == UNKNOWN);
            let of_null = stand_in(self.null, *mark);
            let of_unknown = stand_in(self.unknown, *mark | Mark::UNKNOWN_CATEGORY);
            let of_known = (slot_of(*slot), *mark);
            let of_value = if unknown { of_unknown } else { of_known };
            (*slot, *mark) = if null { of_null } else { of_value };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::{Strings, Values},
        transform::check,
    };

    fn strings(texts: &[&str]) -> List<Category> {
        List(texts.iter().map(|text| Category::String((*text).to_owned())).collect())
    }

    /// The slots and marks of "a", "b", "rare", "new" and a null.
    fn run(one_hot: &OneHot) -> (Vec<u32>, Vec<Mark>) {
        let compiled = one_hot.compile(&[Type::scalar(Element::String)]).expect("good");
        let values = Values::String(Strings::from_values(["a", "b", "rare", "new", ""]));
        let mut marks = vec![Mark::PRESENT; 5];
        marks[4] = Mark::NULL;
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[&Column { values, marks, list: None }], &mut out);
        match out.values {
            Values::OneHot(slots) => (slots, out.marks),
            other => panic!("{other:?}"),
        }
    }

    fn one_hot(drop: Drop, unknown: Hot, null: NullHot) -> OneHot {
        OneHot { categories: strings(&["a", "b"]), infrequent: strings(&["rare"]), drop, unknown, null }
    }

    #[test]
    fn infrequent_categories_share_the_last_column() {
        let (slots, marks) = run(&one_hot(Drop::None, Hot::Infrequent, NullHot::Zeros));
        assert_eq!(slots, [0, 1, 2, 2, NO_SLOT]);
        assert_eq!(marks[2..], [Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL.filled()]);
    }

    #[test]
    fn a_dropped_column_moves_the_others() {
        let dropped = one_hot(Drop::Position(0), Hot::Zeros, NullHot::Null);
        let (slots, marks) = run(&dropped);
        assert_eq!(slots, [NO_SLOT, 0, 1, NO_SLOT, NO_SLOT]);
        assert_eq!(marks[4], Mark::NULL);
        let compiled = dropped.compile(&[Type::scalar(Element::String)]).expect("good");
        assert_eq!(compiled.lane_names, ["b", "infrequent"]);
        assert_eq!(compiled.output.width, Some(2));
    }

    #[test]
    fn null_has_a_column_before_the_infrequent_one() {
        let with_null = one_hot(Drop::None, Hot::Zeros, NullHot::Column);
        let (slots, marks) = run(&with_null);
        assert_eq!(slots, [0, 1, 3, NO_SLOT, 2]);
        assert_eq!(marks[4], Mark::NULL.filled());
        let compiled = with_null.compile(&[Type::scalar(Element::String)]).expect("good");
        assert_eq!(compiled.lane_names, ["a", "b", "null", "infrequent"]);
        assert_eq!(
            run(&one_hot(Drop::Position(2), Hot::Zeros, NullHot::Column)).0,
            [0, 1, 2, NO_SLOT, NO_SLOT]
        );
    }

    #[test]
    fn nan_is_a_category_of_floats() {
        let categories = List(vec![Category::Float64(0.5), Category::String("nan".into())]);
        let one_hot =
            OneHot { categories, infrequent: strings(&[]), ..one_hot(Drop::None, Hot::Zeros, NullHot::Null) };
        let out = check::run_float(&one_hot, &[Some(f64::NAN), Some(0.5), Some(1.0), None]);
        match out.values {
            Values::OneHot(slots) => assert_eq!(slots, [1, 0, NO_SLOT, NO_SLOT]),
            other => panic!("{other:?}"),
        }
        assert_eq!(out.marks, [Mark::PRESENT, Mark::PRESENT, Mark::UNKNOWN_CATEGORY, Mark::NULL]);
    }

    #[test]
    fn every_bad_parameter_is_told() {
        let bad = OneHot {
            infrequent: strings(&[]),
            ..one_hot(Drop::Position(2), Hot::Infrequent, NullHot::Infrequent)
        };
        let problems = bad.compile(&[Type::scalar(Element::String)]).expect_err("three problems");
        assert_eq!(problems.len(), 3, "{problems}");
    }
}
