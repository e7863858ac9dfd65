//! What can be told of a suite without building a model: whether the data files are there and have the columns that the
//! specs name, whether a TorchScript model is one and a file of weights another, whether the layers fit the shape of the
//! data, and whether globs of parameters name any.

use super::{Suite, parameters};
use crate::data;
use crate::diagnostic::Diagnostic;
use crate::model_file;
use crate::spec::layer;
use crate::spec::model::ModelSource;

/// Opens every spec's data (of files, the header alone) and holds the layers against its shape.
#[must_use]
pub fn precheck(suite: &Suite) -> Vec<Diagnostic> {
    let mut errors: Vec<Diagnostic> = Vec::new();
    for spec in &suite.specs {
        let subject = &spec.subject;
        let mut of_file = |code, (cause, help): (String, Vec<String>), span| {
            let mut found = Diagnostic::error(code, cause).at(&spec.file, span);
            found.help.extend(help);
            errors.push(found);
        };
        if let ModelSource::TorchScript(file) = &subject.model.source
            && let Err(why) = model_file::torchscript(&file.value)
        {
            of_file("model-file", why, file.span);
        }
        let mut stored = None;
        if let Some(weights) = &subject.model.weights {
            match model_file::state_dict(&weights.file.value) {
                Ok(names) => stored = names,
                Err(why) => of_file("weights-file", why, weights.file.span),
            }
        }
        errors.extend(parameters::wrong_globs(spec, stored.as_deref()));
        let peek = match data::peek(&subject.data, subject.task()) {
            Ok(Some(peek)) => peek,
            Ok(None) => continue,
            Err(error) => {
                errors.push(error.into_diagnostic(&spec.file));
                continue;
            }
        };
        let ModelSource::Layers(layers) = &subject.model.source else { continue };
        if let Err(error) = layer::infer(layers, &peek.shape) {
            let mut found = Diagnostic::error("layer-shape", error.message);
            found = found.at(&spec.file, error.span).label("does not fit what comes in");
            found.help.extend(error.help);
            errors.push(found);
        }
    }
    // The rungs of a ladder share their file.
    let mut told: Vec<Diagnostic> = Vec::new();
    for error in errors {
        if !told.contains(&error) {
            told.push(error);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Style, render_all};
    use crate::suite::{Overrides, Sources, load};

    fn errors_of(spec: &str, csv: &str) -> Vec<Diagnostic> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("spec.toml"), spec).unwrap();
        std::fs::write(folder.path().join("data.csv"), csv).unwrap();
        precheck(&load(&Sources::one(folder.path(), "specs"), &Overrides::default()).unwrap())
    }

    const SPEC: &str = r#"
model = { layers = ["relu", { linear = { in = 3, out = 2 } }] }
data = { csv = "data.csv", target = "y" }
loss = { kind = "cross_entropy" }
[property.initial_loss]
"#;

    #[test]
    fn layers_that_fit_the_columns_are_sound() {
        assert_eq!(errors_of(SPEC, "a,b,c,y\n1,2,3,0\n1,2,3,1\n"), []);
    }

    #[test]
    fn layers_that_do_not_fit_the_columns_are_pointed_at() {
        let errors = errors_of(SPEC, "a,b,y\n1,2,0\n1,2,1\n");
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].code, "layer-shape");
        assert!(errors[0].span.is_some());
    }

    /// A spec with these lines of `[model]`, and a file beside it.
    fn rendered(model: &str, file: (&str, &[u8])) -> String {
        let folder = tempfile::tempdir().unwrap();
        let spec = format!(
            "model = {{ {model} }}\ndata = {{ synthetic = {{ inputs = [3], classes = 2 }} }}\nloss = {{ kind = \"cross_entropy\" }}\n\
             optimizer = {{ kind = \"sgd\", lr = 0.1 }}\n[property.initial_loss]\n"
        );
        std::fs::write(folder.path().join("spec.toml"), spec).unwrap();
        std::fs::write(folder.path().join(file.0), file.1).unwrap();
        let errors = precheck(&load(&Sources::one(folder.path(), "specs"), &Overrides::default()).unwrap());
        render_all(&errors, Style::Plain)
    }

    const LAYERS: &str = "layers = [{ linear = { out = 4 }, name = \"hidden\" }, \"relu\", { linear = { out = 2 } }]";
    /// A header of two tensors, and their numbers.
    const STORED: &str = r#"{"hidden.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"head.bias":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;

    fn stored() -> Vec<u8> {
        [&(STORED.len() as u64).to_le_bytes()[..], STORED.as_bytes(), &[0; 8]].concat()
    }

    #[test]
    fn a_file_of_weights_that_is_not_there_or_holds_none_is_pointed_at() {
        let weights = |file: &str| format!("{LAYERS}, weights = \"{file}\"");
        let said = rendered(&weights("inti.safetensors"), ("init.safetensors", &stored()));
        for words in ["there is no file `inti.safetensors`", "specs/spec.toml:1:", "did you mean `init.safetensors`"] {
            assert!(said.contains(words), "{words}\n{said}");
        }
        let said = rendered(&weights("init.pt"), ("init.pt", b"no weights"));
        assert!(said.contains("no state dict can be read from `init.pt`") && said.contains("save_file"), "{said}");
        let said = rendered(&weights("init.safetensors"), ("init.safetensors", &stored()[..60]));
        assert!(said.contains("no state dict can be read from `init.safetensors`"), "{said}");
        assert_eq!(rendered(&weights("init.safetensors"), ("init.safetensors", &stored())), "");
    }

    #[test]
    fn frozen_parameters_that_no_layer_has_are_pointed_at() {
        let said = |frozen: &str| rendered(&format!("{LAYERS}, frozen = [{frozen}]"), ("unused", b""));
        assert_eq!(said("\"hidden.*\", \"2.bias\", \"*.weight\""), "");
        let wrong = said("\"hidden.*\", \"hiden.*\"");
        for words in [
            "`hiden.*` in `frozen` names no parameter",
            "did you mean `hidden.*`?",
            "its parameters are `hidden.weight`",
        ] {
            assert!(wrong.contains(words), "{words}\n{wrong}");
        }
        assert_eq!(wrong.matches("error").count(), 1, "{wrong}");
        assert!(said("\"hidden\"").contains("did you mean `hidden.*`?"));
        assert!(said("\"1.weight\"").contains("names no parameter"));
    }

    #[test]
    fn what_a_builder_makes_is_told_from_the_weights_that_it_is_given() {
        let model = "builder = \"nets::net\", weights = \"init.safetensors\", frozen = ";
        let said = |frozen: &str| rendered(&format!("{model}{frozen}"), ("init.safetensors", &stored()));
        assert_eq!(said("[\"head.*\"]"), "");
        assert!(said("[\"hed.*\"]").contains("did you mean `head.*`?"));
        let unknown = rendered("builder = \"nets::net\", frozen = [\"anything\"]", ("unused", b""));
        assert_eq!(unknown, "", "nothing is known of the model");
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_of_the_spec() {
        let errors = errors_of(&SPEC.replace("data.csv", "date.csv"), "a,y\n");
        assert_eq!(errors.len(), 1);
        assert!(errors[0].span.is_some());
    }
}
