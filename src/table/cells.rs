//! Numbers and booleans in the width that they are stored in.

use half::f16;

use super::memory::prefetch;
use crate::{batch::Values, files::Stored};

/// Elements of one column, each in its stored width.
#[derive(Debug)]
pub enum Cells {
    Float16(Vec<f16>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Int8(Vec<i8>),
    Int16(Vec<i16>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Uint8(Vec<u8>),
    Uint16(Vec<u16>),
    Uint32(Vec<u32>),
    Uint64(Vec<u64>),
    Bool(Vec<bool>),
}

/// An element type in memory and the wide one that it is read out as.
trait Cell: Copy + Default {
    type Wide: Copy + Default;

    fn widen(self) -> Self::Wide;

    /// The stored form; floats are rounded, an integer that does not fit is `None`.
    fn narrow(wide: Self::Wide) -> Option<Self>;
}

macro_rules! cell {
    ($($cell:ty => $wide:ty, $widen:expr, $narrow:expr;)*) => {$(
        impl Cell for $cell {
            type Wide = $wide;

            #[inline(always)]
            fn widen(self) -> $wide {
                $widen(self)
            }

            #[inline(always)]
            fn narrow(wide: $wide) -> Option<Self> {
                $narrow(wide)
            }
        }
    )*};
}

cell! {
    f16 => f64, f64::from, |wide| Some(f16::from_f64(wide));
    f32 => f64, f64::from, |wide| Some(wide as f32);
    f64 => f64, f64::from, Some;
    i8 => i64, i64::from, |wide| i8::try_from(wide).ok();
    i16 => i64, i64::from, |wide| i16::try_from(wide).ok();
    i32 => i64, i64::from, |wide| i32::try_from(wide).ok();
    i64 => i64, i64::from, Some;
    u8 => u64, u64::from, |wide| u8::try_from(wide).ok();
    u16 => u64, u64::from, |wide| u16::try_from(wide).ok();
    u32 => u64, u64::from, |wide| u32::try_from(wide).ok();
    u64 => u64, u64::from, Some;
    bool => bool, bool::from, Some;
}

/// Runs `$body` with `$cells` bound to the typed vector.
macro_rules! with_cells {
    ($of:expr, $cells:ident => $body:expr) => {
        match $of {
            Cells::Float16($cells) => $body,
            Cells::Float32($cells) => $body,
            Cells::Float64($cells) => $body,
            Cells::Int8($cells) => $body,
            Cells::Int16($cells) => $body,
            Cells::Int32($cells) => $body,
            Cells::Int64($cells) => $body,
            Cells::Uint8($cells) => $body,
            Cells::Uint16($cells) => $body,
            Cells::Uint32($cells) => $body,
            Cells::Uint64($cells) => $body,
            Cells::Bool($cells) => $body,
        }
    };
}

/// Runs `$body` with `$cells` and the wide `$values` of the same family bound; other families do nothing.
macro_rules! with_both {
    ($of:expr, $wide:expr, $cells:ident, $values:ident => $body:expr, $otherwise:expr) => {
        match ($of, $wide) {
            (Cells::Float16($cells), Values::Float64($values)) => $body,
            (Cells::Float32($cells), Values::Float64($values)) => $body,
            (Cells::Float64($cells), Values::Float64($values)) => $body,
            (Cells::Int8($cells), Values::Int64($values)) => $body,
            (Cells::Int16($cells), Values::Int64($values)) => $body,
            (Cells::Int32($cells), Values::Int64($values)) => $body,
            (Cells::Int64($cells), Values::Int64($values)) => $body,
            (Cells::Uint8($cells), Values::Uint64($values)) => $body,
            (Cells::Uint16($cells), Values::Uint64($values)) => $body,
            (Cells::Uint32($cells), Values::Uint64($values)) => $body,
            (Cells::Uint64($cells), Values::Uint64($values)) => $body,
            (Cells::Bool($cells), Values::Bool($values)) => $body,
            _ => $otherwise,
        }
    };
}

impl Cells {
    /// No elements, with room for `capacity`; strings are not cells.
    pub fn new(stored: Stored, capacity: usize) -> Option<Self> {
        Some(match stored {
            Stored::Float16 => Self::Float16(Vec::with_capacity(capacity)),
            Stored::Float32 => Self::Float32(Vec::with_capacity(capacity)),
            Stored::Float64 => Self::Float64(Vec::with_capacity(capacity)),
            Stored::Int8 => Self::Int8(Vec::with_capacity(capacity)),
            Stored::Int16 => Self::Int16(Vec::with_capacity(capacity)),
            Stored::Int32 => Self::Int32(Vec::with_capacity(capacity)),
            Stored::Int64 | Stored::Time(_) => Self::Int64(Vec::with_capacity(capacity)),
            Stored::Uint8 => Self::Uint8(Vec::with_capacity(capacity)),
            Stored::Uint16 => Self::Uint16(Vec::with_capacity(capacity)),
            Stored::Uint32 => Self::Uint32(Vec::with_capacity(capacity)),
            Stored::Uint64 => Self::Uint64(Vec::with_capacity(capacity)),
            Stored::Bool => Self::Bool(Vec::with_capacity(capacity)),
            Stored::String => return None,
        })
    }

    /// Appends all of `values`, whose family fits; `misfit` receives the position of each integer that the stored width
    /// has no room for (a zero is stored).
    pub fn append(&mut self, values: &Values, misfit: impl FnMut(usize)) {
        with_both!(self, values, cells, values => append(cells, values, misfit), ());
    }

    /// Appends to `out`, of the same family, the elements at `positions`; 0 for positions outside.
    pub fn gather(&self, positions: impl Iterator<Item = usize>, out: &mut Values) {
        with_both!(self, out, cells, out => gather(cells, positions, out), ());
    }

    /// Asks the processor to fetch element `position`.
    pub fn prefetch(&self, position: usize) {
        with_cells!(self, cells => prefetch(cells, position));
    }

    /// Gives back room in excess.
    pub fn shrink(&mut self) {
        with_cells!(self, cells => cells.shrink_to_fit());
    }

    /// Bytes in memory.
    pub fn memory(&self) -> usize {
        with_cells!(self, cells => size_of_val(&cells[..]))
    }
}

fn append<C: Cell>(cells: &mut Vec<C>, values: &[C::Wide], mut misfit: impl FnMut(usize)) {
    cells.extend(values.iter().enumerate().map(|(position, &wide)| {
        C::narrow(wide).unwrap_or_else(|| {
            misfit(position);
            C::default()
        })
    }));
}

fn gather<C: Cell>(cells: &[C], positions: impl Iterator<Item = usize>, out: &mut Vec<C::Wide>) {
    out.extend(
        positions.map(|position| cells.get(position).map_or_else(C::Wide::default, |cell| cell.widen())),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Column, Type};

    #[test]
    fn values_come_back_exactly_as_wide_ones() {
        let checks = [
            (Stored::Float16, Values::Float64(vec![0.5, f64::INFINITY, -65504.0])),
            (Stored::Float32, Values::Float64(vec![0.5, 3.4028234663852886e38, -0.0])),
            (Stored::Float64, Values::Float64(vec![0.1, 1e300, f64::MIN_POSITIVE])),
            (Stored::Int8, Values::Int64(vec![-128, 127, 0])),
            (Stored::Int16, Values::Int64(vec![-32768, 32767, 0])),
            (Stored::Int32, Values::Int64(vec![i64::from(i32::MIN), 1, 0])),
            (Stored::Int64, Values::Int64(vec![i64::MIN, i64::MAX, 0])),
            (Stored::Uint8, Values::Uint64(vec![255, 1, 0])),
            (Stored::Uint16, Values::Uint64(vec![65535, 1, 0])),
            (Stored::Uint32, Values::Uint64(vec![u64::from(u32::MAX), 1, 0])),
            (Stored::Uint64, Values::Uint64(vec![u64::MAX, 1, 0])),
            (Stored::Bool, Values::Bool(vec![true, false, true])),
        ];
        for (stored, values) in checks {
            let mut cells = Cells::new(stored, 3).expect("not a string");
            cells.append(&values, |position| panic!("{stored:?} has no room for {position}"));
            assert_eq!(cells.memory(), 3 * stored.bytes());
            let mut out = Column::new(Type::scalar(stored.element())).values;
            cells.gather(0..3, &mut out);
            assert_eq!(format!("{out:?}"), format!("{values:?}"), "{stored:?}");
        }
    }

    #[test]
    fn gathers_in_order_and_zero_outside() {
        let mut cells = Cells::new(Stored::Int16, 0).expect("not a string");
        cells.append(&Values::Int64(vec![7, -8]), |_| panic!("fits"));
        let mut out = Values::Int64(vec![1]);
        cells.gather([1, 2, 0].into_iter(), &mut out);
        assert!(matches!(out, Values::Int64(values) if values == [1, -8, 0, 7]));
    }

    #[test]
    fn integers_without_room_are_told() {
        let mut cells = Cells::new(Stored::Int8, 0).expect("not a string");
        let mut misfits = Vec::new();
        cells.append(&Values::Int64(vec![1, 128, -129, 127]), |position| misfits.push(position));
        assert_eq!(misfits, [1, 2]);
        assert_eq!(cells.memory(), 4);
    }
}
