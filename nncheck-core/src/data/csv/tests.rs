use std::io::Write as _;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use crate::data::{DataError, Dataset, Values, load, peek};
use crate::diagnostic::{Located, Span};
use crate::spec::data::{Data, DataSource, Split};
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

const PATH: Span = Span { start: 10, end: 20 };
const TARGET: Span = Span { start: 30, end: 40 };
const SHAPE: Span = Span { start: 50, end: 60 };
const CLASSES: Span = Span { start: 70, end: 80 };

fn write(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn data(path: &std::path::Path) -> Data {
    Data {
        split: Split { at: 1.0, file_order: false },
        ..Data::of(DataSource::Csv {
            path: Located::new(path.to_owned(), 10..20),
            target: Located::new(vec!["y".to_owned()], 30..40),
            inputs: None,
        })
    }
}

fn load_with(bytes: &[u8], task: Task, change: impl Fn(&mut Data)) -> Result<Dataset, DataError> {
    let file = write(bytes);
    let mut data = data(file.path());
    change(&mut data);
    load(&data, task, Dtype::Float64)
}

fn loaded(bytes: &[u8]) -> Dataset {
    load_with(bytes, Task::Multiclass, |_| {}).unwrap()
}

fn refused(bytes: &[u8]) -> DataError {
    load_with(bytes, Task::Multiclass, |_| {}).unwrap_err()
}

/// Message, line, column, and what stands above the caret.
fn located(error: &DataError) -> (&str, usize, usize, String) {
    let place = error.at.as_ref().unwrap();
    let marked = place.text.chars().skip(place.indent).take(place.width).collect();
    (&error.message, place.line, place.column, marked)
}

#[test]
fn rows_are_read_in_the_order_of_the_file() {
    let data = loaded(b"a,y,b\n1,0,2.5\n-3e2,1,.5\n");
    assert_eq!(data.inputs[0].values, Values::F64(vec![1.0, 2.5, -300.0, 0.5]));
    assert_eq!(data.targets[0].values, Values::I64(vec![0, 1]));
    assert_eq!(data.shape(), [2]);
    assert_eq!(data.validation, None);
}

#[test]
fn byte_order_mark_quotes_spaces_blank_lines_and_crlf_are_tolerated() {
    let data = loaded(b"\xef\xbb\xbf\"a\",\"b,c \", y\r\n\r\n\"1\", 2 ,0\r\n3,4,1.0\r\n\r\n");
    assert_eq!(data.inputs[0].values, Values::F64(vec![1.0, 2.0, 3.0, 4.0]));
    assert_eq!(data.targets[0].values, Values::I64(vec![0, 1]));
}

#[test]
fn a_byte_order_mark_begins_a_file_and_no_row() {
    let error = refused(b"a,y\n\xef\xbb\xbf1,0\n2,1\n");
    assert_eq!(located(&error).0, "a row begins with a byte order mark");
    assert_eq!((located(&error).1, located(&error).2), (2, 1));
    // Wherever the row stands, and in quotes too.
    assert_eq!(located(&refused(b"a,y\n1,0\n\n\xef\xbb\xbf2,1\n")).1, 4);
    assert_eq!(located(&refused(b"a,y\n\xef\xbb\xbf\"1\",0\n")).1, 2);
}

#[test]
fn columns_that_are_not_used_may_hold_anything() {
    let bytes = "id,a,y\nMüller,1,0\n,2,1\n".as_bytes();
    let data = load_with(bytes, Task::Multiclass, |data| {
        if let DataSource::Csv { inputs, .. } = &mut data.source {
            *inputs = Some(Located::new(vec!["a".to_owned()], 0..1));
        }
    });
    assert_eq!(data.unwrap().inputs[0].values, Values::F64(vec![1.0, 2.0]));
}

#[test]
fn a_missing_file_is_met_with_its_neighbour() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("digits.csv"), "a,y\n1,0\n").unwrap();
    for error in [
        load(&data(&folder.path().join("digts.csv")), Task::Multiclass, Dtype::Float64).unwrap_err(),
        peek(&data(&folder.path().join("digts.csv")), Task::Multiclass).unwrap_err(),
    ] {
        assert_eq!(error.message, "there is no file `digts.csv`");
        assert_eq!(error.help[0], "did you mean `digits.csv`, which is in the same folder?");
        assert_eq!(error.span, Some(PATH));
    }
    let error = load(&data(&folder.path().join("none/digits.csv")), Task::Multiclass, Dtype::Float64).unwrap_err();
    assert!(error.help[0].starts_with("there is no folder "), "{:?}", error.help);
    let error = load(&data(folder.path()), Task::Multiclass, Dtype::Float64).unwrap_err();
    assert!(error.message.ends_with("is a folder, not a file"), "{error}");
}

#[test]
fn an_empty_file_has_no_header() {
    for bytes in [&b""[..], b"\n\n", b"  \n", b"\xef\xbb\xbf"] {
        let error = refused(bytes);
        assert_eq!((error.code, error.span), ("data-no-header", Some(PATH)));
    }
}

#[test]
fn a_header_without_rows_is_refused() {
    for bytes in [&b"a,y"[..], b"a,y\n", b"a,y\r\n\r\n"] {
        assert_eq!(located(&refused(bytes)).0, "the file has a header but no rows");
    }
}

#[test]
fn a_missing_target_column_is_met_with_the_nearest() {
    let error = refused(b"a,Y\n1,0\n");
    assert_eq!((error.message.as_str(), error.span), ("there is no target column `y`", Some(TARGET)));
    assert_eq!(error.help, ["did you mean `Y`?"]);
}

#[test]
fn a_ragged_row_is_told_with_both_lengths() {
    let long = refused(b"a,b,y\n1,2,0\n3,4,1,9\n");
    assert_eq!(located(&long), ("a row of 4 fields under a header of 3", 3, 7, "9".to_owned()));
    let short = refused(b"a,b,y\n1,2,0\n\n3\n");
    assert_eq!(located(&short), ("a row of 1 field under a header of 3", 4, 2, String::new()));
}

#[test]
fn an_open_quote_is_told() {
    let error = refused(b"a,b,y\n1,\"2,0\n3,4,1\n");
    assert_eq!(located(&error).3, "\"2,0");
    assert_eq!(located(&error).1, 2);
    assert!(error.help[0].contains("several lines"), "{:?}", error.help);
}

#[test]
fn text_in_a_numeric_column_is_told_with_its_place() {
    let error = refused(b"a,b,y\n1,2,0\n3,abc,1\n");
    assert_eq!(located(&error), ("column `b` holds the text `abc`, not a number", 3, 3, "abc".to_owned()));
    assert_eq!(refused(b"a,y\ntrue,0\n").help, ["write 1 and 0"]);
}

#[test]
fn a_missing_value_is_told_with_its_place() {
    let error = refused(b"a,b,y\n1,2,0\n,4,1\n");
    assert_eq!(located(&error), ("column `a` has no value here", 3, 1, ",".to_owned()));
    let error = refused(b"a,b,y\n1,2,0\n3,4,\n");
    assert_eq!(located(&error), ("column `y` has no value here", 3, 5, String::new()));
    let error = refused(b"a,b,y\n1,NA,0\n");
    assert_eq!(located(&error), ("column `b` has no value here (`NA`)", 2, 3, "NA".to_owned()));
}

#[test]
fn nan_and_infinity_are_told_with_their_places() {
    let error = refused(b"a,b,y\n1,nan,0\n");
    assert_eq!(located(&error), ("column `b` holds NaN (`nan`)", 2, 3, "nan".to_owned()));
    let error = refused(b"a,b,y\n1,-inf,0\n");
    assert_eq!(located(&error), ("column `b` holds an infinity (`-inf`)", 2, 3, "-inf".to_owned()));
    let error = refused(b"a,b,y\n1,1e999,0\n");
    assert_eq!(located(&error).0, "column `b` holds `1e999`, which is beyond what 64 bits hold");
}

#[test]
fn labels_are_whole_numbers_from_zero() {
    let error = refused(b"a,y\n1,0\n2,0.5\n");
    assert_eq!(located(&error), ("the label 0.5 is not an integer", 3, 3, "0.5".to_owned()));
    assert_eq!(error.span, Some(TARGET));
    let error = refused(b"a,y\n1,0\n2,-1\n");
    assert_eq!(located(&error), ("the label -1 is negative", 3, 3, "-1".to_owned()));
    let error = refused(b"a,y\n1,0\n2,1e300\n");
    assert!(error.message.contains("out of range"), "{error}");
}

#[test]
fn labels_lie_below_the_number_of_classes() {
    let error = load_with(b"a,y\n1,0\n2,10\n", Task::Multiclass, |data| {
        data.classes = Some(Located { value: 10, span: CLASSES });
    });
    let error = error.unwrap_err();
    assert_eq!(
        located(&error),
        ("the label 10 is out of range: with 10 classes labels are 0 to 9", 3, 3, "10".to_owned())
    );
    assert_eq!(error.span, Some(CLASSES));

    let error = refused(b"a,y\n1,1\n2,2\n3,3\n");
    assert_eq!(
        (located(&error).1, error.help.as_slice()),
        (4, &["the labels begin with 1: subtract 1 from each".to_owned()][..])
    );
    let error = refused(b"a,y\n1,0\n2,7\n");
    assert!(error.help[0].contains("`classes = ...`"), "{:?}", error.help);
}

#[test]
fn stated_classes_need_not_all_have_rows() {
    let data = load_with(b"a,y\n1,0\n2,7\n", Task::Multiclass, |data| {
        data.classes = Some(Located { value: 10, span: CLASSES });
    });
    let facts = data.unwrap().facts;
    assert_eq!((facts.classes, facts.priors[7], facts.priors[9]), (Some(10), 0.5, 0.0));
}

#[test]
fn binary_labels_are_zero_and_one() {
    let error = load_with(b"a,y\n1,0\n2,1\n3,2\n", Task::Binary, |_| {}).unwrap_err();
    assert_eq!(located(&error), ("the label 2 is neither 0 nor 1, which the loss wants", 4, 3, "2".to_owned()));
    let data = load_with(b"a,y\n1,0\n2,1\n3,1\n4,1\n", Task::Binary, |_| {}).unwrap();
    assert_eq!(data.targets[0].values, Values::F64(vec![0.0, 1.0, 1.0, 1.0]));
    assert_eq!((data.facts.classes, data.facts.priors.as_slice()), (Some(2), &[0.25, 0.75][..]));
    assert_eq!((data.facts.target_mean, data.facts.target_variance), (Some(0.75), Some(0.1875)));
}

#[test]
fn one_class_alone_is_refused() {
    let error = load_with(b"a,y\n1,0\n2,0\n3,1\n", Task::Multiclass, |data| data.take = Some(2)).unwrap_err();
    assert_eq!(error.message, "all 2 labels are 0: there is nothing to tell apart");
    assert!(error.help[1].contains("take = 2"), "{:?}", error.help);
    assert_eq!(load_with(b"a,y\n1,1\n2,1\n", Task::Binary, |_| {}).unwrap_err().code, "data-classes");
}

#[test]
fn a_shape_of_another_size_is_refused_before_the_rows_are_read() {
    let file = write(b"a,b,y\n1,x,0\n");
    let mut data = data(file.path());
    data.shape = Some(Located { value: vec![1, 8, 8], span: SHAPE });
    for error in
        [load(&data, Task::Multiclass, Dtype::Float64).unwrap_err(), peek(&data, Task::Multiclass).unwrap_err()]
    {
        assert_eq!(error.message, "an example of shape [1, 8, 8] has 64 numbers, but there are 2 input columns");
        assert_eq!(error.span, Some(SHAPE));
    }
    data.shape = Some(Located { value: vec![usize::MAX, 2], span: SHAPE });
    assert!(
        load(&data, Task::Multiclass, Dtype::Float64).unwrap_err().message.contains("more numbers than can be counted")
    );
}

#[test]
fn take_stops_reading_and_zero_is_refused() {
    let data = load_with(b"a,y\n1,0\n2,1\nx,y\n", Task::Multiclass, |data| data.take = Some(2)).unwrap();
    assert_eq!(data.train.len(), 2);
    let error = load_with(b"a,y\n1,0\n", Task::Multiclass, |data| data.take = Some(0)).unwrap_err();
    assert_eq!(error.message, "`take = 0` leaves no rows");
}

#[test]
fn shares_without_rows_are_refused() {
    let split = |at| move |data: &mut Data| data.split = Split { at, file_order: false };
    let none = load_with(b"a,y\n1,0\n2,1\n", Task::Multiclass, split(0.1)).unwrap_err();
    assert_eq!(none.message, "`split = 0.1` of 2 rows leaves no training rows");
    let none = load_with(b"a,y\n1,0\n2,1\n", Task::Multiclass, split(0.9)).unwrap_err();
    assert_eq!(none.message, "`split = 0.9` of 2 rows leaves no validation rows");
    for odd in [0.0, -0.5, 1.5, f64::NAN] {
        assert_eq!(load_with(b"a,y\n1,0\n2,1\n", Task::Multiclass, split(odd)).unwrap_err().code, "data-split");
    }
}

#[test]
fn what_is_not_utf8_is_told_with_its_place() {
    let error = refused(b"a,y\n1,0\n\xff2,1\n");
    assert_eq!(located(&error), ("the file is not UTF-8: byte 0xff makes no character", 3, 1, "\u{fffd}".to_owned()));
    let utf16: Vec<u8> = "\u{feff}a,y\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(refused(&utf16).help, ["it looks like UTF-16: save it as UTF-8"]);
}

#[test]
fn a_peek_reads_no_rows() {
    let file = write(b"a,b,y\nthis,is,no number\n");
    let peeked = peek(&data(file.path()), Task::Multiclass).unwrap().unwrap();
    assert_eq!((peeked.shape, peeked.columns), (vec![2], vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_peek_into_a_long_file_does_not_stumble_over_a_cut_character() {
    let mut bytes = b"a,y\n".to_vec();
    bytes.extend("ééé,0\n".repeat(200_000).bytes());
    let file = write(&bytes);
    assert_eq!(peek(&data(file.path()), Task::Multiclass).unwrap().unwrap().columns, ["a"]);
}

#[test]
fn numbers_that_overflow_when_scaled_are_refused() {
    let error = load_with(b"a,y\n1e300,0\n1,1\n", Task::Multiclass, |data| data.scale = Some(1e300)).unwrap_err();
    assert_eq!(error.code, "data-overflow");
}

#[test]
fn text_in_the_target_is_told_how_to_become_a_class() {
    let error = refused(b"a,y\n1,cat\n2,dog\n");
    assert_eq!(located(&error).0, "column `y` holds the text `cat`, not a number");
    assert_eq!(error.help, ["number the classes from 0 on, and write the number"]);
    let error = load_with(b"a,y\n\"1,234\",1\n", Task::Regression, |_| {}).unwrap_err();
    assert!(error.help[2].contains("no separators"), "{:?}", error.help);
}

#[test]
fn a_quote_without_end_in_a_column_that_is_not_read_swallows_no_rows() {
    let bytes = b"a,y,note\n1,0,x\n2,1,\"open\n3,0,z\n";
    let error = load_with(bytes, Task::Multiclass, |data| {
        if let DataSource::Csv { inputs, .. } = &mut data.source {
            *inputs = Some(Located::new(vec!["a".to_owned()], 0..1));
        }
    });
    let error = error.unwrap_err();
    assert_eq!(located(&error), ("a quote has no end", 3, 5, "\"open".to_owned()));
}

#[test]
fn numbers_in_quotes_and_between_spaces_are_numbers() {
    let bytes = b"\"a\",y,b\r\n\"1.5\", 0 ,  2\r\n\"2\" ,\"1\",+3\r\n";
    assert_eq!(loaded(bytes).inputs[0].values, Values::F64(vec![1.5, 2.0, 2.0, 3.0]));
}

#[test]
fn what_32_bits_cannot_hold_is_told_with_its_place() {
    let file = write(b"a,y\n1,0\n1e39,1\n");
    let error = load(&data(file.path()), Task::Multiclass, Dtype::Float32).unwrap_err();
    assert_eq!(
        located(&error),
        ("column `a` holds `1e39`, which is beyond what 32 bits hold", 3, 1, "1e39".to_owned())
    );
    assert!(load(&data(file.path()), Task::Multiclass, Dtype::Float64).is_ok());
}

/// A file of several pieces.
fn long(rows: usize, bad: Option<(usize, &str)>) -> Vec<u8> {
    let mut text = String::from("a,y,note\n");
    for row in 0..rows {
        match bad {
            Some((at, line)) if at == row => text.push_str(line),
            _ => text.push_str(&format!("{}.5,{},\"a\nb, c\"\n", row, row % 3)),
        }
    }
    text.into_bytes()
}

fn load_long(bytes: &[u8], change: impl Fn(&mut Data)) -> Result<Dataset, DataError> {
    load_with(bytes, Task::Multiclass, |data| {
        if let DataSource::Csv { inputs, .. } = &mut data.source {
            *inputs = Some(Located::new(vec!["a".to_owned()], 0..1));
        }
        change(data);
    })
}

#[test]
fn a_file_of_several_pieces_is_put_together_in_its_order() {
    let data = load_long(&long(10_000, None), |_| {}).unwrap();
    assert_eq!(data.inputs[0].rows, 10_000);
    assert!((0..10_000).all(|row| data.inputs[0].values.at(row) == row as f64 + 0.5));
}

#[test]
fn the_first_bad_row_of_a_long_file_is_told_whatever_follows() {
    let mut bytes = long(10_000, Some((7_000, "bad,1,x\n")));
    bytes.extend(b"worse,2,\xff\n");
    let error = load_long(&bytes, |_| {}).unwrap_err();
    // Each row takes two lines, and the header one.
    assert_eq!(located(&error), ("column `a` holds the text `bad`, not a number", 14_002, 1, "bad".to_owned()));
    let labels = load_long(&long(10_000, Some((7_000, "1,7,x\n"))), |_| {}).unwrap_err();
    assert_eq!((located(&labels).1, located(&labels).2, located(&labels).3.as_str()), (14_002, 3, "7"));
    assert!(load_long(&bytes, |data| data.take = Some(7_000)).is_ok());
}

#[cfg(unix)]
#[test]
fn a_device_is_no_file() {
    let error = load(&data(std::path::Path::new("/dev/zero")), Task::Multiclass, Dtype::Float64).unwrap_err();
    assert_eq!(error.message, "`/dev/zero` is a pipe or a device, not a file");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'\n'), Just(b'"'), Just(b'1'), Just(b'0'), Just(b'\r'), any::<u8>()], 0..80),
        with_header in any::<bool>(),
    ) {
        let bytes = if with_header { [b"a,y\n", bytes.as_slice()].concat() } else { bytes };
        for task in [Task::Multiclass, Task::Binary, Task::Regression] {
            if let Err(error) = load_with(&bytes, task, |data| data.split.at = 0.5) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn numbers_come_back_to_the_last_bit(values in prop::collection::vec(any::<f64>().prop_filter("finite", |v| v.is_finite()), 2..20)) {
        let mut text = String::from("a,y\n");
        for (i, value) in values.iter().enumerate() {
            text.push_str(&format!("{value:e},{}\n", i % 2));
        }
        let data = load_with(text.as_bytes(), Task::Multiclass, |_| {}).unwrap();
        prop_assert!(values.iter().enumerate().all(|(i, v)| data.inputs[0].values.at(i) == *v));
    }
}
