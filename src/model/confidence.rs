//! How sure a run is of what it did not see: packet loss, and what it may have hidden.

use super::Moment;

/// Loss of a single probe or of its answer, as measured by asking again what is known to answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Lost of those tried, 0 to 1.
    pub estimate: f64,
    /// The one-sided 95 % bound of the true loss.
    pub upper95: f64,
    /// How often something known to answer was asked.
    pub trials: u64,
}

/// Had a silent endpoint been open: the chance that all its probes went unanswered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss {
    /// As measured, 0 to 1.
    pub estimate: f64,
    /// The one-sided 95 % bound.
    pub upper95: f64,
}

impl Miss {
    /// The worse of two, where there are two.
    pub fn worst(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if a.upper95 >= b.upper95 { a } else { b }),
            (one, None) | (None, one) => one,
        }
    }
}

/// That the path carried less than was asked of it, so that the run had to slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Congestion {
    /// How often the rate was cut.
    pub cuts: u32,
    /// The lowest rate, in probes a second.
    pub lowest_pps: u64,
    /// When it was found first.
    pub since: Moment,
}
