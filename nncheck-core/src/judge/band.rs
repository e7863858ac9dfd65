//! Where a value stands towards its band.

use super::{Band, Scale};

impl Scale {
    /// A value or an edge on this scale; what has no logarithm lies below everything that has one.
    pub(super) fn of(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Log if x > 0.0 => x.ln(),
            Self::Log => f64::NEG_INFINITY,
        }
    }

    /// Back from this scale.
    pub(super) fn back(self, x: f64) -> f64 {
        match self {
            Self::Linear => x,
            Self::Log => x.exp(),
        }
    }
}

impl Band {
    /// Whether a value lies in the band; what is not finite never does.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        value.is_finite() && self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }

    /// Both edges on a scale, infinite where open.
    pub(super) fn edges(&self, scale: Scale) -> (f64, f64) {
        (self.min.map_or(f64::NEG_INFINITY, |min| scale.of(min)), self.max.map_or(f64::INFINITY, |max| scale.of(max)))
    }

    /// The band's width on a scale; `None` where an edge is open or both are one.
    pub(super) fn width(&self, scale: Scale) -> Option<f64> {
        let (low, high) = self.edges(scale);
        let width = high - low;
        (width.is_finite() && width > 0.0).then_some(width)
    }

    /// How far outside a value lies, negative inside: in band widths; where there is no width, in factors of e on a
    /// log scale and in shares of the edge on a linear one. It only orders entries, and so may compare different bands.
    pub(crate) fn excess(&self, value: f64, scale: Scale) -> f64 {
        if !value.is_finite() {
            return f64::INFINITY;
        }
        let (low, high) = self.edges(scale);
        let on_scale = scale.of(value);
        let (below, above) = (difference(low, on_scale), difference(on_scale, high));
        let unit = self.width(scale).unwrap_or_else(|| {
            let edge = if below > above { low } else { high };
            match scale {
                Scale::Linear if edge.is_finite() && edge.abs() > f64::MIN_POSITIVE => edge.abs(),
                Scale::Linear | Scale::Log => 1.0,
            }
        });
        below.max(above) / unit
    }
}

/// a - b, where two infinities of one sign are no distance apart.
fn difference(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { a - b }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(min: Option<f64>, max: Option<f64>) -> Band {
        Band { min, max, expect: None }
    }

    #[test]
    fn both_edges_belong_to_the_band() {
        let band = band(Some(1.0), Some(2.0));
        assert!(band.contains(1.0) && band.contains(2.0) && !band.contains(2.000_001) && !band.contains(0.999_999));
    }

    #[test]
    fn what_is_not_finite_is_in_no_band() {
        let open = Band::default();
        assert!(open.contains(1e300) && !open.contains(f64::INFINITY) && !open.contains(f64::NAN));
    }

    #[test]
    fn excess_counts_band_widths_on_the_scale() {
        let band = band(Some(1.0), Some(100.0));
        // Two decades wide; 10^4 is two decades above, 10 one decade inside.
        assert!((band.excess(1e4, Scale::Log) - 1.0).abs() < 1e-12);
        assert!((band.excess(10.0, Scale::Log) + 0.5).abs() < 1e-12);
        assert!((band.excess(199.0, Scale::Linear) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn excess_is_infinite_for_what_has_no_logarithm_below_a_positive_edge() {
        assert!(band(Some(1e-5), Some(0.1)).excess(0.0, Scale::Log) == f64::INFINITY);
        assert!(band(Some(0.0), Some(0.1)).excess(0.0, Scale::Log) <= 0.0);
    }

    #[test]
    fn an_open_band_has_everything_inside() {
        assert!(Band::default().excess(1e9, Scale::Linear) < 0.0);
    }
}
