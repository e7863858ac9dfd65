//! Which other shared libraries a shared library needs.

use std::fs::File;
use std::path::Path;

use object::Endianness;
use object::elf::{DT_NEEDED, FileHeader64};
use object::read::ReadCache;
use object::read::elf::FileHeader;

use super::LibtorchError;

/// The names of the libraries that the ELF file at `path` needs.
///
/// Only the parts that tell are read: the file may have hundreds of megabytes.
pub fn needed(path: &Path) -> Result<Vec<String>, LibtorchError> {
    let file = File::open(path).map_err(LibtorchError::io("could not open", path))?;
    read(&ReadCache::new(file)).map_err(|error| LibtorchError::Wheel {
        file: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        problem: format!("it is no shared library: {error}"),
    })
}

fn read(data: &ReadCache<File>) -> object::Result<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let table = sections.dynamic_table(endian, data)?;
    let strings = table.strings();
    table
        .iter()
        .filter(|entry| entry.tag == DT_NEEDED)
        .map(|entry| entry.string(strings).map(|name| String::from_utf8_lossy(name).into_owned()))
        .collect()
}
