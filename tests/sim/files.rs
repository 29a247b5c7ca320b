//! Files that somebody wants to have judged, as no honest tool writes them: whatever the octets, they are read or
//! refused, and what is kept is bounded and clean. Shared with the fuzz target `nmap_xml`.

use portproof::{
    intake::{self, Source},
    model::{Protocol, State, clean},
};

/// Reads a file and holds what is in it to the laws; says whether there was anything in it.
pub(crate) fn read(octets: &[u8]) -> bool {
    match intake::read(octets) {
        Ok(source) => {
            is_tame(&source);
            !source.parts.is_empty()
        }
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.chars().count() < 600, "{text}");
            assert!(!error.hint().is_empty());
            false
        }
    }
}

fn is_tame(source: &Source) {
    for text in source.remarks.iter().chain([&source.tool]) {
        assert_eq!(&clean(text), text, "nothing invisible is kept");
    }
    for ((address, protocol), part) in &source.parts {
        for (port, sighting) in &part.seen {
            let seen = &sighting.observation;
            assert!(*port > 0 && seen.endpoint.port == *port && seen.endpoint.address == *address);
            assert_eq!(seen.endpoint.protocol, *protocol);
            if *protocol == Protocol::Tcp {
                assert_ne!(seen.state, State::Unanswered, "TCP silence is filtered");
            }
            let words = sighting.portrait.as_ref().and_then(portproof::identify::Portrait::words_said);
            assert!(words.is_none_or(|words| clean(&words) == words));
        }
        for rest in &part.rest {
            assert!(rest.states.total() <= 20 * u64::from(u16::MAX), "{:?}", rest.states);
            assert!(part.seen.keys().all(|port| !rest.ports.contains(*port)), "listed and counted");
            assert_ne!(rest.weakest(), State::Open, "what is open is listed");
        }
    }
}
