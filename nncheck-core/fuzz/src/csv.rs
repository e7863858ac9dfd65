//! CSV files, held against another reader of CSV.

use std::path::Path;

use nncheck_core::data::{Dataset, load};
use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::{Data, DataSource};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;

use super::reading;

fn source(file: &Path, inputs: Option<&[&str]>) -> DataSource {
    let names = |names: &[&str]| Located::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), 0..1);
    DataSource::Csv { path: Located::new(file.to_owned(), 0..1), target: names(&["y"]), inputs: inputs.map(names) }
}

/// A file of the columns `a`, `b...` and `y`, and of whatever columns there are beside `y`.
pub fn read(bytes: &[u8]) {
    reading::with_file(bytes, |file| {
        reading::several_ways(&source(file, Some(&["a", "b*"])));
        if let Ok(dataset) = load(&Data::of(source(file, None)), Task::Regression, Dtype::Float64) {
            reading::sound(&dataset);
            as_another_reader_has_it(&dataset, bytes);
        }
    });
}

fn as_another_reader_has_it(dataset: &Dataset, bytes: &[u8]) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let records: Vec<csv::StringRecord> =
        reader.records().collect::<Result<_, _>>().expect("what is read here is CSV for others too");
    let (header, rows) = records.split_first().expect("there is a header");
    let target = header.iter().position(|name| name.trim() == "y").expect("there is a column y");
    let (x, y) = (&dataset.inputs[0], &dataset.targets[0]);
    assert_eq!((x.rows, y.rows, x.row_len()), (rows.len(), rows.len(), header.len() - 1));
    let mut at = 0;
    for (row, record) in rows.iter().enumerate() {
        for (column, field) in record.iter().enumerate() {
            let number: f64 = field.trim().parse().expect("what is read here is a number for others too");
            let ours = if column == target {
                y.values.at(row)
            } else {
                at += 1;
                x.values.at(at - 1)
            };
            assert!(ours.to_bits() == number.to_bits() || (ours == 0.0 && number == 0.0), "{ours} for {field:?}");
        }
    }
}
