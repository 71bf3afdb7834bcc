//! What a request names and how much it brings, read before any of it is kept.

use crate::{
    problem::Problems,
    rpc::wire::{Malformed, Reader},
    serve::request::{Head, Most},
};

/// Passes over a request and counts its columns and outputs. It stops at one more than any feature set has: a column
/// takes two bytes of a request, and a hundred times as many once it is read.
pub fn head(bytes: &[u8], most: Most) -> Result<Head<'_>, Problems> {
    let mut head = Head::default();
    let mut reader = Reader::new(bytes);
    while !reader.is_done() {
        if let Err((path, malformed)) = read_field(&mut reader, &mut head) {
            return Err(Problems::one(path, malformed.to_string()));
        }
        if head.columns > most.columns {
            let message = format!("are more than {}; no feature set has more inputs", most.columns);
            return Err(Problems::one("columns", message));
        }
        if head.outputs > most.outputs {
            let message = format!("are more than {}; no feature set has more outputs", most.outputs);
            return Err(Problems::one("outputs", message));
        }
    }
    Ok(head)
}

fn read_field<'a>(reader: &mut Reader<'a>, head: &mut Head<'a>) -> Result<(), (&'static str, Malformed)> {
    let (field, wire) = reader.key().map_err(|malformed| ("", malformed))?;
    let (path, read) = match field {
        1 => ("feature_set", reader.text(wire).map(|text| head.feature_set = text)),
        2 => ("version", reader.varint(wire).map(|version| head.version = version as u32)),
        4 => ("columns", reader.nested(wire).map(|_| head.columns += 1)),
        5 => ("outputs", reader.nested(wire).map(|_| head.outputs += 1)),
        _ => ("", reader.skip(field, wire)),
    };
    read.map_err(|malformed| (path, malformed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Most = Most { columns: 3, outputs: 1 };

    #[test]
    fn the_last_name_and_version_count_and_columns_are_counted() {
        let bytes = [0x0a, 1, b'a', 0x22, 0, 0x10, 7, 0x22, 2, 0x32, 0, 0x2a, 0, 0x0a, 1, b'b', 0x10, 9];
        let expect = Head { feature_set: "b", version: 9, columns: 2, outputs: 1 };
        assert_eq!(head(&bytes, MOST), Ok(expect));
    }

    #[test]
    fn it_stops_at_one_too_many() {
        let check = |bytes: &[u8], expect: &str| {
            let refused = head(bytes, MOST).expect_err("too many").to_string();
            assert_eq!(refused, expect);
        };
        // What comes after the fourth column, a field cut short, is not read.
        check(
            &[0x22, 0, 0x22, 0, 0x22, 0, 0x22, 0, 0x22],
            "columns: are more than 3; no feature set has more inputs",
        );
        check(&[0x2a, 0, 0x2a, 0, 0x22], "outputs: are more than 1; no feature set has more outputs");
        check(&[0x0a, 2, 0xff, 0xfe], "feature_set: not valid UTF-8");
        check(&[0x22, 0x7f], "columns: malformed protobuf: the bytes end within a value");
    }
}
