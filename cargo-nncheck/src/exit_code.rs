//! What `cargo nncheck` tells the shell, in one place.

use std::process;

use crate::error::CommandError;

/// How a run of `cargo nncheck` ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// 0: every property held, or the command did what it was asked to.
    Held,
    /// 1: a property failed, was inconclusive or errored, or nothing was judged at all.
    Failed,
    /// 2: the command line or a spec is wrong; nothing was run.
    Usage,
    /// 3: the environment is at fault: no libtorch, no Python, a build that fails.
    Environment,
    /// 130: the user pressed Ctrl-C (what shells report for an interrupt).
    Interrupted,
    /// The code of a command that `exec` ran in our place.
    Passed(u8),
}

impl ExitCode {
    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Environment => 3,
            Self::Interrupted => 130,
            Self::Passed(code) => code,
        }
    }

    /// Clap reports a request for help as an error too; that is a success.
    pub fn of_usage(error: &clap::Error) -> Self {
        if error.use_stderr() { Self::Usage } else { Self::Held }
    }
}

impl From<&CommandError> for ExitCode {
    fn from(error: &CommandError) -> Self {
        match error {
            // As the shells tell of a process that SIGPIPE ended.
            CommandError::Output(source) if source.kind() == std::io::ErrorKind::BrokenPipe => Self::Passed(141),
            CommandError::Usage(_) | CommandError::NoManifest { .. } => Self::Usage,
            CommandError::Interrupted => Self::Interrupted,
            CommandError::Libtorch(error) if error.is_interrupt() => Self::Interrupted,
            CommandError::Libtorch(_)
            | CommandError::Project { .. }
            | CommandError::Start { .. }
            | CommandError::Output(_)
            | CommandError::Generate(_)
            | CommandError::Build { .. }
            | CommandError::Harness { .. }
            | CommandError::Directory(_) => Self::Environment,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}
