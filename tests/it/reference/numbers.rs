//! Operations over numbers, as their words say them.

use serde_json::Value;

use super::{
    Cell, Held, NULL, OUT_OF_RANGE, Plain,
    operations::{cell, clip, floats, lanes, lifted, like, map, number, sum},
};

pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let single: fn(&Value, &Cell) -> Cell = match step["op"].as_str().expect("an operation") {
        "cast" => cast,
        "standardize" => standardize,
        "min_max" => min_max,
        "max_abs" => |step, cell| lanes(cell, |lane, x| round(step, x / number(&step["scale"], lane))),
        "robust_scale" => |step, cell| {
            lanes(cell, |lane, x| {
                let centered = round(step, x - number(&step["center"], lane));
                round(step, centered / number(&step["scale"], lane))
            })
        },
        "math" => |step, cell| undefined(step, cell, |_, x| math(text(&step["function"]), x)),
        "log" => log,
        "binarize" => binarize,
        "quantile" => quantile,
        "power" => |step, cell| undefined(step, cell, |lane, x| power(step, lane, x)),
        "rank" => rank,
        "interpolate" => interpolate,
        "spline" => spline,
        "polynomial" => polynomial,
        "project" => project,
        "lane" => |step, cell| {
            map(cell, |value| Plain::Float(floats(value)[step["lane"].as_u64().expect("a lane") as usize]))
        },
        "lanes" => |step, cell| {
            map(cell, |value| {
                Plain::Vector(of_each(&step["lanes"], |lane| {
                    floats(value)[lane.as_u64().expect("a lane") as usize]
                }))
            })
        },
        "distance" => return Some(Held::One(distance(step, cell(&inputs[0]), cell(&inputs[1])))),
        _ => return None,
    };
    Some(lifted(&inputs[0], |cell| single(step, cell)))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn of_each(list: &Value, function: impl Fn(&Value) -> f64) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(function).collect()
}

fn numbers(list: &Value) -> Vec<f64> {
    of_each(list, |value| number(value, 0))
}

/// A result in the precision of the step.
fn round(step: &Value, x: f64) -> f64 {
    if step["precision"] == "float32" { f64::from(x as f32) } else { x }
}

fn cast(step: &Value, cell: &Cell) -> Cell {
    let Some(value) = &cell.value else { return cell.clone() };
    let to = text(&step["to"]);
    let integer = match value {
        Plain::Int(value) => Some(i128::from(*value)),
        Plain::Uint(value) => Some(i128::from(*value)),
        Plain::Bool(value) => Some(i128::from(*value)),
        _ => None,
    };
    let value = match (to, integer, value) {
        ("float64", Some(integer), _) => Some(Plain::Float(integer as f64)),
        ("float32", Some(integer), _) => Some(Plain::Float(f64::from(integer as f32))),
        ("float32", None, value) => {
            Some(like(value, floats(value).iter().map(|&x| f64::from(x as f32)).collect()))
        }
        ("int64", Some(integer), _) => i64::try_from(integer).ok().map(Plain::Int),
        ("int64", None, value) => {
            let x = floats(value)[0].trunc();
            (x.abs() < 1e30).then_some(x as i128).and_then(|x| i64::try_from(x).ok()).map(Plain::Int)
        }
        ("string", _, Plain::Bool(value)) => Some(Plain::Text(value.to_string())),
        ("string", Some(integer), _) => Some(Plain::Text(integer.to_string())),
        _ => panic!("no cast of {value:?}"),
    };
    let status = if value.is_none() { cell.status.max(NULL) } else { cell.status };
    Cell { value, status }
}

fn standardize(step: &Value, cell: &Cell) -> Cell {
    lanes(cell, |lane, x| {
        let (mean, scale) = (number(&step["mean"], lane), number(&step["scale"], lane));
        let centered = round(step, x - mean);
        round(
            step,
            match text(&step["form"]) {
                "divide" => centered / scale,
                "multiply" => centered * scale,
                _ => centered * round(step, 1.0 / scale),
            },
        )
    })
}

fn min_max(step: &Value, cell: &Cell) -> Cell {
    let scaled = lanes(cell, |lane, x| {
        let (scale, min) = (number(&step["scale"], lane), number(&step["min"], lane));
        let result = match text(&step["form"]) {
            "multiply_add" => round(step, x * scale) + min,
            "subtract_divide" => round(step, x - min) / scale,
            _ => round(step, x - min) * round(step, 1.0 / scale),
        };
        round(step, result)
    });
    if step["clip"] == "none" {
        return scaled;
    }
    clip(&scaled, |_| (number(&step["clip"][0], 0), number(&step["clip"][1], 0)))
}

/// Applies a function lane by lane; where the step says so, what is not finite though it comes of a finite value is
/// null.
fn undefined(step: &Value, cell: &Cell, function: impl Fn(usize, f64) -> f64) -> Cell {
    let result = lanes(cell, function);
    let (Some(before), Some(after)) = (&cell.value, &result.value) else { return result };
    let lost = floats(before).iter().zip(floats(after)).any(|(x, y)| x.is_finite() && !y.is_finite());
    if lost && step["undefined"] == "null" { Cell::null(cell.status.max(NULL)) } else { result }
}

fn math(function: &str, x: f64) -> f64 {
    match function {
        "abs" => x.abs(),
        "negate" => -x,
        "sign" if x == 0.0 => 0.0,
        "sign" => x.signum(),
        "square" => x * x,
        "sqrt" => x.sqrt(),
        "cbrt" => x.cbrt(),
        "reciprocal" => x.recip(),
        "exp" => x.exp(),
        "exp2" => x.exp2(),
        "expm1" => x.exp_m1(),
        "log" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "sigmoid" => 1.0 / (1.0 + (-x).exp()),
        "logit" if !(0.3..=0.65).contains(&x) => (x / (1.0 - x)).ln(),
        "logit" => (2.0 * (x - 0.5)).ln_1p() - (-(2.0 * (x - 0.5))).ln_1p(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "asinh" => x.asinh(),
        "acosh" => x.acosh(),
        "atanh" if x < 0.0 => -math(function, -x),
        "atanh" => 0.5 * (2.0 * x / (1.0 - x)).ln_1p(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "trunc" => x.trunc(),
        "round_half_even" => x.round_ties_even(),
        "round_half_away" => x.round(),
        "degrees" => x.to_degrees(),
        "radians" => x.to_radians(),
        other => panic!("no function {other}"),
    }
}

fn log(step: &Value, cell: &Cell) -> Cell {
    lanes(cell, |_, x| {
        let x = x + number(&step["offset"], 0);
        let everywhere = step["threshold"] == "none";
        match text(&step["base"]) {
            _ if !everywhere && (x.is_nan() || x <= number(&step["threshold"], 0)) => {
                number(&step["below"], 0)
            }
            "e" => x.ln(),
            "2" => x.log2(),
            _ => x.log10(),
        }
    })
}

fn binarize(step: &Value, cell: &Cell) -> Cell {
    lanes(cell, |lane, x| match x > number(&step["threshold"], lane) {
        _ if x.is_nan() && step["nan"] == "keep" => x,
        true => 1.0,
        false => 0.0,
    })
}

/// numpy's interp: the last knot that is not above decides.
fn interp(x: f64, knots: &[f64], values: &[f64]) -> f64 {
    let last = knots.len() - 1;
    match knots.iter().rposition(|&knot| knot <= x) {
        None => values[0],
        Some(at) if at == last => values[last],
        Some(at) if knots[at] == x => values[at],
        Some(at) => {
            let slope = (values[at + 1] - values[at]) / (knots[at + 1] - knots[at]);
            slope * (x - knots[at]) + values[at]
        }
    }
}

fn quantile(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Float(x)) = cell.value else { return cell.clone() };
    if x.is_nan() {
        return cell.clone();
    }
    let (quantiles, references) = (numbers(&step["quantiles"]), numbers(&step["references"]));
    let reverse = |numbers: &[f64]| numbers.iter().rev().map(|number| -number).collect::<Vec<f64>>();
    let forth = interp(x, &quantiles, &references);
    let back = interp(-x, &reverse(&quantiles), &reverse(&references));
    let float32 = step["precision"] == "float32";
    let round = |x: f64| if float32 { f64::from(x as f32) } else { x };
    let mut place = round(0.5 * (forth - back));
    let normal = step["distribution"] == "normal";
    let (first, last) = (quantiles[0], quantiles[quantiles.len() - 1]);
    if if normal { round(x + round(1e-7)) > last } else { x == last } {
        place = 1.0;
    }
    if if normal { round(x - round(1e-7)) < first } else { x == first } {
        place = 0.0;
    }
    let result =
        if normal { normal_quantile(place).clamp(-5.199337582605575, 5.19933758270342) } else { place };
    let status = if x < first || x > last { cell.status.max(OUT_OF_RANGE) } else { cell.status };
    Cell { value: Some(Plain::Float(round(result))), status }
}

/// By the rational functions of the Cephes library.
fn normal_quantile(y: f64) -> f64 {
    let e2 = 0.1353352832366127;
    let horner = |x: f64, first: f64, others: &[f64]| others.iter().fold(first, |sum, c| sum * x + c);
    if y <= 0.0 || y >= 1.0 {
        return if y <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let (y, sign) = if y > 1.0 - e2 { (1.0 - y, 1.0) } else { (y, -1.0) };
    if y > e2 {
        let w = y - 0.5;
        let p = horner(w * w, -59.96335010141079, &MIDDLE_P);
        let q = horner(w * w, 1.0, &MIDDLE_Q);
        return (w + w * (w * w * p / q)) * 2.5066282746310007;
    }
    let x = (-2.0 * y.ln()).sqrt();
    let z = 1.0 / x;
    // Places of quantiles are shares of few knots: nothing is as near to an end as exp(-32).
    assert!(x < 8.0);
    let fraction = z * horner(z, 4.0554489230596245, &TAIL_P) / horner(z, 1.0, &TAIL_Q);
    sign * (x - x.ln() / x - fraction)
}

const MIDDLE_P: [f64; 4] = [98.00107541859997, -56.67628574690703, 13.931260938727968, -1.2391658386738125];
const MIDDLE_Q: [f64; 8] = [
    1.9544885833814176,
    4.676279128988815,
    86.36024213908905,
    -225.46268785411937,
    200.26021238006066,
    -82.03722561683334,
    15.90562251262117,
    -1.1833162112133,
];
const TAIL_P: [f64; 8] = [
    31.525109459989388,
    57.16281922464213,
    44.08050738932008,
    14.684956192885803,
    2.1866330685079025,
    -0.1402560791713545,
    -0.03504246268278482,
    -0.0008574567851546854,
];
const TAIL_Q: [f64; 8] = [
    15.779988325646675,
    45.39076351288792,
    41.3172038254672,
    15.04253856929075,
    2.504649462083094,
    -0.14218292285478779,
    -0.03808064076915783,
    -0.0009332594808954574,
];

fn power(step: &Value, lane: usize, x: f64) -> f64 {
    let lambda = number(&step["lambda"], lane);
    let by_power = step["form"] != "expm1";
    let in_float32 = step["form"] == "power_float32" && step["method"] == "yeo_johnson";
    let round = |x: f64| if in_float32 { f64::from(x as f32) } else { x };
    if step["method"] == "box_cox" {
        let exponent = lambda * x.ln();
        return match lambda {
            0.0 => x.ln(),
            _ if by_power => (x.powf(lambda) - 1.0) / lambda,
            _ if exponent >= 709.78 => lambda.signum() * (exponent - lambda.abs().ln()).exp() - 1.0 / lambda,
            _ => exponent.exp_m1() / lambda,
        };
    }
    // Below 0 it is the negative of what 2 - lambda gives for the magnitude.
    let (lambda, x, sign) = if x >= 0.0 { (lambda, x, 1.0) } else { (2.0 - lambda, -x, -1.0) };
    let lambda = round(lambda);
    sign * match lambda {
        0.0 => round(x.ln_1p()),
        _ if by_power => round(round(round(round(x + 1.0).powf(lambda)) - 1.0) / lambda),
        _ => (lambda * x.ln_1p()).exp_m1() / lambda,
    }
}

fn rank(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Float(x)) = cell.value else { return cell.clone() };
    if x.is_nan() {
        return if step["nan"] == "null" { Cell::null(cell.status.max(NULL)) } else { cell.clone() };
    }
    let edges = numbers(&step["edges"]);
    let below = edges.iter().filter(|&&edge| edge < x || (edge == x && step["side"] == "right")).count();
    lanes(cell, |_, _| below as f64 / edges.len() as f64)
}

fn interpolate(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Float(x)) = cell.value else { return cell.clone() };
    let (knots, values) = (numbers(&step["knots"]), numbers(&step["values"]));
    let last = knots.len() - 1;
    let outside = x < knots[0] || x > knots[last];
    let status = cell.status.max(OUT_OF_RANGE);
    match text(&step["outside"]) {
        _ if x.is_nan() => cell.clone(),
        _ if !outside => lanes(cell, |_, x| interp(x, &knots, &values)),
        "null" => Cell::null(status),
        "clamp" => Cell { status, ..lanes(cell, |_, x| interp(x, &knots, &values)) },
        _ => lanes(cell, |_, x| {
            let at = if x < knots[0] { 0 } else { last - 1 };
            let slope = (values[at + 1] - values[at]) / (knots[at + 1] - knots[at]);
            slope * (x - knots[at]) + values[at]
        }),
    }
}

fn spline(step: &Value, cell: &Cell) -> Cell {
    let Some(Plain::Float(x)) = cell.value else { return cell.clone() };
    let (knots, extrapolation) = (numbers(&step["knots"]), text(&step["extrapolation"]));
    let degree = step["degree"].as_u64().expect("a degree") as usize;
    let count = step["splines"].as_u64().expect("splines") as usize;
    let (low, high) = (knots[degree], knots[knots.len() - 1 - degree]);
    let basis = |x: f64, slopes: bool| fold(all_splines(&knots, degree, x, slopes), count);
    let (outside, end) = (x < low || x > high, if x < low { low } else { high });
    // Of the outermost splines, as many as are not 0 at the end of the range.
    let outermost = |lane: usize, many: usize| if x < low { lane < many } else { lane + many >= count };
    let mut status = cell.status;
    let mut lanes = match extrapolation {
        _ if x.is_nan() && step["nan"] == "keep" => vec![f64::NAN; count],
        _ if x.is_nan() => vec![0.0; count],
        "periodic" => basis(low + floor_modulo(x - low, high - low), false),
        "continue" => basis(x, false),
        _ if !outside => basis(x, false),
        "error" => return Cell::null(status.max(OUT_OF_RANGE)),
        "constant" => {
            status = status.max(OUT_OF_RANGE);
            let values = basis(end, false).into_iter().enumerate();
            values.map(|(lane, value)| if outermost(lane, degree) { value } else { 0.0 }).collect()
        }
        _ => {
            let many = if degree < 2 { degree + 1 } else { degree };
            let lines = basis(end, false).into_iter().zip(basis(end, true)).enumerate();
            let line = |value: f64, slope: f64| value + (x - end) * slope;
            let line = |(lane, (value, slope))| if outermost(lane, many) { line(value, slope) } else { 0.0 };
            lines.map(line).collect()
        }
    };
    if step["include_bias"] == false {
        lanes.pop();
    }
    Cell { value: Some(Plain::Vector(lanes)), status }
}

fn floor_modulo(x: f64, period: f64) -> f64 {
    let rest = x % period;
    if rest < 0.0 { rest + period } else { rest }
}

/// Joins the splines beyond the count with those at the beginning; coefficients of 0 make NaN of what is not finite.
fn fold(splines: Vec<f64>, count: usize) -> Vec<f64> {
    if splines.iter().any(|value| !value.is_finite()) {
        return vec![f64::NAN; count];
    }
    let mut lanes = vec![0.0; count];
    splines.iter().enumerate().for_each(|(spline, value)| lanes[spline % count] += value);
    lanes
}

/// The values (or the slopes) of all splines at x: each of one degree less gives a share to itself, which grows with x,
/// and one to the spline before, which falls.
fn all_splines(knots: &[f64], degree: usize, x: f64, slopes: bool) -> Vec<f64> {
    let count = knots.len() - degree - 1;
    if x.is_nan() || (slopes && degree == 0) {
        return vec![if slopes { 0.0 } else { f64::NAN }; count];
    }
    let interval = (degree..count).rev().find(|&at| knots[at] <= x).unwrap_or(degree);
    let mut splines = vec![0.0; count];
    splines[interval] = 1.0;
    for raised in 1..=degree {
        let mut next = vec![0.0; count];
        for at in interval + 1 - raised..=interval {
            let (from, to) = (knots[at], knots[at + raised]);
            if slopes && raised == degree {
                let share = degree as f64 * splines[at] / (to - from);
                next[at - 1] -= share;
                next[at] += share;
            } else {
                let share = splines[at] / (to - from);
                next[at - 1] += share * (to - x);
                next[at] += share * (x - from);
            }
        }
        splines = next;
    }
    splines
}

fn polynomial(step: &Value, cell: &Cell) -> Cell {
    map(cell, |value| {
        let vector = floats(value);
        Plain::Vector(of_each(&step["powers"], |row| {
            let mut product: Option<f64> = None;
            for (lane, exponent) in numbers(row).into_iter().enumerate().rev() {
                for _ in 0..exponent as usize {
                    product = Some(product.map_or(vector[lane], |product| vector[lane] * product));
                }
            }
            product.unwrap_or(1.0)
        }))
    })
}

fn project(step: &Value, cell: &Cell) -> Cell {
    map(cell, |value| {
        let vector = floats(value);
        let rows = step["matrix"].as_array().expect("rows").iter().enumerate();
        let centered = |lane: usize| vector[lane] - number(&step["center"], lane);
        let row = |(at, row): (usize, &Value)| {
            let product =
                sum(numbers(row).into_iter().enumerate().map(|(lane, weight)| centered(lane) * weight));
            (product - number(&step["offset"], at)) / number(&step["scale"], at)
        };
        Plain::Vector(rows.map(row).collect())
    })
}

fn distance(step: &Value, one: &Cell, other: &Cell) -> Cell {
    let status = one.status.max(other.status);
    let (Some(a), Some(b)) = (&one.value, &other.value) else { return Cell::null(status) };
    let (a, b) = (floats(a), floats(b));
    let differences = a.iter().zip(&b).map(|(a, b)| a - b);
    let distance = match text(&step["metric"]) {
        "manhattan" => sum(differences.map(f64::abs)),
        "euclidean" => sum(differences.map(|difference| difference * difference)).sqrt(),
        _ => sum(differences.map(|difference| difference * difference)),
    };
    Cell { value: Some(Plain::Float(distance)), status }
}
