//! Plain fitting: the numbers that specs carry, computed from generated impressions.

use std::collections::BTreeMap;

/// The mean of at least one value.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The population's standard deviation; 1 where all values are the same, as scikit-learn has it.
pub fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let variance =
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64;
    if variance > 1e-20 { variance.sqrt() } else { 1.0 }
}

/// The quantile `at` (0 to 1) by linear interpolation; 0 of no values.
pub fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = at * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (position.floor() as usize, position.ceil() as usize);
    match (sorted.get(below), sorted.get(above)) {
        (Some(low), Some(high)) => low + (high - low) * (position - position.floor()),
        _ => 0.0,
    }
}

/// The distinct values, the most frequent first, equally frequent ones by name.
pub fn by_frequency<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let mut ordered: Vec<_> = counts.into_iter().collect();
    ordered.sort_by_key(|&(name, count)| (std::cmp::Reverse(count), name));
    ordered.into_iter().map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_a_few_values() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!((mean(&values), deviation(&values)), (2.5, 1.25_f64.sqrt()));
        assert_eq!([0.0, 0.5, 1.0].map(|at| quantile(&values, at)), [1.0, 2.5, 4.0]);
        assert_eq!(deviation(&[7.0, 7.0]), 1.0);
    }

    #[test]
    fn frequent_values_come_first() {
        assert_eq!(by_frequency(["b", "a", "c", "c"].into_iter()), ["c", "a", "b"]);
    }
}
