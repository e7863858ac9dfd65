//! `[run]`: how properties are run.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::DeTable;

use super::read::{Place, Reader};
use super::values::{Bytes, Milliseconds, bounds};

/// How properties are run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// How many seeds to begin with.
    pub seeds: u32,
    /// The first seed.
    pub seed: u64,
    /// How many seeds at most, where the first ones do not decide.
    pub max_seeds: u32,
    /// Confidence of the verdicts, between 0 and 1.
    pub confidence: f64,
}

impl Default for Run {
    fn default() -> Self {
        Self { seeds: 5, seed: 0, max_seeds: 40, confidence: 0.99 }
    }
}

/// Number format of parameters and data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 32 bits.
    #[default]
    Float32,
    /// 64 bits.
    Float64,
}

/// Where the model lives: `cpu`, `cuda`, `cuda:1`, `mps`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// A CUDA device by its number.
    Cuda(u32),
    /// Apple's GPU.
    Mps,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Mps => f.write_str("mps"),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "cpu" => Ok(Self::Cpu),
            "mps" => Ok(Self::Mps),
            "cuda" => Ok(Self::Cuda(0)),
            other => other
                .strip_prefix("cuda:")
                .and_then(|number| number.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| "expected \"cpu\", \"cuda\", \"cuda:1\" or \"mps\"".to_owned()),
        }
    }
}

/// A device as written.
#[derive(Clone, Copy, Debug, PartialEq)]
struct DeviceName(Device);

impl<'de> Deserialize<'de> for DeviceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for DeviceName {
    fn schema_name() -> Cow<'static, str> {
        "device".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(cpu|mps|cuda(:[0-9]+)?)$" })
    }
}

/// How properties are run.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(rename = "run")]
pub(crate) struct RunTable {
    /// How many seeds to begin with; 5, if left out.
    #[schemars(with = "Option<NonZeroU32>")]
    seeds: Option<Spanned<NonZeroU32>>,
    /// The first seed; 0, if left out.
    seed: Option<u64>,
    /// How many seeds at most, where the first ones do not decide; 40, if left out.
    #[schemars(with = "Option<NonZeroU32>")]
    max_seeds: Option<Spanned<NonZeroU32>>,
    /// Where the model lives: "cpu", "cuda", "cuda:1", "mps".
    device: Option<DeviceName>,
    /// Number format of parameters and data.
    dtype: Option<Dtype>,
    /// Threads of libtorch in each worker; results depend on it.
    threads: Option<NonZeroU32>,
    /// The longest a measurement may take, such as "60s".
    timeout: Option<Milliseconds>,
    /// The most memory that a worker may take, such as "4GiB".
    memory: Option<Bytes>,
    /// Confidence of the verdicts; 0.99, if left out.
    #[serde(default = "confidence", deserialize_with = "bounds::within_one")]
    confidence: f64,
}

fn confidence() -> f64 {
    Run::default().confidence
}

/// All of `[run]`, what is the subject's share of it included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RunSettings {
    pub(crate) run: Run,
    pub(crate) device: Device,
    pub(crate) dtype: Dtype,
    pub(crate) threads: u32,
    pub(crate) timeout_ms: u64,
    pub(crate) memory: u64,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            run: Run::default(),
            device: Device::default(),
            dtype: Dtype::default(),
            threads: 1,
            timeout_ms: 60_000,
            memory: 4 << 30,
        }
    }
}

impl RunSettings {
    /// Reads `[run]`.
    pub(crate) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<Self> {
        let raw = reader.value::<RunTable>(place, table, &[]).value?;
        let default = Self::default();
        let seeds = raw.seeds.as_ref().map_or(default.run.seeds, |n| n.get_ref().get());
        let max_seeds = match &raw.max_seeds {
            // A spec that only says how many seeds to begin with must not contradict a default that it never saw.
            None => default.run.max_seeds.max(seeds),
            Some(max) => {
                if max.get_ref().get() < seeds {
                    let error = reader
                        .error("wrong-value", max.span(), "`max_seeds` in [run] is below `seeds`")
                        .label(format!("expected at least {seeds}, the number to begin with"));
                    reader.push(error);
                }
                max.get_ref().get()
            }
        };
        let run = Run { seeds, seed: raw.seed.unwrap_or(default.run.seed), max_seeds, confidence: raw.confidence };
        Some(Self {
            run,
            device: raw.device.map_or(default.device, |d| d.0),
            dtype: raw.dtype.unwrap_or(default.dtype),
            threads: raw.threads.map_or(default.threads, NonZeroU32::get),
            timeout_ms: raw.timeout.map_or(default.timeout_ms, |t| t.0),
            memory: raw.memory.map_or(default.memory, |m| m.0),
        })
    }
}
