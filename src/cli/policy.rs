//! A policy on a terminal: what each control asks, what a run can say to it, and what it can't.

use std::{fmt::Write as _, time::Duration};

use crate::spec::profile::{Control, PolicyProfile};

/// Columns that the text is fitted to.
const WIDTH: usize = 100;

/// Writes a policy in full.
pub(super) fn write(text: &mut String, policy: &PolicyProfile) {
    let _ = writeln!(text, "{}: {}\n", policy.name, policy.heading());
    wrapped(text, "", &policy.description);
    wrapped(
        text,
        "",
        "A run supports evidence for these controls; whether they are met is the assessor's to say.",
    );
    let _ = writeln!(text, "\nWhat it asks of a manifest (`policy: {{use: {}}}`)", policy.name);
    let mut asks = vec!["every governance rule (EXP013, EXC, MAN) fails instead of warning".to_owned()];
    if !policy.require.is_empty() {
        asks.push(format!("every `expose` entry has {}", policy.require.join(", ")));
    }
    asks.extend(policy.max_exception_days.map(|days| format!("an exception lasts at most {days} days")));
    asks.extend(
        policy.max_review_days.map(|days| {
            format!("the manifest, or each `expose` entry, is reviewed again within {days} days")
        }),
    );
    if policy.four_eyes {
        asks.push("an exception is approved by somebody else than who requested it".to_owned());
    }
    asks.extend(policy.max_age.map(|age| format!("the next run is due after {}", period(age))));
    for line in asks {
        wrapped(text, "  - ", &line);
    }
    for control in &policy.controls {
        write_control(text, control);
    }
    let _ = writeln!(text, "\nGood to know");
    wrapped(text, "  - ", &format!("Entries name controls as `controls: [\"{}:ID\"]`.", policy.framework));
    for note in &policy.notes {
        wrapped(text, "  - ", note);
    }
}

fn write_control(text: &mut String, control: &Control) {
    let _ = writeln!(text, "\n{}  support: {}", control.id, control.support.word());
    wrapped(text, "    asks    ", &control.asks);
    let rules: Vec<&str> = control.rules.iter().map(|rule| rule.id).collect();
    for (label, words) in [("    rules   ", rules.join(", ")), ("    fields  ", control.fields.join(", "))] {
        if !words.is_empty() {
            wrapped(text, label, &words);
        }
    }
    for need in &control.needs {
        wrapped(text, "    needs   ", &format!("{}: {}", need.word(), need.says()));
    }
    wrapped(text, "    also    ", &control.also);
}

fn period(age: Duration) -> String {
    const DAY: u64 = 86_400;
    match age.as_secs() {
        seconds if seconds % DAY == 0 => format!("{} days", seconds / DAY),
        seconds => format!("{seconds} s"),
    }
}

/// Words after a label, every further line under the first.
fn wrapped(text: &mut String, label: &str, words: &str) {
    let room = WIDTH.saturating_sub(label.len());
    let mut line = label.to_owned();
    let mut used = 0;
    for word in words.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            let _ = writeln!(text, "{line}");
            line = " ".repeat(label.len());
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    let _ = writeln!(text, "{line}");
}
