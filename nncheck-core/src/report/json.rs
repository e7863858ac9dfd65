//! `--message-format json`: one object a line.

use serde_json::{Map, Value};

use super::event::{Event, VERSION};

/// What travels with an event and is no part of the JSON report.
const INTERNAL: &str = "evidence";

/// An event as one line of JSON, without the line's end. [`Event::Progress`] is no part of the report; leave it out.
#[must_use]
pub fn line(event: &Event) -> String {
    let mut object = Map::new();
    object.insert("v".to_owned(), VERSION.into());
    // Events hold strings, numbers and lists alone, so they always turn into an object.
    if let Ok(Value::Object(fields)) = serde_json::to_value(event) {
        object.extend(fields.into_iter().filter(|(key, _)| key != INTERNAL));
    }
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::event::{RunStarted, Summary};
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_run_starts_with_the_line_of_the_contract() {
        let event = Event::RunStarted(RunStarted {
            package: "digits".into(),
            nncheck: "0.1.0".into(),
            tch: Some("0.24.0".into()),
            libtorch: Some("2.11.0".into()),
            device: "cpu".into(),
            properties: 13,
        });
        assert_eq!(
            line(&event),
            r#"{"v":1,"event":"run_started","package":"digits","nncheck":"0.1.0","tch":"0.24.0","libtorch":"2.11.0","device":"cpu","properties":13}"#
        );
    }

    #[test]
    fn a_property_has_the_line_of_the_contract() {
        let event = Event::Property(Box::new(fixture::contract()));
        assert_eq!(
            line(&event),
            r#"{"v":1,"event":"property","package":"digits","spec":"digits","rung":null,"property":"initial_loss","check":"initial_loss","stage":"loss","level":"deny","verdict":"pass","value":2.2951,"at":null,"by":{},"band":{"min":2.0723,"max":4.3749,"expect":2.3026},"interval":{"low":2.28,"high":2.31,"confidence":0.99},"rule":"mean","seeds":[{"seed":0,"value":2.2904}],"causes":[],"blocked_by":null,"duration_ms":12.4,"message":"...","help":["..."],"span":{"file":"specs/digits.toml","line":20}}"#
        );
    }

    #[test]
    fn a_run_ends_with_the_line_of_the_contract() {
        let event = Event::Summary(Summary { passed: 12, skipped: 1, duration_ms: 1432.0, ..Summary::default() });
        assert_eq!(
            line(&event),
            r#"{"v":1,"event":"summary","passed":12,"failed":0,"inconclusive":0,"errors":0,"warned":0,"skipped":1,"blocked":0,"ignored":0,"duration_ms":1432.0}"#
        );
    }

    #[test]
    fn a_line_is_read_back_as_the_event_but_for_the_evidence() {
        let mut event = fixture::failing();
        let read: Event = serde_json::from_str(&line(&Event::Property(Box::new(event.clone())))).unwrap();
        event.evidence = super::super::event::Evidence::default();
        assert_eq!(read, Event::Property(Box::new(event)));
    }

    #[test]
    fn a_line_has_no_line_break() {
        let mut event = fixture::failing();
        event.message = "two\nlines".into();
        assert!(!line(&Event::Property(Box::new(event))).contains('\n'));
    }
}
