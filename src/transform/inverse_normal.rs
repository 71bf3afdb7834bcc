//! The inverse of the normal distribution's cumulative function: rational approximations of three ranges, with the
//! published coefficients of the Cephes library. Errors are below 1e-15 of the result.

/// The square root of 2 pi.
const ROOT_TWO_PI: f64 = 2.506_628_274_631_000_7;

/// exp(-2): shares between it and its complement are in the middle range.
const MIDDLE: f64 = 0.135_335_283_236_612_7;

/// The value that a share `y` of the standard normal distribution lies below: infinities for 0 and 1, NaN outside and
/// for NaN.
pub fn inverse_normal(y: f64) -> f64 {
    if y == 0.0 {
        f64::NEG_INFINITY
    } else if y == 1.0 {
        f64::INFINITY
    } else if !(0.0..=1.0).contains(&y) {
        f64::NAN
    } else if y > 1.0 - MIDDLE {
        tail(1.0 - y)
    } else if y > MIDDLE {
        middle(y - 0.5)
    } else {
        -tail(y)
    }
}

fn middle(centered: f64) -> f64 {
    let square = centered * centered;
    let ratio = square * polynomial(square, &MIDDLE_OVER) / polynomial(square, &MIDDLE_UNDER);
    (centered + centered * ratio) * ROOT_TWO_PI
}

/// The magnitude of the value beyond which a small share lies.
fn tail(share: f64) -> f64 {
    let x = (-2.0 * share.ln()).sqrt();
    let z = 1.0 / x;
    let correction = if x < 8.0 {
        z * polynomial(z, &NEAR_OVER) / polynomial(z, &NEAR_UNDER)
    } else {
        z * polynomial(z, &FAR_OVER) / polynomial(z, &FAR_UNDER)
    };
    (x - x.ln() / x) - correction
}

/// By Horner's rule; the coefficient of the highest power comes first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().copied().reduce(|sum, coefficient| sum * x + coefficient).unwrap_or_default()
}

const MIDDLE_OVER: [f64; 5] = [
    -59.963_350_101_410_79,
    98.001_075_418_599_97,
    -56.676_285_746_907_03,
    13.931_260_938_727_968,
    -1.239_165_838_673_812_5,
];

const MIDDLE_UNDER: [f64; 9] = [
    1.0,
    1.954_488_583_381_417_6,
    4.676_279_128_988_815,
    86.360_242_139_089_05,
    -225.462_687_854_119_37,
    200.260_212_380_060_66,
    -82.037_225_616_833_34,
    15.905_622_512_621_17,
    -1.183_316_211_213_3,
];

const NEAR_OVER: [f64; 9] = [
    4.055_448_923_059_624_5,
    31.525_109_459_989_388,
    57.162_819_224_642_13,
    44.080_507_389_320_08,
    14.684_956_192_885_803,
    2.186_633_068_507_902_5,
    -0.140_256_079_171_354_5,
    -0.035_042_462_682_784_82,
    -0.000_857_456_785_154_685_4,
];

const NEAR_UNDER: [f64; 9] = [
    1.0,
    15.779_988_325_646_675,
    45.390_763_512_887_92,
    41.317_203_825_467_2,
    15.042_538_569_290_75,
    2.504_649_462_083_094,
    -0.142_182_922_854_787_79,
    -0.038_080_640_769_157_83,
    -0.000_933_259_480_895_457_4,
];

const FAR_OVER: [f64; 9] = [
    3.237_748_917_769_460_3,
    6.915_228_890_689_842,
    3.938_810_252_924_744_4,
    1.333_034_608_158_075_5,
    0.201_485_389_549_179_08,
    0.012_371_663_481_782_003,
    0.000_301_581_553_508_235_43,
    2.658_069_746_867_375_5e-6,
    6.239_745_391_849_833e-9,
];

const FAR_UNDER: [f64; 9] = [
    1.0,
    6.024_270_393_647_42,
    3.679_835_638_561_608_7,
    1.377_020_994_890_813_2,
    0.216_236_993_594_496_63,
    0.013_420_400_608_854_318,
    0.000_328_014_464_682_127_74,
    2.892_478_647_453_806_8e-6,
    6.790_194_080_099_813e-9,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_scipy_gives_it() {
        // scipy 1.17's ndtri.
        let known = [
            (1e-300, -37.0470962993612),
            (1e-20, -9.262340089798409),
            (1e-3, -3.090232306167813),
            (0.1353, -1.10168187367228),
            (0.14, -1.0803193408149558),
            (0.3, -0.5244005127080409),
            (0.5, 0.0),
            (0.7, 0.5244005127080407),
            (0.9, 1.2815515655446004),
            (0.999, 3.090232306167813),
        ];
        for (share, value) in known {
            let error = (inverse_normal(share) - value).abs();
            assert!(error <= 1e-15 * value.abs(), "{share}: {} {value}", inverse_normal(share));
        }
    }

    #[test]
    fn the_ends_are_infinite_and_nothing_lies_outside() {
        assert_eq!((inverse_normal(0.0), inverse_normal(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!([-0.1, 1.1, f64::NAN].iter().all(|&share| inverse_normal(share).is_nan()));
    }
}
