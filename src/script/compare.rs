//! Operators between values, texts, numbers, booleans, quantities, durations, versions and dates.
//!
//! Without an overload Rhai answers `==` with false and `!=` with true for types that it does not
//! know, silently; so every pair is registered here, and a test walks through all of them.
//! A missing value equals a missing one and nothing else; an unknown value takes part in nothing;
//! an ordering with a missing, unknown or unreadable operand is false.

use std::cmp::Ordering;
use std::rc::Rc;

use rhai::{Dynamic, FuncRegistration, ImmutableString};

use super::value::{Content, V};
use super::vocabulary::{On, Words};
use super::{Context, fail};
use crate::units::{Date, Duration, Quantity, Version};
use crate::yaml::scalar::Scalar;

/// The other side of an operator.
#[derive(Debug, Clone)]
pub(crate) enum Plain {
    Text(ImmutableString),
    Number(f64),
    Boolean(bool),
    Quantity(Quantity),
    Duration(Duration),
    Version(Version),
    Date(Date),
}

impl From<ImmutableString> for Plain {
    fn from(x: ImmutableString) -> Plain {
        Plain::Text(x)
    }
}
impl From<i64> for Plain {
    fn from(x: i64) -> Plain {
        Plain::Number(x as f64)
    }
}
impl From<f64> for Plain {
    fn from(x: f64) -> Plain {
        Plain::Number(x)
    }
}
impl From<bool> for Plain {
    fn from(x: bool) -> Plain {
        Plain::Boolean(x)
    }
}
impl From<Quantity> for Plain {
    fn from(x: Quantity) -> Plain {
        Plain::Quantity(x)
    }
}
impl From<Duration> for Plain {
    fn from(x: Duration) -> Plain {
        Plain::Duration(x)
    }
}
impl From<Version> for Plain {
    fn from(x: Version) -> Plain {
        Plain::Version(x)
    }
}

impl From<Date> for Plain {
    fn from(x: Date) -> Plain {
        Plain::Date(x)
    }
}

/// A plain value from whatever a script hands over.
pub(crate) fn plain(x: &Dynamic) -> Option<Plain> {
    if let Some(text) = x.read_lock::<ImmutableString>() {
        return Some(Plain::Text(text.clone()));
    }
    x.as_int()
        .ok()
        .map(Plain::from)
        .or_else(|| x.as_float().ok().map(Plain::from))
        .or_else(|| x.as_bool().ok().map(Plain::from))
        .or_else(|| x.read_lock::<Quantity>().map(|q| (*q).into()))
        .or_else(|| x.read_lock::<Duration>().map(|d| (*d).into()))
        .or_else(|| x.read_lock::<Version>().map(|v| (*v).into()))
        .or_else(|| x.read_lock::<Date>().map(|d| (*d).into()))
}

/// A plain value as a manifest would write it.
pub(crate) fn plain_text(x: &Dynamic) -> Option<String> {
    Some(match plain(x)? {
        Plain::Text(text) => text.to_string(),
        Plain::Number(number) => number.to_string(),
        Plain::Boolean(value) => value.to_string(),
        Plain::Quantity(quantity) => quantity.to_string(),
        Plain::Duration(duration) => duration.to_string(),
        Plain::Version(version) => version.to_string(),
        Plain::Date(date) => date.to_string(),
    })
}

/// Whether a value equals something; an unknown one equals nothing.
fn equals(c: &Context, v: V, other: &Plain) -> bool {
    let text = || c.text(v);
    match other {
        Plain::Text(other) => text().is_some_and(|t| t == *other),
        Plain::Number(other) => match c.content(v) {
            Content::Scalar(Scalar::Int(n)) => n as f64 == *other,
            Content::Scalar(Scalar::Float(n)) => n == *other,
            // A default, or a number in quotes that stands for one.
            Content::Missing => c.number(v) == Some(*other),
            _ => false,
        },
        Plain::Boolean(other) => match c.content(v) {
            Content::Scalar(Scalar::Bool(value)) => value == *other,
            Content::Missing => text().is_some_and(|t| t == other.to_string()),
            _ => false,
        },
        Plain::Quantity(other) => c.quantity(v) == Some(*other),
        Plain::Duration(other) => text().and_then(|t| Duration::parse(&t)) == Some(*other),
        Plain::Version(other) => text().and_then(|t| Version::parse(&t)) == Some(*other),
        Plain::Date(other) => text().and_then(|t| Date::parse(&t)) == Some(*other),
    }
}

pub(crate) fn equal(c: &Context, v: V, other: &Dynamic) -> bool {
    if let Some(other) = other.read_lock::<V>() {
        return same(c, v, *other);
    }
    plain(other).is_some_and(|other| equals(c, v, &other))
}

fn same(c: &Context, a: V, b: V) -> bool {
    if c.is_unknown(a) || c.is_unknown(b) {
        return false;
    }
    match (c.text(a), c.text(b)) {
        (Some(x), Some(y)) => x == y || (c.number(a).is_some() && c.number(a) == c.number(b)),
        (None, None) => (c.is_missing(a) && c.is_missing(b)) || (a.place == b.place && a.ghost == 0 && b.ghost == 0),
        _ => false,
    }
}

/// How a value compares; nothing where either side can't take part. What the other side is decides
/// how the value is read, and a value that can't be read so is remembered.
fn order(c: &Context, v: V, other: &Plain) -> Option<Ordering> {
    let text = c.text(v)?;
    let read = |wanted: &'static str, ordering: Option<Ordering>| {
        if ordering.is_none() {
            c.note_unreadable(v, wanted);
        }
        ordering
    };
    match other {
        Plain::Number(number) => match c.number(v) {
            Some(n) => n.partial_cmp(number),
            None => read("number", c.quantity(v).and_then(|q| q.as_f64().partial_cmp(number))),
        },
        Plain::Quantity(quantity) => read("quantity", c.quantity(v).map(|q| q.cmp(quantity))),
        Plain::Duration(duration) => read("duration", Duration::parse(&text).map(|d| d.cmp(duration))),
        Plain::Version(version) => read("version", Version::parse(&text).map(|x| x.cmp(version))),
        Plain::Date(date) => read("date", Date::parse(&text).map(|x| x.cmp(date))),
        Plain::Text(other) => {
            if let Some(quantity) = Quantity::parse(other) {
                // `1.30.2` beside "1.30", which reads as a quantity, too.
                if let (None, Some(own), Some(version)) = (c.quantity(v), Version::parse(&text), Version::parse(other))
                {
                    return Some(own.cmp(&version));
                }
                return read("quantity", c.quantity(v).map(|q| q.cmp(&quantity)));
            }
            if let Some(version) = Version::parse(other) {
                return read("version", Version::parse(&text).map(|x| x.cmp(&version)));
            }
            if let Some(duration) = Duration::parse(other) {
                return read("duration", Duration::parse(&text).map(|d| d.cmp(&duration)));
            }
            if let Some(date) = Date::parse(other) {
                return read("date", Date::parse(&text).map(|d| d.cmp(&date)));
            }
            Some(text.as_str().cmp(other))
        }
        Plain::Boolean(_) => None,
    }
}

/// How two values compare: as what both can be read as.
fn order_values(c: &Context, a: V, b: V) -> Option<Ordering> {
    fn both<T: Ord>(parse: fn(&str) -> Option<T>, a: &str, b: &str) -> Option<Ordering> {
        Some(parse(a)?.cmp(&parse(b)?))
    }
    let (x, y) = (c.text(a)?, c.text(b)?);
    let ordering = both(Quantity::parse, &x, &y)
        .or_else(|| both(Version::parse, &x, &y))
        .or_else(|| both(Duration::parse, &x, &y))
        .or_else(|| both(Date::parse, &x, &y));
    if ordering.is_none() {
        for (v, other) in [(a, &y), (b, &x)] {
            if Quantity::parse(other).is_some() {
                c.note_unreadable(v, "quantity");
            } else if Version::parse(other).is_some() {
                c.note_unreadable(v, "version");
            } else if Duration::parse(other).is_some() {
                c.note_unreadable(v, "duration");
            } else if Date::parse(other).is_some() {
                c.note_unreadable(v, "date");
            }
        }
    }
    ordering
}

type Test = fn(Ordering) -> bool;
const ORDERINGS: [(&str, Test); 4] =
    [("<", Ordering::is_lt), ("<=", Ordering::is_le), (">", Ordering::is_gt), (">=", Ordering::is_ge)];

/// Both directions of every operator between a value and one plain type.
fn with<T: Into<Plain> + rhai::Variant + Clone>(words: &mut Words<'_>, c: &Rc<Context>) {
    let x = c.clone();
    words.silent("==", move |v: V, other: T| equals(&x, v, &other.into()));
    let x = c.clone();
    words.silent("==", move |other: T, v: V| equals(&x, v, &other.into()));
    let x = c.clone();
    words.silent("!=", move |v: V, other: T| !x.is_unknown(v) && !equals(&x, v, &other.into()));
    let x = c.clone();
    words.silent("!=", move |other: T, v: V| !x.is_unknown(v) && !equals(&x, v, &other.into()));
    for (name, test) in ORDERINGS {
        let x = c.clone();
        words.silent(name, move |v: V, other: T| order(&x, v, &other.into()).is_some_and(test));
        let x = c.clone();
        words.silent(name, move |other: T, v: V| order(&x, v, &other.into()).map(Ordering::reverse).is_some_and(test));
    }
}

/// Every operator between two of one unit, and with text that holds one.
fn units<T: Copy + Ord + rhai::Variant>(words: &mut Words<'_>, parse: fn(&str) -> Option<T>) {
    words.silent("==", |a: T, b: T| a == b);
    words.silent("!=", |a: T, b: T| a != b);
    words.silent("==", move |a: T, b: ImmutableString| parse(&b) == Some(a));
    words.silent("==", move |b: ImmutableString, a: T| parse(&b) == Some(a));
    words.silent("!=", move |a: T, b: ImmutableString| parse(&b) != Some(a));
    words.silent("!=", move |b: ImmutableString, a: T| parse(&b) != Some(a));
    for (name, test) in ORDERINGS {
        words.silent(name, move |a: T, b: T| test(a.cmp(&b)));
        words.silent(name, move |a: T, b: ImmutableString| parse(&b).is_some_and(|b| test(a.cmp(&b))));
        words.silent(name, move |b: ImmutableString, a: T| parse(&b).is_some_and(|b| test(b.cmp(&a))));
    }
}

/// Numbers beside a unit compare with quantities and with nothing else.
fn numbers<T: rhai::Variant + Clone + Copy>(words: &mut Words<'_>, number: fn(T) -> f64) {
    words.silent("==", move |q: Quantity, n: T| q.as_f64() == number(n));
    words.silent("==", move |n: T, q: Quantity| q.as_f64() == number(n));
    words.silent("!=", move |q: Quantity, n: T| q.as_f64() != number(n));
    words.silent("!=", move |n: T, q: Quantity| q.as_f64() != number(n));
    for (name, test) in ORDERINGS {
        words.silent(name, move |q: Quantity, n: T| q.as_f64().partial_cmp(&number(n)).is_some_and(test));
        words.silent(name, move |n: T, q: Quantity| number(n).partial_cmp(&q.as_f64()).is_some_and(test));
    }
    words.silent("*", move |q: Quantity, n: T| q.times(number(n)));
    words.silent("*", move |n: T, q: Quantity| q.times(number(n)));
    words.silent("/", move |q: Quantity, n: T| q.times(1.0 / number(n)));
    // A value that holds no quantity stays missing, so that every ordering with the product is false.
    let x = words.context();
    let product =
        move |v: V, factor: f64| x.read_as(v, "quantity", x.quantity(v).map(|quantity| quantity.times(factor)));
    let times = product.clone();
    words.silent("*", move |v: V, n: T| times(v, number(n)));
    let times = product.clone();
    words.silent("*", move |n: T, v: V| times(v, number(n)));
    words.silent("/", move |v: V, n: T| product(v, 1.0 / number(n)));
}

/// Texts and numbers never mix silently; the standard library would answer false.
const GLUE: &str =
    "a value can't be added to; write texts with backticks: `memory is ${value}`, and reckon with `.number()`";

/// All operators.
pub(super) fn register(words: &mut Words<'_>) {
    let c = words.context();
    with::<ImmutableString>(words, &c);
    with::<i64>(words, &c);
    with::<f64>(words, &c);
    with::<bool>(words, &c);
    with::<Quantity>(words, &c);
    with::<Duration>(words, &c);
    with::<Version>(words, &c);
    with::<Date>(words, &c);
    let x = c.clone();
    words.silent("==", move |a: V, b: V| same(&x, a, b));
    let x = c.clone();
    words.silent("!=", move |a: V, b: V| !x.is_unknown(a) && !x.is_unknown(b) && !same(&x, a, b));
    for (name, test) in ORDERINGS {
        let x = c.clone();
        words.silent(name, move |a: V, b: V| order_values(&x, a, b).is_some_and(test));
    }
    units::<Quantity>(words, Quantity::parse);
    units::<Duration>(words, Duration::parse);
    units::<Version>(words, Version::parse);
    units::<Date>(words, Date::parse);
    numbers::<i64>(words, |n| n as f64);
    numbers::<f64>(words, |n| n);
    words.silent("+", |a: Quantity, b: Quantity| a.plus(b));
    words.silent("/", |a: Quantity, b: Quantity| a.as_f64() / b.as_f64());
    words.silent("-", |a: Date, b: Date| a.days_since(b));
    let engine = words.engine();
    FuncRegistration::new("+").register_into_engine(engine, |_: V, _: Dynamic| -> super::Result<()> { fail(GLUE) });
    FuncRegistration::new("+").register_into_engine(engine, |_: Dynamic, _: V| -> super::Result<()> { fail(GLUE) });
    const LESS: &str = "a value can't be subtracted; reckon with `.number()`";
    FuncRegistration::new("-").register_into_engine(engine, |_: V, _: Dynamic| -> super::Result<()> { fail(LESS) });
    FuncRegistration::new("-").register_into_engine(engine, |_: Dynamic, _: V| -> super::Result<()> { fail(LESS) });
    // Rhai has its own `text + anything`, which comes before the two above.
    type Glue<A, B> = fn(A, B) -> super::Result<()>;
    let glue: Glue<V, ImmutableString> = |_, _| fail(GLUE);
    FuncRegistration::new("+").register_into_engine(engine, glue);
    let glue: Glue<ImmutableString, V> = |_, _| fail(GLUE);
    FuncRegistration::new("+").register_into_engine(engine, glue);
    let x = c.clone();
    words.silent("to_string", move |v: V| x.shown(v));
    let x = c.clone();
    words.silent("to_debug", move |v: V| x.shown(v));
    words.silent("to_string", |q: Quantity| q.to_string());
    words.silent("to_string", |d: Duration| d.to_string());
    words.silent("to_string", |v: Version| v.to_string());
    words.silent("to_string", |d: Date| d.to_string());
    // A quantity that could not be read is a missing value, so these are asked of both.
    words.word(On::Unit, "missing()", "false; a value that holds none is missing", "", |_: Quantity| false);
    words.silent("missing", |_: Duration| false);
    words.silent("missing", |_: Version| false);
    words.silent("missing", |_: Date| false);
    words.silent("missing", |_: i64| false);
    words.silent("missing", |_: f64| false);
    words.silent("missing", |_: ImmutableString| false);
    words.word(On::Unit, "exists()", "true", "", |_: Quantity| true);
    words.silent("exists", |_: Duration| true);
    words.silent("exists", |_: Version| true);
    words.silent("exists", |_: Date| true);
    words.silent("exists", |_: i64| true);
    words.silent("unknown", |_: i64| false);
    words.silent("unknown", |_: f64| false);
    words.silent("unknown", |_: Quantity| false);
    words.silent("unknown", |_: Duration| false);
    words.silent("unknown", |_: Version| false);
    words.silent("unknown", |_: Date| false);
    words.silent("exists", |_: f64| true);
    words.silent("exists", |_: ImmutableString| true);
}

#[cfg(test)]
mod tests;
