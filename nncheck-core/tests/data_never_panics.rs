//! Whatever stands in a data file, it becomes data or an error that can be shown: files of every format, spoilt in the
//! ways in which files are spoilt. `FUZZ_SECONDS=600` looks for longer, each time elsewhere; what it finds is kept under
//! `tests/fuzz_corpus` and tried from then on.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nncheck_core::data::{DataError, Dataset, load, peek};
use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::{Arrays, Data, DataSource, NamedArray, NextToken};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;
use rand::rngs::SmallRng;
use rand::{Rng, RngCore, SeedableRng};

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
    let named = |name: &str| NamedArray { name: name.to_owned(), array: Located::new(name.to_owned(), 0..1) };
    let arrays = |next_token: Option<NextToken>| Arrays {
        path: path.clone(),
        inputs: vec![named("x")],
        targets: if next_token.is_some() { Vec::new() } else { vec![named("y")] },
        next_token: next_token.map(|next| Located::new(next, 0..1)),
    };
    match format {
        Format::Csv => DataSource::Csv {
            path,
            target: Located::new(vec!["y".to_owned()], 0..1),
            inputs: Some(Located::new(vec!["a".to_owned(), "b*".to_owned()], 0..1)),
        },
        Format::Npz => DataSource::Npz(arrays(None)),
        Format::Safetensors => DataSource::Safetensors(arrays(None)),
        Format::NextToken => DataSource::Safetensors(arrays(Some(NextToken::Windows(4)))),
        Format::Idx => {
            let labels = root().join("../tests/golden/data/labels.idx");
            DataSource::Idx { images: path, labels: Located::new(labels, 0..1) }
        }
    }
}

/// Reads a file in several ways.
fn try_bytes(format: Format, bytes: &[u8], file: &Path) {
    std::fs::write(file, bytes).unwrap();
    let start = Instant::now();
    for (task, take) in [(Task::Multiclass, None), (Task::Regression, Some(3)), (Task::Binary, None)] {
        let data = Data { source: source(format, file), take, ..Data::of(DataSource::None) };
        if let Err(error) = peek(&data, task) {
            shown(&error);
        }
        match load(&data, task, Dtype::Float32) {
            Ok(dataset) => sound(&dataset),
            Err(error) => shown(&error),
        }
    }
    assert!(start.elapsed() < PATIENCE, "{format:?} took {:?}", start.elapsed());
}

fn shown(error: &DataError) {
    assert!(!error.message.is_empty() && error.span.is_some(), "{error:?}");
    let words = error.help.iter().chain([&error.message]).chain(error.at.iter().map(|place| &place.text));
    assert!(words.into_iter().all(|text| !text.contains(char::is_control)), "{error:?}");
}

/// What passes is whole: as many numbers as the shapes say, all of them finite, every row in one share.
fn sound(dataset: &Dataset) {
    let rows = dataset.inputs[0].rows;
    for array in dataset.inputs.iter().chain(&dataset.targets) {
        assert_eq!((array.rows, array.values.len()), (rows, rows * array.row_len()));
        assert!((0..array.values.len()).all(|at| array.values.at(at).is_finite()));
    }
    let mut all = dataset.train.clone();
    all.extend(dataset.validation.iter().flatten());
    all.sort_unstable();
    assert_eq!(all, (0..rows).collect::<Vec<_>>());
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
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    for (format, bytes) in seeds() {
        // Each byte of the header, and some of the numbers.
        for end in (0..bytes.len()).filter(|end| *end < 200 || end % 61 == 0) {
            try_bytes(format, &bytes[..end], &file);
        }
    }
}

#[test]
fn spoilt_files_are_data_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    let seconds: Option<u64> = std::env::var("FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    let start = Instant::now();
    let mut random = match seconds {
        Some(_) => SmallRng::from_os_rng(),
        None => SmallRng::seed_from_u64(0),
    };
    let seeds = seeds();
    let mut rounds = 0;
    while seconds.map_or(rounds < 600, |s| start.elapsed().as_secs() < s) {
        rounds += 1;
        for (format, seed) in &seeds {
            let mut bytes = seed.clone();
            for _ in 0..random.random_range(1..4) {
                spoil(&mut bytes, &mut random);
            }
            let outcome = std::panic::catch_unwind(|| try_bytes(*format, &bytes, &file));
            if let Err(panic) = outcome {
                let kept = root().join("tests/fuzz_corpus").join(format!("{format:?}-{rounds}"));
                std::fs::write(&kept, &bytes).unwrap();
                eprintln!("the file is kept as {}", kept.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
    if seconds.is_some() {
        eprintln!("{rounds} rounds of {} files", seeds.len());
    }
}

#[test]
fn files_that_were_trouble_once_are_none_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    let mut kept: Vec<PathBuf> =
        std::fs::read_dir(root().join("tests/fuzz_corpus")).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    assert!(!kept.is_empty());
    for path in kept {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let format = match name.split('-').next() {
            Some("Csv") => Format::Csv,
            Some("Npz") => Format::Npz,
            Some("Safetensors") => Format::Safetensors,
            Some("NextToken") => Format::NextToken,
            Some("Idx") => Format::Idx,
            _ => panic!("{name} does not say its format"),
        };
        try_bytes(format, &std::fs::read(&path).unwrap(), &file);
    }
}

#[test]
fn sizes_that_a_header_claims_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    let idx = [&[0, 0, 0x0e, 8][..], &[0xff; 32], &[0; 100]].concat();
    let idx_rows = [&[0, 0, 8, 3, 0, 0, 0, 12][..], &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9], &[1; 100]].concat();
    let header = br#"{"x":{"dtype":"F32","shape":[12,1000000000],"data_offsets":[0,48000000000]}}"#;
    let safetensors = [&(header.len() as u64).to_le_bytes()[..], header, &[0; 64]].concat();
    let long = [&(99_999_999_u64).to_le_bytes()[..], b"{"].concat();
    for (format, bytes) in
        [(Format::Idx, idx), (Format::Idx, idx_rows), (Format::Safetensors, safetensors), (Format::Safetensors, long)]
    {
        let data = {
            std::fs::write(&file, &bytes).unwrap();
            Data::of(source(format, &file))
        };
        let error = load(&data, Task::Multiclass, Dtype::Float32).unwrap_err();
        shown(&error);
    }
}
