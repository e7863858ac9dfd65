//! What harness and worker say to each other: frames of a length and a body. Jobs are JSON, because specs have values
//! of many forms; answers are postcard, because they hold numbers that JSON has no words for (NaN) and must come
//! across bit for bit.

use std::io::{self, Read, Write};

use nncheck_core::measurement::{Measurement, Request};
use nncheck_core::spec::Subject;
use serde::{Deserialize, Serialize};

use crate::subject::{Phase, SubjectError};

/// The longest frame that is believed: a broken length must not ask for all memory.
const LONGEST: u32 = 1 << 30;

/// A job for a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobMessage {
    pub subject: Subject,
    pub request: Request,
    pub parts: Vec<Request>,
    pub seed: u64,
}

/// What a worker says about its job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// It reached a phase.
    Phase(Phase),
    /// A part is complete, or cannot be had.
    Part(usize, Box<Result<Measurement, Failure>>),
    /// The job is done.
    Done,
    /// The rest of the job cannot be had.
    Failed(Failure),
}

/// Why a measurement could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong; may be several lines.
    pub cause: String,
    /// What to do, one line each.
    pub help: Vec<String>,
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Self {
        Self { cause: error.cause, help: error.help }
    }
}

/// Writes a frame.
pub(crate) fn write_frame(to: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len())
        .ok()
        .filter(|&n| n <= LONGEST)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a measurement of more than 1 GiB"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(body)?;
    to.flush()
}

/// Reads a frame; `None` at the end of the stream.
pub(crate) fn read_frame(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    if let Err(e) = from.read_exact(&mut length) {
        return if e.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(e) };
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a frame of nncheck's protocol"));
    }
    let mut body = vec![0; length as usize];
    from.read_exact(&mut body)?;
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_written() {
        let mut wire = Vec::new();
        write_frame(&mut wire, b"one").unwrap();
        write_frame(&mut wire, b"").unwrap();
        let mut from = wire.as_slice();
        assert_eq!(read_frame(&mut from).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(read_frame(&mut from).unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(read_frame(&mut from).unwrap(), None);
    }

    #[test]
    fn a_broken_length_is_refused_instead_of_allocated() {
        let wire = [0xff; 16];
        assert!(read_frame(&mut wire.as_slice()).is_err());
    }

    #[test]
    fn answers_keep_nan_bit_for_bit() {
        let reply = Reply::Failed(Failure { cause: "x".into(), help: vec![] });
        let bytes = postcard::to_stdvec(&reply).unwrap();
        assert!(matches!(postcard::from_bytes(&bytes).unwrap(), Reply::Failed(f) if f.cause == "x"));
        let odd = f64::from_bits(0x7ff8_0000_0000_0001);
        let back: f64 = postcard::from_bytes(&postcard::to_stdvec(&odd).unwrap()).unwrap();
        assert_eq!(back.to_bits(), odd.to_bits());
    }
}
