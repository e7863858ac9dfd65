//! Loads a CSV file as a worker does and says how long it took and how much memory, beside the size of the arrays:
//! `cargo run --release --example load_csv -- FILE TARGET`. `benches/csv_against_polars.py` holds it against polars.

use std::path::PathBuf;
use std::time::Instant;

use nncheck_core::data::load;
use nncheck_core::diagnostic::Located;
use nncheck_core::spec::data::{Data, DataSource};
use nncheck_core::spec::loss::Task;
use nncheck_core::spec::run::Dtype;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), Some(target)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: load_csv FILE TARGET");
        std::process::exit(2);
    };
    let source = DataSource::Csv {
        path: Located::new(PathBuf::from(path), 0..0),
        target: Located::new(vec![target], 0..0),
        inputs: None,
    };
    let data = Data::of(source);
    let start = Instant::now();
    match load(&data, Task::Regression, Dtype::Float32) {
        Ok(dataset) => {
            let bytes: usize = dataset.inputs.iter().map(|array| array.values.len() * 4).sum();
            println!(
                "{{\"seconds\":{:.3},\"peak_mb\":{},\"tensor_mb\":{}}}",
                start.elapsed().as_secs_f64(),
                peak(),
                bytes >> 20
            );
        }
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

/// The most memory that this process had, in MiB; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) >> 10
}
