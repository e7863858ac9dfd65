//! numpy's archives of arrays: a zip file of `NAME.npy`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::Values;
use super::arrays::Archive;
use super::npy::Header;
use crate::spec::run::Dtype;

/// The longest beginning of an array that its header is looked for in.
const BEGINNING: u64 = 66 * 1024;

pub(super) struct Npz(zip::ZipArchive<BufReader<File>>);

pub(super) fn open(path: &Path) -> Result<Npz, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    let archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|_| {
        "it is no archive of numpy's (an .npz file is a zip file; one array alone is an .npy file: save it with \
         np.savez(\"data.npz\", x=x, y=y))"
            .to_owned()
    })?;
    Ok(Npz(archive))
}

impl Npz {
    fn bytes(&mut self, name: &str, most: Option<u64>) -> Result<Vec<u8>, String> {
        let entry = self.0.by_name(&format!("{name}.npy")).map_err(|why| why.to_string())?;
        let mut bytes = Vec::new();
        // What an entry claims to hold is not believed: memory grows with what is there.
        entry.take(most.unwrap_or(u64::MAX)).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
        Ok(bytes)
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
        Ok(Header::read(&self.bytes(name, Some(BEGINNING))?)?.shape)
    }

    fn array(&mut self, name: &str, dtype: Dtype) -> Result<(Vec<usize>, Values), String> {
        let header = Header::read(&self.bytes(name, Some(BEGINNING))?)?;
        let wanted = header.bytes().ok_or("its shape is too large")?;
        let bytes = self.bytes(name, Some(wanted as u64 + header.start as u64))?;
        let values = header.values(bytes.get(header.start..).unwrap_or_default(), dtype)?;
        Ok((header.shape, values))
    }
}
