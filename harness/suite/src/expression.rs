//! Expressions over times and numbers: `last_sent + 2*query_interval - 100ms`.
//!
//! Sums of products with parentheses; a time is nanoseconds, a number millionths. A time times or
//! over a number is a time, a time over a time is a number. Names are the bed's constants and saved
//! values.

use std::collections::BTreeMap;
use std::time::Duration;
use thiserror::Error;

/// A value with its dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Nanoseconds: a duration, or a time since the run began.
    Time(i128),
    /// Millionths.
    Number(i128),
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpressionError {
    /// Something unreadable.
    #[error("`{expression}`: {what} at character {at}")]
    Syntax {
        /// The expression.
        expression: String,
        /// What was expected.
        what: &'static str,
        /// Where, from 1.
        at: usize,
    },
    /// A name that nothing defines.
    #[error("`{name}` is no known time: known here are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// The known names.
        known: String,
    },
    /// Dimensions that don't go together.
    #[error("`{expression}`: {what}")]
    Dimension {
        /// The expression.
        expression: String,
        /// What is wrong.
        what: &'static str,
    },
}

/// Names and their values.
pub type Scope = BTreeMap<String, Quantity>;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    text: String,
    root: Node,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Value(Quantity),
    Name(String),
    Binary(Box<Self>, char, Box<Self>),
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// [`ExpressionError::Syntax`].
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut parser = Parser {
            text,
            rest: text.trim_start(),
            depth: 0,
        };
        let root = parser.sum()?;
        if parser.rest.is_empty() {
            Ok(Self {
                text: text.to_owned(),
                root,
            })
        } else {
            Err(parser.wrong("an operator or the end is expected"))
        }
    }

    /// The duration that a text says; negative becomes zero.
    ///
    /// # Errors
    /// As [`Expression::parse`] and [`Expression::duration`].
    pub fn time(text: &str, scope: &Scope) -> Result<Duration, ExpressionError> {
        Self::parse(text)?.duration(scope)
    }

    /// The names that it uses.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        collect(&self.root, &mut names);
        names
    }

    /// Its value.
    ///
    /// # Errors
    /// [`ExpressionError::Unknown`] and [`ExpressionError::Dimension`].
    pub fn value(&self, scope: &Scope) -> Result<Quantity, ExpressionError> {
        self.evaluate(&self.root, scope)
    }

    /// Its value as a duration; negative becomes zero.
    ///
    /// # Errors
    /// As [`Expression::value`], and when it is a number.
    pub fn duration(&self, scope: &Scope) -> Result<Duration, ExpressionError> {
        match self.value(scope)? {
            Quantity::Time(ns) => Ok(Duration::from_nanos(
                u64::try_from(ns.max(0)).unwrap_or(u64::MAX),
            )),
            Quantity::Number(_) => {
                Err(self.dimension("a time is expected, with a unit as in `3s`"))
            }
        }
    }

    fn dimension(&self, what: &'static str) -> ExpressionError {
        ExpressionError::Dimension {
            expression: self.text.clone(),
            what,
        }
    }

    fn evaluate(&self, node: &Node, scope: &Scope) -> Result<Quantity, ExpressionError> {
        use Quantity::{Number, Time};
        let (left, operator, right) = match node {
            Node::Value(value) => return Ok(*value),
            Node::Name(name) => {
                return scope
                    .get(name)
                    .copied()
                    .ok_or_else(|| ExpressionError::Unknown {
                        name: name.clone(),
                        known: scope.keys().cloned().collect::<Vec<_>>().join(", "),
                    });
            }
            Node::Binary(left, operator, right) => (left, operator, right),
        };
        let (left, right) = (self.evaluate(left, scope)?, self.evaluate(right, scope)?);
        let over_zero = || self.dimension("division by zero");
        match (operator, left, right) {
            ('+', Time(a), Time(b)) => Ok(Time(a.saturating_add(b))),
            ('+', Number(a), Number(b)) => Ok(Number(a.saturating_add(b))),
            ('-', Time(a), Time(b)) => Ok(Time(a.saturating_sub(b))),
            ('-', Number(a), Number(b)) => Ok(Number(a.saturating_sub(b))),
            ('*', Time(a), Number(b)) | ('*', Number(b), Time(a)) => {
                Ok(Time(a.saturating_mul(b) / MILLION))
            }
            ('*', Number(a), Number(b)) => Ok(Number(a.saturating_mul(b) / MILLION)),
            ('/', Time(a), Number(b)) => a
                .saturating_mul(MILLION)
                .checked_div(b)
                .map(Time)
                .ok_or_else(over_zero),
            ('/', Time(a), Time(b)) | ('/', Number(a), Number(b)) => a
                .saturating_mul(MILLION)
                .checked_div(b)
                .map(Number)
                .ok_or_else(over_zero),
            _ => Err(self.dimension("times and numbers don't go together here")),
        }
    }
}

const MILLION: i128 = 1_000_000;

fn collect<'a>(node: &'a Node, names: &mut Vec<&'a str>) {
    match node {
        Node::Value(_) => {}
        Node::Name(name) => names.push(name),
        Node::Binary(left, _, right) => {
            collect(left, names);
            collect(right, names);
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: u8,
}

impl Parser<'_> {
    fn wrong(&self, what: &'static str) -> ExpressionError {
        let at = self.text.len() - self.rest.len() + 1;
        ExpressionError::Syntax {
            expression: self.text.to_owned(),
            what,
            at,
        }
    }

    fn sum(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&['+', '-']) {
            left = Node::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.atom()?;
        while let Some(operator) = self.operator(&['*', '/']) {
            left = Node::Binary(Box::new(left), operator, Box::new(self.atom()?));
        }
        Ok(left)
    }

    fn operator(&mut self, of: &[char]) -> Option<char> {
        let operator = self.rest.chars().next().filter(|c| of.contains(c))?;
        self.rest = self.rest.get(1..).unwrap_or_default().trim_start();
        Some(operator)
    }

    fn atom(&mut self) -> Result<Node, ExpressionError> {
        if self.operator(&['(']).is_some() {
            self.depth += 1;
            if self.depth > 16 {
                return Err(self.wrong("fewer parentheses are expected"));
            }
            let inner = self.sum()?;
            self.depth -= 1;
            return match self.operator(&[')']) {
                Some(_) => Ok(inner),
                None => Err(self.wrong("`)` is expected")),
            };
        }
        let end = |of: fn(char) -> bool, text: &str| text.find(|c| !of(c)).unwrap_or(text.len());
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let length = end(word, self.rest);
        let (token, rest) = self.rest.split_at(length);
        let node = if token.starts_with(|c: char| c.is_ascii_digit()) {
            Node::Value(quantity(token).ok_or_else(|| {
                self.wrong("a number or a time in ns, us, ms, s, min or h is expected")
            })?)
        } else if token.is_empty() {
            return Err(self.wrong("a number, a time or a name is expected"));
        } else {
            Node::Name(token.to_owned())
        };
        self.rest = rest.trim_start();
        Ok(node)
    }
}

/// `2.5s`, `250ms` or a bare number.
fn quantity(token: &str) -> Option<Quantity> {
    let digits = token
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(token.len());
    let (number, unit) = token.split_at(digits);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if part.len() > 9 || part.contains('.') || whole.len() > 15 {
        return None;
    }
    let billionths: i128 = format!("{part:0<9}").parse().ok()?;
    let billionths = whole.parse::<i128>().ok()? * 1_000_000_000 + billionths;
    let per_second: i128 = match unit {
        "" => return Some(Quantity::Number(billionths / 1000)),
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "min" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    Some(Quantity::Time(billionths * per_second / 1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<Quantity, ExpressionError> {
        let scope = Scope::from([
            ("qi".into(), Quantity::Time(20_000_000_000)),
            ("rv".into(), Quantity::Number(2_000_000)),
        ]);
        Expression::parse(text)?.value(&scope)
    }

    #[test]
    fn times_and_numbers_combine_by_their_dimensions() {
        for (text, ns) in [
            ("3s", 3_000_000_000),
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("rv*qi + 3s", 43_000_000_000),
            ("qi/4", 5_000_000_000),
            ("(qi - 2s) * 2", 36_000_000_000),
            ("10us", 10_000),
        ] {
            assert_eq!(value(text), Ok(Quantity::Time(ns)), "{text}");
        }
        assert_eq!(value("qi/2s"), Ok(Quantity::Number(10_000_000)));
    }

    #[test]
    fn what_has_no_value_says_why() {
        for text in [
            "", "3", "3x", "3s +", "(3s", "3s)", "qi*qi", "qi+rv", "no_such", "1s/0",
        ] {
            if text != "3" {
                assert!(value(text).is_err(), "{text}");
            }
        }
        let said = value("no_such").unwrap_err().to_string();
        assert_eq!(said, "`no_such` is no known time: known here are qi, rv");
    }
}
