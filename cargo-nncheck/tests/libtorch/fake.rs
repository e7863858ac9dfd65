//! A machine in a folder: a home, a cache, a PATH, a Python with a package index.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, str};

use cargo_nncheck::libtorch::sha256::Sha256;
use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

/// Stands in for Python: knows the four ways in which nncheck calls it, and writes each call down.
const PYTHON: &str = r#"#!/bin/sh
echo "$*" >> "$FAKE/calls"
if [ "$1" = -c ]; then
    if [ -f "$FAKE/torch" ]; then echo "torch-folder:$(cat "$FAKE/torch")"; fi
    exit 0
fi
if [ -f "$FAKE/no-pip" ]; then echo "No module named pip" >&2; exit 1; fi
task=$3
if [ "$task" = --version ]; then echo "pip 99"; exit 0; fi
if [ -f "$FAKE/failure" ]; then cat "$FAKE/failure" >&2; exit 1; fi
while [ $# -gt 0 ]; do
    case $1 in
    --report) report=$2 ;;
    -d) wheels=$2 ;;
    -r) read -r last < "$2" ;;
    *) [ "$task" = install ] && last=$1 ;;
    esac
    shift
done
name=${last%%[=<]*}
if [ "$task" = install ]; then
    if [ -f "$FAKE/eager" ]; then
        mkdir "$TMPDIR/unpack"
        cp "$FAKE/index/$name"/*.whl "$TMPDIR/unpack"
        sleep 0.5
        rm -r "$TMPDIR/unpack"
    fi
    cp "$FAKE/index/$name.json" "$report"
    exit
fi
if [ -f "$FAKE/slow" ]; then
    echo unfinished > "$wheels/torch.whl"
    echo $$ > "$FAKE/started.tmp"; mv "$FAKE/started.tmp" "$FAKE/started"
    sleep "$(cat "$FAKE/slow")"
fi
cp "$FAKE/index/$name"/*.whl "$wheels"
"#;

/// The version that is wanted where there is no project.
pub const TORCH: &str = "2.11.0";

/// The machine.
pub struct Fake {
    folder: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| str::from_utf8(bytes).expect("text").to_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Ended {
    /// Fails unless the run ended with `code`.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Fails unless standard error has all of these.
    #[track_caller]
    pub fn saying(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "nothing of `{part}` in:\n{}", self.err);
        }
        self
    }

    /// Fails unless standard output has all of these.
    #[track_caller]
    pub fn showing(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.out.contains(part), "nothing of `{part}` in:\n{}", self.out);
        }
        self
    }
}

impl Fake {
    /// A machine with the few programs that are needed, and a Python without torch.
    pub fn new() -> Self {
        let fake = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["bin", "home", "index", "work"] {
            fs::create_dir(fake.path(folder)).expect("created");
        }
        for program in ["sh", "cat", "cp", "mv", "mkdir", "rm", "sleep", "env", "cc", "as", "ld"] {
            let real = env::split_paths(&env::var_os("PATH").expect("a PATH"))
                .map(|folder| folder.join(program))
                .find(|file| file.is_file())
                .unwrap_or_else(|| panic!("these tests need `{program}`"));
            symlink(real, fake.path("bin").join(program)).expect("linked");
        }
        let python = fake.path("bin/python3");
        fs::write(&python, PYTHON).expect("written");
        fs::set_permissions(&python, PermissionsExt::from_mode(0o755)).expect("executable");
        fake
    }

    /// A machine whose package index has a small torch, cut to what the test needs of it.
    pub fn with_index() -> Self {
        let fake = Self::new();
        let libraries = fake.path("made");
        fs::create_dir(&libraries).expect("created");
        fake.make_library("libc10.so", &[]);
        fake.make_library("libcudart.so.13", &[]);
        fake.make_library("libtorch_cuda.so", &[]);
        fake.make_library("libtorch_cpu.so", &["libc10.so", "libcudart.so.13"]);
        let read = |name: &str| fs::read(libraries.join(name)).expect("made");
        fake.offer(
            "torch",
            TORCH,
            &[
                ("torch/__init__.py", b"import this".to_vec()),
                ("torch/include/torch/version.h", b"// the header".to_vec()),
                ("torch/include/ATen/ATen.h", b"// another header".to_vec()),
                ("torch/lib/libc10.so", read("libc10.so")),
                ("torch/lib/libtorch.so", read("libtorch_cuda.so")),
                ("torch/lib/libtorch_cpu.so", read("libtorch_cpu.so")),
                ("torch/lib/libtorch_cuda.so", read("libtorch_cuda.so")),
            ],
        );
        fake.offer(
            "nvidia-cuda-runtime",
            "13.1.0",
            &[
                ("nvidia/cu13/lib/libcudart.so.13", read("libcudart.so.13")),
                ("nvidia/cu13/include/cuda.h", b"// no use".to_vec()),
            ],
        );
        fake
    }

    fn make_library(&self, name: &str, needed: &[&str]) {
        let output = Command::new("cc")
            .current_dir(self.path("made"))
            .args(["-shared", "-o", name, "-x", "c", "/dev/null", "-x", "none", "-Wl,--no-as-needed", "-L."])
            .arg(format!("-Wl,-soname,{name}"))
            .args(needed.iter().map(|needed| format!("-l:{needed}")))
            .output()
            .expect("cc starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Puts a wheel into the package index.
    pub fn offer(&self, package: &str, version: &str, entries: &[(&str, Vec<u8>)]) {
        let file = format!("{package}-{version}-py3-none-any.whl");
        let folder = self.path("index").join(package);
        fs::create_dir_all(&folder).expect("created");
        let path = folder.join(&file);
        let mut writer = ZipWriter::new(File::create(&path).expect("created"));
        for (name, content) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).expect("started");
            writer.write_all(content).expect("written");
        }
        writer.finish().expect("finished");
        let hash = Sha256::of(&fs::read(&path).expect("read"));
        self.report(package, version, &format!(r#"{{"hashes": {{"sha256": "{hash}"}}}}"#));
    }

    /// Sets what pip reports of a package.
    pub fn report(&self, package: &str, version: &str, archive: &str) {
        let url = format!("https://index.invalid/{package}-{version}-py3-none-any.whl");
        let report = format!(
            r#"{{"install": [{{"metadata": {{"name": "{package}", "version": "{version}"}},
            "download_info": {{"url": "{url}", "archive_info": {archive}}}}}]}}"#
        );
        fs::write(self.path("index").join(format!("{package}.json")), report).expect("written");
    }

    /// A folder that looks like a libtorch of the given version.
    pub fn libtorch(&self, name: &str, version: &str) -> String {
        let root = self.path(name);
        fs::create_dir_all(root.join("lib")).expect("created");
        fs::write(root.join("lib/libtorch_cpu.so"), "").expect("written");
        fs::write(root.join("build-version"), version).expect("written");
        root.to_str().expect("text").to_owned()
    }

    /// Gives Python a torch of the given version.
    pub fn python_torch(&self, version: &str) -> String {
        let folder = self.libtorch("site-packages/torch", version);
        fs::remove_file(self.path("site-packages/torch/build-version")).expect("removed");
        fs::write(self.path("site-packages/torch/version.py"), format!("__version__ = '{version}'\n"))
            .expect("written");
        self.set("torch", &folder);
        folder
    }

    /// Sets one of the switches of the false Python.
    pub fn set(&self, switch: &str, content: &str) {
        fs::write(self.path(switch), content).expect("written");
    }

    /// Takes a program away.
    pub fn without(self, program: &str) -> Self {
        fs::remove_file(self.path("bin").join(program)).expect("removed");
        self
    }

    /// A path on this machine.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the installation.
    pub fn installed(&self) -> PathBuf {
        self.path("cache/libtorch-2.11.0-cpu")
    }

    /// What lies in the cache, less the lock files.
    pub fn cached(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path("cache")) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("read").file_name().into_string().expect("text"));
        names.filter(|name| !name.ends_with(".lock")).collect()
    }

    /// How often pip was asked to download something.
    pub fn downloads(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.lines().filter(|call| call.starts_with("-m pip download")).count()
    }

    /// The program, to be run on this machine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-nncheck"));
        command.args(arguments).current_dir(self.path("work")).env_clear();
        command.env("PATH", self.path("bin")).env("HOME", self.path("home")).env("FAKE", self.folder.path());
        command.env("NNCHECK_CACHE_DIR", self.path("cache"));
        command
    }

    /// Runs the program on this machine.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(&[], arguments)
    }

    /// Runs the program on this machine with further variables.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        self.command(arguments).envs(variables.iter().copied()).output().expect("the program starts").into()
    }
}

/// All files below a folder, by their paths.
pub fn files(folder: &Path) -> Vec<String> {
    fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("read") {
            let entry = entry.expect("read");
            let name = format!("{prefix}{}", entry.file_name().to_str().expect("text"));
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), files);
            } else {
                files.push(name);
            }
        }
    }
    let mut files = Vec::new();
    collect(folder, "", &mut files);
    files.sort();
    files
}
