//! Wrong and hostile manifests, one a file; the first line of each says why it is there. Each must be
//! refused with exactly the words beside it (`NAME.txt`).
//!
//! To accept new words after reading them: `UPDATE_GOLDEN=1 cargo test --test manifest_corpus`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may panic
#![allow(clippy::disallowed_methods)] // the environment says whether to accept

#[path = "support/names.rs"]
mod names;

use std::{fs, path::Path};

use names::{FewNames, Memory};
use portproof::spec::read;

#[test]
fn every_wrong_manifest_is_refused_in_the_words_beside_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/manifest");
    let accept = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "yaml")) {
        count += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("# "), "{name}: the first line says why the file is there");
        let said = match read(name, &text, &FewNames, &Memory::default()) {
            Ok(_) => "it reads".to_owned(),
            Err(diagnostics) => diagnostics.render(false) + "\n",
        };
        let golden = path.with_extension("txt");
        if accept {
            fs::write(&golden, &said).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if said == "it reads" || said != expected {
            wrong.push(format!("--- {name}\nexpected:\n{expected}\nsaid:\n{said}"));
        }
    }
    assert!(count > 40, "only {count} files were found in {}", folder.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
