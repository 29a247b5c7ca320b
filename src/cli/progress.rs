//! The progress bar: what is done, how fast, how long still, and what was found so far. Only on a
//! terminal, and only on standard error.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::TalkArgs;
use crate::model::Coverage;

/// A bar, or nothing where nobody looks.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A bar over the endpoints of a run.
    pub(super) fn over(planned: u64, talk: &TalkArgs) -> Self {
        if talk.quiet || talk.no_progress || !std::io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let style = ProgressStyle::with_template("{bar:32} {percent:>3}%  {msg}")
            .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("━╸─"));
        let bar = ProgressBar::with_draw_target(Some(planned), ProgressDrawTarget::stderr_with_hz(5))
            .with_style(style);
        Self { bar: Some(bar) }
    }

    /// Shows the state of the run. Silent endpoints settle only at their end, so the bar follows what
    /// was sent where that says more.
    pub(super) fn show(&self, totals: &Coverage, expected_probes: u64, elapsed: Duration, unexpected: u64) {
        let Some(bar) = &self.bar else { return };
        let settled = totals.planned.saturating_sub(totals.states.unknown);
        let sent =
            u128::from(totals.probes_sent) * u128::from(totals.planned) / u128::from(expected_probes.max(1));
        let done = settled.max(u64::try_from(sent).unwrap_or(u64::MAX)).min(totals.planned);
        let seconds = elapsed.as_secs_f64().max(0.001);
        let rate = totals.probes_sent as f64 / seconds;
        let left = if done == 0 {
            String::new()
        } else {
            format!(", about {:.0} s left", seconds * (totals.planned - done) as f64 / done as f64)
        };
        bar.set_position(done);
        bar.set_message(format!(
            "{rate:.0}/s{left}  open {}, of these to look at {unexpected}",
            totals.states.open
        ));
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
