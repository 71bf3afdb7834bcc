//! What a table's vectors are after they were kept in a form, as `docs/tables.md` states it.

use super::rounding::{rounded, value_of};

/// The lanes as they are read out again; the lanes given are float32 values that the form can keep.
pub fn kept(lanes: &[f64], form: &str) -> Vec<f64> {
    match form {
        "int8" => int8(lanes),
        "binary" => lanes.iter().map(|&lane| if lane > 0.0 { 1.0 } else { -1.0 }).collect(),
        "float16" | "bfloat16" => lanes.iter().map(|&lane| value_of(&rounded(lane, form), form)).collect(),
        _ => lanes.to_vec(),
    }
}

/// Whether the form can keep the lanes.
pub fn can_keep(lanes: &[f64], form: &str) -> bool {
    match form {
        "int8" => lanes.iter().all(|lane| lane.is_finite()),
        "binary" => !lanes.iter().any(|lane| lane.is_nan()),
        "float16" => lanes.iter().all(|lane| !lane.is_finite() || lane.abs() < 65_520.0),
        _ => true,
    }
}

fn int8(lanes: &[f64]) -> Vec<f64> {
    let lanes: Vec<f32> = lanes.iter().map(|&lane| lane as f32).collect();
    let least = lanes.iter().copied().reduce(f32::min).expect("a lane");
    let most = lanes.iter().copied().reduce(f32::max).expect("a lane");
    let scale = (most - least) / 255.0;
    let code =
        |lane: f32| if scale == 0.0 { 0.0 } else { ((lane - least) / scale).round_ties_even().min(255.0) };
    lanes.iter().map(|&lane| f64::from(least + scale * code(lane))).collect()
}
