//! Nearest: the elements of a list of vectors with the greatest dot products.

use std::{borrow::Cow, cmp::Reverse, collections::BinaryHeap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Compiled, Kernel, Operation,
    pairs::{list_rows, row_step},
};
use crate::{
    batch::{Column, Element, Mark, Type, Values},
    problem::Problems,
};

/// The positions, as a list of int64 from 0 on, of the vectors in a list that have the greatest dot products with a
/// vector, a candidate's among a user's events say; `elements_at` takes what stands there in lists beside them. The
/// first input is the list of float64 vectors, the second a vector of their width. `normalize` steps before make it
/// cosines.
///
/// Everything is computed in float32: elements are rounded to it, and the sum is that of the products lane after lane,
/// from the first on and starting with 0, each product and each sum rounded. Of equal products the one earlier in the
/// list comes first; 0 equals -0. A null element, and one whose product is NaN, is never taken. Null where the list or
/// the vector is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nearest {
    /// How many positions, from 1 to 1024; fewer where the list has fewer elements to take.
    pub count: usize,
    /// The order of the positions.
    pub order: NearestOrder,
}

/// The order of positions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NearestOrder {
    /// The greatest product first.
    Greatest,
    /// That of the list.
    Listed,
}

/// The most positions.
const COUNT_LIMIT: usize = 1024;

impl Operation for Nearest {
    fn compile(&self, inputs: &[Type]) -> Result<Compiled, Problems> {
        let &[list, vector] = inputs else {
            return Err(Problems::one("", format!("takes two inputs, has {}", inputs.len())));
        };
        let mut problems = Problems::none();
        let same = (list.element, list.width) == (vector.element, vector.width);
        if !list.list || vector.list || !same || list.element != Element::Float64 || list.width.is_none() {
            let message = format!(
                "takes a list of float64 vectors and a vector of their width, its inputs are {list} and {vector}"
            );
            problems.add("", message);
        }
        if !(1..=COUNT_LIMIT).contains(&self.count) {
            problems.add("count", format!("is {}, must be from 1 to {COUNT_LIMIT}", self.count));
        }
        problems.or(())?;
        let output = Type::scalar(Element::Int64).listed().with_nullable(list.nullable || vector.nullable);
        let kernel = NearestKernel { lanes: list.lanes(), count: self.count, order: self.order };
        Ok(Compiled::new(output, kernel))
    }
}

#[derive(Debug)]
struct NearestKernel {
    lanes: usize,
    count: usize,
    order: NearestOrder,
}

impl Kernel for NearestKernel {
    fn run(&self, inputs: &[&Column], out: &mut Column) {
        let [events, candidates] = inputs else { return };
        let Some(list) = &events.list else { return };
        let (vectors, wanted) = (float32(events), float32(candidates));
        let (step, wanted_step) = (row_step(events), row_step(candidates));
        let (mut tiles, mut of_tiles) = (Tiles::default(), None);
        let mut best = Best::new(self.count);
        let mut rows = std::mem::take(out.list_mut());
        let (positions, marks) = out.int64_mut();
        for row in 0..list_rows(inputs) {
            let (own, row) = (row * step, row * wanted_step);
            let mark = list.marks[own] | candidates.marks[row];
            if !mark.is_null() {
                let elements = list.range(own);
                if of_tiles.replace(own) != Some(own) {
                    tiles.fill(&vectors[elements.start * self.lanes..elements.end * self.lanes], self.lanes);
                }
                let wanted = &wanted[row * self.lanes..(row + 1) * self.lanes];
                tiles.rank(wanted, &events.marks[elements], &mut best);
                best.drain_into(self.order, positions);
            }
            rows.push(positions.len(), mark);
        }
        marks.resize(positions.len(), Mark::PRESENT);
        out.list = Some(rows);
    }

    fn gives_lists(&self) -> bool {
        true
    }

    fn takes_float32(&self) -> bool {
        true
    }

    fn takes_single_rows(&self) -> bool {
        true
    }

    fn takes_single_list(&self, input: usize) -> bool {
        input == 0
    }
}

fn float32(column: &Column) -> Cow<'_, [f32]> {
    match &column.values {
        Values::Float32(values) => Cow::Borrowed(values),
        _ => column.float64().iter().map(|&value| value as f32).collect(),
    }
}

/// Vectors of a tile, whose products are computed beside each other: enough for four vector registers.
const TILE: usize = 32;

/// A list's vectors, tile after tile, and in a tile lane after lane: the sums of many vectors advance together, and each
/// keeps its order. The last tile is filled up with zeros.
#[derive(Default)]
struct Tiles {
    values: Vec<[f32; TILE]>,
    lanes: usize,
}

impl Tiles {
    fn fill(&mut self, vectors: &[f32], lanes: usize) {
        self.lanes = lanes;
        self.values.clear();
        self.values.resize((vectors.len() / lanes).div_ceil(TILE) * lanes, [0.0; TILE]);
        let tiles = self.values.chunks_exact_mut(lanes).zip(vectors.chunks(TILE * lanes));
        for (tile, vectors) in tiles {
            for (place, vector) in vectors.chunks_exact(lanes).enumerate() {
                tile.iter_mut().zip(vector).for_each(|(lane, &value)| lane[place] = value);
            }
        }
    }

    /// Offers the product of each vector that is not null with `wanted`.
    fn rank(&self, wanted: &[f32], marks: &[Mark], best: &mut Best) {
        for (tile, marks, first) in self.tiles(marks) {
            let products = products(tile, wanted);
            if best.takes_any(&products) {
                let places = products.iter().zip(marks).zip(first..);
                places
                    .filter(|((_, mark), _)| !mark.is_null())
                    .for_each(|((&product, _), position)| best.offer(product, position));
            }
        }
    }

    /// Each tile with its vectors' marks and the position of its first.
    fn tiles<'a>(&'a self, marks: &'a [Mark]) -> impl Iterator<Item = (&'a [[f32; TILE]], &'a [Mark], u32)> {
        let tiles = self.values.chunks_exact(self.lanes).zip(marks.chunks(TILE)).zip((0..).step_by(TILE));
        tiles.map(|((tile, marks), first)| (tile, marks, first))
    }
}

fn products(tile: &[[f32; TILE]], wanted: &[f32]) -> [f32; TILE] {
    let mut sums = [0.0; TILE];
    for (lane, &factor) in tile.iter().zip(wanted) {
        sums.iter_mut().zip(lane).for_each(|(sum, &value)| *sum += value * factor);
    }
    sums
}

/// The greatest products so far.
struct Best {
    count: usize,
    /// The least on top.
    ranks: BinaryHeap<Reverse<Rank>>,
    /// The least product, once there are as many as are wanted.
    least: Option<f32>,
    sorted: Vec<Rank>,
}

/// A product in the upper 32 bits, such that greater numbers are greater products, and below it the complement of the
/// position: of equal products the earlier is the greater.
type Rank = u64;

impl Best {
    fn new(count: usize) -> Self {
        Self { count, ranks: BinaryHeap::new(), least: None, sorted: Vec::new() }
    }

    /// Whether any of the products, at later positions than those before, may be among the greatest.
    fn takes_any(&self, products: &[f32; TILE]) -> bool {
        let Some(least) = self.least else { return true };
        products.iter().fold(false, |any, &product| any | (product > least))
    }

    fn offer(&mut self, product: f32, position: u32) {
        if product.is_nan() {
            return;
        }
        match self.least {
            None => self.ranks.push(Reverse(rank(product, position))),
            Some(least) if product > least => {
                if let Some(mut top) = self.ranks.peek_mut() {
                    *top = Reverse(rank(product, position));
                }
            }
            Some(_) => return,
        }
        if self.ranks.len() == self.count {
            self.least = self.ranks.peek().map(|&Reverse(rank)| product_of(rank));
        }
    }

    /// Adds the positions to `to` and begins anew.
    fn drain_into(&mut self, order: NearestOrder, to: &mut Vec<i64>) {
        self.least = None;
        self.sorted.clear();
        self.sorted.extend(self.ranks.drain().map(|Reverse(rank)| rank));
        match order {
            NearestOrder::Greatest => self.sorted.sort_unstable_by_key(|&rank| Reverse(rank)),
            NearestOrder::Listed => self.sorted.sort_unstable_by_key(|&rank| position_of(rank)),
        }
        to.extend(self.sorted.iter().map(|&rank| i64::from(position_of(rank))));
    }
}

/// A product, which is not NaN, with its position.
fn rank(product: f32, position: u32) -> Rank {
    // -0 becomes 0.
    let bits = (product + 0.0).to_bits();
    // Positive floats order as their bits do, negative ones the other way round.
    let ordered = if bits >> 31 == 0 { bits | 1 << 31 } else { !bits };
    u64::from(ordered) << 32 | u64::from(!position)
}

fn product_of(rank: Rank) -> f32 {
    let ordered = (rank >> 32) as u32;
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

fn position_of(rank: Rank) -> u32 {
    !(rank as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::ListRows, transform::check::vectors};

    fn listed(column: Column, offsets: &[u32]) -> Column {
        let marks = vec![Mark::PRESENT; offsets.len() - 1];
        Column { list: Some(ListRows { offsets: offsets.to_vec(), marks }), ..column }
    }

    fn run(count: usize, order: NearestOrder, list: &Column, candidates: &Column, lanes: usize) -> Column {
        let of = Type::vector(lanes);
        let compiled = Nearest { count, order }.compile(&[of.listed(), of]).expect("good");
        let mut out = Column::new(compiled.output);
        compiled.kernel.run(&[list, candidates], &mut out);
        out
    }

    #[test]
    fn the_greatest_come_first_and_ties_by_position() {
        let nan = f64::NAN;
        let events = listed(vectors(1, &[1.0, 3.0, nan, -0.0, 3.0, 0.0, -2.0]), &[0, 7]);
        let candidates = vectors(1, &[1.0, -1.0]);
        let out = run(4, NearestOrder::Greatest, &events, &candidates, 1);
        assert_eq!(out.int64(), [1, 4, 0, 3, 6, 3, 5, 0]);
        let out = run(3, NearestOrder::Listed, &events, &candidates, 1);
        assert_eq!(out.int64(), [0, 1, 4, 3, 5, 6]);
        assert_eq!(out.list.expect("lists").offsets, [0, 3, 6]);
    }

    #[test]
    fn nulls_and_infinities_have_their_place() {
        let mut events = listed(vectors(1, &[f64::NEG_INFINITY, 9.0, f64::INFINITY]), &[0, 3]);
        events.marks[1] = Mark::NULL;
        let mut candidates = vectors(1, &[1.0, 1.0]);
        candidates.marks[1] = Mark::KEY_NOT_FOUND;
        let out = run(9, NearestOrder::Greatest, &events, &candidates, 1);
        assert_eq!(out.int64(), [2, 0]);
        assert_eq!(out.list.expect("lists").marks, [Mark::PRESENT, Mark::KEY_NOT_FOUND]);
        let nothing = listed(vectors(1, &[]), &[0, 0]);
        assert_eq!(run(2, NearestOrder::Greatest, &nothing, &candidates, 1).int64(), [0; 0]);
    }

    /// The words of the operation, without tiles and heaps.
    fn plain(events: &[f32], candidate: &[f32], count: usize) -> Vec<i64> {
        let product = |vector: &[f32]| vector.iter().zip(candidate).fold(0.0_f32, |sum, (a, b)| sum + a * b);
        let mut ranked: Vec<(f32, i64)> =
            events.chunks_exact(candidate.len()).map(product).zip(0..).collect();
        ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        ranked.into_iter().take(count).map(|(_, position)| position).collect()
    }

    #[test]
    fn tiles_and_heaps_change_nothing() {
        let lanes = 5;
        // A few values, so that products tie.
        let value = |seed: u32| f64::from(seed.wrapping_mul(2_654_435_761) >> 29) * 0.1 + 0.05;
        for length in [1_u32, 31, 32, 33, 200] {
            let events: Vec<f64> = (0..length * lanes).map(value).collect();
            let candidate: Vec<f64> = (1000..1000 + lanes).map(value).collect();
            let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
            let list = listed(vectors(lanes as usize, &events), &[0, length]);
            for count in [1, 7, 40] {
                let out = run(
                    count,
                    NearestOrder::Greatest,
                    &list,
                    &vectors(lanes as usize, &candidate),
                    lanes as usize,
                );
                assert_eq!(out.int64(), plain(&narrow(&events), &narrow(&candidate), count));
            }
        }
    }

    #[test]
    fn widths_must_be_equal() {
        let nearest = Nearest { count: 1, order: NearestOrder::Listed };
        assert!(nearest.compile(&[Type::vector(2).listed(), Type::vector(3)]).is_err());
        assert!(nearest.compile(&[Type::vector(2), Type::vector(2)]).is_err());
        let none = Nearest { count: 0, ..nearest };
        assert!(none.compile(&[Type::vector(2).listed(), Type::vector(2)]).is_err());
    }
}
