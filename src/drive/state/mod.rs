//! The checkpoint of a run in a file: written as it goes, read by a run that continues it. Holds what a
//! scan says of itself; decides nothing.

mod keeper;
mod record;
mod store;
mod story;

pub use self::{
    keeper::Keeper,
    record::{Kind, MAGIC, ReadError, Records, write},
    store::{Past, StateError, Store},
    story::{Story, StoryError, begin, write as write_checkpoint},
};
