//! Any text as a manifest: read or refused with a place, never a panic; and what is planned of one that
//! was read lies within its own scope.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portproof::{
    model::{PortSet, ScopeEntry},
    spec::{
        Files,
        plan::{Selection, plan},
        profile::Profiles,
        read,
        resolution::Resolution,
    },
};

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<String, String> {
        Err(format!("{path}: no files here"))
    }

    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

static PROFILES: LazyLock<Profiles> = LazyLock::new(|| Profiles::builtin().expect("the built-in profiles are sound"));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let manifest = match read("fuzz.yaml", &text, &*PROFILES, &NoFiles) {
        Ok(manifest) => manifest,
        Err(wrong) => {
            assert!(wrong.count() > 0 && !wrong.render(false).is_empty());
            return;
        }
    };
    let scope = &manifest.authorization.scope;
    let planned = plan(&manifest, &Resolution::default(), &Selection::default(), &|_, _| PortSet::NONE);
    for group in planned.iter().flat_map(|plan| &plan.groups) {
        for address in [group.permit.range().first(), group.permit.range().last()] {
            let covers = |entries: &[ScopeEntry]| {
                entries.iter().any(|entry| matches!(entry, ScopeEntry::Block(block) if block.contains(&address)))
            };
            assert!(covers(&scope.entries) && !covers(&scope.exclude), "{address} is outside the scope");
        }
    }
});
