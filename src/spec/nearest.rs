//! "Did you mean": the nearest of the known names. Never guesses when nothing is near.

/// How many names are compared at most; a guess is not worth a second.
const MAX_KNOWN: usize = 2_000;

/// The known name nearest to `word`, where one is near enough to be a slip of the pen.
pub(crate) fn nearest<S: AsRef<str>>(word: &str, known: impl IntoIterator<Item = S>) -> Option<S> {
    let word: Vec<char> = word.to_lowercase().chars().take(64).collect();
    let allowed = (word.len() / 3).clamp(1, 4);
    known
        .into_iter()
        .take(MAX_KNOWN)
        .filter_map(|name| {
            let letters: Vec<char> = name.as_ref().to_lowercase().chars().take(64).collect();
            if letters.len().abs_diff(word.len()) > allowed {
                return None;
            }
            let slips = distance(&word, &letters);
            (slips <= allowed && slips < letters.len()).then_some((slips, name))
        })
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours
/// (Damerau 1964, Levenshtein 1965).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best =
                (at(&above, j + 1) + 1).min(at(&row, j) + 1).min(at(&above, j) + usize::from(x != y));
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["expose", "expires", "hosts", "owner", "tcp", "udp"];
        for (slip, meant) in
            [("expse", "expose"), ("exopse", "expose"), ("Hosts", "hosts"), ("host", "hosts"), ("tpc", "tcp")]
        {
            assert_eq!(nearest(slip, known), Some(meant), "{slip}");
        }
        for stranger in ["firewall", "x", "", "ports"] {
            assert_eq!(nearest(stranger, known), None, "{stranger}");
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_slip() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(distance(&letters("abcd"), &letters("acbd")), 1);
        assert_eq!(distance(&letters("kitten"), &letters("sitting")), 3);
        assert_eq!(distance(&letters(""), &letters("abc")), 3);
    }
}
