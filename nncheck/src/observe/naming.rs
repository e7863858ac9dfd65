//! What an operator is to the model: a layer, something that a layer's output passes through, or mere bookkeeping.
//!
//! Pure: it sees names and the identities of storages, never a tensor.

use std::collections::HashMap;

/// The identity of a tensor's memory: tensors that share it are views of one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Storage(pub(super) usize);

impl Storage {
    /// Of tensors that have no memory of their own (sparse ones). It equals nothing.
    pub(super) const NONE: Self = Self(0);

    fn is_some(self) -> bool {
        self != Self::NONE
    }
}

/// Which layers a storage's parameters belong to, in the order of the parameters: more than one where they are tied.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parameters {
    layers: HashMap<Storage, Vec<String>>,
}

impl Parameters {
    pub(super) fn new<'a>(parameters: impl IntoIterator<Item = (&'a str, Storage)>) -> Self {
        let mut layers = HashMap::<Storage, Vec<String>>::new();
        for (name, storage) in parameters {
            let owners = layers.entry(storage).or_default();
            let layer = layer_of(name);
            if storage.is_some() && !owners.iter().any(|owner| owner == layer) {
                owners.push(layer.to_owned());
            }
        }
        layers.remove(&Storage::NONE);
        Self { layers }
    }

    /// Whether a parameter lies there.
    pub(super) fn lie_in(&self, storage: Storage) -> bool {
        self.layers.contains_key(&storage)
    }
}

/// `hidden.weight` belongs to `hidden`; a parameter of no module is a layer of its own.
fn layer_of(parameter: &str) -> &str {
    match parameter.rsplit_once('.') {
        Some((layer, _)) if !layer.is_empty() => layer,
        _ => parameter,
    }
}

/// `aten::relu_` is `relu`, in place.
fn short_name(operator: &str) -> (&str, bool) {
    let name = operator.rsplit_once("::").map_or(operator, |(_, name)| name);
    match name.strip_suffix('_') {
        Some(short) if !short.is_empty() && !short.ends_with('_') => (short, true),
        _ => (name, false),
    }
}

/// Names the operators of one forward pass, in order.
pub(super) struct Namer<'a> {
    parameters: &'a Parameters,
    /// Storages computed from parameters alone in this pass: a cast, masked or normalised weight still is a weight.
    derived: HashMap<Storage, Vec<String>>,
    /// How often each name was given.
    given: HashMap<String, usize>,
    last_layer: Option<String>,
    current: Option<Operator>,
}

/// What is known of an operator between its start and its end.
struct Operator {
    name: String,
    in_place: bool,
    role: Role,
    inputs: Vec<Storage>,
}

enum Role {
    /// Reads parameters and something else.
    Layer(String),
    /// Reads nothing but parameters, of these layers.
    Parameter(Vec<String>),
    /// Reads no parameter.
    Between,
    /// Makes a tensor out of none.
    Source,
}

/// The name and the operator of an output that counts as an activation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) layer: String,
    pub(super) operator: String,
    /// It reads parameters.
    pub(super) has_parameters: bool,
}

impl<'a> Namer<'a> {
    pub(super) fn new(parameters: &'a Parameters) -> Self {
        Self { parameters, derived: HashMap::new(), given: HashMap::new(), last_layer: None, current: None }
    }

    /// An operator starts that reads tensors in these storages.
    pub(super) fn start(&mut self, operator: &str, inputs: &[Storage]) {
        let (name, in_place) = short_name(operator);
        let role = self.role(name, inputs);
        self.current = Some(Operator { name: name.to_owned(), in_place, role, inputs: inputs.to_vec() });
    }

    fn role(&self, operator: &str, inputs: &[Storage]) -> Role {
        let owners: Vec<&[String]> = inputs.iter().filter_map(|storage| self.owners(*storage)).collect();
        if inputs.is_empty() || makes_values(operator) {
            Role::Source
        } else if owners.is_empty() {
            Role::Between
        } else if owners.len() == inputs.len() {
            Role::Parameter(owners[0].to_vec())
        } else {
            Role::Layer(self.most_likely(&owners))
        }
    }

    fn owners(&self, storage: Storage) -> Option<&[String]> {
        self.derived.get(&storage).or_else(|| self.parameters.layers.get(&storage)).map(Vec::as_slice)
    }

    /// The layer that most of the parameters belong to. Between equals, one that has not been seen in this pass: a
    /// head tied to an embedding is the second of the two.
    fn most_likely(&self, owners: &[&[String]]) -> String {
        let mut votes = Vec::<(&str, usize)>::new();
        for layer in owners.iter().copied().flatten() {
            match votes.iter_mut().find(|(candidate, _)| candidate == layer) {
                Some((_, count)) => *count += 1,
                None => votes.push((layer, 1)),
            }
        }
        let most = votes.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let mut likely = votes.iter().filter(|(_, count)| *count == most).map(|(layer, _)| *layer);
        let first = likely.clone().next().unwrap_or_default();
        likely.find(|layer| !self.given.contains_key(*layer)).unwrap_or(first).to_owned()
    }

    /// The operator that started last ends with outputs in these storages, `activation` the first floating one of them.
    /// Its name, if that is an activation.
    pub(super) fn end(&mut self, outputs: &[Storage], activation: Option<Storage>) -> Option<Name> {
        let Operator { name, in_place, role, inputs } = self.current.take()?;
        // Memory is used again: what is now computed from something else is no longer a parameter's.
        for output in outputs {
            self.derived.remove(output);
        }
        let output = activation?;
        let shares_input = output.is_some() && inputs.contains(&output);
        if self.parameters.layers.contains_key(&output) || (shares_input && !in_place) {
            return None;
        }
        let has_parameters = matches!(role, Role::Layer(_));
        let layer = match role {
            Role::Source => return None,
            Role::Parameter(owners) => {
                if output.is_some() {
                    self.derived.insert(output, owners);
                }
                return None;
            }
            Role::Layer(layer) => {
                self.last_layer = Some(layer.clone());
                layer
            }
            Role::Between if moves_values(&name) => return None,
            Role::Between => match &self.last_layer {
                Some(last) => format!("{last}.{name}"),
                None => name.clone(),
            },
        };
        Some(Name { layer: self.unique(layer), operator: name, has_parameters })
    }

    fn unique(&mut self, name: String) -> String {
        let count = self.given.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { name } else { format!("{name}#{count}") }
    }
}

/// Whether an operator makes a new tensor after the shape of another.
fn makes_values(operator: &str) -> bool {
    operator.ends_with("_like") || operator.starts_with("new_")
}

/// Whether an operator only moves, repeats, converts or overwrites entries: its output tells nothing that its input did
/// not. Those that share their input's memory are known by that; these copy, or do so now and then.
#[rustfmt::skip]
fn moves_values(operator: &str) -> bool {
    matches!(
        operator,
        "_pack_padded_sequence" | "_pad_packed_sequence" | "_to_copy" | "block_diag" | "broadcast_tensors" | "cat"
            | "channel_shuffle" | "chunk" | "clone" | "column_stack" | "concat" | "concatenate" | "constant_pad_nd"
            | "contiguous" | "copy" | "detach" | "diag_embed" | "dstack" | "expand" | "expand_as" | "flatten" | "flip"
            | "fliplr" | "flipud" | "gather" | "hstack" | "im2col" | "index" | "index_select" | "masked_select"
            | "meshgrid" | "pad" | "pad_sequence" | "pin_memory" | "pixel_shuffle" | "pixel_unshuffle"
            | "reflection_pad1d" | "reflection_pad2d" | "reflection_pad3d" | "repeat" | "repeat_interleave"
            | "replication_pad1d" | "replication_pad2d" | "replication_pad3d" | "requires_grad" | "reshape"
            | "reshape_as" | "resize" | "resolve_conj" | "resolve_neg" | "roll" | "rot90" | "sort" | "stack" | "take"
            | "take_along_dim" | "tile" | "to" | "to_dense" | "tril" | "triu" | "type_as" | "unflatten" | "vstack"
            // In place these overwrite what was there.
            | "bernoulli" | "cauchy" | "detach_copy" | "exponential" | "fill" | "geometric" | "log_normal" | "normal"
            | "random" | "uniform" | "zero"
            // Views in place.
            | "as_strided" | "squeeze" | "swapaxes" | "swapdims" | "t" | "transpose" | "unsqueeze"
    )
}

/// Where an operator's units are, where its name tells: `true` for channels on the second axis, `false` for features on the
/// last one.
pub(super) fn has_channels(operator: &str) -> Option<bool> {
    let channels = ["conv", "batch_norm", "instance_norm", "group_norm", "pool", "upsample", "pixel_"];
    let features = ["linear", "addmm", "matmul", "bmm", "layer_norm", "embedding", "lstm", "gru", "rnn", "attention"];
    let any = |parts: &[&str]| parts.iter().any(|part| operator.contains(part));
    if any(&channels) {
        Some(true)
    } else if any(&features) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names a pass of operators, each with its inputs and its output, all as numbers: 1 to 9 are parameters.
    fn names(parameters: &[(&str, usize)], operators: &[(&str, &[usize], usize)]) -> Vec<String> {
        let parameters = Parameters::new(parameters.iter().map(|(name, storage)| (*name, Storage(*storage))));
        let mut namer = Namer::new(&parameters);
        let mut names = Vec::new();
        for (operator, inputs, output) in operators {
            namer.start(operator, &inputs.iter().copied().map(Storage).collect::<Vec<_>>());
            names.extend(namer.end(&[Storage(*output)], Some(Storage(*output))).map(|name| name.layer));
        }
        names
    }

    const MODEL: &[(&str, usize)] = &[("hidden.weight", 1), ("hidden.bias", 2), ("block.head.weight", 3), ("scale", 4)];

    #[test]
    fn operators_are_named_after_their_parameters_and_those_without_after_the_layer_before() {
        let seen = names(
            MODEL,
            &[
                ("aten::relu", &[10], 11),
                ("aten::linear", &[11, 1, 2], 12),
                ("aten::relu_", &[12], 12),
                ("aten::linear", &[12, 3], 13),
                ("aten::mul", &[13, 4], 14),
                ("aten::tanh", &[14], 15),
            ],
        );
        assert_eq!(seen, ["relu", "hidden", "hidden.relu", "block.head", "scale", "scale.tanh"]);
    }

    #[test]
    fn a_name_that_was_given_gets_a_number() {
        let linear: (&str, &[usize], usize) = ("aten::linear", &[11, 1, 2], 12);
        let relu: (&str, &[usize], usize) = ("aten::relu", &[12], 13);
        let seen = names(MODEL, &[linear, relu, relu, linear, relu]);
        assert_eq!(seen, ["hidden", "hidden.relu", "hidden.relu#2", "hidden#2", "hidden.relu#3"]);
    }

    #[test]
    fn views_moves_and_sources_are_no_layers() {
        let seen = names(
            MODEL,
            &[
                ("aten::linear", &[10, 1, 2], 12),
                ("aten::view", &[12], 12),
                ("aten::dropout", &[12], 12),
                ("aten::flatten", &[12], 13),
                ("aten::cat", &[12, 13], 14),
                ("aten::expand_as", &[12, 3], 12),
                ("aten::t_", &[12], 12),
                ("aten::randn", &[], 15),
                ("aten::rand_like", &[12], 16),
                ("aten::zeros_like", &[1], 17),
                ("aten::add", &[12, 17], 18),
            ],
        );
        assert_eq!(seen, ["hidden", "hidden.add"]);
    }

    #[test]
    fn what_is_computed_from_parameters_alone_is_a_parameter() {
        let seen = names(
            &[("conv.weight_v", 1), ("conv.weight_g", 2), ("mask", 3)],
            &[
                ("aten::_weight_norm", &[1, 2], 20),
                ("aten::mul", &[20, 3], 21),
                ("aten::conv2d", &[10, 21], 22),
                // The masked weight is gone and its memory used for something else.
                ("aten::relu", &[22], 21),
                ("aten::tanh", &[21], 23),
            ],
        );
        assert_eq!(seen, ["conv", "conv.relu", "conv.tanh"]);
    }

    #[test]
    fn an_update_of_a_parameter_in_the_forward_pass_is_no_activation() {
        assert!(names(MODEL, &[("aten::add_", &[1, 10], 1)]).is_empty());
    }

    #[test]
    fn most_parameters_decide_and_between_equals_the_layer_not_seen_yet() {
        let tied = &[("embed.weight", 1), ("head.weight", 1), ("head.bias", 2)];
        let embed: (&str, &[usize], usize) = ("aten::embedding", &[1, 10], 11);
        assert_eq!(names(tied, &[embed, ("aten::linear", &[11, 1, 2], 12)]), ["embed", "head"]);
        assert_eq!(names(tied, &[embed, ("aten::linear", &[11, 1], 12)]), ["embed", "head"]);
        let tied_under_one_name = &[("embed.weight", 1), ("head.bias", 2)];
        assert_eq!(names(tied_under_one_name, &[embed, ("aten::linear", &[11, 1, 2], 12)]), ["embed", "head"]);
        assert_eq!(names(tied_under_one_name, &[embed, ("aten::linear", &[11, 1], 12)]), ["embed", "embed#2"]);
    }

    #[test]
    fn tensors_without_memory_are_nobodys_parameter() {
        assert_eq!(names(&[("sparse.weight", 0)], &[("aten::relu", &[0], 10)]), ["relu"]);
    }

    #[test]
    fn only_one_trailing_underscore_means_in_place() {
        assert_eq!(short_name("aten::relu_"), ("relu", true));
        assert_eq!(short_name("aten::__and__"), ("__and__", false));
        assert_eq!(short_name("mine::scale"), ("scale", false));
        assert_eq!(short_name("aten::_"), ("_", false));
    }
}
