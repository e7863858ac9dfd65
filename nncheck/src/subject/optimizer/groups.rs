//! Which parameter is in which group: each in exactly one, as PyTorch wants it.

use nncheck_core::spec::optimizer::Group;
use tch::Tensor;

use crate::subject::{Network, SubjectError, weights};

/// The parameters that an optimizer over the network's store would get: without variables that were made not to be
/// trained and require a gradient all the same, which tch's optimizers do not take either.
pub(super) fn in_reach(network: &Network) -> Result<Vec<(String, Tensor)>, SubjectError> {
    let store = network.store();
    let pointer = |tensor: &Tensor| tensor.data_ptr().cast_const();
    let trainable: Vec<*const _> = {
        let variables =
            store.variables_.lock().map_err(|_| SubjectError::new("the builder left its variables locked"))?;
        variables.trainable_variables.iter().map(|v| pointer(&v.tensor)).collect()
    };
    let kept: Vec<*const _> =
        store.variables().values().map(pointer).filter(|variable| !trainable.contains(variable)).collect();
    Ok(network
        .parameters()
        .iter()
        .filter(|(_, parameter)| !kept.contains(&pointer(parameter)))
        .map(|(name, parameter)| (name.clone(), parameter.shallow_clone()))
        .collect())
}

/// The indices of each group's parameters.
pub(super) fn members(
    groups: &[Group],
    parameters: &[(String, Tensor)],
    frozen: &[String],
) -> Result<Vec<Vec<usize>>, SubjectError> {
    let mut of: Vec<Option<usize>> = vec![None; parameters.len()];
    for (index, group) in groups.iter().enumerate() {
        for pattern in group.params.iter().flat_map(|params| &params.value) {
            let glob = weights::glob(pattern)?;
            let mut hit = false;
            for (slot, (name, _)) in of.iter_mut().zip(parameters).filter(|(_, (name, _))| glob.is_match(name)) {
                hit = true;
                match *slot {
                    Some(other) if other != index => {
                        return Err(SubjectError::new(format!(
                            "the parameter `{name}` is in two groups of [[optimizer]]: {} and {}",
                            called(groups, other),
                            called(groups, index)
                        ))
                        .help("let the globs of `params` exclude each other"));
                    }
                    _ => *slot = Some(index),
                }
            }
            if !hit {
                let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
                return Err(SubjectError::new(format!("`params = \"{pattern}\"` names no parameter of the model"))
                    .help(format!("its parameters are {}", names.join(", "))));
            }
        }
    }
    let rest = groups.iter().position(|group| group.params.is_none());
    let mut left = Vec::new();
    for (slot, (name, parameter)) in of.iter_mut().zip(parameters) {
        if slot.is_none() {
            *slot = rest;
            if rest.is_none() && parameter.requires_grad() && !frozen.contains(name) {
                left.push(name.as_str());
            }
        }
    }
    if !left.is_empty() {
        return Err(SubjectError::new(format!("no group of [[optimizer]] has {}", left.join(", ")))
            .help("add a group without `params`, which takes what the others leave")
            .help("or name them in `frozen` of [model], if they are not meant to be trained"));
    }
    let all = |index: usize| of.iter().enumerate().filter(|(_, of)| **of == Some(index)).map(|(i, _)| i).collect();
    Ok((0..groups.len()).map(all).collect())
}

fn called(groups: &[Group], index: usize) -> String {
    match groups.get(index).and_then(|group| group.name.as_ref()) {
        Some(name) => format!("`{}`", name.value),
        None => format!("number {}", index + 1),
    }
}
