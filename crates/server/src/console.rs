//! The console's files, as they were built into `crates/server/console`. Their source is the folder `console`.

use anyhow::Context;
use graph::Site;
use include_dir::{Dir, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/console");

/// Returns all of them, compressed.
pub(crate) fn site() -> anyhow::Result<Site> {
    let assets = FILES.get_dir("assets").into_iter().flat_map(Dir::files);
    let files = FILES.files().chain(assets).map(|file| (file.path().display().to_string(), file.contents()));
    Site::new(files).context("the console's files")
}
