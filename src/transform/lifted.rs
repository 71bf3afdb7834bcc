//! Operations over single values, done for each element of lists.

use super::{
    Compiled, Derived, Kernel, Operation,
    pairs::{list_rows, row_step},
};
use crate::{
    batch::{Column, ListRows, Mark, Type},
    problem::Problems,
};

/// Compiles an operation for its inputs; where there are lists among them that it takes the elements of, for these.
pub fn compile(operation: &impl Operation, inputs: &[Type]) -> Result<Compiled, Problems> {
    if inputs.iter().all(|of| !of.list) || !operation.takes_elements(inputs) {
        return operation.compile(inputs);
    }
    let several = inputs.iter().filter(|of| of.list).count() > 1;
    // Where a list is shorter than another, nulls are beside the other's last elements.
    let element = |of: &Type| Type { list: false, nullable: of.nullable || (several && of.list), ..*of };
    let elements: Vec<Type> = inputs.iter().map(element).collect();
    let Ok(compiled) = operation.compile(&elements) else {
        // Problems name the types as they are.
        return operation.compile(inputs);
    };
    // A part reads inputs and parts before it.
    let (mut read, mut lists) = (elements, inputs.iter().map(|of| of.list).collect::<Vec<bool>>());
    let mut derived = Vec::with_capacity(compiled.derived.len());
    for part in compiled.derived {
        let of_part: Vec<Type> = part.reads.iter().map(|&at| read[at]).collect();
        let listed = part.reads.iter().any(|&at| lists[at]);
        read.push(part.compiled.output);
        lists.push(listed);
        derived.push(if listed { Derived { compiled: lift(part.compiled, of_part), ..part } } else { part });
    }
    let reads = compiled.reads.unwrap_or_else(|| (0..read.len()).collect());
    let of_whole = reads.iter().map(|&at| read[at]).collect();
    Ok(lift(Compiled { derived, reads: Some(reads), ..compiled }, of_whole))
}

/// The same for lists of the elements that it was compiled for.
fn lift(compiled: Compiled, elements: Vec<Type>) -> Compiled {
    let nullable = compiled.output.nullable || elements.iter().any(|of| of.nullable);
    let output = compiled.output.listed().with_nullable(nullable);
    Compiled { output, kernel: Box::new(LiftedKernel { kernel: compiled.kernel, elements }), ..compiled }
}

/// A kernel over the elements of lists. A single value goes with each element of its row's lists.
#[derive(Debug)]
struct LiftedKernel {
    kernel: Box<dyn Kernel>,
    /// The types that the kernel was compiled for.
    elements: Vec<Type>,
}

impl Kernel for LiftedKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let rows = joined_lists(inputs);
        let count = *rows.offsets.last().unwrap_or(&0) as usize;
        let spread: Vec<Option<Column>> = inputs
            .iter()
            .zip(&self.elements)
            .map(|(input, &of)| (!self.fits(input, &rows)).then(|| spread(input, of, &rows)))
            .collect();
        let elements: Vec<&Column> =
            inputs.iter().zip(&spread).map(|(input, spread)| spread.as_ref().unwrap_or(input)).collect();
        if count == 0 {
            out.marks.clear();
            out.values = out.values.emptied();
        } else {
            self.kernel.run(&elements, out);
        }
        *out.list_mut() = rows;
    }

    fn gives_lists(&self) -> bool {
        true
    }

    fn takes_float32(&self) -> bool {
        self.kernel.takes_float32()
    }

    fn takes_single_rows(&self) -> bool {
        true
    }
}

impl LiftedKernel {
    /// Whether the kernel can read an input as it is: its elements are those of the joined lists, or it is a single
    /// row's value.
    fn fits(&self, input: &Column, rows: &ListRows) -> bool {
        match &input.list {
            Some(list) => list.offsets == rows.offsets,
            None => input.marks.len() == 1 && self.kernel.takes_single_rows(),
        }
    }
}

/// The lists of the results: as long as the longest of a row's lists, null where one of them is.
fn joined_lists(inputs: &[&Column]) -> ListRows {
    let count = list_rows(inputs);
    let lists: Vec<(&ListRows, usize)> =
        inputs.iter().filter_map(|input| input.list.as_ref().map(|list| (list, row_step(input)))).collect();
    let mut joined = ListRows { offsets: vec![0], marks: Vec::with_capacity(count) };
    let mut end = 0;
    for row in 0..count {
        let mark = lists.iter().fold(Mark::PRESENT, |mark, (list, step)| mark | list.marks[row * step]);
        if !mark.is_null() {
            end += lists.iter().map(|(list, step)| list.range(row * step).len()).max().unwrap_or(0);
        }
        joined.push(end, mark);
    }
    joined
}

/// The value of an input for each element of the joined lists: its own element, null beyond its end, or its row's
/// value.
fn spread(input: &Column, of: Type, rows: &ListRows) -> Column {
    let step = row_step(input);
    let mut positions = Vec::new();
    let mut beyond = Vec::new();
    for row in 0..rows.marks.len() {
        let length = rows.range(row).len();
        match &input.list {
            Some(list) => {
                let own = list.range(row * step);
                positions.extend(own.clone().take(length).map(|at| at as u32));
                let missing = positions.len()..positions.len() + length.saturating_sub(own.len());
                positions.extend(missing.clone().map(|_| 0));
                beyond.extend(missing);
            }
            None => positions.extend(std::iter::repeat_n((row * step) as u32, length)),
        }
    }
    let mut values = Column::new(of);
    if input.marks.is_empty() {
        values.fill_null(of.lanes(), positions.len(), Mark::NULL);
    } else {
        values.gather_values(input, of.lanes(), &positions);
        beyond.into_iter().for_each(|at: usize| values.marks[at] = Mark::NULL);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Element,
        transform::{
            arithmetic::{Arithmetic, Function},
            check::{floats, results, vectors},
            cosine::{Cosine, ZeroNorm},
        },
    };

    const FLOAT: Type = Type { element: Element::Float64, width: None, list: false, nullable: true };

    fn lists(values: Column, offsets: &[u32], marks: &[Mark]) -> Column {
        Column { list: Some(ListRows { offsets: offsets.to_vec(), marks: marks.to_vec() }), ..values }
    }

    fn run(compiled: &Compiled, inputs: &[&Column]) -> Column {
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(inputs, &mut out);
        out
    }

    fn sum() -> Arithmetic {
        Arithmetic { function: Function::Add, zero_division: None }
    }

    #[test]
    fn a_rows_value_goes_with_each_element() {
        let compiled = compile(&sum(), &[FLOAT.listed(), FLOAT]).expect("good");
        assert_eq!(compiled.output, FLOAT.listed());
        let list = lists(
            floats(&[Some(1.0), None, Some(3.0)]),
            &[0, 2, 2, 2, 3],
            &[Mark::PRESENT, Mark::PRESENT, Mark::KEY_NOT_FOUND, Mark::PRESENT],
        );
        let each = run(&compiled, &[&list, &floats(&[Some(10.0), Some(20.0), Some(30.0), Some(40.0)])]);
        assert_eq!(results(&each), [Some(11.0), None, Some(43.0)]);
        assert_eq!(each.list, list.list);
        let single = run(&compiled, &[&list, &floats(&[Some(10.0)])]);
        assert_eq!(results(&single), [Some(11.0), None, Some(13.0)]);
    }

    #[test]
    fn a_shorter_list_ends_in_nulls_and_a_null_list_makes_null() {
        let compiled = compile(&sum(), &[FLOAT.listed().with_nullable(false); 2]).expect("good");
        assert!(compiled.output.nullable);
        let present = [Mark::PRESENT; 3];
        let one = lists(floats(&[Some(1.0), Some(2.0), Some(3.0)]), &[0, 2, 2, 3], &present);
        let marks = [Mark::PRESENT, Mark::PRESENT, Mark::KEY_NOT_FOUND];
        let other = lists(floats(&[Some(10.0), Some(20.0)]), &[0, 1, 2, 2], &marks);
        let out = run(&compiled, &[&one, &other]);
        assert_eq!(results(&out), [Some(11.0), None, None]);
        assert_eq!(out.list, Some(ListRows { offsets: vec![0, 2, 3, 3], marks: marks.to_vec() }));
        let none = lists(floats(&[]), &[0, 0, 0, 0], &present);
        assert_eq!(results(&run(&compiled, &[&one, &none])), [None; 3]);
    }

    #[test]
    fn parts_are_lifted_too() {
        let vector = Type::vector(2);
        let cosine = Cosine { zero_norm: ZeroNorm::Zero };
        let Compiled { derived, reads, output, .. } =
            compile(&cosine, &[vector.listed(), vector]).expect("good");
        let of_parts: Vec<bool> = derived.iter().map(|part| part.compiled.output.list).collect();
        assert_eq!((of_parts, reads), (vec![true, false, true], Some(vec![2, 3, 4])));
        assert_eq!(output, FLOAT.listed());
        let history = lists(vectors(2, &[3.0, 4.0, 0.0, 0.0]), &[0, 2], &[Mark::PRESENT]);
        assert_eq!(run(&derived[0].compiled, &[&history]).float64(), [5.0, 0.0]);
    }

    #[test]
    fn problems_name_the_types_as_they_are() {
        let problems =
            compile(&sum(), &[FLOAT.listed(), Type::scalar(Element::String)]).expect_err("a string");
        assert!(problems.to_string().contains("list<float64>"), "{problems}");
    }
}
