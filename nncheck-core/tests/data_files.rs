//! Files of arrays as numpy, safetensors and gzip write them, against the numbers that Python put into them
//! (`tests/golden/make/data.py`).

use std::io::Write;
use std::path::{Path, PathBuf};

use nncheck_core::data::{Array, DataError, Dataset, Values, load, peek};
use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::{Arrays, Data, DataSource, NamedArray, NextToken, Split};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/data")
}

fn golden(name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(folder().join("values.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    json[name].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn path(file: &str) -> Located<PathBuf> {
    Located::new(folder().join(file), 1..2)
}

fn named(name: &str, array: &str, at: usize) -> NamedArray {
    NamedArray { name: name.to_owned(), array: Located::new(array.to_owned(), at..at + 1) }
}

fn data(source: DataSource) -> Data {
    Data { split: Split { at: 1.0, file_order: false }, ..Data::of(source) }
}

/// `x` and `y` under other names of a file.
fn arrays(file: &str, x: &str, y: &str) -> Data {
    let arrays = Arrays {
        path: path(file),
        inputs: vec![named("x", x, 10)],
        targets: vec![named("y", y, 20)],
        next_token: None,
    };
    data(if file.ends_with("npz") { DataSource::Npz(arrays) } else { DataSource::Safetensors(arrays) })
}

fn read(data: &Data, dtype: Dtype) -> Result<Dataset, DataError> {
    load(data, Task::Multiclass, dtype)
}

fn numbers(array: &Array) -> Vec<f64> {
    (0..array.values.len()).map(|i| array.values.at(i)).collect()
}

#[test]
fn quantities_of_every_kind_are_pythons() {
    for (file, names) in [
        ("kinds.npz", &["f2", "f4", "f8", "big", "turned"][..]),
        ("kinds.safetensors", &["f2", "f4", "f8", "bf"]),
        ("packed.npz", &["x"]),
    ] {
        for name in names {
            let dataset =
                read(&arrays(file, name, if file == "packed.npz" { "y" } else { "i8" }), Dtype::Float64).unwrap();
            let expected = golden(match *name {
                "f8" | "turned" => "x",
                "big" | "x" => "f4",
                other => other,
            });
            assert_eq!(numbers(&dataset.inputs[0]), expected, "{name} of {file}");
            assert_eq!(dataset.inputs[0].whole_shape(), [12, 2, 3]);
        }
    }
}

#[test]
fn single_precision_is_not_stored_as_double() {
    let dataset = read(&arrays("kinds.npz", "f8", "y"), Dtype::Float32).unwrap();
    let Values::F32(values) = &dataset.inputs[0].values else { panic!("{:?}", dataset.inputs[0]) };
    assert_eq!(values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), golden("f4"));
}

#[test]
fn labels_of_every_integer_kind_are_pythons() {
    let labels: Vec<i64> = golden("label").into_iter().map(|v| v as i64).collect();
    for (file, names) in [
        ("kinds.npz", &["i2", "i4", "i8", "u1", "u2", "u4", "u8"][..]),
        ("kinds.safetensors", &["i1", "i2", "i4", "i8", "u1"]),
    ] {
        for name in names {
            let dataset = read(&arrays(file, "x", name), Dtype::Float32).unwrap();
            assert_eq!(dataset.targets[0].values, Values::I64(labels.clone()), "{name} of {file}");
            assert_eq!(dataset.facts.classes, Some(3));
        }
    }
    let error = read(&arrays("kinds.npz", "x", "i1"), Dtype::Float32).unwrap_err();
    assert_eq!(error.message, "the label -1 is negative, in row 0 of `y` (rows count from 0)");
}

#[test]
fn several_inputs_and_targets_keep_their_names_and_kinds() {
    let spec = data(DataSource::Safetensors(Arrays {
        path: path("kinds.safetensors"),
        inputs: vec![named("tokens", "ids", 10), named("visible", "mask", 11)],
        targets: vec![named("label", "y", 12), named("place", "box", 13)],
        next_token: None,
    }));
    let dataset = read(&spec, Dtype::Float32).unwrap();
    let names = |arrays: &[Array]| arrays.iter().map(|a| (a.name.clone(), a.whole_shape())).collect::<Vec<_>>();
    assert_eq!(names(&dataset.inputs), [("tokens".to_owned(), vec![12, 5]), ("visible".to_owned(), vec![12, 3])]);
    assert_eq!(names(&dataset.targets), [("label".to_owned(), vec![12]), ("place".to_owned(), vec![12, 2])]);
    assert_eq!(numbers(&dataset.inputs[0]), golden("ids"));
    assert!(dataset.inputs[0].values.is_ids() && matches!(dataset.targets[1].values, Values::F32(_)));
}

#[test]
fn take_reads_the_first_rows_of_any_order() {
    for name in ["f8", "turned"] {
        let spec = Data { take: Some(4), ..arrays("kinds.npz", name, "y") };
        let dataset = read(&spec, Dtype::Float64).unwrap();
        assert_eq!(numbers(&dataset.inputs[0]), golden("x")[..24], "{name}");
        assert_eq!(dataset.targets[0].rows, 4);
    }
}

#[test]
fn the_next_tokens_of_a_text_are_its_tokens_moved_by_one() {
    let text = golden("text");
    let spec = |next| {
        data(DataSource::Safetensors(Arrays {
            path: path("text.safetensors"),
            inputs: vec![named("x", "x", 10)],
            targets: Vec::new(),
            next_token: Some(Located::new(next, 30..31)),
        }))
    };
    let windows = spec(NextToken::Windows(8));
    let dataset = read(&windows, Dtype::Float32).unwrap();
    assert_eq!(
        (numbers(&dataset.inputs[0]), numbers(&dataset.targets[0])),
        (text[..40].to_vec(), text[1..41].to_vec())
    );
    assert_eq!((dataset.inputs[0].whole_shape(), dataset.targets[0].whole_shape()), (vec![5, 8], vec![5, 8]));
    assert_eq!(peek(&windows, Task::Multiclass).unwrap().unwrap().shape, [8]);
    let taken = Data { take: Some(2), classes: Some(Located::new(5, 0..0)), ..windows };
    assert_eq!(numbers(&read(&taken, Dtype::Float32).unwrap().targets[0]), text[1..17]);
    let error = read(&spec(NextToken::Rows), Dtype::Float32).unwrap_err();
    assert!(error.help[0].contains("next_token = 32"), "{error}");
    let error = read(&spec(NextToken::Windows(41)), Dtype::Float32).unwrap_err();
    assert_eq!(error.message, "`x` has 41 tokens, too few for one window of 41");
}

fn idx(images: &str, labels: &str) -> Data {
    data(DataSource::Idx { images: path(images), labels: path(labels) })
}

#[test]
fn idx_is_read_as_it_is_and_compressed() {
    for file in ["images.idx", "images.idx.gz"] {
        let dataset = read(&idx(file, "labels.idx"), Dtype::Float32).unwrap();
        assert_eq!(numbers(&dataset.inputs[0]), golden("images"));
        assert!(matches!(dataset.inputs[0].values, Values::F32(_)));
        assert_eq!(numbers(&dataset.targets[0]), golden("label"));
        assert_eq!(peek(&idx(file, "labels.idx"), Task::Multiclass).unwrap().unwrap().shape, [4, 4]);
    }
    let spec =
        Data { take: Some(3), shape: Some(Located::new(vec![1, 4, 4], 0..0)), ..idx("images.idx.gz", "labels.idx") };
    assert_eq!(read(&spec, Dtype::Float32).unwrap().inputs[0].whole_shape(), [3, 1, 4, 4]);
}

/// Every byte of a file changed, one at a time: the file is refused, or the change meant nothing.
fn damage_never_passes_as_other_numbers(file: &str, spec: impl Fn(PathBuf) -> Data, expected: &Dataset) {
    let sound = std::fs::read(folder().join(file)).unwrap();
    let scratch = std::env::temp_dir().join(format!("nncheck-{}-{file}", std::process::id()));
    let mut refused = 0;
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&scratch, damaged).unwrap();
        match read(&spec(scratch.clone()), Dtype::Float64) {
            Err(_) => refused += 1,
            Ok(read) => {
                assert_eq!(numbers(&read.inputs[0]), numbers(&expected.inputs[0]), "byte {at} of {file}");
                assert_eq!(numbers(&read.targets[0]), numbers(&expected.targets[0]), "byte {at} of {file}");
            }
        }
    }
    std::fs::remove_file(scratch).unwrap();
    assert!(2 * refused > sound.len(), "{refused} of {} were refused", sound.len());
}

#[test]
fn damage_of_compressed_files_is_told() {
    let images = read(&idx("images.idx.gz", "labels.idx"), Dtype::Float64).unwrap();
    let spec = |path: PathBuf| {
        let labels = crate::path("labels.idx");
        data(DataSource::Idx { images: Located::new(path, 1..2), labels })
    };
    damage_never_passes_as_other_numbers("images.idx.gz", spec, &images);
    let packed = read(&arrays("packed.npz", "x", "y"), Dtype::Float64).unwrap();
    let spec = |path: PathBuf| {
        let mut spec = arrays("packed.npz", "x", "y");
        if let DataSource::Npz(arrays) = &mut spec.source {
            arrays.path = Located::new(path, 1..2);
        }
        spec
    };
    damage_never_passes_as_other_numbers("packed.npz", spec, &packed);
}

#[test]
fn a_safetensors_file_holds_as_many_bytes_as_its_header_tells_of() {
    let DataSource::Safetensors(whole) = arrays("kinds.safetensors", "f4", "y").source else { unreachable!() };
    let sound = std::fs::read(&whole.path.value).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spoilt.safetensors");
    for (bytes, says) in
        [([&sound[..], &[0]].concat(), "it goes on after"), (sound[..sound.len() - 1].to_vec(), "it is cut off")]
    {
        std::fs::write(&file, bytes).unwrap();
        let mut source = whole.clone();
        source.path = Located::new(file.clone(), 1..2);
        let error = read(&data(DataSource::Safetensors(source)), Dtype::Float32).unwrap_err();
        assert!(error.message.contains(says), "{error}");
    }
}

#[test]
fn a_small_file_that_unpacks_to_much_costs_little() {
    // 256 MiB of zeros in a quarter of a megabyte, behind a header that tells of two images of 2 x 2.
    let scratch = std::env::temp_dir().join(format!("nncheck-{}-bomb.idx.gz", std::process::id()));
    let mut packed =
        flate2::write::GzEncoder::new(std::fs::File::create(&scratch).unwrap(), flate2::Compression::best());
    packed.write_all(&[0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 4]).unwrap();
    for _ in 0..256 {
        packed.write_all(&[0; 1 << 20]).unwrap();
    }
    packed.finish().unwrap();
    let spec = data(DataSource::Idx { images: Located::new(scratch.clone(), 1..2), labels: path("labels.idx") });
    let error = read(&spec, Dtype::Float32).unwrap_err();
    assert!(error.message.contains("it goes on after as many numbers as its shape tells of"), "{error}");
    // And one that tells of more images than there are bytes in the world.
    let mut packed =
        flate2::write::GzEncoder::new(std::fs::File::create(&scratch).unwrap(), flate2::Compression::best());
    packed.write_all(&[0, 0, 8, 3, 0, 0, 0, 12, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xff, 0xff, 0xff, 0, 0]).unwrap();
    packed.finish().unwrap();
    let error = read(&spec, Dtype::Float32).unwrap_err();
    assert!(error.message.contains("too large") || error.message.contains("cut off"), "{error}");
    std::fs::remove_file(scratch).unwrap();
}

#[test]
fn what_does_not_fit_together_is_seen_from_the_headers() {
    let refused = |spec: &Data| {
        let (early, late) = (peek(spec, Task::Multiclass).unwrap_err(), read(spec, Dtype::Float32).unwrap_err());
        assert_eq!(early, late);
        early
    };
    let error = refused(&arrays("odd.npz", "short", "y"));
    assert_eq!((error.message.as_str(), error.span.unwrap().start), ("`y` has 12 rows, but `short` has 5", 20));
    let error = refused(&arrays("kinds.npz", "f9", "y"));
    assert_eq!((error.message.as_str(), error.help[0].as_str()), ("the file has no array `f9`", "did you mean `f2`?"));
    assert_eq!(refused(&idx("images.idx", "few-labels.idx")).message, "there are 12 images, but 11 labels");
    assert!(refused(&idx("images.idx", "values.json")).message.contains("it is no idx file"));
    assert!(refused(&arrays("values.npz", "x", "y")).message.starts_with("there is no file `values.npz`"));
    assert!(refused(&arrays("odd.npz", "number", "y")).message.contains("it is a single number"));
    for (array, words) in [("text", "text"), ("objects", "Python objects"), ("complex", "complex")] {
        let error = refused(&arrays("odd.npz", array, "y"));
        assert!(error.message.contains(words), "{error}");
    }
}
