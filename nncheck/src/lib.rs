//! nncheck
