//! Reads a CSV file as nncheck does, and says how long it took and how much memory: for comparisons with others.
//!
//! `cargo run --release -p nncheck-core --example csv_speed -- FILE TARGET`

use std::time::Instant;

use nncheck_core::data::{Values, load};
use nncheck_core::diagnostic::{Located, Span};
use nncheck_core::spec::data::{Data, DataSource};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(target)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: csv_speed FILE TARGET");
        std::process::exit(2);
    };
    let here = Span::default();
    let source = DataSource::Csv {
        path: Located::new(file.into(), here),
        target: Located::new(vec![target], here),
        inputs: None,
    };
    let data = Data { source, ..Data::none() };
    let started = Instant::now();
    let dataset = load(&data, Task::Multiclass, Dtype::Float32).unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1);
    });
    let seconds = started.elapsed().as_secs_f64();
    let bytes: usize = dataset.inputs.iter().map(|input| input.values.len() * width(&input.values)).sum();
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim().to_owned();
    println!("{seconds:.3} s; inputs {:.0} MB; peak {peak}", bytes as f64 / 1e6);
}

fn width(values: &Values) -> usize {
    match values {
        Values::F32(_) => 4,
        Values::F64(_) | Values::I64(_) => 8,
    }
}
