//! `residual`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use toml::de::DeTable;

use super::read::{LayerSchema, read_layers};
use super::{Layer, LayerKind, Misfit, Rule, infer};
use crate::diagnostic::Located;
use crate::spec::read::{Form, Place, Reader};

/// The input plus what layers make of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Residual {
    /// The layers; their parameters are named `<name of this layer>.<name or index>.<weight|bias|...>`.
    #[schemars(schema_with = "layers_schema")]
    pub layers: Vec<Located<Layer>>,
}

fn layers_schema(generator: &mut SchemaGenerator) -> Schema {
    let layer = generator.subschema_for::<LayerSchema>();
    json_schema!({ "type": "array", "items": layer, "minItems": 1 })
}

impl Residual {
    /// Reads the arguments by hand, for the places of the layers inside.
    pub(super) fn read(reader: &mut Reader<'_>, place: Place<'_>, table: &DeTable<'_>) -> Option<LayerKind> {
        let layers = table.get("layers").map(|value| read_layers(reader, value));
        let read = reader.table(place, table, &Form::of::<Self>(), &[], |_| Ok(()));
        if layers.is_none() && read.whole {
            let error = reader
                .error("missing-key", place.span, format!("missing key `layers` in {}", place.what))
                .label("needs `layers = [...]`");
            reader.push(error);
        }
        Some(LayerKind::Residual(Self { layers: layers?? }))
    }
}

impl Rule for Residual {
    fn output(&mut self, input: &[usize]) -> Result<Vec<usize>, Misfit> {
        let inferred = infer::within(&self.layers, input).map_err(Misfit::Inside)?;
        if inferred.output != input {
            return Err(Misfit::Arguments(format!(
                "its layers make {:?} of {input:?}, and a sum needs the shape that came in",
                inferred.output
            )));
        }
        for (layer, inferred) in self.layers.iter_mut().zip(inferred.layers) {
            layer.value = inferred;
        }
        Ok(inferred.output)
    }
}
