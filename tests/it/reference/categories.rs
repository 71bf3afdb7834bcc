//! Categories and hashes, one value at a time.

use serde_json::Value;

use super::{
    Cell, Held, NULL, OUT_OF_RANGE, Plain, UNKNOWN,
    hashing::{farm64, fingerprint_cat64, murmur3, murmur64a, siphash24, spark_murmur3, xxh64},
    operations::{cell, lifted, map, number, position},
};

/// Applies a step of this family.
pub fn apply(step: &Value, inputs: &[Held]) -> Option<Held> {
    Some(match step["op"].as_str()? {
        "ordinal" => lifted(&inputs[0], |cell| ordinal(step, cell)),
        "one_hot" => lifted(&inputs[0], |cell| one_hot(step, cell)),
        "map_values" => lifted(&inputs[0], |cell| map_values(step, cell)),
        "hash_bucket" => lifted(&inputs[0], |cell| map(cell, |value| Plain::Int(hash_bucket(step, value)))),
        "feature_hash" => Held::One(feature_hash(step, inputs)),
        "multi_hot" => Held::One(multi_hot(step, inputs)),
        "spark_hash" if inputs.len() == 1 => lifted(&inputs[0], |cell| spark_hash(step, &[cell])),
        "spark_hash" => Held::One(spark_hash(step, &inputs.iter().map(cell).collect::<Vec<_>>())),
        "hash_cross" => hash_cross(step, inputs),
        _ => return None,
    })
}

fn ordinal(step: &Value, cell: &Cell) -> Cell {
    let code = |written: &Value, status: u8| match written["value"].as_i64() {
        Some(code) => Cell { value: Some(Plain::Int(code)), status },
        None => Cell::null(status),
    };
    let Some(value) = &cell.value else { return code(&step["null"], cell.status) };
    let unknown = cell.status.max(UNKNOWN);
    match (position(&step["categories"], value), &step["unknown"]["buckets"]) {
        (Some(position), _) => {
            let code = step["offset"].as_i64().expect("an offset") + position as i64;
            Cell { value: Some(Plain::Int(code)), status: cell.status }
        }
        (None, Value::Null) => code(&step["unknown"], unknown),
        (None, buckets) => {
            let code = buckets["first"].as_i64().expect("a number") + hash_bucket(&buckets["hash"], value);
            Cell { value: Some(Plain::Int(code)), status: unknown }
        }
    }
}

fn one_hot(step: &Value, cell: &Cell) -> Cell {
    let count = |field: &str| step[field].as_array().expect("categories").len();
    let null_column = step["null"] == "column";
    let infrequent = count("categories") + usize::from(null_column);
    let columns = infrequent + usize::from(count("infrequent") > 0);
    let vector = |hot: Option<usize>, status: u8| {
        let mut lanes: Vec<f64> =
            (0..columns).map(|lane| if Some(lane) == hot { 1.0 } else { 0.0 }).collect();
        if let Some(dropped) = step["drop"]["position"].as_u64() {
            lanes.remove(dropped as usize);
        }
        Cell { value: Some(Plain::Vector(lanes)), status }
    };
    let stand_in = |written: &Value, status: u8| match written.as_str().expect("a policy") {
        "zeros" => vector(None, status),
        "infrequent" => vector(Some(infrequent), status),
        "column" => vector(Some(count("categories")), status),
        _ => Cell::null(status),
    };
    let Some(value) = &cell.value else { return stand_in(&step["null"], cell.status) };
    match (position(&step["categories"], value), position(&step["infrequent"], value)) {
        (Some(hot), _) => vector(Some(hot), cell.status),
        (None, Some(_)) => vector(Some(infrequent), cell.status),
        (None, None) => stand_in(&step["unknown"], cell.status.max(UNKNOWN)),
    }
}

fn map_values(step: &Value, cell: &Cell) -> Cell {
    let width = step["values"][0].as_array().map(Vec::len);
    let plain = |written: &Value| match width {
        Some(width) if written.is_array() => {
            Plain::Vector((0..width).map(|lane| number(written, lane)).collect())
        }
        Some(width) => Plain::Vector(vec![number(written, 0); width]),
        None => Plain::Float(number(written, 0)),
    };
    let stand_in = |written: &Value, status: u8| match &written["value"] {
        Value::Null => Cell::null(status),
        value => Cell { value: Some(plain(value)), status },
    };
    let Some(value) = &cell.value else { return stand_in(&step["null"], cell.status) };
    match position(&step["keys"], value) {
        Some(at) => Cell { value: Some(plain(&step["values"][at])), status: cell.status },
        None => stand_in(&step["unknown"], cell.status.max(UNKNOWN)),
    }
}

/// A seed, or a part of it, that may be a string.
fn word(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).expect("a word")
}

fn integer(value: &Plain) -> Option<i128> {
    match value {
        Plain::Int(value) => Some(i128::from(*value)),
        Plain::Uint(value) => Some(i128::from(*value)),
        _ => None,
    }
}

fn text(value: &Plain) -> String {
    match (value, integer(value)) {
        (Plain::Text(text), _) => text.clone(),
        (_, Some(integer)) => integer.to_string(),
        (other, None) => panic!("not hashed: {other:?}"),
    }
}

/// The hash as it is read without a sign, and how many bits it has.
fn hash(step: &Value, bytes: &[u8]) -> (u64, u32) {
    let seed = &step["seed"];
    match step["family"].as_str().expect("a family") {
        "murmur3_x86_32" => (u64::from(murmur3(bytes, word(seed) as u32) as u32), 32),
        "xxhash64" => (xxh64(bytes, word(seed)), 64),
        "murmur_hash_64a" => (murmur64a(bytes, word(seed)), 64),
        "siphash24" => (siphash24(bytes, word(&seed[0]), word(&seed[1])), 64),
        _ => (farm64(bytes), 64),
    }
}

fn bucket(step: &Value, (hash, bits): (u64, u32)) -> i64 {
    let signed = if hash >> (bits - 1) == 1 { i128::from(hash) - (1 << bits) } else { i128::from(hash) };
    let buckets = i128::from(step["buckets"].as_i64().expect("buckets"));
    let bucket = match step["map"].as_str().expect("a map") {
        "abs_modulo" => signed.abs() % buckets,
        "floor_modulo" => ((signed % buckets) + buckets) % buckets,
        _ => i128::from(hash) % buckets,
    };
    bucket as i64
}

fn hash_bucket(step: &Value, value: &Plain) -> i64 {
    let of_value = match (integer(value), step["key"].as_str().expect("a key")) {
        (Some(integer), _) if step["family"] == "identity" => (integer as u64, 64),
        (Some(integer), "little_endian") => hash(step, &(integer as u64).to_le_bytes()),
        (Some(integer), "little_endian_32") => hash(step, &(integer as u32).to_le_bytes()),
        _ => hash(step, text(value).as_bytes()),
    };
    bucket(step, of_value)
}

/// The values with their weights that count, and the status of all; or the status of what is null as a whole.
fn weighted(inputs: &[Held]) -> Result<(Vec<(Plain, f64)>, u8), u8> {
    let parts = |held: &Held| match held {
        Held::One(cell) => (cell.value.is_none(), cell.status, vec![cell.clone()]),
        Held::List(null, status, cells) => (*null, *status, cells.clone()),
    };
    let (null, status, values) = parts(&inputs[0]);
    let one = Cell::of(Plain::Float(1.0));
    let (weights_null, of_weights, weights) = match inputs.get(1) {
        Some(weights) => parts(weights),
        None => (false, 0, vec![one; values.len()]),
    };
    let mut gravest = status.max(of_weights);
    if null || weights_null {
        return Err(gravest);
    }
    let mut counted = Vec::new();
    for (place, value) in values.into_iter().enumerate() {
        let weight = weights.get(place).cloned().unwrap_or(Cell::null(NULL));
        gravest = gravest.max(value.status).max(weight.status);
        if let (Some(value), Some(Plain::Float(weight))) = (value.value, weight.value) {
            counted.push((value, weight));
        }
    }
    Ok((counted, gravest))
}

fn of_null(step: &Value, width: usize, status: u8) -> Cell {
    match step["null"].as_str().expect("a policy") {
        "zeros" => Cell { value: Some(Plain::Vector(vec![0.0; width])), status },
        _ => Cell::null(status),
    }
}

fn feature_hash(step: &Value, inputs: &[Held]) -> Cell {
    let width = step["width"].as_u64().expect("a width") as usize;
    let (counted, status) = match weighted(inputs) {
        Ok(counted) => counted,
        Err(status) => return of_null(step, width, status),
    };
    let mut lanes = vec![0.0; width];
    for (value, weight) in counted.iter().filter(|(_, weight)| *weight != 0.0) {
        let token = format!("{}{}", step["prefix"].as_str().expect("a prefix"), text(value));
        let spark = step["scheme"] == "spark";
        let hash = i64::from(murmur3(token.as_bytes(), if spark { 42 } else { 0 }));
        let sign = if step["alternate_sign"] == true && hash < 0 { -1.0 } else { 1.0 };
        let column = if spark { hash.rem_euclid(width as i64) } else { hash.abs() % width as i64 };
        lanes[column as usize] += sign * weight;
    }
    Cell { value: Some(Plain::Vector(lanes)), status }
}

fn multi_hot(step: &Value, inputs: &[Held]) -> Cell {
    let width = step["categories"].as_array().expect("categories").len();
    let (counted, mut status) = match weighted(inputs) {
        Ok(counted) => counted,
        Err(status) => return of_null(step, width, status),
    };
    let found = counted.iter().map(|(value, weight)| (position(&step["categories"], value), *weight));
    let found: Vec<(Option<usize>, f64)> = found.collect();
    if found.iter().any(|(lane, _)| lane.is_none()) {
        status = status.max(UNKNOWN);
        if step["unknown"] == "null" {
            return Cell::null(status);
        }
    }
    let lanes = (0..width).map(|lane| {
        let of_lane: Vec<f64> =
            found.iter().filter(|(at, _)| *at == Some(lane)).map(|(_, weight)| *weight).collect();
        let count = of_lane.len() as f64;
        match step["weighting"].as_str().expect("a weighting") {
            "binary" => count.min(1.0),
            "count" => count,
            "log_count" if of_lane.is_empty() => 0.0,
            "log_count" => count.ln() + 1.0,
            _ => of_lane.iter().fold(0.0, |sum, weight| sum + weight),
        }
    });
    Cell { value: Some(Plain::Vector(lanes.collect())), status }
}

fn spark_hash(step: &Value, cells: &[&Cell]) -> Cell {
    let mut hash = step["seed"].as_i64().expect("a seed");
    let mut status = 0;
    for (cell, of) in cells.iter().zip(step["types"].as_array().expect("types")) {
        status = status.max(cell.status);
        let bytes = match (&cell.value, of.as_str().expect("a type")) {
            (None, _) => continue,
            (Some(Plain::Text(text)), _) => text.clone().into_bytes(),
            (Some(Plain::Bool(value)), _) => i32::from(*value).to_le_bytes().to_vec(),
            (Some(Plain::Int(value)), "int") => (*value as i32).to_le_bytes().to_vec(),
            (Some(Plain::Int(value)), _) => value.to_le_bytes().to_vec(),
            (Some(Plain::Float(value)), "float") => match *value as f32 {
                value if value.is_nan() => vec![0, 0, 0xc0, 0x7f],
                value => (value + 0.0).to_le_bytes().to_vec(),
            },
            (Some(Plain::Float(value)), _) if value.is_nan() => vec![0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
            (Some(Plain::Float(value)), _) => (value + 0.0).to_le_bytes().to_vec(),
            (Some(other), _) => panic!("not hashed: {other:?}"),
        };
        hash = match step["family"].as_str().expect("a family") {
            "murmur3" => i64::from(spark_murmur3(&bytes, hash as u32)),
            _ => xxh64(&bytes, hash as u64) as i64,
        };
    }
    let hash = match step["buckets"].as_i64() {
        Some(buckets) => ((hash % buckets) + buckets) % buckets,
        None => hash,
    };
    Cell { value: Some(Plain::Int(hash)), status }
}

fn hash_cross(step: &Value, inputs: &[Held]) -> Held {
    if inputs.iter().all(|held| matches!(held, Held::One(_))) {
        return Held::One(crossed(step, &inputs.iter().map(cell).collect::<Vec<_>>()));
    }
    let (mut null, mut status) = (false, 0);
    let mut combinations: Vec<Vec<&Cell>> = vec![Vec::new()];
    let mut count = 1_usize;
    for held in inputs {
        let cells = match held {
            Held::One(cell) => std::slice::from_ref(cell),
            Held::List(_, _, cells) => cells.as_slice(),
        };
        let (is_null, of_whole) = match held {
            Held::One(cell) if cell.value.is_none() => (true, cell.status),
            Held::One(_) => (false, 0),
            Held::List(null, status, _) => (*null, *status),
        };
        null |= is_null;
        status = status.max(of_whole);
        count *= cells.len();
        if count <= 4096 {
            let longer = combinations.iter().flat_map(|before| {
                cells.iter().map(move |cell| before.iter().copied().chain([cell]).collect())
            });
            combinations = longer.collect();
        }
    }
    if count > 4096 {
        return Held::List(true, status.max(OUT_OF_RANGE), Vec::new());
    }
    if null {
        return Held::List(true, status, Vec::new());
    }
    Held::List(false, status, combinations.iter().map(|cells| crossed(step, cells)).collect())
}

fn crossed(step: &Value, cells: &[&Cell]) -> Cell {
    let status = cells.iter().map(|cell| cell.status).max().unwrap_or_default();
    let Some(values) = cells.iter().map(|cell| cell.value.as_ref()).collect::<Option<Vec<_>>>() else {
        return Cell::null(status);
    };
    let of_all = match &step["method"]["join"] {
        Value::Null => {
            let words = values.iter().map(|value| match integer(value) {
                Some(integer) => integer as u64,
                None => farm64(text(value).as_bytes()),
            });
            (words.fold(0x00de_cafc_affe, fingerprint_cat64), 64)
        }
        join => {
            let texts: Vec<String> = values.iter().map(|value| text(value)).collect();
            hash(&join["hash"], texts.join(join["separator"].as_str().expect("a text")).as_bytes())
        }
    };
    Cell { value: Some(Plain::Int(bucket(step, of_all))), status }
}
