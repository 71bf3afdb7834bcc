//! B-splines by de Boor's recurrence, in the arithmetic of scipy's BSpline.

/// The highest degree.
pub const DEGREE_LIMIT: usize = 15;

/// A basis of splines over a knot vector; with periodic ones the last few are the first ones again.
#[derive(Debug)]
pub struct BSplines {
    knots: Vec<f64>,
    degree: usize,
    /// How many different ones there are.
    splines: usize,
    /// The splines and their slopes at both ends of the range.
    low: Ends,
    high: Ends,
}

/// Values and derivatives at one end of the range.
#[derive(Debug, Default)]
struct Ends {
    values: Weights,
    slopes: Weights,
}

/// The splines that are not 0 in one interval: as many as the degree says and one more, from `first` on.
#[derive(Debug, Default)]
pub struct Weights {
    first: usize,
    count: usize,
    values: [f64; DEGREE_LIMIT + 1],
}

impl Weights {
    /// Whether none of them is NaN or infinite.
    pub fn are_finite(&self) -> bool {
        self.values[..self.count].iter().all(|value| value.is_finite())
    }

    /// The value of spline `spline`.
    fn of(&self, spline: usize) -> f64 {
        let place = spline.checked_sub(self.first).filter(|&place| place < self.count);
        place.map_or(0.0, |place| self.values[place])
    }
}

impl BSplines {
    /// Takes a knot vector that is long enough, and whose range is not empty.
    pub fn new(knots: Vec<f64>, degree: usize, splines: usize) -> Self {
        let (low, high) = (Ends::default(), Ends::default());
        let basis = Self { knots, degree, splines, low, high };
        let (from, to) = basis.range();
        let ends = |x| Ends { values: basis.at(x), slopes: basis.slopes_at(x) };
        let (low, high) = (ends(from), ends(to));
        Self { low, high, ..basis }
    }

    pub fn degree(&self) -> usize {
        self.degree
    }

    /// The fitted range.
    pub fn range(&self) -> (f64, f64) {
        (self.knots[self.degree], self.knots[self.last()])
    }

    /// The position of the knot at the end of the range.
    fn last(&self) -> usize {
        self.knots.len() - self.degree - 1
    }

    /// The place in the period; floor modulo as numpy's.
    pub fn wrapped(&self, x: f64) -> f64 {
        let (from, to) = self.range();
        let period = to - from;
        let rest = (x - from) % period;
        from + if rest < 0.0 { rest + period } else { rest }
    }

    /// The knot that x's interval begins with; outside of the range it is the first or the last interval.
    fn interval(&self, x: f64) -> usize {
        let inner = &self.knots[self.degree + 1..self.last()];
        self.degree + inner.partition_point(|&knot| knot <= x)
    }

    /// The splines at `x`.
    pub fn at(&self, x: f64) -> Weights {
        let interval = self.interval(x);
        let mut weights =
            Weights { first: interval - self.degree, count: self.degree + 1, ..Weights::default() };
        weights.values[0] = 1.0;
        for degree in 1..=self.degree {
            self.raise(interval, degree, x, &mut weights.values);
        }
        weights
    }

    /// The splines of one degree more, from those of `degree - 1`.
    fn raise(&self, interval: usize, degree: usize, x: f64, values: &mut [f64; DEGREE_LIMIT + 1]) {
        let before = *values;
        values[0] = 0.0;
        for place in 1..=degree {
            let (above, below) = (self.knots[interval + place], self.knots[interval + place - degree]);
            values[place] = 0.0;
            if above != below {
                let weight = before[place - 1] / (above - below);
                values[place - 1] += weight * (above - x);
                values[place] = weight * (x - below);
            }
        }
    }

    /// The derivatives of the splines at `x`.
    fn slopes_at(&self, x: f64) -> Weights {
        let interval = self.interval(x);
        let mut weights =
            Weights { first: interval - self.degree, count: self.degree + 1, ..Weights::default() };
        if self.degree == 0 {
            return weights;
        }
        weights.values[0] = 1.0;
        for degree in 1..self.degree {
            self.raise(interval, degree, x, &mut weights.values);
        }
        let before = weights.values;
        weights.values[0] = 0.0;
        for place in 1..=self.degree {
            let (above, below) = (self.knots[interval + place], self.knots[interval + place - self.degree]);
            weights.values[place] = 0.0;
            if above != below {
                let weight = self.degree as f64 * before[place - 1] / (above - below);
                weights.values[place - 1] -= weight;
                weights.values[place] = weight;
            }
        }
        weights
    }

    /// Adds the splines to lanes of zeros; those beyond the lanes are left out.
    pub fn fill(&self, weights: &Weights, lanes: &mut [f64]) {
        for (place, value) in weights.values[..weights.count].iter().enumerate() {
            let spline = weights.first + place;
            let spline = if spline < self.splines { spline } else { spline - self.splines };
            if let Some(lane) = lanes.get_mut(spline) {
                *lane += value;
            }
        }
    }

    /// The splines at the end of the range that `x` is beyond. At the end one of them is always 0, and is left out.
    pub fn fill_constant(&self, x: f64, lanes: &mut [f64]) {
        for spline in self.outermost(x, self.degree) {
            if let Some(lane) = lanes.get_mut(spline) {
                *lane = self.end(x).values.of(spline);
            }
        }
    }

    /// The outermost splines' tangents at the end of the range that `x` is beyond.
    pub fn fill_linear(&self, x: f64, lanes: &mut [f64]) {
        // With degrees below 2 one spline more has a slope there.
        let count = if self.degree <= 1 { self.degree + 1 } else { self.degree };
        let (from, to) = self.range();
        let beyond = if x < from { x - from } else { x - to };
        for spline in self.outermost(x, count) {
            if let Some(lane) = lanes.get_mut(spline) {
                *lane = self.end(x).values.of(spline) + beyond * self.end(x).slopes.of(spline);
            }
        }
    }

    fn end(&self, x: f64) -> &Ends {
        if x < self.range().0 { &self.low } else { &self.high }
    }

    /// The first or the last `count` splines, by where `x` is.
    fn outermost(&self, x: f64, count: usize) -> std::ops::Range<usize> {
        if x < self.range().0 { 0..count } else { self.splines - count..self.splines }
    }
}
