//! Code under test that panics, aborts, exits, loops, devours memory or prints: the properties that read its measurements
//! error with the cause, told once, and all others finish.

use nncheck_tests::{Outcome, manifest, nncheck, run_project};

/// Each unruly builder, with words of the cause.
const CAUSES: [(&str, &[&str]); 5] = [
    ("panics", &["panicked: the builder gave up", "src/lib.rs:14:5", "while the model was being built"]),
    ("aborts", &["aborted", "SIGABRT", "while the model was being built"]),
    ("exits", &["exited with code 0", "while the model was being built"]),
    ("loops", &["longer than the timeout of 3s", "while the model was being built"]),
    (
        "devours",
        &["more than the 2.0 GiB", "memory allocation of 67108864 bytes failed", "while the model was being built"],
    ),
];
const PROPERTIES: [&str; 2] = ["initial_loss", "finite"];

fn unruly() -> Outcome {
    run_project("unruly", &[])
}

#[test]
fn what_cannot_be_measured_errors_with_its_cause_and_all_else_finishes() {
    let outcome = unruly().exits_with(1);
    for (spec, words) in CAUSES {
        for property in PROPERTIES {
            let event = outcome.property(spec, property);
            assert_eq!(event["verdict"], "error", "{event}");
            assert!(event["value"].is_null(), "a value that does not exist is null: {event}");
            let message = event["message"].as_str().unwrap_or_default();
            for word in words {
                assert!(message.contains(word), "`{word}` is not in: {message}");
            }
        }
    }
    for spec in ["prints", "sound"] {
        for property in PROPERTIES {
            let event = outcome.property(spec, property);
            assert_eq!(event["verdict"], "pass", "{event}");
        }
    }
    let summary = outcome.summary();
    assert_eq!(
        (&summary["passed"], &summary["errors"], &summary["failed"]),
        (&4.into(), &10.into(), &0.into()),
        "{outcome}"
    );
}

#[test]
fn a_cause_is_printed_once_with_the_properties_that_it_hit() {
    let outcome = nncheck(&["run", "--manifest-path", &manifest("unruly")]).exits_with(1);
    for (spec, words) in CAUSES {
        for word in [words[0], "last words before the abort"] {
            let times = outcome.stdout.matches(word).count();
            assert_eq!(times, 1, "`{word}` is printed {times} times\n{outcome}");
        }
        for property in PROPERTIES {
            let place = format!("{spec}::{property}  specs/{spec}.toml:");
            assert!(outcome.stdout.contains(&place), "`{place}`\n{outcome}");
        }
    }
    // What the builder prints is not taken for a result.
    assert!(!outcome.stdout.contains("1000"), "{outcome}");
    let _told = outcome.says(&["prints::finite", "sound::finite", "4 passed; 0 failed; 10 errors"]);
}

#[test]
fn the_sound_properties_are_as_without_the_unruly_ones() {
    let among = unruly();
    let alone = run_project("unruly", &["sound::"]).exits_with(0);
    for property in PROPERTIES {
        let timeless = |outcome: &Outcome| {
            let mut event = outcome.property("sound", property);
            event.as_object_mut().map(|e| e.remove("duration_ms"));
            event
        };
        assert_eq!(timeless(&among), timeless(&alone));
    }
}

#[test]
fn the_command_line_sets_the_timeout() {
    let outcome = run_project("unruly", &["--timeout", "500ms", "loops::finite"]).exits_with(1);
    let message = outcome.property("loops", "finite")["message"].to_string();
    assert!(message.contains("timeout of 500ms"), "{message}");
}
