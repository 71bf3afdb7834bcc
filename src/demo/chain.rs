//! A chain of scalar steps: each is fitted on what the steps before it make of the impressions, written for the spec
//! and computed in plain code.

use serde_json::{Value, json};

use super::{features::DemoFeature, fit, impression::Impression};

/// Computes one value of an impression; `None` is null.
type Scalar = Box<dyn Fn(&Impression<'_>) -> Option<f64>>;

/// A feature in the making.
pub struct Chain<'a> {
    impressions: &'a [Impression<'a>],
    references: Vec<String>,
    steps: Vec<Value>,
    value: Scalar,
    /// Whether the result can be null.
    nullable: bool,
}

impl<'a> Chain<'a> {
    /// Starts at one reference, whose values `value` finds.
    pub fn new(
        impressions: &'a [Impression<'a>],
        reference: &str,
        value: fn(&Impression<'_>) -> Option<f64>,
    ) -> Self {
        let references = vec![reference.to_owned()];
        Self { impressions, references, steps: Vec::new(), value: Box::new(value), nullable: true }
    }

    /// Starts at two references, which the first step joins to the chain's value.
    pub fn of_two(self, references: [&str; 2]) -> Self {
        Self { references: references.map(str::to_owned).to_vec(), ..self }
    }

    /// A step that the chain's value already contains.
    pub fn step(mut self, step: Value) -> Self {
        self.steps.push(step);
        self
    }

    /// The float64 of an integer.
    pub fn cast(self) -> Self {
        self.step(json!({"op": "cast", "to": "float64"}))
    }

    /// Fills in a number.
    pub fn impute(self, fill: f64) -> Self {
        let Self { value, .. } = self;
        let filled = Box::new(move |row: &Impression<'_>| Some(value(row).unwrap_or(fill)));
        Self { value: filled, nullable: false, ..self }
            .step(json!({"op": "impute", "value": fill, "nan": "impute"}))
    }

    /// Fills in the median.
    pub fn impute_median(self) -> Self {
        let fill = fit::quantile(&self.fitted_on(), 0.5);
        self.impute(fill)
    }

    /// Fills in the mean.
    pub fn impute_mean(self) -> Self {
        let fill = fit::mean(&self.fitted_on());
        self.impute(fill)
    }

    /// The logarithm of the value and 1.
    pub fn log1p(self) -> Self {
        self.map(f64::ln_1p).step(json!({"op": "log1p", "undefined": "ieee"}))
    }

    /// To mean 0 and deviation 1.
    pub fn standardize(self) -> Self {
        let values = self.fitted_on();
        let (mean, scale) = (fit::mean(&values), fit::deviation(&values));
        let step = json!({"op": "standardize", "mean": mean, "scale": scale, "form": "divide", "precision": "float64"});
        self.map(move |x| (x - mean) / scale).step(step)
    }

    /// The fitted range to 0 .. 1, what lies outside of it clipped.
    pub fn min_max(self) -> Self {
        let values = self.fitted_on();
        let (low, high) = (fit::quantile(&values, 0.0), fit::quantile(&values, 1.0));
        let scale = if high > low { 1.0 / (high - low) } else { 1.0 };
        let min = -low * scale;
        let step = json!({"op": "min_max", "scale": scale, "min": min, "clip": [0, 1], "form": "multiply_add",
                "precision": "float64"});
        self.map(move |x| (x * scale + min).clamp(0.0, 1.0)).step(step)
    }

    /// The greatest magnitude to 1.
    pub fn max_abs(self) -> Self {
        let values = self.fitted_on();
        let scale = values.iter().map(|value| value.abs()).fold(0.0, f64::max);
        let scale = if scale == 0.0 { 1.0 } else { scale };
        self.map(move |x| x / scale).step(json!({"op": "max_abs", "scale": scale, "precision": "float64"}))
    }

    /// The median to 0, the distance between the quartiles to 1.
    pub fn robust_scale(self) -> Self {
        let values = self.fitted_on();
        let center = fit::quantile(&values, 0.5);
        let between = fit::quantile(&values, 0.75) - fit::quantile(&values, 0.25);
        let scale = if between > 0.0 { between } else { 1.0 };
        let step = json!({"op": "robust_scale", "center": center, "scale": scale, "precision": "float64"});
        self.map(move |x| (x - center) / scale).step(step)
    }

    /// Clips to all but the first and the last 2 of 100.
    pub fn clip_to_quantiles(self) -> Self {
        let values = self.fitted_on();
        let (low, high) = (fit::quantile(&values, 0.02), fit::quantile(&values, 0.98));
        self.map(move |x| x.clamp(low, high)).step(json!({"op": "clip", "min": low, "max": high}))
    }

    /// Ends the chain; a null result is served as 0.
    pub fn named(self, name: &str) -> DemoFeature {
        let mut document = match self.references.as_slice() {
            [one] => json!({"name": name, "input": one, "steps": self.steps}),
            several => json!({"name": name, "inputs": several, "steps": self.steps}),
        };
        if self.nullable {
            document["default"] = json!(0);
        }
        let value = self.value;
        let plain = Box::new(move |row: &Impression<'_>| vec![value(row).unwrap_or(0.0)]);
        DemoFeature { name: name.to_owned(), document, width: 1, plain }
    }

    fn fitted_on(&self) -> Vec<f64> {
        self.impressions.iter().filter_map(|row| (self.value)(row)).collect()
    }

    fn map(self, function: impl Fn(f64) -> f64 + 'static) -> Self {
        let Self { value, .. } = self;
        let mapped = Box::new(move |row: &Impression<'_>| value(row).map(&function));
        Self { value: mapped, ..self }
    }
}
