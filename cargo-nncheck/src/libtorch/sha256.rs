//! SHA-256 hashes of files.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use sha2::{Digest, Sha256 as Hasher};

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Hasher::digest(bytes).into())
    }

    /// The hash of a file's content. `read` is told of each number of bytes read.
    pub fn of_file(path: &Path, read: &mut impl FnMut(u64)) -> io::Result<Self> {
        copy(&mut File::open(path)?, &mut io::sink(), read).map(|(_, sha256)| sha256)
    }
}

/// Copies all of `from` to `to`, and tells how many bytes that were and their hash.
///
/// `copied` is told of each number of bytes. A request to stop ends the copy with an error of kind `Interrupted`.
pub fn copy(from: &mut impl Read, to: &mut impl Write, copied: &mut impl FnMut(u64)) -> io::Result<(u64, Sha256)> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        if crate::interrupt::requested() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = match from.read(&mut buffer) {
            Ok(0) => return Ok((total, Sha256(hasher.finalize().into()))),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = &buffer[..count];
        hasher.update(bytes);
        to.write_all(bytes)?;
        total += bytes.len() as u64;
        copied(bytes.len() as u64);
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// The text is no SHA-256 hash in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHash;

impl FromStr for Sha256 {
    type Err = NoHash;

    fn from_str(text: &str) -> Result<Self, NoHash> {
        let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>().ok_or(NoHash)?;
        if digits.len() != 64 {
            return Err(NoHash);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::try_from(pair[0] * 16 + pair[1]).map_err(|_| NoHash)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From FIPS 180-4's own examples.
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn the_hash_of_the_standards_example_is_the_standards() {
        assert_eq!(Sha256::of(b"abc").to_string(), ABC);
        assert_eq!(ABC.parse(), Ok(Sha256::of(b"abc")));
        assert_eq!(ABC.to_uppercase().parse(), Ok(Sha256::of(b"abc")));
    }

    #[test]
    fn a_text_that_is_no_hash_is_refused() {
        for text in ["", "abc", &ABC[1..], &format!("{ABC}0"), &ABC.replace('f', "g"), &ABC.replace('a', "ä")] {
            assert_eq!(text.parse::<Sha256>(), Err(NoHash), "{text}");
        }
    }

    #[test]
    fn a_copy_is_the_same_and_its_hash_that_of_the_whole() {
        let text = vec![7; 700_000];
        let (mut copied, mut told) = (Vec::new(), 0);
        let result = copy(&mut text.as_slice(), &mut copied, &mut |count| told += count).expect("copied");
        assert_eq!(result, (700_000, Sha256::of(&text)));
        assert_eq!((copied, told), (text, 700_000));
    }
}
