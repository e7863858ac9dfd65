//! How a report for people looks.

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// What does not hold, and the summary.
    Quiet,
    /// A line a property.
    #[default]
    Normal,
    /// Every property's message and numbers.
    Verbose,
}

/// How the report looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Colours, as ANSI escapes.
    pub colour: bool,
    /// How much is shown.
    pub verbosity: Verbosity,
    /// Columns of the terminal; 0 where there is none, then no line is broken.
    pub width: usize,
}
