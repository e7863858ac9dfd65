//! How long `gradient_check` takes, on the three networks of a comparison with PyTorch's `torch.autograd.gradcheck`: tanh
//! layers, a mean cross-entropy over 16 rows, double precision. One line of JSON a network.
//!
//! ```console
//! cargo nncheck exec -- cargo run --release -p nncheck --example gradient_check
//! ```

use std::time::Instant;

use nncheck::measure::{Job, measure};
use nncheck::subject::Tensors;
use nncheck::{Bindings, Dataset};
use nncheck_core::measurement::gradients::Answer;
use nncheck_core::measurement::{GradientsAsk, Measurement, Request};
use nncheck_core::suite::{Overrides, from_texts};
use tch::{Device, Kind, Tensor};

fn main() {
    for sizes in [&[64_i64, 32, 10][..], &[64, 128, 64, 10], &[256, 256, 10]] {
        println!("{}", run(sizes));
    }
}

fn run(sizes: &[i64]) -> String {
    let [first, .., last] = *sizes else { return "two layers at least".to_owned() };
    let outs: Vec<String> = sizes[1..].iter().map(|out| format!("{{ linear = {{ out = {out} }} }}")).collect();
    let text = format!(
        "[model]\nlayers = [{}]\n[data]\nfunction = 'a::data'\nclasses = {last}\nsplit = 1.0\n[loss]\nkind = 'cross_entropy'\n[property.gradient_check]\n",
        outs.join(", \"tanh\", ")
    );
    let bindings = Bindings::new().data("a::data", move || {
        let x = Tensor::randn([16, first], (Kind::Float, Device::Cpu));
        Dataset::new(x, Tensor::randint(last, [16], (Kind::Int64, Device::Cpu)))
    });
    let suite = match from_texts(&[("network", &text)], &Overrides::default()) {
        Ok(suite) => suite,
        Err(errors) => return format!("{errors:#?}"),
    };
    let subject = &suite.specs[0].subject;
    let data = match Tensors::load(subject, &bindings) {
        Ok(data) => data,
        Err(error) => return error.to_string(),
    };
    let request = Request::Gradients(GradientsAsk { rows: 16 });
    let parts = [request.clone()];
    let mut line = String::new();
    // The first run warms up.
    for _ in 0..2 {
        let job = Job { request: &request, parts: &parts, seed: 0 };
        let start = Instant::now();
        let measured = measure(subject, &data, &bindings, job, &mut || (), &mut |_, part| {
            let seconds = start.elapsed().as_secs_f64();
            if let Ok(Measurement::Gradients(found)) = part {
                let parameters: usize = found.tensors.iter().map(|t| t.shape.iter().product::<usize>()).sum();
                let ok = found.tensors.iter().all(|t| t.answer == Answer::Agrees && t.sees_an_entry);
                line = format!(
                    "{{\"sizes\": {sizes:?}, \"parameters\": {parameters}, \"evaluations\": {}, \"ok\": {ok}, \"seconds\": {seconds:.4}}}",
                    found.evaluations
                );
            }
        });
        if let Err(error) = measured {
            return error.to_string();
        }
    }
    line
}
