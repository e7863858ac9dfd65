use super::*;
use crate::rust_source::Input;

fn column(name: &str, whole: bool, least: f64, most: f64, distinct: usize) -> Column {
    Column {
        name: name.to_owned(),
        rows: 200,
        shape: Vec::new(),
        integers: false,
        without: 0,
        whole,
        least,
        most,
        distinct: Some(distinct),
    }
}

fn table(target: Column, network: &Network) -> Guess {
    let x = |name| column(name, false, -3.0, 4.0, 150);
    guess(&Survey::Columns(vec![x("a"), x("b"), target]), network).expect("a guess")
}

fn keys(guess: &Guess) -> Vec<&str> {
    guess.lines.iter().map(|Line(text, _)| text.as_str()).collect()
}

fn with_output(output: usize) -> Network {
    Network { input: Input::Features(2), output: Some(output), ..Network::default() }
}

#[test]
fn the_task_follows_from_the_targets_and_the_outputs() {
    let unknown = Network::default();
    assert_eq!(table(column("k", true, 0.0, 2.0, 3), &unknown).aim, Aim::Classes(3));
    assert_eq!(table(column("k", true, 0.0, 1.0, 2), &unknown).aim, Aim::Binary);
    assert_eq!(table(column("k", true, 0.0, 1.0, 2), &with_output(2)).aim, Aim::Classes(2));
    assert_eq!(table(column("k", true, 0.0, 1.0, 2), &with_output(1)).aim, Aim::Binary);
    assert_eq!(table(column("k", true, 25.0, 346.0, 150), &unknown).aim, Aim::Numbers(1));
    assert_eq!(table(column("k", true, 0.0, 9.0, 10), &with_output(1)).aim, Aim::Numbers(1));
    assert_eq!(table(column("k", false, 0.0, 1.0, 2), &unknown).aim, Aim::Numbers(1));
    assert_eq!(table(column("k", true, -1.0, 1.0, 2), &unknown).aim, Aim::Numbers(1));
}

#[test]
fn classes_are_stated_where_the_data_does_not_tell_them() {
    assert!(!keys(&table(column("k", true, 0.0, 2.0, 3), &with_output(3))).contains(&"classes = 3"));
    assert!(keys(&table(column("k", true, 1.0, 3.0, 3), &Network::default())).contains(&"classes = 4"));
    assert!(keys(&table(column("k", true, 0.0, 2.0, 3), &with_output(5))).contains(&"classes = 5"));
}

#[test]
fn the_target_is_named_so_or_the_last_and_what_counts_rows_or_lacks_numbers_is_left_out() {
    let mut text = column("name", true, 0.0, 0.0, 0);
    text.without = 200;
    let id = column("id", true, 0.0, 199.0, 200);
    let columns = vec![id, column("Label", true, 0.0, 2.0, 3), text, column("a", false, 0.0, 9.5, 99)];
    let found = guess(&Survey::Columns(columns), &Network::default()).expect("a guess");
    assert_eq!(keys(&found)[..2], ["target = \"Label\"", "inputs = [\"a\"]"]);
    assert!(found.lines[1].1.contains("`id`, `name`"), "{found:?}");
}

#[test]
fn a_target_without_numbers_is_refused_with_the_reason() {
    let mut species = column("species", true, f64::INFINITY, f64::NEG_INFINITY, 0);
    species.without = 200;
    let columns = vec![column("a", false, 0.0, 9.5, 99), species];
    let why = guess(&Survey::Columns(columns), &Network::default()).unwrap_err();
    assert!(why.contains("`species`") && why.contains("number the classes"), "{why}");
}

#[test]
fn several_targets_are_as_many_as_the_outputs() {
    let network = Network { input: Input::Features(2), output: Some(2), ..Network::default() };
    let x = |name| column(name, false, -3.0, 4.0, 150);
    let found = guess(&Survey::Columns(vec![x("a"), x("b"), x("c"), x("d")]), &network).expect("a guess");
    assert_eq!((found.aim, keys(&found)[0]), (Aim::Numbers(2), "target = [\"c\", \"d\"]"));
    assert_eq!(found.fit, Fit::Yes);
}

#[test]
fn pixels_are_scaled_and_other_numbers_are_normalised() {
    let line = |whole, least, most, n| scale(whole, least, most, n).map(|Line(text, _)| text);
    assert_eq!(line(true, 0.0, 16.0, 64).as_deref(), Some("scale = 0.0625"));
    assert_eq!(line(false, 0.0, 1.0, 64), None);
    assert_eq!(line(true, 0.0, 1.0, 64).as_deref(), Some("scale = 1.0"));
    assert_eq!(line(true, 0.0, 16.0, 4).as_deref(), Some("normalize = \"standard\""));
    assert_eq!(line(false, -4.0, 16.0, 64).as_deref(), Some("normalize = \"standard\""));
}

fn array(name: &str, shape: &[usize], integers: bool, most: f64) -> Column {
    let distinct = if integers { most as usize + 1 } else { 900 };
    Column { shape: shape.to_vec(), integers, ..column(name, integers, 0.0, most, distinct) }
}

#[test]
fn arrays_are_told_apart_by_name_or_by_size() {
    let of = |arrays: Vec<Column>| guess(&Survey::Arrays(arrays), &Network::default());
    let guess = of(vec![array("x", &[8, 8], true, 255.0), array("y", &[], true, 9.0)]).expect("a guess");
    assert_eq!((guess.aim, &guess.shape[..]), (Aim::Classes(10), &[8, 8][..]));
    assert_eq!(keys(&guess)[0], "scale = 0.00392156862745098");
    let guess = of(vec![array("kinds", &[], true, 9.0), array("pictures", &[3, 8, 8], false, 5.0)]).expect("a guess");
    assert_eq!(keys(&guess)[..2], ["inputs = \"pictures\"", "target = \"kinds\""]);
    let why = of(vec![array("bodies", &[4], false, 1.0), array("heads", &[], false, 1.0), array("n", &[], true, 1.0)]);
    assert!(why.unwrap_err().contains("cannot be told"));
}

#[test]
fn single_numbers_and_weights_are_no_data() {
    let of = |arrays: Vec<Column>| guess(&Survey::Arrays(arrays), &Network::default());
    let mut number = array("n", &[], false, 1.0);
    number.rows = 0;
    let guess = of(vec![array("label", &[], true, 2.0), number, array("points", &[4], false, 5.0)]).expect("a guess");
    assert_eq!(keys(&guess)[..2], ["inputs = \"points\"", "target = \"label\""]);
    let weights = of(vec![array("weight", &[64], false, 1.0), array("bias", &[], false, 1.0)]);
    assert!(weights.unwrap_err().contains("weights of a model"));
}

#[test]
fn tokens_alone_are_followed_by_tokens() {
    let of = |shape: &[usize]| guess(&Survey::Arrays(vec![array("tokens", shape, true, 64.0)]), &Network::default());
    let guess = of(&[33]).expect("a guess");
    assert_eq!((guess.aim, &guess.shape[..]), (Aim::NextToken(65), &[32][..]));
    assert_eq!(keys(&guess)[..2], ["inputs = \"tokens\"", "next_token = true"]);
    assert_eq!(keys(&of(&[]).expect("a guess"))[1], "next_token = 32");
}

#[test]
fn strings_are_written_as_toml_has_them() {
    for name in ["age", "e\u{301}tat", "a \"quoted\" one", "tab\tin it", "back\\slash"] {
        let text = format!("name = {}", quoted(name));
        let read: toml::Table = toml::from_str(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(read["name"].as_str(), Some(name));
    }
}
