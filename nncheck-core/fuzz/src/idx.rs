//! idx files, with gzip or without.

use std::path::Path;

use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::DataSource;

use super::reading;

/// Images beside twelve labels, labels beside the same images, and both in one.
pub fn read(bytes: &[u8]) {
    const TWELVE: [u8; 20] = [0, 0, 8, 1, 0, 0, 0, 12, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2];
    reading::with_file(bytes, |file| {
        reading::with_file(&TWELVE, |twelve| {
            let source = |images: &Path, labels: &Path| DataSource::Idx {
                images: Located::new(images.to_owned(), 0..1),
                labels: Located::new(labels.to_owned(), 0..1),
            };
            reading::several_ways(&source(file, twelve));
            reading::several_ways(&source(twelve, file));
        });
    });
}
