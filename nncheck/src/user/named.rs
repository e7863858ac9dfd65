//! Tensors by name, in the order in which they were given.

use tch::Tensor;

use crate::subject::SubjectError;

/// Tensors by name, in the order in which they were given.
#[derive(Debug, Default)]
pub struct Named(Vec<(String, Tensor)>);

impl Named {
    /// No tensors yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, tensor: Tensor) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = tensor,
            None => self.0.push((name, tensor)),
        }
    }

    /// The tensor of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, tensor)| tensor)
    }

    /// The first tensor.
    #[must_use]
    pub fn first(&self) -> Option<&Tensor> {
        self.0.first().map(|(_, tensor)| tensor)
    }

    /// Names and tensors, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// The names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// How many tensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same names with each tensor changed.
    #[must_use]
    pub fn map(&self, change: impl Fn(&Tensor) -> Tensor) -> Self {
        Self(self.0.iter().map(|(name, tensor)| (name.clone(), change(tensor))).collect())
    }

    /// The tensors of each name behind one another, along the first axis.
    pub(crate) fn cat(parts: &[&Self]) -> Result<Self, SubjectError> {
        let Some(first) = parts.first() else { return Ok(Self::new()) };
        first
            .names()
            .map(|name| {
                let same = |part: &&Self| {
                    part.get(name).map(Tensor::shallow_clone).ok_or_else(|| {
                        SubjectError::new(format!("`{name}` is among some rows of the data and not among others"))
                    })
                };
                let tensors = parts.iter().map(same).collect::<Result<Vec<Tensor>, _>>()?;
                Ok((name.to_owned(), Tensor::f_cat(&tensors, 0)?))
            })
            .collect()
    }

    /// The tensor of a name; what there is, is in the panic, which is reported as the property's error.
    #[track_caller]
    pub(super) fn expect(&self, what: &str, name: &str) -> &Tensor {
        // No closure: the caller's place would be lost in it.
        match self.get(name) {
            Some(tensor) => tensor,
            None => panic!("there is no {what} `{name}`: there are {}", self.names().collect::<Vec<_>>().join(", ")),
        }
    }
}

impl Clone for Named {
    /// Shares the tensors' memory.
    fn clone(&self) -> Self {
        self.map(Tensor::shallow_clone)
    }
}

impl<S: Into<String>> FromIterator<(S, Tensor)> for Named {
    fn from_iter<I: IntoIterator<Item = (S, Tensor)>>(tensors: I) -> Self {
        let mut named = Self::new();
        for (name, tensor) in tensors {
            named.insert(name, tensor);
        }
        named
    }
}
