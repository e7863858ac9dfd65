//! The documentation of the checks, made from their doc comments: for the terminal and as the reference page.
