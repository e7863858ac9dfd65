use super::*;

const HASH: &str = "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a";

fn report(archive: &str) -> String {
    format!(
        r#"{{"version": "1", "install": [{{"download_info": {{"url": "https://host/a/torch-2.11.0%2Bcpu-cp311.whl",
        "archive_info": {archive}}}, "metadata": {{"name": "torch", "version": "2.11.0"}}}}]}}"#
    )
}

#[test]
fn the_report_tells_file_and_hash() {
    let offer = Offer {
        requirement: "torch==2.11.0".to_owned(),
        file: "torch-2.11.0+cpu-cp311.whl".to_owned(),
        sha256: HASH.parse().expect("a hash"),
    };
    for archive in [format!(r#"{{"hashes": {{"sha256": "{HASH}"}}}}"#), format!(r#"{{"hash": "sha256={HASH}"}}"#)] {
        assert_eq!(offer_in(&report(&archive)), Ok(offer.clone()));
    }
}

#[test]
fn a_wheel_without_a_hash_is_refused() {
    for archive in ["{}", r#"{"hash": "md5=0123"}"#, r#"{"hashes": {"sha256": "12"}}"#] {
        let problem = offer_in(&report(archive)).expect_err(archive);
        assert!(problem.contains("sha256"), "{problem}");
    }
    assert!(offer_in("[]").is_err() && offer_in("no json").is_err() && offer_in(r#"{"install": []}"#).is_err());
}

#[test]
fn a_file_name_leads_nowhere_else() {
    for url in ["https://host/..%2Fevil.whl", "https://host/a.tar.gz", "https://host/%", "https://host/"] {
        assert_eq!(file_name(url), None, "{url}");
    }
    assert_eq!(file_name("file:///wheels/a.whl#sha256=1").as_deref(), Some("a.whl"));
}

#[test]
fn the_announced_size_is_read() {
    assert_eq!(size_in("  Downloading https://host/torch-2.11.0-cp311.whl (530.6 MB)"), Some(530_600_000));
    assert_eq!(size_in("Downloading nvidia_cuda_runtime.whl (806 kB)"), Some(806_000));
    assert_eq!(size_in("Collecting torch==2.11.0 (from -r list (line 1))"), None);
    assert_eq!(size_in("Downloading torch.whl"), None);
}

#[test]
fn failures_are_told_apart() {
    let no_index = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n\
                    ERROR: Could not find a version that satisfies the requirement torch (from versions: none)\n\
                    ERROR: No matching distribution found for torch==2.11.0";
    let no_version = "ERROR: Could not find a version that satisfies the requirement torch==9 (from versions: 2.11.0)\n\
                      ERROR: No matching distribution found for torch==9";
    for (report, failure) in [
        (no_index, Failure::Network),
        (no_index.split_once('\n').expect("two lines").1, Failure::Network),
        (no_version, Failure::NoSuchVersion),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", Failure::Hash),
        ("ERROR: Could not install packages: [Errno 28] No space left on device", Failure::DiskFull),
        ("no such option: --report", Failure::TooOld),
        ("Traceback", Failure::Other),
    ] {
        assert_eq!(Failure::of(report), failure, "{report}");
    }
}
