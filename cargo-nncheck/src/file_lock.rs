//! Locks between processes: who holds the file's lock works alone on what it stands for.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Waits for the lock of the file at `path`, which is made if it is not there. `waiting` is called once, if there is to wait.
/// The lock is held until the file is dropped, or the process ends.
///
/// # Errors
/// When the file cannot be made or locked; [`io::ErrorKind::Interrupted`] after Ctrl-C.
pub fn exclusive(path: &Path, waiting: impl FnOnce()) -> io::Result<File> {
    let file = File::options().create(true).write(true).truncate(false).open(path)?;
    let mut waiting = Some(waiting);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if crate::interrupt::requested() => {
                return Err(io::ErrorKind::Interrupted.into());
            }
            Err(TryLockError::WouldBlock) => {
                if let Some(waiting) = waiting.take() {
                    waiting();
                }
                thread::sleep(Duration::from_millis(50));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_second_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = exclusive(&path, || panic!("nobody holds it")).unwrap();
        let (waits, waiting) = mpsc::channel();
        let second = thread::spawn(move || exclusive(&path, || waits.send(()).unwrap()).is_ok());
        waiting.recv().unwrap();
        drop(first);
        assert!(second.join().unwrap());
    }
}
