//! Suggested learning rates, in one place, so that checks that agree on the direction agree on the number.

use crate::check::Context;
use crate::judge::number::{number, rough};
use crate::spec::optimizer::{Clip, Optimizer, OptimizerKind};

/// A rate as near to the usual one as this is not sent there: it would be hardly a change.
const NEAR: f64 = 5.0;

impl Context<'_> {
    /// What to do about a rate that is too high: the usual rate of this optimizer, where it is far above that, else a tenth.
    pub(crate) fn lower_rate(&self) -> String {
        match (self.rate(), self.usual_rate()) {
            (Some(lr), Some(usual)) if lr > NEAR * usual => instead(usual, lr),
            _ => self.try_lr(0.1),
        }
    }

    /// What to do about a rate that is too low: the usual rate of this optimizer, where it is far below that, else tenfold.
    pub(crate) fn higher_rate(&self) -> String {
        match (self.rate(), self.usual_rate()) {
            (Some(lr), Some(usual)) if lr > 0.0 && NEAR * lr < usual => self.unless_cut(instead(usual, lr)),
            _ => self.try_lr(10.0),
        }
    }

    /// What the spec declares that makes steps small goes before a higher rate.
    fn unless_cut(&self, rate: String) -> String {
        let Some(group) = self.subject.optimizer.as_ref().and_then(|optimizer| optimizer.groups().first()) else {
            return rate;
        };
        match (&group.clip, &group.schedule) {
            (Some(Clip::Norm(norm)), _) => format!(
                "look at `clip`, which cuts gradients to a norm of {} (`gradient_clipping` tells how many), else {rate}",
                number(*norm)
            ),
            (Some(Clip::Value(value)), _) => format!(
                "look at `clip`, which cuts each entry of a gradient to {} (`gradient_clipping` tells how many), else {rate}",
                number(*value)
            ),
            (None, Some(_)) => format!("look at what `schedule` leaves of the rate (`lr_schedule`), else {rate}"),
            (None, None) => rate,
        }
    }

    /// What to set the learning rate to, to change updates by a factor that was measured: `try lr = 3e-4 instead of 0.1`.
    pub(crate) fn try_lr(&self, factor: f64) -> String {
        match self.rate() {
            Some(lr) if lr > 0.0 && factor.is_finite() && factor > 1.0 => self.unless_cut(instead(lr * factor, lr)),
            Some(lr) if lr > 0.0 && factor.is_finite() && factor > 0.0 => instead(lr * factor, lr),
            Some(lr) if factor > 1.0 => format!("try a learning rate above {}", number(lr)),
            Some(lr) => format!("try a learning rate below {}", number(lr)),
            None if factor > 1.0 => "try a larger learning rate".to_owned(),
            None => "try a smaller learning rate".to_owned(),
        }
    }

    fn rate(&self) -> Option<f64> {
        self.subject.optimizer.as_ref().and_then(Optimizer::lr)
    }

    /// The rate that most programs with this optimizer begin with.
    fn usual_rate(&self) -> Option<f64> {
        Some(match &self.subject.optimizer.as_ref()?.groups().first()?.kind {
            OptimizerKind::Sgd(sgd) if sgd.momentum >= 0.5 => 0.01,
            OptimizerKind::Sgd(_) => 0.1,
            OptimizerKind::Adam(_) | OptimizerKind::Adamw(_) | OptimizerKind::Rmsprop(_) => 1e-3,
        })
    }
}

fn instead(lr: f64, of: f64) -> String {
    format!("try lr = {} instead of {}", rough(lr), number(of))
}

#[cfg(test)]
mod tests {
    use crate::check::Context;
    use crate::check::fixture::subject;
    use crate::spec::optimizer::{Clip, OptimizerSource};
    use crate::spec::property::Settings;

    #[test]
    fn a_rate_far_from_the_usual_one_is_sent_there_and_others_by_tenths() {
        let said = |lr: f64| {
            let (mut subject, settings) = (subject(), Settings::default());
            assert!(subject.optimizer.as_mut().unwrap().set_lr(lr));
            let context = Context { subject: &subject, settings: &settings };
            [context.lower_rate(), context.higher_rate()]
        };
        assert_eq!(said(300.0)[0], "try lr = 0.1 instead of 300");
        assert_eq!(said(1e-7)[1], "try lr = 0.1 instead of 1e-7");
        let (mut clipped, settings) = (subject(), Settings::default());
        let OptimizerSource::Groups(groups) = &mut clipped.optimizer.as_mut().unwrap().source else { panic!() };
        groups[0].clip = Some(Clip::Norm(1e-4));
        let clipped = Context { subject: &clipped, settings: &settings };
        assert!(clipped.higher_rate().starts_with("look at `clip`, which cuts gradients to a norm of 1e-4"));
        assert_eq!(clipped.lower_rate(), "try lr = 0.01 instead of 0.1");
        assert_eq!(said(0.1), ["try lr = 0.01 instead of 0.1", "try lr = 1 instead of 0.1"]);
    }
}
