//! What can be told of a suite without building a model: whether the data files are there and have the columns that the
//! specs name, whether a TorchScript model is one, and whether the layers fit the shape of the data.

use super::Suite;
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
        if let ModelSource::TorchScript(file) = &subject.model.source
            && let Err((cause, help)) = model_file::torchscript(&file.value)
        {
            let mut found = Diagnostic::error("model-file", cause).at(&spec.file, file.span);
            found.help.extend(help);
            errors.push(found);
        }
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
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn a_file_that_is_not_there_is_an_error_of_the_spec() {
        let errors = errors_of(&SPEC.replace("data.csv", "date.csv"), "a,y\n");
        assert_eq!(errors.len(), 1);
        assert!(errors[0].span.is_some());
    }
}
