use super::*;

fn parsed(line: &str) -> Result<Invocation, clap::Error> {
    parse(line.split_whitespace().map(OsString::from))
}

fn ok(line: &str) -> Invocation {
    parsed(line).unwrap_or_else(|error| panic!("`{line}` is refused: {error}"))
}

#[test]
fn the_definition_is_sound() {
    Invocation::command().debug_assert();
}

#[test]
fn each_command_says_what_quiet_does_there() {
    let help = |line| parsed(line).expect_err("help").to_string();
    assert!(help("cargo-nncheck list --help").contains("Print the names alone, one a line, for scripts"));
    assert!(help("cargo-nncheck run --help").contains("Print less"));
}

#[test]
fn both_ways_of_being_started_are_understood() {
    for line in ["cargo-nncheck list", "cargo-nncheck nncheck list"] {
        assert!(matches!(ok(line).command, Some(Subcommands::List(_))), "{line}");
    }
    assert!(ok("cargo-nncheck nncheck").command.is_none());
}

#[test]
fn a_word_that_is_no_subcommand_is_a_filter() {
    let invocation = ok("cargo-nncheck nncheck initial_loss overfit --exact");
    assert!(invocation.command.is_none());
    assert_eq!(invocation.run.selection.filters, ["initial_loss", "overfit"]);
    assert!(invocation.run.selection.exact);
}

#[test]
fn run_takes_the_name_of_a_subcommand_as_a_filter() {
    let Some(Subcommands::Run(run)) = ok("cargo-nncheck run list").command else { panic!("run is a subcommand") };
    assert_eq!(run.selection.filters, ["list"]);
}

#[test]
fn a_subcommand_after_options_is_refused_with_the_way_out() {
    for line in ["cargo-nncheck -q list", "cargo-nncheck initial_loss list"] {
        let error = parsed(line).expect_err("a late subcommand").to_string();
        assert!(error.contains("cargo nncheck list"), "{error}");
    }
}

#[test]
fn every_option_of_run_is_known() {
    let invocation = ok("cargo-nncheck nncheck initial --workspace --spec digits --stage loss --stage start --exact \
         --skip slow --include-ignored --seeds 5 --seed 7 --device cuda:1 -j 2 --timeout 60s --fail-fast --no-run \
         --features a,b --no-default-features --cargo-profile fast --target-dir t --offline --locked \
         --message-format json --color never -vv");
    let run = invocation.run;
    assert_eq!(run.selection.stages, [Stage::Loss, Stage::Start]);
    assert_eq!((run.measuring.seeds, run.measuring.seed), (Some(5), Some(7)));
    assert_eq!(run.build.features.features, ["a,b"]);
    assert_eq!((run.message_format, run.output.color), (MessageFormat::Json, Color::Never));
    assert_eq!(run.output.verbose, 2);
    ok("cargo-nncheck -p digits --manifest-path some/Cargo.toml --all-features --release -q");
    ok("cargo-nncheck --specs specs");
}

#[test]
fn contradictions_are_refused() {
    for line in [
        "cargo-nncheck --release --cargo-profile dev",
        "cargo-nncheck -q -v",
        "cargo-nncheck --specs specs -p digits",
        "cargo-nncheck --specs specs --manifest-path Cargo.toml",
        "cargo-nncheck --seeds 0",
        "cargo-nncheck -j 0",
        "cargo-nncheck --stage end",
        "cargo-nncheck exec",
        "cargo-nncheck libtorch install --version two",
    ] {
        assert!(parsed(line).is_err(), "{line} is taken");
    }
}

#[test]
fn exec_hands_on_everything_behind_the_dashes() {
    let Some(Subcommands::Exec(exec)) = ok("cargo-nncheck exec --manifest-path m -- cargo test -q -- --exact").command
    else {
        panic!("exec is a subcommand")
    };
    assert_eq!(exec.command, ["cargo", "test", "-q", "--", "--exact"]);
}
