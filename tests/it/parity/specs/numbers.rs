//! Random steps over numbers.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{FLOAT, Kind, per_lane, pick};

pub fn step(rng: &mut ChaCha8Rng, kind: Kind) -> Option<(Value, Kind)> {
    match (kind.element, kind.width) {
        ("string", _) => None,
        ("float64", None) if rng.random_bool(0.5) => Some(scalar(rng, kind)),
        ("float64", Some(width)) if rng.random_bool(0.5) => Some(vector(rng, kind, width)),
        ("float64", _) => Some(any(rng, kind)),
        _ => Some(cast(rng, kind)),
    }
}

/// The distance of two vectors.
pub fn join(rng: &mut ChaCha8Rng, readable: &[(String, Kind)]) -> Option<(Value, Kind)> {
    let vectors: Vec<_> = readable.iter().filter(|(_, kind)| kind.width.is_some() && !kind.list).collect();
    let (one, kind) = vectors[rng.random_range(0..vectors.len())];
    let others: Vec<_> = vectors.iter().filter(|(_, other)| other.width == kind.width).collect();
    let (other, _) = others[rng.random_range(0..others.len())];
    let metric = pick(rng, &["euclidean", "squared_euclidean", "manhattan"]);
    Some((json!({"inputs": [one, other], "steps": [{"op": "distance", "metric": metric}]}), FLOAT))
}

fn cast(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let to = match kind.element {
        "int64" => pick(rng, &["float32", "string"]),
        _ => pick(rng, &["float32", "int64", "string"]),
    };
    let element = match to {
        "float32" => "float64",
        "int64" => "int64",
        _ => "string",
    };
    (json!({"op": "cast", "to": to}), Kind { element, ..kind })
}

/// Steps for scalars and vectors alike.
fn any(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let undefined = pick(rng, &["ieee", "null"]);
    let step = match rng.random_range(0..6) {
        0 => json!({"op": "cast", "to": "float32"}),
        1 | 2 => json!({"op": "math", "function": pick(rng, &FUNCTIONS), "undefined": undefined}),
        3 => {
            let base = pick(rng, &["e", "2", "10"]);
            let mut step = json!({"op": "log", "base": base, "offset": rng.random_range(-1.0..2.0),
                "threshold": "none"});
            if rng.random_bool(0.5) {
                step["threshold"] = json!(rng.random_range(-0.5..1.0));
                step["below"] = json!(rng.random_range(-3.0..0.0));
            }
            step
        }
        4 => json!({"op": "binarize", "threshold": per_lane(rng, kind, -1.0..1.0),
            "nan": pick(rng, &["keep", "zero"])}),
        _ => {
            let lambda = if rng.random_bool(0.3) {
                json!(rng.random_range(0..3))
            } else {
                per_lane(rng, kind, -2.0..3.0)
            };
            json!({"op": "power", "method": pick(rng, &["yeo_johnson", "box_cox"]), "lambda": lambda,
                "form": pick(rng, &["expm1", "power", "power_float32"]), "undefined": undefined})
        }
    };
    (step, kind)
}

const FUNCTIONS: [&str; 34] = [
    "abs",
    "negate",
    "sign",
    "square",
    "sqrt",
    "cbrt",
    "reciprocal",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "sigmoid",
    "logit",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "floor",
    "ceil",
    "trunc",
    "round_half_even",
    "round_half_away",
    "degrees",
    "radians",
];

fn scalar(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let step = match rng.random_range(0..6) {
        0 => return (json!({"op": "cast", "to": "int64"}), Kind { element: "int64", ..kind }),
        1 => quantile(rng),
        2 => {
            let edges = sorted(rng, 6, true);
            json!({"op": "rank", "edges": edges, "side": pick(rng, &["left", "right"]),
                "nan": pick(rng, &["null", "keep"])})
        }
        3 => {
            let values: Vec<f64> = (0..5).map(|_| rng.random_range(-2.0..2.0)).collect();
            json!({"op": "interpolate", "knots": sorted(rng, 5, false), "values": values,
                "outside": pick(rng, &["clamp", "extrapolate", "null"])})
        }
        4 => return spline(rng, kind),
        _ => {
            let powers = [[0], [1], [2], [5]];
            let step = json!({"op": "polynomial", "powers": powers[..rng.random_range(1..5)]});
            let width = step["powers"].as_array().map(Vec::len);
            return (step, Kind { width, ..kind });
        }
    };
    (step, kind)
}

/// Numbers in order around those that tables and requests hold, some of them several times where that is `repeated`.
fn sorted(rng: &mut ChaCha8Rng, count: usize, repeated: bool) -> Vec<f64> {
    let mut last = -2.0;
    let mut next = || {
        if !(repeated && rng.random_bool(0.3)) {
            last += if rng.random_bool(0.5) { 0.5 } else { rng.random_range(0.1..1.5) };
        }
        last
    };
    (0..count).map(|_| next()).collect()
}

fn quantile(rng: &mut ChaCha8Rng) -> Value {
    let count = rng.random_range(1..9);
    let references: Vec<f64> =
        (0..count).map(|place| f64::from(place) / f64::from(count.max(2) - 1)).collect();
    let distribution = pick(rng, &["uniform", "normal"]);
    json!({"op": "quantile", "quantiles": sorted(rng, references.len(), true), "references": references,
        "distribution": distribution, "precision": pick(rng, &["float64", "float32"])})
}

fn spline(rng: &mut ChaCha8Rng, kind: Kind) -> (Value, Kind) {
    let extrapolation = pick(rng, &["error", "constant", "linear", "continue", "periodic"]);
    let (degree, bias) = (rng.random_range(0..4), rng.random_bool(0.5));
    let splines = degree + rng.random_range(2..5);
    let repeated = if extrapolation == "periodic" { degree } else { 0 };
    let step = json!({"op": "spline", "knots": sorted(rng, splines + repeated + degree + 1, false),
        "degree": degree, "splines": splines, "extrapolation": extrapolation, "include_bias": bias,
        "nan": pick(rng, &["keep", "zeros"])});
    (step, Kind { width: Some(if bias { splines } else { splines - 1 }), ..kind })
}

fn vector(rng: &mut ChaCha8Rng, kind: Kind, width: usize) -> (Value, Kind) {
    let lane = |rng: &mut ChaCha8Rng| rng.random_range(0..width);
    match rng.random_range(0..4) {
        0 => (json!({"op": "lane", "lane": lane(rng)}), Kind { width: None, ..kind }),
        1 => {
            let lanes: Vec<usize> = (0..rng.random_range(1..6)).map(|_| lane(rng)).collect();
            let width = Some(lanes.len());
            (json!({"op": "lanes", "lanes": lanes}), Kind { width, ..kind })
        }
        2 => {
            // All exponents of a power come to 100 at most.
            let mut exponent = |lane: usize| if lane < 50 { rng.random_range(0..3) } else { 0 };
            let mut row = || (0..width).map(&mut exponent).collect::<Vec<u32>>();
            let powers: Vec<Vec<u32>> = (0..5).map(|_| row()).collect();
            (json!({"op": "polynomial", "powers": powers}), Kind { width: Some(5), ..kind })
        }
        _ => {
            let rows = rng.random_range(1..5);
            let mut row = || (0..width).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f64>>();
            let matrix: Vec<Vec<f64>> = (0..rows).map(|_| row()).collect();
            let after = Kind { width: Some(rows), ..kind };
            let center = per_lane(rng, kind, -1.0..1.0);
            let step = json!({"op": "project", "matrix": matrix, "center": center,
                "offset": per_lane(rng, after, -1.0..1.0), "scale": per_lane(rng, after, 0.5..2.0)});
            (step, after)
        }
    }
}
