//! numpy's archives of arrays: a zip file of `NAME.npy`.

use std::fs::File;
use std::io::{BufReader, Read};

use super::Values;
use super::archive::Archive;
use super::npy::{Header, transposed};
use super::numbers;
use crate::spec::run::Dtype;

/// The longest beginning of an array that its header is looked for in.
const BEGINNING: u64 = 66 * 1024;

pub(super) struct Npz(zip::ZipArchive<BufReader<File>>);

pub(super) fn open(file: File) -> Result<Npz, String> {
    let archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|_| {
        "it is no archive of numpy's (an .npz file is a zip file; one array alone is an .npy file: save it with \
         np.savez(\"data.npz\", x=x, y=y))"
            .to_owned()
    })?;
    Ok(Npz(archive))
}

impl Npz {
    fn entry(&mut self, name: &str) -> Result<impl Read, String> {
        self.0.by_name(&format!("{name}.npy")).map_err(|why| why.to_string())
    }

    fn header(&mut self, name: &str) -> Result<Header, String> {
        let mut bytes = Vec::new();
        self.entry(name)?.take(BEGINNING).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
        Header::read(&bytes)
    }
}

impl Archive for Npz {
    fn what(&self) -> &'static str {
        "np.savez(\"data.npz\", x=x, y=y)"
    }

    fn names(&self) -> Vec<String> {
        self.0.file_names().flatten().filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect()
    }

    fn shape(&mut self, name: &str) -> Result<Vec<usize>, String> {
        Ok(self.header(name)?.shape)
    }

    fn array(&mut self, name: &str, most: usize, dtype: Dtype) -> Result<(Vec<usize>, Values), String> {
        let Header { mut shape, element, fortran, start } = self.header(name)?;
        let mut entry = self.entry(name)?;
        std::io::copy(&mut entry.by_ref().take(start as u64), &mut std::io::sink()).map_err(|why| why.to_string())?;
        // With the first axis fastest, the first rows are all over the array.
        let turned = fortran && shape.len() > 1;
        let all = shape.clone();
        if let Some(rows) = shape.first_mut().filter(|_| !turned) {
            *rows = most.min(*rows);
        }
        let values = numbers::read(&mut entry, numbers::count(&shape)?, element, dtype)?;
        if shape == all {
            numbers::end(entry)?;
        }
        Ok(if turned { (shape.clone(), transposed(&values, &shape)) } else { (shape, values) })
    }
}
