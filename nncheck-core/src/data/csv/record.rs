//! One record of a CSV file, read with care, and the words for what is wrong with it.

use std::path::Path;

use csv::StringRecord;

use super::super::columns::Columns;
use super::super::error::DataError;
use super::super::text::Text;
use super::chunks::open_quote;
use super::{MARK, read_record, reader};
use crate::diagnostic::Span;
use crate::spec::loss::Task;
use crate::spec::run::Dtype;

/// What has to be known of a file to read a record.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) path: &'a Path,
    pub(super) names: &'a [String],
    pub(super) columns: &'a Columns,
    /// Where the spec names the file.
    pub(super) span: Span,
    pub(super) task: Task,
    pub(super) dtype: Dtype,
}

/// A record that was read: its inputs and targets, and where the next one begins.
pub(super) struct Record {
    pub(super) inputs: Vec<f64>,
    pub(super) targets: Vec<f64>,
    pub(super) end: usize,
}

impl Rows<'_> {
    /// Reads the first record of a text; `None` where there is none.
    pub(super) fn record(&self, text: &Text) -> Result<Option<Record>, DataError> {
        // The reader of a record takes its beginning for that of a file, and would pass over the mark.
        if text.text.as_bytes().starts_with(MARK) {
            return Err(DataError::new("data-text", "a row begins with a byte order mark")
                .about(self.span)
                .at(Some(text.place(&text.field(0, 0))))
                .help("the mark may begin a file, and nothing else: were several files put together?"));
        }
        if let Some(at) = open_quote(text.text.as_bytes()) {
            return Err(DataError::new("data-quote", "a quote has no end")
                .about(self.span)
                .at(Some(text.place(&(at..text.record(at).end))))
                .help("a quoted field may hold several lines: all that follows would be a part of it"));
        }
        let mut reader = reader(text);
        let mut record = StringRecord::new();
        if !read_record(&mut reader, &mut record, self.span)? {
            return Ok(None);
        }
        let start = record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(usize::MAX));
        self.check_length(text, &record, start)?;
        let numbers = |columns: &[usize]| {
            columns.iter().map(|&index| self.number(text, &record, start, index)).collect::<Result<Vec<_>, _>>()
        };
        let inputs = numbers(&self.columns.inputs)?;
        let targets = numbers(&self.columns.targets)?;
        Ok(Some(Record { inputs, targets, end: usize::try_from(reader.position().byte()).unwrap_or(usize::MAX) }))
    }

    fn check_length(&self, text: &Text, record: &StringRecord, start: usize) -> Result<(), DataError> {
        let (got, expected) = (record.len(), self.names.len());
        if got == expected {
            return Ok(());
        }
        // An open quote is where the trouble began; else the first field too many, or the end of the row.
        let open = record.iter().position(|field| field.contains('\n'));
        let at = text.field(start, open.unwrap_or(got.min(expected)));
        let fields = if got == 1 { "1 field".to_owned() } else { format!("{got} fields") };
        let error = DataError::new("data-ragged-row", format!("a row of {fields} under a header of {expected}"))
            .about(self.span)
            .at(Some(text.place(&at)));
        Err(if open.is_some() {
            error.help("a quote in this row spans several lines: is one missing its end?")
        } else if got > expected {
            error.help("a field that holds a comma has to stand in quotes")
        } else {
            error.help("give every row a field for each column")
        })
    }

    fn number(&self, text: &Text, record: &StringRecord, start: usize, index: usize) -> Result<f64, DataError> {
        let field = record.get(index).unwrap_or_default().trim();
        let value = field.parse::<f64>();
        if let Ok(value) = value
            && value.is_finite()
            && self.fits(value, index)
        {
            return Ok(value);
        }
        let column = &self.names[index];
        let error = match value {
            Ok(value) if value.is_nan() => {
                DataError::new("data-non-finite", format!("column `{column}` holds NaN (`{field}`)"))
                    .help("a NaN in the data makes every loss NaN: drop the row or fill in the value")
            }
            Ok(value) if value.is_finite() => DataError::new(
                "data-non-finite",
                format!("column `{column}` holds `{}`, which is beyond what 32 bits hold", short(field)),
            )
            .help("use `dtype = \"float64\"` in [run], or another unit in the file"),
            Ok(_) if field.contains(|c: char| c.is_ascii_digit()) => DataError::new(
                "data-non-finite",
                format!("column `{column}` holds `{}`, which is beyond what 64 bits hold", short(field)),
            ),
            Ok(_) => DataError::new("data-non-finite", format!("column `{column}` holds an infinity (`{field}`)"))
                .help("an infinity in the data makes every loss infinite or NaN: drop the row or fill in the value"),
            Err(_) if field.is_empty() => {
                DataError::new("data-missing-value", format!("column `{column}` has no value here"))
                    .help("drop the row or fill in the value")
            }
            Err(_) if ["na", "n/a", "null", "none", "?", "-", "nil"].contains(&field.to_lowercase().as_str()) => {
                DataError::new("data-missing-value", format!("column `{column}` has no value here (`{field}`)"))
                    .help("drop the row or fill in the value")
            }
            Err(_) => self.text_error(column, field, self.columns.targets.contains(&index)),
        };
        Err(error.about(self.span).at(Some(text.place(&text.field(start, index)))))
    }

    /// Whether an input can be held in the format of the run.
    fn fits(&self, value: f64, index: usize) -> bool {
        self.dtype == Dtype::Float64 || (value as f32).is_finite() || self.columns.targets.contains(&index)
    }

    fn text_error(&self, column: &str, field: &str, target: bool) -> DataError {
        let error =
            DataError::new("data-text", format!("column `{column}` holds the text `{}`, not a number", short(field)));
        if ["true", "false", "yes", "no"].contains(&field.to_lowercase().as_str()) {
            return error.help("write 1 and 0");
        }
        let error = match (target, self.task) {
            (true, Task::Multiclass) => error.help("number the classes from 0 on, and write the number"),
            (true, Task::Binary) => error.help("write 1 for one of the two classes and 0 for the other"),
            (true, Task::Regression) => error.help("a loss for numbers wants a column of numbers as its target"),
            (false, _) => error
                .help("nncheck reads numbers only: encode the column before")
                .help("or leave it out: `inputs = [...]` in [data] lists the columns that are inputs"),
        };
        if field.contains(',') || field.starts_with(['$', '€', '£']) || field.ends_with('%') {
            return error.help("a number has a point, no separators and no unit, such as 1234.5");
        }
        error
    }
}

fn short(field: &str) -> String {
    const MOST: usize = 40;
    if field.chars().count() <= MOST {
        return field.to_owned();
    }
    field.chars().take(MOST).chain(['…']).collect()
}
