//! The specs as tests of `cargo test` and `cargo nextest`.

nncheck::harness! { specs: "specs", builder: [digits::mlp, digits::convnet] }
