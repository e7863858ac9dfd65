//! nncheck-core
