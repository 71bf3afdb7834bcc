//! What operations take: one input or two, of the types that they compute with.

use crate::{
    batch::{Element, Type},
    problem::Problems,
};

/// The single input of an operation that takes just one.
pub fn single(inputs: &[Type]) -> Result<Type, Problems> {
    match inputs {
        [input] => Ok(*input),
        _ => Err(Problems::one("", format!("takes one input, has {}", inputs.len()))),
    }
}

/// The single input of an operation over floats (scalars or vectors, lists of them elementwise).
pub fn single_float(inputs: &[Type]) -> Result<Type, Problems> {
    let input = single(inputs)?;
    if input.element == Element::Float64 {
        Ok(input)
    } else {
        Err(Problems::one(
            "",
            format!("takes float64, its input is {input}; a \"cast\" step makes it float64"),
        ))
    }
}

/// The single input of an operation over scalar floats (lists of them elementwise); what it is not is a problem.
pub fn single_scalar_float(inputs: &[Type], problems: &mut Problems) -> Type {
    match single_float(inputs) {
        Ok(input) => {
            if input.width.is_some() {
                problems.add("", format!("takes a scalar, its input is {input}"));
            }
            input
        }
        Err(found) => {
            problems.add_below("", found);
            Type::scalar(Element::Float64)
        }
    }
}

/// The single input of an operation over float vectors (lists of them elementwise).
pub fn single_vector(inputs: &[Type]) -> Result<Type, Problems> {
    let input = single_float(inputs)?;
    if input.width.is_some() {
        Ok(input)
    } else {
        Err(Problems::one("", format!("takes a vector, its input is {input}")))
    }
}

/// The width of two float vectors of one width, and the scalar that results from them.
pub fn two_vectors(inputs: &[Type]) -> Result<(usize, Type), Problems> {
    match inputs {
        [one, other]
            if one.element == Element::Float64
                && (one.element, one.width, one.list) == (other.element, other.width, false)
                && one.width.is_some() =>
        {
            let output = Type::scalar(Element::Float64).with_nullable(one.nullable || other.nullable);
            Ok((one.lanes(), output))
        }
        [one, other] => {
            let message = format!("takes two float64 vectors of one width, its inputs are {one} and {other}");
            Err(Problems::one("", message))
        }
        _ => Err(Problems::one("", format!("takes two inputs, has {}", inputs.len()))),
    }
}
