//! Downloads wheels through pip, which knows the user's index, proxy, certificates and credentials.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use semver::Version;
use serde_json::Value;

use super::LibtorchError;
use super::platform::{PYTHON, Platform};
use super::python::Python;
use super::sha256::Sha256;
use crate::child;
use crate::progress::Progress;
use crate::surroundings::Surroundings;

/// The folder of pip's temporary files.
const TEMPORARY: &str = "tmp";
/// The folder in which temporary files are kept that pip deletes.
const KEPT: &str = "kept";

/// pip, asked for wheels of one torch version.
pub struct Pip<'a> {
    python: Python,
    wanted: &'a Version,
    platform: Platform,
    /// A folder for everything that pip writes.
    folder: &'a Path,
    surroundings: &'a Surroundings,
    progress: &'a dyn Progress,
}

/// A wheel that the index offers.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    requirement: String,
    file: String,
    sha256: Sha256,
}

/// A wheel that was downloaded, and is what the index said it would be.
#[derive(Clone, Debug)]
pub struct Download {
    /// The file.
    pub path: PathBuf,
    /// Its hash.
    pub sha256: Sha256,
}

impl<'a> Pip<'a> {
    /// The pip of the active Python.
    pub fn new(
        wanted: &'a Version,
        platform: Platform,
        folder: &'a Path,
        surroundings: &'a Surroundings,
        progress: &'a dyn Progress,
    ) -> Result<Self, LibtorchError> {
        let python = Python::active(surroundings).ok_or_else(|| LibtorchError::NoPython {
            python: super::python::name(surroundings).to_owned(),
            wanted: wanted.clone(),
        })?;
        python.require_pip(wanted, surroundings)?;
        Ok(Self { python, wanted, platform, folder, surroundings, progress })
    }

    /// Downloads the wheel that fits `requirement` and this platform best.
    pub fn download(&self, requirement: &str) -> Result<Download, LibtorchError> {
        let offer = self.offer(requirement)?;
        let kept = self.folder.join(KEPT).join(&offer.file);
        if kept.is_file() && self.hash(requirement, &kept)? == offer.sha256 {
            return Ok(Download { path: kept, sha256: offer.sha256 });
        }
        let wheels = self.folder.join("wheels");
        let list = self.folder.join("requirements.txt");
        fs::create_dir_all(&wheels).map_err(LibtorchError::io("could not create", &wheels))?;
        // With the hash in the list pip refuses any other file by itself.
        let line = format!("{} --hash=sha256:{}\n", offer.requirement, offer.sha256);
        fs::write(&list, line).map_err(LibtorchError::io("could not write", &list))?;
        let mut command = self.command("download");
        command.arg("--require-hashes").arg("-d").arg(&wheels).arg("-r").arg(&list);
        self.run(command, requirement)?;
        let path = wheels.join(&offer.file);
        let sha256 = self.hash(requirement, &path)?;
        if sha256 != offer.sha256 {
            let problem = format!("its sha256 is {sha256}, and the index says {}", offer.sha256);
            return Err(LibtorchError::Hash { file: offer.file, problem });
        }
        Ok(Download { path, sha256 })
    }

    fn hash(&self, requirement: &str, file: &Path) -> Result<Sha256, LibtorchError> {
        let what = format!("checking {requirement}");
        let total = fs::metadata(file).map_err(LibtorchError::io("pip left no file", file))?.len();
        let mut done = 0;
        let mut read = |count| {
            done += count;
            self.progress.bytes(&what, done, Some(total));
        };
        Sha256::of_file(file, &mut read).map_err(LibtorchError::io("could not read", file))
    }

    /// Asks pip what it would take, and with which hash.
    ///
    /// The hash is the index's, and pip has refused any file that differs from it. An index that gives no hashes at all
    /// (the public one always does) is noticed only where it serves metadata apart from the wheels: otherwise pip has to
    /// download the wheel for its report, and fills in the hash of what it got.
    fn offer(&self, requirement: &str) -> Result<Offer, LibtorchError> {
        let report = self.folder.join("report.json");
        let mut command = self.command("install");
        command.args(["--dry-run", "--ignore-installed"]).arg("--report").arg(&report);
        // Without a target pip refuses to speak of platforms other than its own.
        command.arg("--target").arg(self.folder.join("none")).arg(requirement);
        self.run(command, requirement)?;
        let text = fs::read_to_string(&report).map_err(LibtorchError::io("pip left no report in", &report))?;
        offer_in(&text).map_err(|problem| LibtorchError::Hash { file: requirement.to_owned(), problem })
    }

    fn command(&self, task: &str) -> Command {
        let mut command = self.python.command(self.surroundings);
        // Neither in pip's own cache, where the wheel would stay, nor in a /tmp that may be too small for it.
        command.env("PIP_NO_CACHE_DIR", "1").env("TMPDIR", self.folder.join(TEMPORARY)).env("PIP_PROGRESS_BAR", "off");
        command.args(["-m", "pip", task, "--no-input", "--disable-pip-version-check", "--no-deps"]);
        command.args(["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON]);
        for tag in self.platform.tags {
            command.args(["--platform", tag]);
        }
        // The messages are looked into, so they have to be in English and complete.
        command
            .env("LC_ALL", "C.UTF-8")
            .env_remove("PIP_QUIET")
            .env_remove("PIP_VERBOSE")
            .env_remove("PIP_REQUIRE_HASHES");
        command
    }

    /// Runs pip, and tells meanwhile how much has arrived.
    fn run(&self, mut command: Command, requirement: &str) -> Result<(), LibtorchError> {
        let temporary = self.folder.join(TEMPORARY);
        fs::create_dir_all(&temporary).map_err(LibtorchError::io("could not create", &temporary))?;
        let what = format!("downloading {requirement}");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = LibtorchError::io("could not start", &self.python.name);
        let mut pip = child::spawn(&mut command).map_err(failed)?;
        let (stdout, stderr) = (pip.process().stdout.take(), pip.process().stderr.take());
        let total = OnceLock::new();
        let (status, report) = thread::scope(|scope| {
            scope.spawn(|| {
                for line in stdout.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                    if let Some(size) = size_in(&line) {
                        let _ = total.set(size);
                    }
                }
            });
            let stderr = scope.spawn(|| {
                let mut bytes = Vec::new();
                // What cannot be read cannot be reported; how pip ended is known all the same.
                let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut bytes));
                String::from_utf8_lossy(&bytes).into_owned()
            });
            let status = pip.wait_and(|| {
                self.keep_arriving();
                if let Some(&total) = total.get() {
                    self.progress.bytes(&what, self.arrived(), Some(total));
                }
            });
            (status, stderr.join().unwrap_or_default())
        });
        let status = status.map_err(LibtorchError::io("could not wait for", &self.python.name))?;
        if status.success() {
            return Ok(());
        }
        if crate::interrupt::requested() {
            return Err(LibtorchError::Interrupted);
        }
        Err(self.failure(requirement, &report))
    }

    /// Gives the wheels that pip is downloading a second name.
    ///
    /// Most pips download the whole wheel only to report its hash, and delete it again; nobody shall have to download
    /// half a gigabyte twice for that. What is kept may be cut off: whoever takes it compares the hash.
    fn keep_arriving(&self) {
        let kept = self.folder.join(KEPT);
        let folders = fs::read_dir(self.folder.join(TEMPORARY)).into_iter().flatten().flatten();
        for file in folders.filter_map(|folder| fs::read_dir(folder.path()).ok()).flatten().flatten() {
            let name = file.file_name();
            if Path::new(&name).extension().is_some_and(|extension| extension == "whl") && !kept.join(&name).exists() {
                // Where this fails, the wheel is downloaded a second time, and all is well but slow.
                let _ = fs::create_dir_all(&kept).and_then(|()| fs::hard_link(file.path(), kept.join(&name)));
            }
        }
    }

    /// The bytes that lie in pip's folder for files under way.
    fn arrived(&self) -> u64 {
        fn size(folder: &Path) -> u64 {
            let Ok(entries) = fs::read_dir(folder) else { return 0 };
            entries
                .flatten()
                .map(|entry| match entry.metadata() {
                    Ok(metadata) if metadata.is_dir() => size(&entry.path()),
                    Ok(metadata) => metadata.len(),
                    Err(_) => 0,
                })
                .sum()
        }
        size(&self.folder.join(TEMPORARY))
    }

    fn failure(&self, requirement: &str, report: &str) -> LibtorchError {
        let wanted = self.wanted.clone();
        let last = last_lines(report);
        match Failure::of(report) {
            Failure::TooOld => LibtorchError::OldPip { python: self.python.name.clone() },
            Failure::DiskFull => LibtorchError::DiskFull { path: self.folder.to_owned() },
            Failure::Hash => LibtorchError::Hash { file: requirement.to_owned(), problem: last },
            Failure::Network => LibtorchError::NoNetwork { wanted, report: last },
            Failure::NoSuchVersion => LibtorchError::NoSuchVersion {
                requirement: requirement.to_owned(),
                platform: self.platform.tags.first().copied().unwrap_or_default().to_owned(),
                report: last,
            },
            Failure::Other => LibtorchError::Pip { wanted, report: last },
        }
    }
}

/// Why pip failed, as far as its messages tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    TooOld,
    DiskFull,
    Hash,
    Network,
    NoSuchVersion,
    Other,
}

impl Failure {
    fn of(report: &str) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| report.contains(part));
        if has(&["no such option"]) {
            Self::TooOld
        } else if has(&["No space left on device", "Disk quota exceeded"]) {
            Self::DiskFull
        } else if has(&["DO NOT MATCH THE HASHES"]) {
            Self::Hash
        // An index that cannot be reached makes pip complain that it found no versions, too.
        } else if has(&[
            "Retrying (Retry(",
            "Max retries exceeded",
            "ConnectionError",
            "ConnectTimeoutError",
            "ReadTimeoutError",
            "ProxyError",
            "SSLError",
            "SSLCertVerificationError",
            "HTTP error 5",
            "HTTP error 4",
            "IncompleteRead",
            // With retries turned off this is all that pip says of it.
            "(from versions: none)",
        ]) {
            Self::Network
        } else if has(&["No matching distribution found", "Could not find a version"]) {
            Self::NoSuchVersion
        } else {
            Self::Other
        }
    }
}

/// The last lines of what pip said, indented; without its notes about itself.
fn last_lines(report: &str) -> String {
    let lines: Vec<&str> =
        report.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.contains("[notice]")).collect();
    let last = &lines[lines.len().saturating_sub(5)..];
    last.iter().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

/// The one wheel in pip's installation report; an error says why it cannot be trusted.
fn offer_in(report: &str) -> Result<Offer, String> {
    let report: Value =
        serde_json::from_str(report).map_err(|error| format!("pip's report cannot be read: {error}"))?;
    let packages = report["install"].as_array().map(Vec::as_slice).unwrap_or_default();
    let [package] = packages else { return Err(format!("pip offers {} packages instead of one", packages.len())) };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&package["metadata"]["name"]).ok_or("pip's report names no package")?;
    let version = text(&package["metadata"]["version"]).ok_or("pip's report names no version")?;
    let download = &package["download_info"];
    let url = text(&download["url"]).ok_or("pip's report names no address")?;
    let file = file_name(&url).ok_or_else(|| format!("`{url}` is not the address of a wheel"))?;
    let archive = &download["archive_info"];
    let hash = archive["hashes"]["sha256"].as_str().or_else(|| archive["hash"].as_str()?.strip_prefix("sha256="));
    let hash = hash.ok_or("the package index gives no sha256 hash for it, so that nobody could tell a forged file")?;
    let sha256 = hash.parse().map_err(|_| format!("the index gives `{hash}` for its sha256 hash"))?;
    Ok(Offer { requirement: format!("{name}=={version}"), file, sha256 })
}

/// `https://host/folder/torch-2.11.0%2Bcpu-cp311.whl#sha256=...`: the name of the file.
fn file_name(url: &str) -> Option<String> {
    let path = url.split(['#', '?']).next()?;
    let mut bytes = Vec::new();
    let mut rest = path.rsplit('/').next()?.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            bytes.push(u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (name.ends_with(".whl") && !name.contains(['/', '\\', '\0'])).then_some(name)
}

/// `  Downloading torch-2.11.0-cp311.whl (530.6 MB)`: the number of bytes, roughly.
fn size_in(line: &str) -> Option<u64> {
    if !line.trim_start().starts_with("Downloading ") {
        return None;
    }
    let (number, unit) = line.trim_end().strip_suffix(')')?.rsplit_once('(')?.1.split_once(' ')?;
    let tenths: u64 = match number.split_once('.') {
        Some((whole, tenth)) => {
            whole.parse::<u64>().ok()?.checked_mul(10)?.checked_add(tenth.get(..1)?.parse().ok()?)?
        }
        None => number.parse::<u64>().ok()?.checked_mul(10)?,
    };
    tenths.checked_mul(match unit {
        "kB" => 100,
        "MB" => 100_000,
        "GB" => 100_000_000,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "pip_tests.rs"]
mod tests;
