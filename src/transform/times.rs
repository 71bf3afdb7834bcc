//! Inputs that are points in time.

use crate::{
    batch::{
        Element, Type,
        time::{Time, TimeUnit},
    },
    problem::Problems,
};

/// Whether it is a scalar that can be a point in time: a timestamp, a date, or an int64 whose unit the operation states.
pub fn is_point(of: Type) -> bool {
    let point = matches!(of.element, Element::Int64 | Element::Time(Time::Timestamp(_) | Time::Date));
    point && of.width.is_none()
}

/// Notes inputs that count another unit than the operation states.
pub fn check_unit(inputs: &[Type], unit: TimeUnit, problems: &mut Problems) {
    for (position, input) in inputs.iter().enumerate() {
        let is_first = inputs[..position].iter().all(|other| other.element != input.element);
        if let Some(time) = input.element.time().filter(|time| is_first && time.unit() != unit) {
            let (stated, counted) = (unit.name(), time.unit().name());
            problems.add("unit", format!("is {stated}; its input is {input}, which counts {counted}"));
        }
    }
}
