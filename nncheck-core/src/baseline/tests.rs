use super::*;

fn values(numbers: &[f64]) -> Values {
    Values::of((0..).zip(numbers.iter().copied()).collect(), |values| values.can_tell(0.99)).unwrap()
}

fn baseline() -> Baseline {
    let quantities =
        [(Quantity::InitialLoss, values(&[2.0, 2.2, 1.9, 2.1, 2.3])), (Quantity::Parameters, values(&[650.0; 5]))];
    let accepted = Accepted {
        nncheck: "0.1.0".into(),
        tch: Some("0.24.0".into()),
        libtorch: None,
        measured: Measured { steps: 200, metric: None },
        quantities: quantities.into(),
    };
    Baseline { version: VERSION, properties: [("small::regression".to_owned(), accepted)].into() }
}

fn refused(text: &str) -> (String, String) {
    let Broken { message, span } = read(text).expect_err(text);
    (message, text[span.start..].chars().take(12).collect())
}

#[test]
fn a_file_comes_back_as_it_was_written_bit_for_bit() {
    let mut awkward = baseline();
    let numbers = [0.1 + 0.2, f64::MIN_POSITIVE, 1e100, -1.0 / 3.0, 5e-324];
    awkward.properties.get_mut("small::regression").unwrap().quantities.insert(Quantity::FinalLoss, values(&numbers));
    let text = write(&awkward);
    assert!(text.ends_with("}\n"), "{text}");
    assert_eq!(read(&text).as_ref(), Ok(&awkward));
    assert_eq!(write(&read(&text).unwrap()), text);
}

#[test]
fn it_travels_in_an_event_from_harness_to_command() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "event")]
    enum Event {
        Property(Accepted),
    }
    let event = Event::Property(baseline().properties["small::regression"].clone());
    let line = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event);
}

#[test]
fn the_smallest_change_is_that_of_two_means_of_as_many_seeds() {
    // By numerical integration of the t density: t(1 - 0.01 / 6, 4) = 6.2540705, times 0.15811388 times sqrt(2 / 5) over 2.1.
    let held =
        Held { accepted: None, confidence: 0.99, searched: 3, first_seed: 0, unclaimed: Vec::new(), accepting: None };
    let told = values(&[2.0, 2.2, 1.9, 2.1, 2.3]).can_tell(held.of_one());
    assert!((told - 0.297_812_882).abs() < 1e-7, "{told}");
    assert_eq!(values(&[650.0; 5]).can_tell(0.99), 0.0);
}

#[test]
fn numbers_too_far_apart_to_be_reckoned_with_are_none() {
    let seeds = |numbers: [f64; 2]| (0..).zip(numbers).collect();
    assert_eq!(Values::of(seeds([1e300, -1e300]), |_| 0.0), None);
    assert_eq!(Values::of(seeds([1.0, f64::NAN]), |_| 0.0), None);
    assert_eq!(Values::of([(0, 1.0)].into(), |_| 0.0), None);
}

#[test]
fn what_is_no_json_is_pointed_at() {
    let text = write(&baseline());
    assert_eq!(refused("").0, "EOF while parsing a value");
    let (message, at) = refused(&format!("<<<<<<< HEAD\n{text}"));
    assert_eq!((message.as_str(), at.as_str()), ("expected value", "<<<<<<< HEAD"));
    assert_eq!(refused(&text[..text.len() / 2]).0.split(' ').next(), Some("EOF"));
    let (message, at) = refused(&text.replace("2.2", "1e999"));
    assert!(message.contains("number out of range") && at.contains(|c: char| c.is_ascii_digit()), "{message} at {at}");
    assert!(refused(&text.replace("2.2", "\"é\"")).0.contains("invalid type: string"));
    assert!(refused(&text.replace("2.2", "null")).0.contains("invalid type: null"));
}

#[test]
fn what_is_of_another_kind_or_version_is_said_to_be() {
    for foreign in ["{}", "[[[]]]", "3", "{\"version\": \"1\"}", "{\"version\": [1]}"] {
        assert_eq!(
            refused(foreign).0,
            "it has no `version` with a number: this is no baseline of nncheck",
            "{foreign}"
        );
    }
    let (message, at) = refused("{\n \"version\": 2, \"new\": 1 }");
    assert_eq!(message, "it is of version 2, and this nncheck reads version 1");
    assert!(at.starts_with("\"version\": "), "{at}");
}

#[test]
fn names_that_are_near_one_are_met_with_it() {
    let text = write(&baseline());
    assert!(refused(&text.replace("initial_loss", "inital_loss")).0.ends_with("did you mean `initial_loss`?"));
    assert!(refused(&text.replace("\"steps\"", "\"step\"")).0.contains("unknown field `step`"));
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let text = write(&baseline());
    assert!(refused(&text.replace("2.2,", "2.4,")).0.contains("`initial_loss` are not those of its seeds"));
    assert!(refused(&text.replacen("\"4\"", "\"7\"", 1)).0.contains("other seeds"));
    assert!(refused(&text.replacen("\"4\"", "\"four\"", 1)).0.contains("`four` is no seed"));
    let mut none = baseline();
    none.properties.get_mut("small::regression").unwrap().quantities.clear();
    assert_eq!(refused(&write(&none)).0, "it holds no quantity");
}

#[test]
fn a_baseline_lies_beside_its_spec() {
    assert_eq!(path(Path::new("specs/a.b.toml")), Path::new("specs/a.b.baseline.json"));
    assert_eq!((key(None, "p"), key(Some("r"), "p")), ("p".to_owned(), "r::p".to_owned()));
}
