//! A training run as it comes out in a process of its own.

use nncheck_core::measurement::determinism::{Run, RunAsk};
use tch::{Device, Kind, Tensor};

use crate::subject::{Program, SubjectError};

/// Trains, and keeps a digest of everything.
pub(super) fn measure(program: &mut Program<'_>, ask: &RunAsk) -> Result<Run, SubjectError> {
    let batch = program.first_rows(program.spec.data.batch);
    let mut data = Digest::default();
    for (name, tensor) in batch.inputs().iter().chain(batch.targets().iter()) {
        data.text(name);
        data.tensor(tensor)?;
    }
    let before = digests(program)?;
    let losses = (0..ask.steps).map(|_| program.try_train(1)).collect::<Result<_, _>>()?;
    Ok(Run { data: data.0, before, losses, after: digests(program)? })
}

fn digests(program: &Program<'_>) -> Result<Vec<(String, u64)>, SubjectError> {
    let of = |(name, tensor): (String, Tensor)| {
        let mut digest = Digest::default();
        digest.tensor(&tensor)?;
        Ok((name, digest.0))
    };
    program.variables().into_iter().map(of).collect()
}

/// A digest of numbers in their order (FNV-1a over words of 64 bits).
struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }

    fn text(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.word(u64::from(byte)));
    }

    fn tensor(&mut self, tensor: &Tensor) -> Result<(), SubjectError> {
        tensor.size().iter().for_each(|size| self.word(size.cast_unsigned()));
        let flat = tensor.detach().to_device(Device::Cpu).reshape([-1]);
        // Both take every entry over without rounding.
        if tensor.is_floating_point() {
            Vec::<f64>::try_from(flat.to_kind(Kind::Double))?.into_iter().for_each(|entry| self.word(entry.to_bits()));
        } else {
            Vec::<i64>::try_from(flat.to_kind(Kind::Int64))?.into_iter().for_each(|n| self.word(n.cast_unsigned()));
        }
        Ok(())
    }
}
