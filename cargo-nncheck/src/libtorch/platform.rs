//! What pip calls this platform, and which files of a torch wheel it needs.

/// Where packages are to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// pip's tags of the platform, the most demanding first.
    pub tags: &'static [&'static str],
    /// Whether only the CPU's libraries are taken, and a `libtorch.so` is made for them.
    pub cut: bool,
}

/// The Python version whose wheels are taken. Nothing of Python is used, so the user's own does not matter, and this one
/// has wheels of every torch that nncheck knows.
pub const PYTHON: &str = "3.11";

impl Platform {
    /// The platform that this program was built for.
    pub const fn current() -> Option<Self> {
        if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
            Some(Self {
                tags: &[
                    "manylinux_2_28_x86_64",
                    "manylinux_2_27_x86_64",
                    "manylinux_2_26_x86_64",
                    "manylinux_2_25_x86_64",
                    "manylinux_2_24_x86_64",
                    "manylinux_2_17_x86_64",
                    "manylinux2014_x86_64",
                ],
                cut: true,
            })
        } else if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "aarch64")) {
            Some(Self {
                tags: &[
                    "manylinux_2_28_aarch64",
                    "manylinux_2_25_aarch64",
                    "manylinux_2_17_aarch64",
                    "manylinux2014_aarch64",
                ],
                cut: true,
            })
        } else if cfg!(all(target_os = "macos", target_arch = "aarch64")) {
            Some(Self { tags: &["macosx_14_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64"], cut: false })
        } else if cfg!(all(windows, target_arch = "x86_64")) {
            Some(Self { tags: &["win_amd64"], cut: false })
        } else {
            None
        }
    }
}

/// The package that has a CUDA library which the CPU's part of torch is linked to, as pip wants it asked for.
///
/// NVIDIA's packages bear the major version of CUDA in their name up to 12, in their version from 13 on.
pub fn package_of(library: &str) -> Option<String> {
    let (stem, version) = library.strip_prefix("lib")?.split_once(".so.")?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    let package = match stem {
        "cudart" => "nvidia-cuda-runtime",
        "cupti" => "nvidia-cuda-cupti",
        _ => return None,
    };
    Some(if major <= 12 { format!("{package}-cu{major}") } else { format!("{package}<{},>={major}", major + 1) })
}

/// Whether a library belongs to the system: the ones that every manylinux wheel may rely on.
pub fn is_of_the_system(library: &str) -> bool {
    const NAMES: [&str; 8] = ["libc", "libm", "libdl", "librt", "libpthread", "libgcc_s", "libstdc++", "libutil"];
    library.starts_with("ld-linux") || library.split_once(".so").is_some_and(|(stem, _)| NAMES.contains(&stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuda_libraries_are_found_in_the_package_of_their_major_version() {
        assert_eq!(package_of("libcudart.so.12").as_deref(), Some("nvidia-cuda-runtime-cu12"));
        assert_eq!(package_of("libcudart.so.13").as_deref(), Some("nvidia-cuda-runtime<14,>=13"));
        assert_eq!(package_of("libcupti.so.13").as_deref(), Some("nvidia-cuda-cupti<14,>=13"));
        assert_eq!(package_of("libsurprise.so.13"), None);
        assert_eq!(package_of("libcudart.so"), None);
    }

    #[test]
    fn libraries_of_the_system_are_not_looked_for_in_packages() {
        for library in ["libc.so.6", "libstdc++.so.6", "ld-linux-x86-64.so.2", "libgcc_s.so.1"] {
            assert!(is_of_the_system(library), "{library}");
        }
        for library in ["libc10.so", "libcudart.so.13", "libgomp.so.1", "libmagma.so"] {
            assert!(!is_of_the_system(library), "{library}");
        }
    }
}
