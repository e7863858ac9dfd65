//! Numbers as people read them.

/// A number in at most five significant digits: `2.3026`, `0.0104`, `3.1e-5`, `1797`.
#[must_use]
pub fn number(x: f64) -> String {
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "infinity" } else { "-infinity" }.to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    // The exponent after rounding to five digits; `{:e}` rounds as it prints.
    let scientific = format!("{x:.4e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-3..7).contains(&exponent) {
        let digits = usize::try_from(4 - exponent).unwrap_or(0);
        trim(&format!("{x:.digits$}")).to_owned()
    } else {
        // Far from one, three digits say enough.
        let short = format!("{x:.2e}");
        let (short, exponent) = short.split_once('e').unwrap_or((mantissa, "0"));
        format!("{}e{exponent}", trim(short))
    }
}

/// Without trailing zeros after a point.
fn trim(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// A share in percent, in two digits: `12 %`, `0.3 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{} %", number(format!("{:.1e}", share * 100.0).parse().unwrap_or(share * 100.0)))
}

/// A count as a number to reckon with.
#[must_use]
pub fn count(n: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 of anything")]
    let number = n as f64;
    number
}

/// How many times as large, for a sentence: `310`, `2.5`, `1.04`.
#[must_use]
pub fn times(x: f64) -> String {
    let digits = match x.abs() {
        a if a >= 100.0 => return number(x.round()),
        a if a >= 10.0 => 0,
        a if a >= 2.0 => 1,
        _ => 2,
    };
    trim(&format!("{x:.digits$}")).to_owned()
}

/// One significant digit, as one would set a learning rate: `3e-4`, `0.05`, `2`.
#[must_use]
pub fn rough(x: f64) -> String {
    let rounded: f64 = format!("{x:.0e}").parse().unwrap_or(x);
    if (1e-3..1e3).contains(&rounded.abs()) { number(rounded) } else { format!("{x:.0e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let shown: Vec<String> = [
            std::f64::consts::LN_10,
            0.0104,
            1e-3,
            3.1e-5,
            1797.0,
            10.0,
            0.0,
            -0.5,
            99_999.96,
            1.5e12,
            f64::NAN,
            f64::NEG_INFINITY,
        ]
        .map(number)
        .to_vec();
        assert_eq!(
            shown,
            ["2.3026", "0.0104", "0.001", "3.1e-5", "1797", "10", "0", "-0.5", "100000", "1.5e12", "NaN", "-infinity"]
        );
    }

    #[test]
    fn factors_are_rounded_to_what_matters() {
        assert_eq!([310.4, 25.2, 2.51, 1.042].map(times), ["310", "25", "2.5", "1.04"]);
    }

    #[test]
    fn learning_rates_have_one_digit() {
        assert_eq!([3.2e-4, 0.0483, 2.1].map(rough), ["3e-4", "0.05", "2"]);
    }
}
