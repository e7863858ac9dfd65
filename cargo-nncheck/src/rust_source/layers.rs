//! What the sources tell of a network: what goes in, what comes out, and what stands at its end. A guess, for layers are
//! taken in the order in which they are written.

use std::cell::Cell;
use syn::visit::{self, Visit};
use syn::{Expr, FnArg, Pat, ReturnType, Type};

use super::evaluate::Variables;
use super::{Function, RustSource};

/// So many functions are followed from one builder at most.
const LOOKS: usize = 200;
/// So deep are functions followed into the functions that they call.
const DEEPEST: usize = 6;

/// What a network takes and gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// What goes in.
    pub input: Input,
    /// How wide the last layer is.
    pub output: Option<usize>,
    /// What follows the last layer.
    pub last: Option<Activation>,
    /// The network brings its inputs into another shape before anything else.
    pub reshapes: bool,
    /// The shape that it gives to an example at first, if that can be read.
    pub viewed: Option<Vec<usize>>,
    /// The inputs that it asks its batch for by name.
    pub named: Vec<String>,
    /// The hyperparameters that its builder asks for, with what it takes where a spec says nothing.
    pub hyper: Vec<(String, i64)>,
}

/// What the first layer takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Rows of so many numbers.
    Features(usize),
    /// Images of so many channels.
    Images(usize),
    /// Signals of so many channels.
    Signals(usize),
    /// Sequences of so many numbers a step.
    Steps(usize),
    /// Tokens out of so many.
    Tokens(usize),
    /// It cannot be told.
    #[default]
    Unknown,
}

/// What follows the last layer, where it matters to the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Probabilities of two classes.
    Sigmoid,
    /// Probabilities of several.
    Softmax,
    /// Their logarithms.
    LogSoftmax,
    /// Anything else.
    Other,
}

/// Something that happens to the numbers on their way.
#[derive(Debug)]
enum Event {
    Layer { input: Input, output: Option<usize> },
    Activation(Activation),
    Reshape(Option<Vec<usize>>),
    Hyper(String, i64),
    Named(String),
}

pub(super) fn network(source: &RustSource, builder: &Function) -> Network {
    let mut built = Vec::new();
    let mut eyes = Eyes {
        source,
        function: builder,
        variables: Variables::new(),
        events: &mut built,
        depth: 0,
        looks: &Cell::new(LOOKS),
    };
    eyes.look();
    let mut run = Vec::new();
    if let Some(forward) = forward(source, builder) {
        Eyes {
            source,
            function: forward,
            variables: Variables::new(),
            events: &mut run,
            depth: 0,
            looks: &Cell::new(LOOKS),
        }
        .look();
    }
    let mut network = Network::default();
    let mut layers = built.iter().filter_map(|event| match event {
        Event::Layer { input, output } => Some((input, output)),
        _ => None,
    });
    if let Some((input, output)) = layers.next() {
        network.input = input.clone();
        network.output = *layers.next_back().map_or(output, |(_, output)| output);
    }
    for event in &built {
        if let Event::Hyper(key, value) = event {
            network.hyper.push((key.clone(), *value));
        }
    }
    // Whoever asks for inputs by name may stand beside the model's own function.
    for function in source.functions.iter().filter(|f| f.module == builder.module) {
        let mut events = Vec::new();
        Eyes {
            source,
            function,
            variables: Variables::new(),
            events: &mut events,
            depth: DEEPEST,
            looks: &Cell::new(LOOKS),
        }
        .look();
        for event in events {
            if let Event::Named(name) = event
                && !network.named.contains(&name)
            {
                network.named.push(name);
            }
        }
    }
    let of_numbers = |event: &Event| !matches!(event, Event::Hyper(..) | Event::Named(_));
    built.retain(of_numbers);
    run.retain(of_numbers);
    let events = if run.is_empty() { &built } else { &run };
    network.last = match events.last() {
        Some(Event::Activation(activation)) => Some(*activation),
        _ => None,
    };
    if let Some(Event::Reshape(shape)) = events.first() {
        network.reshapes = true;
        network.viewed.clone_from(shape);
    }
    network
}

/// The function that runs what a builder returns.
fn forward<'s>(source: &'s RustSource, builder: &Function) -> Option<&'s Function> {
    let ReturnType::Type(_, ty) = &builder.sig.output else { return None };
    let Type::Path(path) = &**ty else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    let name = if name == "Self" { builder.owner.clone()? } else { name };
    source.functions.iter().find(|f| {
        f.owner.as_ref() == Some(&name)
            && matches!(f.of_trait.as_deref(), Some("Module" | "ModuleT" | "Model"))
            && matches!(f.name(), "forward" | "forward_t" | "outputs")
    })
}

struct Eyes<'a> {
    source: &'a RustSource,
    function: &'a Function,
    variables: Variables,
    events: &'a mut Vec<Event>,
    depth: usize,
    /// How many functions may still be followed: one that calls itself twice would be followed without end.
    looks: &'a Cell<usize>,
}

impl<'a> Eyes<'a> {
    fn look(&mut self) {
        let function = self.function;
        self.visit_block(&function.block);
    }

    fn value(&self, expr: Option<&Expr>) -> Option<usize> {
        let value = self.source.value(self.function.module, &self.variables, expr?)?;
        usize::try_from(value).ok().filter(|&size| size > 0)
    }

    /// A layer of tch's.
    fn layer(&mut self, name: &str, call: &syn::ExprCall) -> bool {
        let size = |index| self.value(call.args.iter().nth(index));
        let of = |input: fn(usize) -> Input| size(1).map_or(Input::Unknown, input);
        let (input, output) = match name {
            "linear" => (of(Input::Features), size(2)),
            "conv1d" | "conv_transpose1d" => (of(Input::Signals), size(2)),
            "conv2d" | "conv_transpose2d" | "conv" => (of(Input::Images), size(2)),
            "embedding" => (of(Input::Tokens), size(2)),
            "lstm" | "gru" => (of(Input::Steps), size(2)),
            _ => return false,
        };
        self.events.push(Event::Layer { input, output });
        true
    }

    /// A function of the same crate, with the numbers that it is called with.
    fn follow(&mut self, names: &[String], call: &syn::ExprCall) -> bool {
        let Some(called) = self.called(names).filter(|_| self.depth < DEEPEST && self.looks.get() > 0) else {
            return false;
        };
        self.looks.set(self.looks.get() - 1);
        let mut variables = Variables::new();
        for (input, argument) in called.sig.inputs.iter().zip(&call.args) {
            if let FnArg::Typed(input) = input
                && let Pat::Ident(name) = &*input.pat
                && let Some(value) = self.source.value(self.function.module, &self.variables, argument)
            {
                variables.insert(name.ident.to_string(), value);
            }
        }
        let (source, depth, looks) = (self.source, self.depth + 1, self.looks);
        Eyes { source, function: called, variables, events: self.events, depth, looks }.look();
        true
    }

    fn called(&self, names: &[String]) -> Option<&'a Function> {
        let source = self.source;
        let mut names = names.to_vec();
        if names.first().is_some_and(|name| name == "Self") {
            names[0].clone_from(self.function.owner.as_ref()?);
        }
        let module = self.function.module;
        let whole = match source.modules[module].uses.iter().find(|u| u.name.as_ref() == names.first()) {
            Some(import) => [&import.path[..], &names[1..]].concat(),
            None => names,
        };
        let path = source.absolute(module, &whole)?.join("::");
        source.at(&path).or_else(|| source.functions.iter().find(|f| f.public.as_ref() == Some(&path)))
    }

    fn activation(&mut self, name: &str) {
        let activation = match name {
            "sigmoid" => Activation::Sigmoid,
            "softmax" => Activation::Softmax,
            "log_softmax" => Activation::LogSoftmax,
            "relu" | "tanh" | "gelu" | "leaky_relu" | "elu" | "silu" => Activation::Other,
            _ => return,
        };
        self.events.push(Event::Activation(activation));
    }
}

impl<'ast> Visit<'ast> for Eyes<'_> {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        visit::visit_local(self, local);
        let pattern = match &local.pat {
            Pat::Type(typed) => &*typed.pat,
            other => other,
        };
        if let (Pat::Ident(name), Some(init)) = (pattern, &local.init) {
            match self.source.value(self.function.module, &self.variables, &init.expr) {
                Some(value) => self.variables.insert(name.ident.to_string(), value),
                None => self.variables.remove(&name.ident.to_string()),
            };
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let names: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
            let full = self.source.full_name(self.function.module, &path.path);
            let last = names.last().cloned().unwrap_or_default();
            let of_tch = full.strip_suffix(&last).is_some_and(|above| above.ends_with("nn::"));
            if of_tch && self.layer(&last, call) {
                return;
            }
            // The models that come with tch take images in colour, and how many classes there are.
            if full.starts_with("tch::vision::") {
                let output = self.value(call.args.last());
                return self.events.push(Event::Layer { input: Input::Images(3), output });
            }
            if self.follow(&names, call) {
                return;
            }
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        // `.add_fn(Tensor::relu)`
        if let Some(last) = path.path.segments.last().filter(|_| path.path.segments.len() > 1) {
            self.activation(&last.ident.to_string());
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        let name = call.method.to_string();
        match name.as_str() {
            "view" | "reshape" | "flatten" => {
                let sizes = match call.args.first() {
                    Some(Expr::Array(array)) => Some(array),
                    Some(Expr::Reference(inner)) => match &*inner.expr {
                        Expr::Array(array) => Some(array),
                        _ => None,
                    },
                    _ => None,
                };
                let sizes = sizes.filter(|array| !array.elems.is_empty());
                let shape = sizes.and_then(|array| array.elems.iter().skip(1).map(|e| self.value(Some(e))).collect());
                self.events.push(Event::Reshape(shape));
            }
            "apply" | "apply_t" | "forward" | "forward_t" => {
                self.events.push(Event::Layer { input: Input::Unknown, output: None });
            }
            "get" | "input" => {
                let key = match call.args.first() {
                    Some(Expr::Lit(literal)) => match &literal.lit {
                        syn::Lit::Str(key) => key.value(),
                        _ => return,
                    },
                    _ => return,
                };
                let value = call.args.iter().nth(1);
                let value = value.and_then(|v| self.source.value(self.function.module, &self.variables, v));
                match (name.as_str(), call.args.len(), value) {
                    ("get", 2, Some(value)) => self.events.push(Event::Hyper(key, value)),
                    ("input", 1, _) => self.events.push(Event::Named(key)),
                    _ => {}
                }
            }
            _ => self.activation(&name),
        }
    }
}
