//! Where libtorch is looked for, how it is installed, and what is said when that fails: the program itself, in folders
//! of its own, with a Python on its PATH that only looks like one.

#![cfg(target_os = "linux")]

mod exec;
mod fake;
mod install;
mod messages;
mod search;
