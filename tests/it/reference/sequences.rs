//! Sequences: windows of events, the nearest of them, elements at positions, prefixes of codes.

use std::cmp::Reverse;

use serde_json::Value;

use super::{
    Cell, Held, OUT_OF_RANGE, Plain,
    lists::list,
    operations::{cell, floats},
    time::unit_nanoseconds,
};

/// Applies one step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    let held = match step["op"].as_str()? {
        "recent" => recent(step, &inputs[0], cell(&inputs[1])),
        "nearest" => nearest(step, &inputs[0], cell(&inputs[1])),
        "elements_at" => elements_at(step, &inputs[0], &inputs[1]),
        "prefix_ngrams" => prefix_ngrams(step, &inputs[0]),
        _ => return None,
    };
    Some(held)
}

fn positions(positions: impl IntoIterator<Item = usize>) -> Held {
    Held::List(
        false,
        0,
        positions.into_iter().map(|position| Cell::of(Plain::Int(position as i64))).collect(),
    )
}

/// The same list with the status of what it was made of.
fn with_status(held: Held, status: u8) -> Held {
    match held {
        Held::List(null, _, cells) => Held::List(null, status, cells),
        one => one,
    }
}

fn recent(step: &Value, events: &Held, now: &Cell) -> Held {
    let (null, status, cells) = list(events);
    let status = status.max(now.status);
    let Some(Plain::Int(now)) = now.value.as_ref().filter(|_| !null) else {
        return Held::List(true, status, Vec::new());
    };
    let unit = unit_nanoseconds(&step["unit"]);
    let in_window = |then: i64| {
        let age = (i128::from(*now) - i128::from(then)) * unit;
        let limit = step["within"]["age"]
            .as_i64()
            .map(|age| i128::from(age) * unit_nanoseconds(&step["within"]["in"]));
        limit.is_none_or(|limit| age <= limit) && (age >= 0 || step["future"] == "keep")
    };
    let mut window: Vec<(i64, usize)> = Vec::new();
    for (position, cell) in cells.iter().enumerate() {
        match cell.value {
            Some(Plain::Int(then)) if in_window(then) => window.push((then, position)),
            _ => {}
        }
    }
    window.sort_by_key(|&event| Reverse(event));
    window.truncate(step["last"].as_u64().map_or(usize::MAX, |last| last as usize));
    match step["order"].as_str().expect("an order") {
        "listed" => window.sort_by_key(|&(_, position)| position),
        "oldest_first" => window.reverse(),
        _ => {}
    }
    with_status(positions(window.into_iter().map(|(_, position)| position)), status)
}

fn nearest(step: &Value, events: &Held, wanted: &Cell) -> Held {
    let (null, status, cells) = list(events);
    let status = status.max(wanted.status);
    let Some(wanted) = wanted.value.as_ref().filter(|_| !null) else {
        return Held::List(true, status, Vec::new());
    };
    let product = |vector: &Plain| {
        let mut sum = 0.0_f32;
        for (x, y) in floats(vector).into_iter().zip(floats(wanted)) {
            sum += x as f32 * y as f32;
        }
        sum
    };
    let mut ranked: Vec<(f32, usize)> = Vec::new();
    for (position, cell) in cells.iter().enumerate() {
        ranked.extend(cell.value.as_ref().map(|vector| (product(vector), position)));
    }
    ranked.retain(|(product, _)| !product.is_nan());
    // Stable: equal products stay in the list's order.
    ranked.sort_by(|(a, _), (b, _)| b.partial_cmp(a).expect("numbers"));
    ranked.truncate(step["count"].as_u64().expect("a count") as usize);
    if step["order"] == "listed" {
        ranked.sort_by_key(|&(_, position)| position);
    }
    with_status(positions(ranked.into_iter().map(|(_, position)| position)), status)
}

fn elements_at(step: &Value, values: &Held, positions: &Held) -> Held {
    let ((null, status, cells), (no_positions, of_positions, positions)) = (list(values), list(positions));
    let status = status.max(of_positions);
    if null || no_positions {
        return Held::List(true, status, Vec::new());
    }
    let mut taken = Vec::new();
    for position in positions {
        let Some(Plain::Int(at)) = position.value else {
            taken.push(Cell::null(position.status));
            continue;
        };
        match usize::try_from(at).ok().and_then(|at| cells.get(at)) {
            Some(found) => {
                taken.push(Cell { value: found.value.clone(), status: found.status.max(position.status) });
            }
            None if step["outside"] == "null" => taken.push(Cell::null(position.status.max(OUT_OF_RANGE))),
            None => {}
        }
    }
    Held::List(false, status, taken)
}

fn prefix_ngrams(step: &Value, codes: &Held) -> Held {
    let (null, status, cells) = list(codes);
    let sizes: Vec<u128> = step["codebooks"]
        .as_array()
        .expect("codebooks")
        .iter()
        .map(|size| u128::from(size.as_u64().expect("a size")))
        .collect();
    let mut prefixes = Vec::new();
    for depth in 0..cells.len().min(sizes.len()) {
        let mut codes = Vec::new();
        let (mut good, mut of_prefix) = (true, 0);
        for (cell, &size) in cells[..=depth].iter().zip(&sizes) {
            let code = match cell.value {
                Some(Plain::Int(code)) => u128::try_from(code).ok().filter(|&code| code < size),
                Some(Plain::Uint(code)) => Some(u128::from(code)).filter(|&code| code < size),
                _ => None,
            };
            let outside = code.is_none() && cell.value.is_some();
            good &= code.is_some();
            of_prefix = of_prefix.max(cell.status).max(if outside { OUT_OF_RANGE } else { 0 });
            codes.extend(code);
        }
        if good {
            prefixes.push(Cell { value: Some(prefix_id(&step["id"], &codes, &sizes)), status: of_prefix });
        } else if step["invalid"] == "null" {
            prefixes.push(Cell::null(of_prefix));
        } else {
            break;
        }
    }
    Held::List(null, status, prefixes)
}

fn prefix_id(id: &Value, codes: &[u128], sizes: &[u128]) -> Plain {
    if let Some(separator) = id["joined"].as_str() {
        let texts: Vec<String> = codes.iter().map(u128::to_string).collect();
        return Plain::Text(texts.join(separator));
    }
    let shorter: u128 = (1..codes.len()).map(|depth| sizes[..depth].iter().product::<u128>()).sum();
    let own = codes.iter().zip(sizes).fold(0, |number, (code, size)| number * size + code);
    let number = shorter + own;
    if id == "int64" {
        Plain::Int(i64::try_from(number).expect("fits"))
    } else {
        Plain::Uint(u64::try_from(number).expect("fits"))
    }
}
