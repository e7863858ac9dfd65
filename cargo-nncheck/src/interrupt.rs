//! Ctrl-C: no process stays behind, and no half-written file either.
//!
//! The first signal ends the children (see [`crate::child`]) and raises a flag that every long loop looks at, so that
//! the stack unwinds and temporary folders are removed on the way. A second one ends the process at once.

use std::process;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::child;

/// The exit code of an interrupted process, by the shells' custom: 128 and the number of SIGINT.
pub const EXIT_CODE: i32 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static INSTALLED: Once = Once::new();

/// How long the main thread has to clean up after a signal.
const GRACE: Duration = Duration::from_secs(10);

/// Whether the user asked us to stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Starts listening for Ctrl-C, and for the other signals that ask a process to end. Further calls do nothing.
pub fn listen() {
    INSTALLED.call_once(|| {
        // Where no handler can be installed, Ctrl-C ends us at once, as it does any program.
        let _ = ctrlc::set_handler(|| {
            if REQUESTED.swap(true, Ordering::SeqCst) {
                process::exit(EXIT_CODE);
            }
            // In a thread of its own: the handler must be free to see the second signal.
            thread::spawn(|| {
                child::end_all();
                thread::sleep(GRACE);
                process::exit(EXIT_CODE);
            });
        });
    });
}
