//! The marks of a window gathered from many chapters, so that the journal of a long scan does not grow
//! by every endpoint for ever.

use super::{Chapter, Damaged, Run, Stamp};

/// Four bits an endpoint: the strongest mark.
#[derive(Debug, Default)]
pub struct Sheet {
    octets: Vec<u8>,
}

/// No window is larger ([`super::super::config::WINDOW`]).
const LARGEST: u64 = super::super::config::WINDOW;
/// Runs in one chapter.
const MOST_RUNS: usize = 1 << 16;

impl Sheet {
    /// Takes the marks out of a chapter.
    pub fn gather(&mut self, chapter: &mut Chapter) -> Result<(), Damaged> {
        for run in chapter.marks.drain(..) {
            let end = run.first.checked_add(run.length).filter(|end| *end <= LARGEST);
            let end = end.and_then(|end| usize::try_from(end).ok()).ok_or(Damaged::Foreign)?;
            if self.octets.len() < end.div_ceil(2) {
                self.octets.resize(end.div_ceil(2), 0);
            }
            let mark = run.mark as u8 + 1;
            for index in end - usize::try_from(run.length).unwrap_or(end)..end {
                let shift = index % 2 * 4;
                if let Some(octet) = self.octets.get_mut(index / 2) {
                    let before = *octet >> shift & 15;
                    *octet = *octet & !(15 << shift) | mark.max(before) << shift;
                }
            }
        }
        Ok(())
    }

    /// The same marks, in as few chapters as it takes.
    pub fn chapters(&self, window: u64, each: &mut dyn FnMut(&Chapter)) {
        let mut chapter = Chapter { window, ..Chapter::default() };
        let nibbles = self.octets.iter().flat_map(|octet| [octet & 15, octet >> 4]);
        for (index, nibble) in (0u64..).zip(nibbles) {
            let mark = match nibble {
                0 => continue,
                1 => Stamp::Soft,
                2 => Stamp::Prohibited,
                _ => Stamp::Closed,
            };
            match chapter.marks.last_mut() {
                Some(run) if run.mark == mark && run.first + run.length == index => run.length += 1,
                _ => {
                    if chapter.marks.len() == MOST_RUNS {
                        each(&chapter);
                        chapter.marks.clear();
                    }
                    chapter.marks.push(Run { first: index, length: 1, mark });
                }
            }
        }
        if !chapter.marks.is_empty() {
            each(&chapter);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_strongest_mark_of_each_endpoint_is_kept(
            runs in proptest::collection::vec((0u64..300, 1u64..20, 0usize..3), 0..60),
        ) {
            let stamps = [Stamp::Soft, Stamp::Prohibited, Stamp::Closed];
            let runs = runs.into_iter().map(|(first, length, at)| Run { first, length, mark: stamps[at] });
            let mut chapter = Chapter { window: 7, marks: runs.collect(), ..Chapter::default() };
            let marks_of = |runs: &[Run]| {
                let mut marks = std::collections::BTreeMap::new();
                for run in runs {
                    for index in run.first..run.first + run.length {
                        let known = marks.entry(index).or_insert(run.mark);
                        *known = run.mark.max(*known);
                    }
                }
                marks
            };
            let wanted = marks_of(&chapter.marks);
            let mut sheet = Sheet::default();
            sheet.gather(&mut chapter).unwrap();
            prop_assert!(chapter.is_empty());
            let mut runs = Vec::new();
            sheet.chapters(7, &mut |chapter| runs.extend_from_slice(&chapter.marks));
            prop_assert_eq!(marks_of(&runs), wanted);
            prop_assert!(runs.windows(2).all(|pair| pair[0].first + pair[0].length <= pair[1].first));
        }
    }

    #[test]
    fn what_no_window_has_is_refused() {
        for (first, length) in [(u64::MAX, 1), (LARGEST, 1), (0, LARGEST + 1), (5, u64::MAX)] {
            let marks = vec![Run { first, length, mark: Stamp::Closed }];
            let mut chapter = Chapter { marks, ..Chapter::default() };
            assert_eq!(Sheet::default().gather(&mut chapter), Err(Damaged::Foreign));
        }
    }
}
