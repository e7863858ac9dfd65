//! Made-up sequences of tokens.

use crate::data::random::{Purpose, Stream};

/// Of so many steps of a chain, one goes anywhere, the others to the token that follows by rule.
const ANYWHERE: usize = 5;

/// Tokens, row by row, and the targets: the class of each row, or without classes the next token at each place.
///
/// Each class has a random permutation of the tokens, by which one token follows another four times out of five. So a
/// model that has learnt the rule reaches the entropy of a step, `-(p ln p + (1 - p) ln((1 - p) / (V - 1)))` with
/// `p = 0.8 + 0.2 / V`, and one that has not stays near `ln V`.
pub(super) fn sequences(rows: usize, tokens: usize, length: usize, classes: Option<usize>) -> (Vec<i64>, Vec<i64>) {
    let mut rules = Stream::new(Purpose::Synthetic, 2, 0);
    let follows: Vec<Vec<usize>> = (0..classes.unwrap_or(1))
        .map(|_| {
            let mut order: Vec<usize> = (0..tokens).collect();
            rules.shuffle(&mut order);
            order
        })
        .collect();
    let mut class_of: Vec<usize> = (0..rows).map(|row| row % follows.len()).collect();
    Stream::new(Purpose::Synthetic, 2, 1).shuffle(&mut class_of);

    let mut steps = Stream::new(Purpose::Synthetic, 2, 2);
    let (mut x, mut y) = (Vec::with_capacity(rows * length), Vec::new());
    for &class in &class_of {
        let mut token = steps.below(tokens);
        for _ in 0..length {
            x.push(token as i64);
            token = if steps.below(ANYWHERE) == 0 { steps.below(tokens) } else { follows[class][token] };
            if classes.is_none() {
                y.push(token as i64);
            }
        }
        if classes.is_some() {
            y.push(class as i64);
        }
    }
    (x, y)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_target_at_each_place_is_the_next_input() {
        let (x, y) = sequences(3, 7, 5, None);
        assert_eq!((x.len(), y.len()), (15, 15));
        for row in 0..3 {
            assert_eq!(x[row * 5 + 1..row * 5 + 5], y[row * 5..row * 5 + 4]);
        }
        assert!(x.iter().chain(&y).all(|token| (0..7).contains(token)));
    }

    #[test]
    fn each_token_has_one_that_follows_it_four_times_out_of_five() {
        let (x, y) = sequences(2000, 5, 10, None);
        let mut pairs: HashMap<(i64, i64), f64> = HashMap::new();
        let mut firsts: HashMap<i64, f64> = HashMap::new();
        for (&a, &b) in x.iter().zip(&y) {
            *pairs.entry((a, b)).or_default() += 1.0;
            *firsts.entry(a).or_default() += 1.0;
        }
        for (a, n) in firsts {
            let most = (0..5).map(|b| pairs.get(&(a, b)).copied().unwrap_or(0.0) / n).fold(0.0, f64::max);
            // 0.8 + 0.2 / 5; five standard deviations of a share of some 4000 are 0.03.
            assert!((most - 0.84).abs() < 0.03, "{a}: {most}");
        }
    }

    #[test]
    fn classes_have_equal_shares_and_rules_of_their_own() {
        let (x, y) = sequences(40, 11, 6, Some(4));
        assert_eq!((x.len(), y.len()), (240, 40));
        assert!((0..4).all(|class| y.iter().filter(|&&c| c == class).count() == 10));
    }
}
