//! A worker's limit of memory.

/// Limits the address space of this process (`RLIMIT_AS`); libtorch starts under 1.5 GB. Linux only: elsewhere the
/// limit is not enforced, and the documentation says so.
#[cfg(target_os = "linux")]
pub(super) fn limit_memory(bytes: u64) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid rlimit for getrlimit to write and setrlimit to read.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) == 0 {
            limit.rlim_cur = bytes.min(limit.rlim_max);
            libc::setrlimit(libc::RLIMIT_AS, &raw const limit);
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn limit_memory(_bytes: u64) {}

/// Asks the kernel to end this process when its parent ends, however it ends.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent() {
    // SAFETY: prctl with PR_SET_PDEATHSIG takes a signal number and touches no memory of ours.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent() {}

/// Keeps glibc from handing memory back to the system between two steps, only to ask for it again: measured, that costs
/// some twenty page faults a step.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn keep_freed_memory() {
    // The largest that glibc takes for the second of the two.
    const LARGE: libc::c_int = 1 << 25;
    // SAFETY: mallopt sets two numbers of the allocator; it runs before any other thread is started.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn keep_freed_memory() {}

/// Whether a failure's words are those of a refused allocation.
pub(super) fn is_out_of_memory(words: &str) -> bool {
    ["can't allocate memory", "bad_alloc", "memory allocation of", "not enough memory", "Cannot allocate memory"]
        .iter()
        .any(|sign| words.contains(sign))
}
