//! Sums in one fixed order, so that a result never depends on the machine or on how rows are cut into blocks.
//!
//! Term i goes to partial sum i % 8; the eight are joined in pairs. Eight are what the compiler turns into vector
//! instructions, and no multiplication is fused with an addition.

/// Partial sums.
pub const PARTIALS: usize = 8;

/// Joins the partial sums.
pub fn join(s: &[f64; PARTIALS]) -> f64 {
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

/// The sum of `term` over all values.
pub fn sum_of(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut partials = [0.0; PARTIALS];
    let chunks = values.chunks_exact(PARTIALS);
    let rest = chunks.remainder();
    for chunk in chunks {
        partials.iter_mut().zip(chunk).for_each(|(partial, &x)| *partial += term(x));
    }
    partials.iter_mut().zip(rest).for_each(|(partial, &x)| *partial += term(x));
    join(&partials)
}

/// The same where only some values are there, each with its place among all; of the others `term` is 0.
pub fn sum_of_some(places: &[u32], values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut partials = [0.0; PARTIALS];
    places.iter().zip(values).for_each(|(&place, &x)| partials[place as usize % PARTIALS] += term(x));
    join(&partials)
}

/// The sum of `term` over the pairs of two slices of one length.
pub fn of_pairs<A: Copy + Into<f64>, B: Copy + Into<f64>>(
    one: &[A],
    other: &[B],
    term: impl Fn(f64, f64) -> f64,
) -> f64 {
    let mut partials = [0.0; PARTIALS];
    let (a, b) = (one.chunks_exact(PARTIALS), other.chunks_exact(PARTIALS));
    let (rest_a, rest_b) = (a.remainder(), b.remainder());
    for (a, b) in a.zip(b) {
        partials
            .iter_mut()
            .zip(a.iter().zip(b))
            .for_each(|(partial, (&a, &b))| *partial += term(a.into(), b.into()));
    }
    partials
        .iter_mut()
        .zip(rest_a.iter().zip(rest_b))
        .for_each(|(partial, (&a, &b))| *partial += term(a.into(), b.into()));
    join(&partials)
}

/// The sum of products of two slices of one length.
pub fn dot<A: Copy + Into<f64>, B: Copy + Into<f64>>(one: &[A], other: &[B]) -> f64 {
    of_pairs(one, other, |a, b| a * b)
}

/// The same where only some values of the first are there, each with its place; the others are 0, and the second's are
/// finite.
pub fn dot_of_some(one: &[(usize, f64)], other: &[f64]) -> f64 {
    let mut partials = [0.0; PARTIALS];
    one.iter().for_each(|&(place, x)| partials[place % PARTIALS] += x * other[place]);
    join(&partials)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_as_stated() {
        let values: Vec<f64> = (0..21).map(|i| 0.1 * f64::from(i) + 1e10 * f64::from(i % 3)).collect();
        let mut partials = [0.0; PARTIALS];
        values.iter().enumerate().for_each(|(i, x)| partials[i % PARTIALS] += x);
        assert_eq!(sum_of(&values, |x| x), join(&partials));
        let mut partials = [0.0; PARTIALS];
        values.iter().enumerate().for_each(|(i, x)| partials[i % PARTIALS] += x * x);
        assert_eq!(dot(&values, &values), join(&partials));
        assert_eq!(sum_of(&[], |x| x), 0.0);
        let mut sparse = vec![0.0; 400];
        let places: Vec<u32> = (0..21).map(|i| i * 19 % 400).collect();
        places.iter().zip(&values).for_each(|(&place, x)| sparse[place as usize] = *x);
        let mut sorted: Vec<(u32, f64)> = places.into_iter().zip(values).collect();
        sorted.sort_by_key(|&(place, _)| place);
        let (places, values): (Vec<u32>, Vec<f64>) = sorted.into_iter().unzip();
        assert_eq!(sum_of_some(&places, &values, |x| x), sum_of(&sparse, |x| x));
        let some: Vec<(usize, f64)> =
            places.iter().map(|&place| place as usize).zip(values.iter().copied()).collect();
        let other: Vec<f64> = (0..400).map(|i| f64::from(i) - 200.1).collect();
        assert_eq!(dot_of_some(&some, &other), dot(&sparse, &other));
    }
}
