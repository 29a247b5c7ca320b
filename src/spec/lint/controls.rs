//! Controls that an entry names and that no policy in force has (MAN019). Never guesses where no policy is named.

use super::super::{manifest::Policy, nearest::nearest, profile::PolicyProfile};

/// So many controls of a policy are listed where none is near.
const LISTED: usize = 12;

/// What is wrong with the controls that an entry names: one clause each, and how it was meant.
pub(super) fn unknown(policy: &Policy, named: &[String]) -> Option<String> {
    if policy.uses.is_empty() {
        return None;
    }
    let has = |name: &String| {
        policy.uses.iter().any(|used| used.controls.iter().any(|control| used.name_of(control) == *name))
    };
    let wrong: Vec<String> =
        named.iter().filter(|name| !has(name)).map(|name| strange(policy, name)).collect();
    (!wrong.is_empty()).then(|| wrong.join("; and "))
}

fn strange(policy: &Policy, name: &str) -> String {
    let Some((framework, id)) = name.split_once(':') else {
        return format!("the control `{name}`, which is not written as `framework:id`");
    };
    let frameworks = || policy.uses.iter().map(|used| used.framework.as_str());
    let of: Vec<&PolicyProfile> = policy.uses.iter().filter(|used| used.framework == framework).collect();
    if of.is_empty() {
        let hint = nearest(framework, frameworks()).map_or_else(
            || format!("in force: {}", frameworks().collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}:{id}`?"),
        );
        return format!("the control `{name}`, and no policy in force is called `{framework}`; {hint}");
    }
    let ids = || of.iter().flat_map(|used| used.controls.iter().map(|control| control.id.as_str()));
    let hint = nearest(id, ids()).map_or_else(
        || format!("known: {}", ids().take(LISTED).collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean `{framework}:{near}`?"),
    );
    let policies: Vec<&str> = of.iter().map(|used| used.name.as_str()).collect();
    format!("the control `{name}`, which {} does not have; {hint}", policies.join(", "))
}
