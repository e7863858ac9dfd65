//! The command line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use nncheck_core::check::Stage;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// A whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-nncheck",
    bin_name = "cargo nncheck",
    version,
    styles = STYLES,
    about = "Tests neural networks the way cargo test tests code",
    after_help = "With no subcommand, `cargo nncheck [FILTER]...` runs the specs, like `cargo nncheck run`.",
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Invocation {
    /// What to do; running the specs where nothing is said.
    #[command(subcommand)]
    pub command: Option<Subcommands>,
    /// The arguments of `run`, where no subcommand is given.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What `cargo nncheck` can do.
#[derive(Debug, Subcommand)]
pub enum Subcommands {
    /// Run the specs: measure the models and judge every property (the default)
    Run(Box<RunArgs>),
    /// Accept the numbers of the training programs: what `regression` holds later runs against
    Accept(Box<AcceptArgs>),
    /// List the properties that `run` would judge, from the specs alone
    List(ListArgs),
    /// Explain a check: what it measures, why, its defaults, likely causes and cures
    Explain(ExplainArgs),
    /// Write a first spec for this package
    Init(InitArgs),
    /// Run any command with libtorch's environment set
    Exec(ExecArgs),
    /// Say where libtorch is and why that one, or install it
    Libtorch(LibtorchArgs),
    /// Print the JSON schema of the spec language, for editors
    Schema(SchemaArgs),
}

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Which properties.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Whose specs.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// How they are measured.
    #[command(flatten)]
    pub measuring: MeasuringArgs,
    /// Stop at the first property that does not hold
    #[arg(long, help_heading = "Measuring")]
    pub fail_fast: bool,
    /// Build the harness, but do not run it
    #[arg(long, help_heading = "Measuring")]
    pub no_run: bool,
    /// How the project is built.
    #[command(flatten)]
    pub build: BuildArgs,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// In which form results are printed on standard output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = MessageFormat::Human, help_heading = "Output")]
    pub message_format: MessageFormat,
}

/// Arguments of `accept`.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("stages", |stages| stages.hide(true)),
    mut_arg("filters", |filters| filters.help("Only properties of the check `regression` whose name contains one of these")),
    mut_arg("seeds", |seeds| seeds.help("How many seeds, two at least (as many as the spec says, and ten at least, by default)")),
    after_help = "Writes a file beside each spec, specs/NAME.baseline.json, to be committed with it."
)]
pub struct AcceptArgs {
    /// Which properties.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Whose specs.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// How they are measured.
    #[command(flatten)]
    pub measuring: MeasuringArgs,
    /// How the project is built.
    #[command(flatten)]
    pub build: BuildArgs,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Which properties are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectionArgs {
    /// Only properties whose name contains one of these
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Only the spec of this name (several times for several)
    #[arg(long = "spec", value_name = "NAME", help_heading = "Selection")]
    pub specs: Vec<String>,
    /// Only properties of this stage of the checklist (several times for several)
    #[arg(long = "stage", value_parser = stage(), value_name = "STAGE", help_heading = "Selection")]
    pub stages: Vec<Stage>,
    /// Filters are whole names, not parts of them
    #[arg(long, help_heading = "Selection")]
    pub exact: bool,
    /// Leave out properties whose name contains this (several times for several)
    #[arg(long, value_name = "FILTER", help_heading = "Selection")]
    pub skip: Vec<String>,
    /// Judge properties that are marked slow too
    #[arg(long, help_heading = "Selection")]
    pub include_ignored: bool,
}

/// Reads a stage by its name.
fn stage() -> impl TypedValueParser<Value = Stage> {
    PossibleValuesParser::new(Stage::ALL.map(Stage::name))
        .try_map(|name| Stage::ALL.into_iter().find(|stage| stage.name() == name).ok_or("no stage of the checklist"))
}

/// Whose specs are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct ProjectArgs {
    /// `--manifest-path`.
    #[command(flatten)]
    pub manifest: clap_cargo::Manifest,
    /// `--package`, `--workspace`, `--exclude`.
    #[command(flatten)]
    pub workspace: clap_cargo::Workspace,
    /// A folder of specs that need no Rust at all
    #[arg(long = "specs", value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Package Selection",
          conflicts_with_all = ["PATH", "package", "workspace", "all", "exclude"])]
    pub specs_folder: Option<PathBuf>,
}

/// How properties are measured.
#[derive(Debug, Clone, Default, Args)]
pub struct MeasuringArgs {
    /// How many seeds to begin with, whatever the specs say
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measuring")]
    pub seeds: Option<u32>,
    /// The first seed, whatever the specs say
    #[arg(long, value_name = "SEED", help_heading = "Measuring")]
    pub seed: Option<u64>,
    /// Where to compute: cpu, cuda, cuda:1, mps
    #[arg(long, value_name = "DEVICE", help_heading = "Measuring")]
    pub device: Option<String>,
    /// How many worker processes, and jobs of the build (one per core by default)
    #[arg(short = 'j', long = "jobs", value_name = "N", help_heading = "Measuring")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// How long a measurement may take, whatever the specs say: 500ms, 60s, 5m
    #[arg(long, value_name = "DURATION", help_heading = "Measuring")]
    pub timeout: Option<String>,
}

/// How the project is built: cargo's own options, handed through.
#[derive(Debug, Clone, Default, Args)]
pub struct BuildArgs {
    /// `--features`, `--all-features`, `--no-default-features`.
    #[command(flatten)]
    pub features: clap_cargo::Features,
    /// Build with optimisations
    #[arg(short = 'r', long, conflicts_with = "cargo_profile", help_heading = "Compilation Options")]
    pub release: bool,
    /// Build with this cargo profile
    #[arg(long, value_name = "PROFILE", help_heading = "Compilation Options")]
    pub cargo_profile: Option<String>,
    /// Where cargo puts what it builds
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Compilation Options")]
    pub target_dir: Option<PathBuf>,
    /// Run without accessing the network
    #[arg(long, help_heading = "Compilation Options")]
    pub offline: bool,
    /// Require that Cargo.lock is up to date
    #[arg(long, help_heading = "Compilation Options")]
    pub locked: bool,
}

/// How much is printed, and how.
#[derive(Debug, Clone, Default, Args)]
pub struct OutputArgs {
    /// Whether to print in colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    pub color: Color,
    /// Print less
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Print more (twice for even more)
    #[arg(short, long, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
}

/// In which form results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Whether to print in colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// Where the stream is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Arguments of `list`.
#[derive(Debug, Clone, Args)]
#[command(mut_arg("quiet", |quiet| quiet.help("Print the names alone, one a line, for scripts")))]
pub struct ListArgs {
    /// Which properties.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Whose specs.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// In which form the list is printed on standard output.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = MessageFormat::Human, help_heading = "Output")]
    pub message_format: MessageFormat,
}

/// Arguments of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The id of a check (all of them, a line each, where none is given), or `SPEC::PROPERTY`: where its values come from
    #[arg(value_name = "CHECK")]
    pub check: Option<String>,
    /// Which project the property is of.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// `--manifest-path`.
    #[command(flatten)]
    pub manifest: clap_cargo::Manifest,
    /// The package that the spec is for
    #[arg(short, long, value_name = "SPEC")]
    pub package: Option<String>,
    /// A folder of specs that need no Rust at all
    #[arg(long = "specs", value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with_all = ["PATH", "package"])]
    pub specs_folder: Option<PathBuf>,
    /// Write tests/nncheck.rs too, for `cargo test` and `cargo nextest`
    #[arg(long)]
    pub test_target: bool,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `exec`.
#[derive(Debug, Clone, Args)]
pub struct ExecArgs {
    /// `--manifest-path`: the project whose tch decides which libtorch is set.
    #[command(flatten)]
    pub manifest: clap_cargo::Manifest,
    /// What is printed before the command starts.
    #[command(flatten)]
    pub output: OutputArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// Arguments of `libtorch`.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LibtorchArgs {
    /// `install`, or nothing to be told what is there.
    #[command(subcommand)]
    pub command: Option<LibtorchSubcommands>,
    /// `--manifest-path`: the project whose tch decides which libtorch is wanted.
    #[command(flatten)]
    pub manifest: clap_cargo::Manifest,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What can be done about libtorch.
#[derive(Debug, Clone, Subcommand)]
pub enum LibtorchSubcommands {
    /// Install libtorch into nncheck's cache, through pip
    Install(LibtorchInstallArgs),
}

/// Arguments of `libtorch install`.
#[derive(Debug, Clone, Args)]
pub struct LibtorchInstallArgs {
    /// The torch version to install (the one that the project's tch wants, where none is given)
    #[arg(long = "version", value_name = "VERSION")]
    pub torch_version: Option<semver::Version>,
    /// `--manifest-path`: the project whose tch decides which version is wanted.
    #[command(flatten)]
    pub manifest: clap_cargo::Manifest,
    /// What is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Arguments of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {}

/// Reads a command line, the program's name first.
///
/// Cargo starts `cargo nncheck ARGS` as `cargo-nncheck nncheck ARGS`; both forms are understood.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, clap::Error> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|first| first == OsStr::new("nncheck")) {
        arguments.remove(1);
    }
    let mut command = Invocation::command();
    let invocation = Invocation::from_arg_matches(&command.try_get_matches_from_mut(arguments)?)?;
    if invocation.command.is_none() {
        refuse_late_subcommand(&mut command, &invocation.run)?;
    }
    Ok(invocation)
}

/// `cargo nncheck -q list` would take `list` for a filter, find nothing of that name and leave the user puzzled.
fn refuse_late_subcommand(command: &mut clap::Command, run: &RunArgs) -> Result<(), clap::Error> {
    let Some(late) = run.selection.filters.iter().find(|filter| command.find_subcommand(filter).is_some()) else {
        return Ok(());
    };
    Err(command.error(
        clap::error::ErrorKind::ArgumentConflict,
        format!(
            "`{late}` is a subcommand and has to come first: `cargo nncheck {late} ...`\n\n  \
             To run the properties whose names contain it: `cargo nncheck run ... {late}`"
        ),
    ))
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
