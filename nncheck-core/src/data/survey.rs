//! What a data file holds, for whoever does not know yet which of it are the inputs and which the targets.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::archive::Archive;
use super::{Values, idx, npz, numbers, safetensors};
use crate::spec::run::Dtype;

/// So many numbers of an array are looked at, and so many rows of a table.
const MOST: usize = 1 << 20;
/// So many bytes of a table.
const MOST_BYTES: u64 = 256 << 20;
/// So many different values are told apart.
const MOST_DISTINCT: usize = 1_000;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Survey {
    /// The columns of a table.
    Columns(Vec<Column>),
    /// Arrays by their names; of an idx file one without a name.
    Arrays(Vec<Column>),
}

/// A column or an array.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// How many rows there are: of a long table no more than were looked at.
    pub rows: usize,
    /// The shape of one row.
    pub shape: Vec<usize>,
    /// Whether its numbers are stored as integers; a table does not say.
    pub integers: bool,
    /// How many cells hold no number.
    pub without: usize,
    /// Whether all numbers are whole.
    pub whole: bool,
    /// The least number.
    pub least: f64,
    /// The largest number.
    pub most: f64,
    /// How many different numbers there are; `None` for more than a thousand.
    pub distinct: Option<usize>,
}

/// Gathers what is known of a column.
struct Gathered {
    column: Column,
    seen: BTreeSet<u64>,
}

impl Gathered {
    fn new(name: &str, shape: &[usize]) -> Self {
        let column = Column {
            name: name.to_owned(),
            rows: 0,
            shape: shape.to_vec(),
            integers: false,
            without: 0,
            whole: true,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            distinct: None,
        };
        Self { column, seen: BTreeSet::new() }
    }

    fn see(&mut self, value: f64) {
        let Column { without, whole, least, most, .. } = &mut self.column;
        if !value.is_finite() {
            *without += 1;
            return;
        }
        *whole &= value.fract() == 0.0;
        *least = least.min(value);
        *most = most.max(value);
        if self.seen.len() <= MOST_DISTINCT {
            // Zero has two signs.
            self.seen.insert((value + 0.0).to_bits());
        }
    }

    fn end(self) -> Column {
        let distinct = Some(self.seen.len()).filter(|&n| n <= MOST_DISTINCT);
        Column { distinct, ..self.column }
    }
}

/// Looks into a data file; which format it is in is told by the end of its name.
///
/// # Errors
/// Why nothing can be told, in a few words.
pub fn survey(path: &Path) -> Result<Survey, String> {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let metadata = std::fs::metadata(path).map_err(|why| why.to_string())?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let file = File::open(path).map_err(|why| why.to_string())?;
    if name.ends_with(".csv") {
        table(file)
    } else if name.ends_with(".npz") {
        archive(npz::open(file)?)
    } else if name.ends_with(".safetensors") {
        archive(safetensors::open(file)?)
    } else {
        let (shape, values) = idx::beginning(file, MOST)?;
        Ok(Survey::Arrays(vec![array("", &shape, &values)]))
    }
}

fn table(file: File) -> Result<Survey, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(file).take(MOST_BYTES));
    let names: Vec<String> =
        reader.headers().map_err(|why| why.to_string())?.iter().map(|name| name.trim().to_owned()).collect();
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err("it has no header row".to_owned());
    }
    if let [only] = &names[..]
        && let Some(separator) = [';', '\t', '|'].into_iter().find(|&c| only.contains(c))
    {
        return Err(format!("its columns seem to be separated by {separator:?}, not by commas"));
    }
    let mut columns: Vec<Gathered> = names.iter().map(|name| Gathered::new(name, &[])).collect();
    let mut record = csv::StringRecord::new();
    let mut rows = 0;
    while rows < MOST && reader.read_record(&mut record).map_err(|why| why.to_string())? {
        rows += 1;
        for (column, gathered) in columns.iter_mut().enumerate() {
            let cell = record.get(column).unwrap_or_default().trim();
            gathered.see(cell.parse().unwrap_or(f64::NAN));
            gathered.column.rows = rows;
        }
    }
    Ok(Survey::Columns(columns.into_iter().map(Gathered::end).collect()))
}

fn archive(mut archive: impl Archive) -> Result<Survey, String> {
    let mut columns = Vec::new();
    let mut names = archive.names();
    names.sort();
    for name in names {
        // What is no array of numbers is of no use here, and no fault.
        let Ok(shape) = archive.shape(&name) else { continue };
        let row = numbers::count(shape.get(1..).unwrap_or_default()).unwrap_or(usize::MAX);
        let Ok((_, values)) = archive.array(&name, (MOST / row.max(1)).max(1), Dtype::Float64) else { continue };
        columns.push(array(&name, &shape, &values));
    }
    Ok(Survey::Arrays(columns))
}

fn array(name: &str, shape: &[usize], values: &Values) -> Column {
    let mut gathered = Gathered::new(name, shape.get(1..).unwrap_or_default());
    (0..values.len().min(MOST)).for_each(|index| gathered.see(values.at(index)));
    gathered.column.rows = shape.first().copied().unwrap_or(0);
    gathered.column.integers = matches!(values, Values::I64(_));
    gathered.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, bytes: &[u8]) -> Result<Survey, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), bytes).unwrap();
        survey(&folder.path().join(name))
    }

    #[test]
    fn the_columns_of_a_table_are_told() {
        let Ok(Survey::Columns(columns)) = of("a.csv", b"x,name,\"y\"\n1.5,a,0\n-2,b,1\n,c,1\n") else {
            panic!("none")
        };
        let told: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.rows, c.without, c.whole, c.distinct)).collect();
        assert_eq!(told, [("x", 3, 1, false, Some(2)), ("name", 3, 3, true, Some(0)), ("y", 3, 0, true, Some(2))]);
        assert_eq!((columns[0].least, columns[0].most), (-2.0, 1.5));
    }

    #[test]
    fn what_is_no_table_is_told() {
        assert_eq!(of("a.csv", b"1,2\n3,4\n").unwrap_err(), "it has no header row");
        assert!(of("a.csv", b"a;b\n3;4\n").unwrap_err().contains("separated by ';'"));
        assert!(of("a.npz", b"no").is_err());
        assert!(of("a.safetensors", b"no").is_err());
        assert!(of("a-idx3-ubyte", b"no").is_err());
    }

    #[test]
    fn an_idx_file_is_an_array_of_integers() {
        let bytes = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        let Ok(Survey::Arrays(arrays)) = of("a-idx2-ubyte", &bytes) else { panic!("none") };
        let [array] = &arrays[..] else { panic!("one") };
        assert_eq!((array.rows, &array.shape[..], array.integers, array.distinct), (2, &[3][..], true, Some(6)));
    }
}
