//! What of a sample a property judges: `layers`, and allowances that nothing answers to.

use std::borrow::Cow;

use super::Context;
use super::evidence::matches;
use crate::judge::Sample;
use crate::measurement::Measurement;
use crate::spec::property::Allowance;

impl Context<'_> {
    /// The sample without the layers and parameters that the property's `layers` leaves out.
    #[must_use]
    pub fn narrowed(&self, sample: Sample) -> Sample {
        let (Some(glob), Sample::Seen(entries)) = (&self.settings.layers, &sample) else { return sample };
        let fits = |name: &str| fits(&glob.value, name);
        let kept: Vec<_> = entries.iter().filter(|entry| entry.name.as_deref().is_some_and(fits)).cloned().collect();
        if kept.is_empty() {
            let mut names: Vec<&str> = entries.iter().filter_map(|entry| entry.name.as_deref()).collect();
            names.dedup();
            let known = crate::diagnostic::suggest::list(&names);
            return Sample::Unanswerable(format!("`layers = \"{}\"` fits nothing; there are {known}", glob.value));
        }
        if kept.iter().all(|entry| entry.band.is_none()) {
            return Sample::Nothing(format!("of what `layers = \"{}\"` fits, nothing is judged", glob.value));
        }
        Sample::Seen(kept)
    }

    /// The measurements without what the property's `layers` leaves out, so that no cause names it.
    #[must_use]
    pub fn narrowed_measurements<'m>(&self, taken: &'m [Vec<Measurement>]) -> Cow<'m, [Vec<Measurement>]> {
        let Some(glob) = &self.settings.layers else { return Cow::Borrowed(taken) };
        let narrow = |measured: &Measurement| match measured {
            Measurement::Trace(trace) => Measurement::Trace(trace.only(|name| fits(&glob.value, name))),
            other => other.clone(),
        };
        taken.iter().map(|seed| seed.iter().map(narrow).collect()).collect()
    }

    /// What `allow` says may be so, of which there is nothing: a slip, or left behind by a change.
    #[must_use]
    pub fn idle_allowances(&self, samples: &[Sample]) -> Vec<String> {
        let names: Vec<&str> = samples
            .iter()
            .filter_map(|sample| match sample {
                Sample::Seen(entries) => Some(entries.iter().filter_map(|entry| entry.name.as_deref())),
                Sample::Nothing(_) | Sample::Unanswerable(_) => None,
            })
            .flatten()
            .collect();
        let idle = self.settings.allow.iter().filter_map(|allowance| match &allowance.value {
            Allowance::Parameter(glob) => (!names.iter().any(|name| matches(glob, name) || matches(glob, layer(name))))
                .then(|| format!("param:{glob}")),
            Allowance::Layer(glob) => (!names.iter().any(|name| matches(glob, layer(name)) || matches(glob, name)))
                .then(|| format!("layer:{glob}")),
            Allowance::Cause(_) => None,
        });
        idle.map(|what| format!("`allow` of `{what}` fits nothing here")).collect()
    }
}

/// Whether a glob names a layer or parameter, or the layer that it belongs to.
fn fits(glob: &str, name: &str) -> bool {
    matches(glob, name) || matches(glob, layer(name))
}

/// The layer that a parameter belongs to.
fn layer(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::fixture::subject;
    use crate::diagnostic::{Located, Span};
    use crate::judge::{Band, Entry, Scale};
    use crate::spec::property::Settings;

    fn sample(names: &[&str]) -> Sample {
        let entry = |name: &&str| Entry {
            name: Some((*name).to_owned()),
            value: Some(1.0),
            band: Some(Band::default()),
            scale: Scale::Linear,
        };
        Sample::Seen(names.iter().map(entry).collect())
    }

    fn narrowed(glob: &str, names: &[&str]) -> Sample {
        let settings = Settings { layers: Some(Located::new(glob.to_owned(), Span::default())), ..Settings::default() };
        Context { subject: &subject(), settings: &settings }.narrowed(sample(names))
    }

    #[test]
    fn a_glob_keeps_the_parameters_of_the_layers_that_it_names() {
        let names = ["encoder.0.weight", "encoder.0.bias", "head.weight"];
        assert_eq!(narrowed("encoder.*", &names), sample(&names[..2]));
        assert_eq!(narrowed("head", &names), sample(&names[2..]));
        assert_eq!(narrowed("*.bias", &names), sample(&names[1..2]));
    }

    #[test]
    fn a_glob_that_fits_nothing_is_an_error_that_lists_the_names() {
        let Sample::Unanswerable(why) = narrowed("decoder.*", &["head.weight"]) else { panic!("it is answered") };
        assert_eq!(why, "`layers = \"decoder.*\"` fits nothing; there are `head.weight`");
    }

    #[test]
    fn an_allowance_that_fits_nothing_is_told() {
        let allow =
            [Allowance::Parameter("pos*".into()), Allowance::Layer("head".into()), Allowance::Cause("x".into())];
        let allow = allow.map(|a| Located::new(a, Span::default())).to_vec();
        let settings = Settings { allow, ..Settings::default() };
        let context = Context { subject: &subject(), settings: &settings };
        assert_eq!(context.idle_allowances(&[sample(&["head.weight"])]), ["`allow` of `param:pos*` fits nothing here"]);
    }
}
