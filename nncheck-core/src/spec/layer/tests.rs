use std::sync::Arc;

use super::*;
use crate::diagnostic::{Located, SourceFile, render_all};
use crate::spec::read::Reader;

/// Layers as a spec has them, or everything that is said of them.
fn layers(text: &str) -> Result<Vec<Located<Layer>>, String> {
    let text = format!("layers = {text}\n");
    let file = Arc::new(SourceFile::new("a.toml", "a.toml", text));
    let mut reader = Reader::new(&file);
    let document = reader.document(0);
    let layers = document.get("layers").and_then(|value| read_layers(&mut reader, value));
    let clean = reader.is_clean();
    let said = render_all(&reader.into_errors(), crate::diagnostic::Style::Plain);
    layers.filter(|_| clean).ok_or(said)
}

/// The shape that comes out.
#[track_caller]
fn output(text: &str, input: &[usize]) -> Vec<usize> {
    infer(&layers(text).unwrap(), input).unwrap().output
}

#[track_caller]
fn misfit(text: &str, input: &[usize]) -> (String, String) {
    let error = infer(&layers(text).unwrap(), input).unwrap_err();
    (error.message, error.help.unwrap_or_default())
}

#[test]
fn alexnet_has_the_shapes_of_its_paper() {
    let stem = r#"
        { conv2d = { out = 64, kernel = 11, stride = 4, padding = 2 } }, "relu", { max_pool2d = { kernel = 3, stride = 2 } },
        { conv2d = { out = 192, kernel = 5, padding = 2 } }, "relu", { max_pool2d = { kernel = 3, stride = 2 } },
        { conv2d = { out = 256, kernel = 3, padding = 1 } }, "relu", { max_pool2d = { kernel = 3, stride = 2 } }
    "#;
    assert_eq!(output(&format!("[{stem}]"), &[3, 224, 224]), [256, 6, 6]);
    let head =
        r#"{ adaptive_avg_pool2d = { size = 6 } }, "flatten", "dropout", { linear = { in = 9216, out = 4096 } }"#;
    assert_eq!(output(&format!("[{stem}, {head}]"), &[3, 224, 224]), [4096]);
}

#[test]
fn the_stem_of_resnet_halves_twice() {
    let stem = r#"[
        { conv2d = { in_channels = 3, out_channels = 64, kernel_size = [7, 7], stride = [2, 2], padding = [3, 3], bias = false } },
        "batch_norm2d", "relu", { max_pool2d = { kernel_size = 3, stride = 2, padding = 1 } },
    ]"#;
    assert_eq!(output(stem, &[3, 224, 224]), [64, 56, 56]);
}

#[test]
fn the_pools_of_squeezenet_round_up() {
    let pool = "{ max_pool2d = { kernel = 3, stride = 2, ceil_mode = true } }";
    let net = format!("[{{ conv2d = {{ out = 96, kernel = 7, stride = 2 }} }}, {pool}, {pool}, {pool}]");
    assert_eq!(output(&net, &[3, 224, 224]), [96, 13, 13]);
    // 54 / 2 without rounding up, and a window that would start behind the edge.
    assert_eq!(output(&net.replace(", ceil_mode = true", ""), &[3, 224, 224]), [96, 12, 12]);
    assert_eq!(output("[{ max_pool2d = { kernel = 1, stride = 3, ceil_mode = true } }]", &[1, 2, 2]), [1, 1, 1]);
}

#[test]
fn height_and_width_differ_where_a_pair_says_so() {
    let conv = "[{ conv2d = { out = 2, kernel = [3, 5], stride = [1, 2], padding = [0, 1], dilation = [2, 1] } }]";
    assert_eq!(output(conv, &[1, 10, 11]), [2, 6, 5]);
    assert_eq!(output("[{ max_pool2d = { kernel = [1, 2] } }]", &[1, 10, 11]), [1, 10, 5]);
    assert_eq!(output("[{ adaptive_avg_pool2d = { output_size = [1, 2] } }]", &[7, 10, 11]), [7, 1, 2]);
}

#[test]
fn flatten_joins_the_axes_that_it_names() {
    assert_eq!(output("[\"flatten\"]", &[2, 3, 4]), [24]);
    assert_eq!(output("[{ flatten = { start_dim = 2 } }]", &[2, 3, 4]), [2, 12]);
    assert_eq!(output("[{ flatten = { start_dim = -3, end_dim = -2 } }]", &[2, 3, 4]), [6, 4]);
    assert_eq!(output("[\"flatten\"]", &[7]), [7]);
    assert!(misfit("[{ flatten = { start_dim = 0 } }]", &[2]).0.contains("mix the examples"));
    assert!(misfit("[{ flatten = { start_dim = 3, end_dim = 2 } }]", &[2, 3, 4]).0.contains("comes after"));
    assert!(misfit("[{ flatten = { start_dim = 5 } }]", &[2]).0.contains("axes 5 to -1"));
}

#[test]
fn sizes_and_names_that_were_left_out_are_filled_in() {
    let inferred = infer(
        &layers(r#"[{ linear = { out = 32 }, name = "hidden" }, "batch_norm1d", "relu", { linear = { out = 10 } }]"#)
            .unwrap(),
        &[64],
    )
    .unwrap();
    let names: Vec<_> = inferred.layers.iter().map(|l| l.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["hidden", "1", "2", "3"]);
    assert_eq!(inferred.layers[0].kind, LayerKind::Linear(Linear { inputs: Some(64), outputs: 32, bias: true }));
    let LayerKind::BatchNorm1d(norm) = &inferred.layers[1].kind else { panic!() };
    assert_eq!((norm.features, norm.eps, norm.momentum, norm.affine), (Some(32), 1e-5, 0.1, true));
    assert_eq!(inferred.layers[3].kind, LayerKind::Linear(Linear { inputs: Some(32), outputs: 10, bias: true }));
}

#[test]
fn a_misfit_names_the_layer_what_it_takes_and_the_way_out() {
    let conv = "{ conv2d = { out = 16, kernel = 5 } }";
    assert_eq!(
        misfit(&format!("[{conv}, {{ linear = {{ in = 256, out = 10 }}, name = \"head\" }}]"), &[1, 8, 8]),
        (
            "linear `head` takes 256 features, but the layer before it gives [16, 4, 4]".into(),
            "put `flatten` before it".into()
        )
    );
    assert_eq!(
        misfit(&format!("[{conv}, {{ linear = {{ in = 32, out = 10 }} }}]"), &[1, 8, 8]).1,
        "put `flatten` before it and set `in = 256`, or leave `in` out"
    );
    assert_eq!(
        misfit(&format!("[{conv}]"), &[64]),
        ("conv2d (layer 0) takes [channels, height, width], but the data gives [64]".into(), window::IMAGES.into())
    );
    assert_eq!(
        misfit(&format!("[{conv}]"), &[1, 4, 8]).0,
        "conv2d (layer 0) takes at least 5 x 5 entries with its padding, but the data gives [1, 4, 8]"
    );
    assert_eq!(misfit("[\"batch_norm1d\"]", &[1, 4, 8]).1, "use `batch_norm2d`");
    assert_eq!(misfit("[\"batch_norm2d\"]", &[8]).1, "use `batch_norm1d`");
    assert!(misfit("[{ batch_norm1d = { features = 3 } }]", &[8]).1.contains("features = 8"));
    assert!(misfit("[{ conv2d = { out = 3, kernel = 1, groups = 2 } }]", &[4, 8, 8]).0.contains("`out` = 3 channels"));
    assert!(misfit("[{ max_pool2d = { kernel = 2, padding = 2 } }]", &[4, 8, 8]).0.contains("more than half"));
    assert!(misfit("[{ softmax = { dim = 2 } }]", &[8]).0.contains("axis 2"));
    assert_eq!(output("[{ softmax = { dim = 1 } }, \"log_softmax\", \"tanh\", \"sigmoid\", \"gelu\"]", &[8]), [8]);
}

#[test]
fn two_layers_of_one_name_are_refused_an_index_included() {
    let twice = layers(r#"[{ relu = {}, name = "1" }, "relu"]"#).unwrap_err();
    assert!(twice.contains("two layers are named `1`"), "{twice}");
    let layer = |name: &str| {
        Located::new(
            Layer { name: Some(name.into()), init: LayerInit::default(), kind: LayerKind::Relu(Relu {}) },
            0..0,
        )
    };
    assert_eq!(infer(&[layer("a"), layer("a")], &[3]).unwrap_err().index, 1);
}

#[test]
fn the_same_argument_under_two_names_is_refused() {
    let said = layers("[{ linear = { out = 3, out_features = 3 } }]").unwrap_err();
    assert!(said.contains("duplicate-key"), "{said}");
}

#[test]
fn no_size_is_large_enough_to_overflow() {
    let huge = layers("[{ linear = { out = 18446744073709551615 } }]").unwrap_err();
    assert!(huge.contains("expected a whole number from 1 to 1000000000"), "{huge}");
    let pair = layers("[{ conv2d = { out = 1, kernel = 9223372036854775807 } }]").unwrap_err();
    assert!(pair.contains("at most 1000000000"), "{pair}");
    let most = "[{ conv2d = { out = 1000000000, kernel = 1000000000, padding = 1000000000, dilation = 1000000000 } }, \"flatten\"]";
    assert!(infer(&layers(most).unwrap(), &[usize::MAX, 2, 2]).is_err());
    assert_eq!(output("[\"flatten\"]", &[usize::MAX, 2]), [usize::MAX]);
}

#[test]
fn every_layer_of_the_language_is_known() {
    let contract = "linear conv1d conv2d conv_transpose2d batch_norm1d batch_norm2d layer_norm group_norm embedding lstm gru \
        multihead_attention transformer_encoder_layer relu leaky_relu elu gelu silu tanh sigmoid softmax log_softmax dropout \
        max_pool2d avg_pool2d adaptive_avg_pool2d flatten reshape residual last_step";
    for name in contract.split_whitespace() {
        assert!(LayerKind::NAMES.contains(&name), "{name}");
    }
    assert_eq!(LayerKind::NAMES.len(), contract.split_whitespace().count());
}

#[test]
fn a_layer_survives_the_way_to_another_process_as_it_is() {
    let all = layers(
        r#"[{ conv2d = { out = 2, kernel = [3, 1] }, name = "c" }, "batch_norm2d", { gelu = { approximate = "tanh" } }, { max_pool2d = { kernel = 2 } }, "flatten", "dropout"]"#,
    )
    .unwrap();
    let text = serde_json::to_string(&all).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Located<Layer>>>(&text).unwrap(), all);
    let bytes = postcard::to_stdvec(&all).unwrap();
    assert_eq!(postcard::from_bytes::<Vec<Located<Layer>>>(&bytes).unwrap(), all);
}
