//! Whatever stands in a data file, it becomes data or an error that can be shown: files of every format, spoilt in the
//! ways in which files are spoilt. `.ci/fuzz` looks further, guided by coverage.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nncheck_core::data::load;
use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::{Data, DataSource, NextToken};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;
use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};

#[path = "../fuzz/src/reading.rs"]
mod reading;

/// Longest that a file of some kilobytes may take.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
enum Format {
    Csv,
    Npz,
    Safetensors,
    NextToken,
    Idx,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn seeds() -> Vec<(Format, Vec<u8>)> {
    let golden = |name: &str| std::fs::read(root().join("../tests/golden/data").join(name)).unwrap();
    let csv = "a,\"b, c\",y,note\r\n1,2.5,0,\"x\ny\"\r\n-3e2,\"4\",1,z\r\n5, 6 ,2,\n\n7,8,0,\u{e9}\n";
    vec![
        (Format::Csv, csv.as_bytes().to_vec()),
        (Format::Npz, golden("packed.npz")),
        (Format::Npz, golden("kinds.npz")),
        (Format::Safetensors, golden("kinds.safetensors")),
        (Format::NextToken, golden("text.safetensors")),
        (Format::Idx, golden("images.idx")),
        (Format::Idx, golden("images.idx.gz")),
    ]
}

fn source(format: Format, file: &Path) -> DataSource {
    let path = Located::new(file.to_owned(), 0..1);
    match format {
        Format::Csv => DataSource::Csv {
            path,
            target: Located::new(vec!["y".to_owned()], 0..1),
            inputs: Some(Located::new(vec!["a".to_owned(), "b*".to_owned()], 0..1)),
        },
        Format::Npz => DataSource::Npz(reading::arrays(file, None)),
        Format::Safetensors => DataSource::Safetensors(reading::arrays(file, None)),
        Format::NextToken => DataSource::Safetensors(reading::arrays(file, Some(NextToken::Windows(4)))),
        Format::Idx => {
            let labels = root().join("../tests/golden/data/labels.idx");
            DataSource::Idx { images: path, labels: Located::new(labels, 0..1) }
        }
    }
}

/// Reads a file in several ways.
fn try_bytes(format: Format, bytes: &[u8]) {
    let start = Instant::now();
    reading::with_file(bytes, |file| reading::several_ways(&source(format, file)));
    assert!(start.elapsed() < PATIENCE, "{format:?} took {:?}", start.elapsed());
}

/// One of the ways in which files are spoilt.
fn spoil(bytes: &mut Vec<u8>, random: &mut SmallRng) {
    if bytes.is_empty() {
        bytes.push(random.random());
        return;
    }
    // Headers are short and matter most.
    let span = if random.random_bool(0.5) { bytes.len().min(128) } else { bytes.len() };
    let at = random.random_range(0..span);
    match random.random_range(0..9) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = random.random(),
        2 => bytes.truncate(at),
        3 => {
            let end = (at + random.random_range(1..16)).min(bytes.len());
            bytes.drain(at..end);
        }
        4 => {
            let end = (at + random.random_range(1..64)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        // Sizes that are claimed.
        5 => {
            let huge = [u64::MAX, 1 << 63, 1 << 40, 1 << 31, 0xffff_ffff, 0][random.random_range(0..6)];
            for (to, byte) in bytes[at..].iter_mut().zip(huge.to_le_bytes()) {
                *to = byte;
            }
        }
        6 => {
            let words: [&[u8]; 12] = [
                b"\"",
                b",",
                b"\n",
                b"\r",
                b"-",
                b"nan",
                b"1e999",
                b"99999999999999999999",
                b"(",
                b"\xff\xfe",
                b"[",
                b"{",
            ];
            let word = words[random.random_range(0..words.len())];
            bytes.splice(at..at, word.iter().copied());
        }
        7 => {
            let other = random.random_range(0..bytes.len());
            bytes.swap(at, other);
        }
        _ => {
            let mut noise = vec![0; random.random_range(1..24)];
            random.fill_bytes(&mut noise);
            bytes.splice(at..at, noise);
        }
    }
}

#[test]
fn every_beginning_of_a_file_is_data_or_an_error() {
    for (format, bytes) in seeds() {
        // Each byte of the header, and some of the numbers.
        for end in (0..bytes.len()).filter(|end| *end < 200 || end % 61 == 0) {
            try_bytes(format, &bytes[..end]);
        }
    }
}

#[test]
fn spoilt_files_are_data_or_an_error() {
    let mut random = SmallRng::seed_from_u64(0);
    let seeds = seeds();
    for _ in 0..600 {
        for (format, seed) in &seeds {
            let mut bytes = seed.clone();
            for _ in 0..random.random_range(1..4) {
                spoil(&mut bytes, &mut random);
            }
            try_bytes(*format, &bytes);
        }
    }
}

#[test]
fn sizes_that_a_header_claims_are_not_believed() {
    let idx = [&[0, 0, 0x0e, 8][..], &[0xff; 32], &[0; 100]].concat();
    let idx_rows = [&[0, 0, 8, 3, 0, 0, 0, 12][..], &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9], &[1; 100]].concat();
    let header = br#"{"x":{"dtype":"F32","shape":[12,1000000000],"data_offsets":[0,48000000000]}}"#;
    let safetensors = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 64]].concat();
    let long = [&(99_999_999_u64).to_le_bytes()[..], b"{"].concat();
    for (format, bytes) in
        [(Format::Idx, idx), (Format::Idx, idx_rows), (Format::Safetensors, safetensors), (Format::Safetensors, long)]
    {
        let error = reading::with_file(&bytes, |file| {
            load(&Data::of(source(format, file)), Task::Multiclass, Dtype::Float32).unwrap_err()
        });
        reading::shown(&error);
    }
}
