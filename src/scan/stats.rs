//! Binomial statistics: how much a count of losses says about the chance of one.
//!
//! Counts may be fractions: losses that come in clusters say less than as many independent ones, and are
//! counted for less.

/// The one-sided upper bound of a chance, at confidence `1 - alpha`, after `hits` of `tries` (Clopper and
/// Pearson, Biometrika 1934). Without a try it is 1.
pub(super) fn upper_bound(hits: f64, tries: f64, alpha: f64) -> f64 {
    if tries <= 0.0 || hits >= tries {
        return 1.0;
    }
    if hits <= 0.0 {
        return 1.0 - alpha.powf(1.0 / tries);
    }
    // The chance p for which so few hits, or fewer, come with probability alpha.
    // Ten standard deviations beyond the mean nothing is left of a twentieth.
    let mean = hits / tries;
    let far = mean + 10.0 * (hits + 1.0).sqrt() / tries;
    let (mut low, mut high) = (mean, far.min(1.0));
    while high - low > PRECISION * high {
        let middle = f64::midpoint(low, high);
        if beta(hits + 1.0, tries - hits, middle) < 1.0 - alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// A bound on the probability of `hits` or more in `tries`, each with this chance, where that is more than
/// expected (Hoeffding, JASA 1963, theorem 1). Never below the probability, and two logarithms cheap.
pub(super) fn at_least_bound(hits: f64, tries: f64, chance: f64) -> f64 {
    let share = hits / tries.max(1.0);
    if share <= chance || share > 1.0 {
        return 1.0;
    }
    let missing = if share < 1.0 { (1.0 - share) * ((1.0 - share) / (1.0 - chance)).ln() } else { 0.0 };
    (-tries * (share * (share / chance.max(1e-12)).ln() + missing)).exp()
}

/// The probability of `hits` or more in `tries`, each with this chance.
pub(super) fn at_least(hits: f64, tries: f64, chance: f64) -> f64 {
    if hits <= 0.0 {
        1.0
    } else if hits > tries {
        0.0
    } else {
        beta(hits, tries - hits + 1.0, chance)
    }
}

/// How exact a bound is, as a part of it.
const PRECISION: f64 = 1e-7;

/// The regularized incomplete beta function (Abramowitz and Stegun 26.5), by its continued fraction
/// (26.5.8) evaluated after Lentz (Applied Optics 15, 1976).
#[allow(clippy::many_single_char_names)] // as in the formula
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    // The fraction converges fast only below the mean; above it the other tail does.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(b, a, 1.0 - x);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp() / a;
    let bounded = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut c, mut d) = (1.0, 1.0 / bounded(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for m in 1..=TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut step = 1.0;
        for term in [even, odd] {
            d = 1.0 / bounded(1.0 + term * d);
            c = bounded(1.0 + term / c);
            step = c * d;
            fraction *= step;
        }
        if (step - 1.0).abs() < 1e-11 {
            break;
        }
    }
    front * fraction
}

const TINY: f64 = 1e-300;
const TERMS: u32 = 2000;

/// The logarithm of the gamma function for positive numbers: Stirling's series (Abramowitz and Stegun
/// 6.1.41) above ten, the recurrence below.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut below) = (x, 0.0);
    while x < 10.0 {
        below += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - below
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binomial_at_least(hits: u32, tries: u32, chance: f64) -> f64 {
        (hits..=tries)
            .map(|k| {
                let ways: f64 = (0..k).map(|i| f64::from(tries - i) / f64::from(i + 1)).product();
                ways * chance.powi(k.cast_signed()) * (1.0 - chance).powi((tries - k).cast_signed())
            })
            .sum()
    }

    #[test]
    fn the_tail_is_that_of_the_sum() {
        for tries in [1, 2, 7, 30, 60] {
            for hits in 0..=tries {
                for chance in [0.001, 0.02, 0.2, 0.5, 0.9] {
                    let (fast, slow) =
                        (at_least(hits.into(), tries.into(), chance), binomial_at_least(hits, tries, chance));
                    assert!((fast - slow).abs() < 1e-9, "{hits} of {tries} at {chance}: {fast} {slow}");
                    assert!(at_least_bound(hits.into(), tries.into(), chance) >= slow - 1e-9);
                }
            }
        }
    }

    #[test]
    fn the_bound_is_where_so_few_are_one_in_twenty() {
        for tries in [1.0, 10.0, 94.0, 1000.0, 1e6] {
            for hits in [0.0, 1.0, 5.0, 90.0, 900.0] {
                let bound = upper_bound(hits, tries, 0.05);
                assert!((0.0..=1.0).contains(&bound));
                if hits < tries {
                    let few = 1.0 - at_least(hits + 1.0, tries, bound);
                    assert!((few - 0.05).abs() < 1e-6, "{hits} of {tries}: {bound} {few}");
                }
            }
        }
        // Loss-free tries that bound a miss of 1 in 1,000: 94 at two attempts, 29 at three, 16 at four.
        for (tries, attempts) in [(94.0, 2), (29.0, 3), (16.0, 4)] {
            assert!(upper_bound(0.0, tries, 0.05).powi(attempts) <= 0.001);
            assert!(upper_bound(0.0, tries - 1.0, 0.05).powi(attempts) > 0.001);
        }
        assert!((upper_bound(0.0, 0.0, 0.05) - 1.0).abs() < 1e-12);
    }
}
