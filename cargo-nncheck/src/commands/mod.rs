//! The subcommands, one file each.

pub mod accept;
pub mod exec;
pub mod explain;
pub mod init;
pub mod libtorch;
pub mod list;
pub mod run;
pub mod schema;
pub mod test_target;

use crate::cli::{Invocation, Subcommands};
use crate::error::CommandError;
use crate::exit_code::ExitCode;

/// Does what the command line says.
///
/// # Errors
/// When it cannot be done.
pub fn dispatch(invocation: Invocation) -> Result<ExitCode, CommandError> {
    match invocation.command {
        None => run::run(&invocation.run),
        Some(Subcommands::Run(args)) => run::run(&args),
        Some(Subcommands::Accept(args)) => accept::run(&args),
        Some(Subcommands::List(args)) => list::run(&args),
        Some(Subcommands::Explain(args)) => explain::run(&args),
        Some(Subcommands::Init(args)) => init::run(&args),
        Some(Subcommands::Exec(args)) => exec::run(&args),
        Some(Subcommands::Libtorch(args)) => libtorch::run(&args),
        Some(Subcommands::Schema(_)) => schema::run(),
    }
}
