//! Arrow's decimals as text, of which the nearest numbers are read.

use arrow_array::{
    Array, StringArray,
    cast::AsArray,
    types::{Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType},
};
use arrow_schema::DataType;

/// The values of an array of decimals with all the digits of their scale, `-12.50` say; nothing for another array. Where
/// integers are `wanted`, whole numbers come without a fraction, so that they are read exactly.
pub fn texts(array: &dyn Array, wanted: bool) -> Option<StringArray> {
    let texts: StringArray = match array.data_type() {
        DataType::Decimal32(..) => written::<Decimal32Type>(array),
        DataType::Decimal64(..) => written::<Decimal64Type>(array),
        DataType::Decimal128(..) => written::<Decimal128Type>(array),
        DataType::Decimal256(..) => written::<Decimal256Type>(array),
        _ => return None,
    };
    Some(if wanted { texts.iter().map(|text| text.map(without_zeros)).collect() } else { texts })
}

fn written<T: DecimalType>(array: &dyn Array) -> StringArray {
    let array = array.as_primitive::<T>();
    let text = |value| T::format_decimal(value, array.precision(), array.scale());
    array.iter().map(|value| value.map(text)).collect()
}

fn without_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Decimal128Array;

    use crate::{
        batch::{Column, Type},
        files::{Stored, Target, convert},
    };

    fn read(values: Decimal128Array, stored: Stored) -> (Column, Vec<String>) {
        let mut misfits = Vec::new();
        let target = Target::new("c", Type::scalar(stored.element()), stored);
        let column = convert::column(&values, &target, &mut |_, misfit| misfits.push(misfit().why));
        (column.expect("decimals"), misfits)
    }

    #[test]
    fn decimals_are_the_nearest_floats_exact_integers_and_their_digits() {
        let of = |values: Vec<Option<i128>>| {
            Decimal128Array::from(values).with_precision_and_scale(38, 2).expect("a scale")
        };
        let (floats, _) = read(of(vec![Some(10), None, Some(-1_250)]), Stored::Float64);
        assert_eq!((floats.float64()[0], floats.float64()[2], floats.marks[1].is_null()), (0.1, -12.5, true));
        let large = 900_719_925_474_099_300;
        let (integers, misfits) = read(of(vec![Some(large), Some(150), None]), Stored::Int64);
        assert_eq!(integers.int64()[0], 9_007_199_254_740_993);
        assert_eq!(misfits, ["\"1.50\" is not a whole number for int64"]);
        assert!(integers.marks[2].is_null());
        let (texts, _) = read(of(vec![Some(150), Some(-5)]), Stored::String);
        assert_eq!(texts.strings().iter().collect::<Vec<_>>(), ["1.50", "-0.05"]);
    }
}
