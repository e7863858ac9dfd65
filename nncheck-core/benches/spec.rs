//! From the text of a spec of 1,000 properties to a plan.

use std::fmt::Write;
use std::hint::black_box;

use criterion::Criterion;
use nncheck_core::plan::plan;
use nncheck_core::suite::{Filter, Overrides, from_texts};

fn text(properties: usize) -> String {
    let mut text = String::from(
        r#"[model]
layers = [{ linear = { out = 32 }, name = "hidden" }, "relu", { linear = { out = 10 }, name = "head" }]
[data]
synthetic = { inputs = [64], classes = 10 }
[loss]
kind = "cross_entropy"
[optimizer]
kind = "adam"
lr = 1e-3
"#,
    );
    for index in 0..properties {
        let body = match index % 4 {
            0 => "check = \"initial_loss\"\nexpect = \"ln(k)\"\nwithin = \"10%\"".to_owned(),
            1 => format!("check = \"overfit\"\npoints = {}", 2 + index % 7),
            2 => "check = \"update_ratio\"\nmin = 1e-5\nmax = 0.1\nallow = [\"head.*\"]".to_owned(),
            _ => "check = \"finite\"\nlevel = \"warn\"".to_owned(),
        };
        let _ = write!(text, "[property.p{index}]\n{body}\n");
    }
    text
}

fn spec(c: &mut Criterion) {
    let text = text(1_000);
    let overrides = Overrides::default();
    c.bench_function("load 1000 properties", |b| {
        b.iter(|| from_texts(&[("a", black_box(&text))], &overrides).expect("the spec is right"));
    });
    c.bench_function("load and plan 1000 properties", |b| {
        b.iter(|| {
            let suite = from_texts(&[("a", black_box(&text))], &overrides).expect("the spec is right");
            let wanted: Vec<_> = Filter::default().running(&suite).into_iter().map(|id| (id, 0..5)).collect();
            plan(&suite, &wanted)
        });
    });
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    spec(&mut criterion);
    criterion.final_summary();
}
