//! What can go wrong, where, and how often.

use std::borrow::Cow;
use std::time::Duration;

use crate::server::Ask;

/// One way of misbehaving. By itself it holds for every call until it is cleared; [`Fault::on`] and the methods of
/// [`Rule`] narrow it. Several faults can hold for one call and are then applied in the order in which they were set.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The answer takes this much longer.
    Slow(Duration),
    /// 429, with or without `Retry-After`.
    RateLimited(RetryAfter),
    /// This status with the vendor's error body. `401` on Datto also revokes the bearer token of the call, so that only a
    /// new token helps.
    Status(u16),
    /// The write answers as if it had worked, and changes nothing.
    IgnoredWrite,
    /// The head and half of the body arrive, then the connection breaks.
    Dropped,
    /// 200 with an HTML page, as proxies and maintenance pages answer.
    NotJson,
    /// 200 with a well-formed list of no records; the next link stays as it is.
    EmptyPage,
    /// Only the first records of the page, at most this many, and a next link as if it were full. The records left out
    /// appear nowhere else.
    ShortPage(usize),
    /// The list ends here without saying so: all records of the page, but no next link.
    NoNextLink,
    /// The next link leads to this origin (`https://elsewhere.example`), with path and query kept.
    NextLinkTo(String),
    /// The next link leads to the very page it stands on, on the last page too.
    RepeatingNextLink,
    /// The page begins with the last record of the page before, as when somebody is added while the list is read. The
    /// page is one record longer; nothing is lost.
    DuplicateRecord,
    /// The top-level key (`requesters`, `devices`, `pageDetails`, …) is missing from the body.
    MissingKey(Cow<'static, str>),
    /// One field of the picked records is null: `custom_fields`, `department_ids`, `antivirus`, …
    NullField(Cow<'static, str>, Pick),
    /// Every field of the picked records but `id` and `uid` is null.
    NullFields(Pick),
    /// Every field of the picked records but `id` and `uid` has a value of another type.
    WrongTypes(Pick),
    /// The picked records are no objects at all.
    Garbage(Pick),
    /// Every record carries keys that no documentation knows.
    UnknownKeys,
    /// Numbers in `id`, `…_id`, `…Id` and `…_ids` arrive as text.
    TextIds,
    /// Dates arrive in this form.
    Dates(DateForm),
    /// User-defined fields of Datto devices arrive in this form.
    Udf(UdfForm),
    /// Every variable of a Datto site is listed twice: same name, another id, another value.
    DuplicateVariables,
    /// Every variable of a Datto site arrives masked, its value hidden.
    MaskedVariables,
}

/// The header of a 429.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetryAfter {
    /// No header.
    Absent,
    /// Whole seconds.
    Seconds(u64),
    /// Any other text: an HTTP date, a fraction, nonsense.
    Text(String),
}

/// The forms in which vendors have been seen to write one and the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateForm {
    /// Integer milliseconds since 1970.
    Milliseconds,
    /// Seconds since 1970, with a fraction.
    Seconds,
    /// `2026-02-03T19:05:39Z`
    Text,
    /// `2026-02-04T00:35:39.983+05:30`
    TextWithOffset,
    /// `-62135596800000`, the zero of another platform: no value.
    Sentinel,
}

/// How Datto devices carry their user-defined fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UdfForm {
    /// No such key.
    Absent,
    /// `"udf": null`
    Null,
    /// An object with the keys `udf1` to `udf30`, as older platforms answer.
    Thirty,
    /// An object with the keys `udf1` to `udf300`.
    ThreeHundred,
    /// No `udf` but a list `udfs` of `{ordinal, type, valueString, …}`, only of fields that have a value.
    List,
}

/// Which records of an answer a fault spoils. A single record that is answered by its own is the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// By position on its page, from 0.
    Nth(usize),
    /// By `id` or `uid`, wherever it appears.
    Id(String),
    /// All.
    Every,
}

impl From<i64> for Pick {
    fn from(id: i64) -> Self {
        Self::Id(id.to_string())
    }
}

impl From<&str> for Pick {
    fn from(id: &str) -> Self {
        Self::Id(id.to_owned())
    }
}

impl Fault {
    /// Only calls to this path or below it: `/requesters`, `/site/{uid}/devices`. The leading `/api/v2` may be left out.
    #[must_use]
    pub fn on(self, path: &str) -> Rule {
        Rule::from(self).on(path)
    }

    /// Only calls to exactly this path: the list, not its records.
    #[must_use]
    pub fn on_exactly(self, path: &str) -> Rule {
        Rule::from(self).on_exactly(path)
    }

    /// Only this many calls; then the fault is over.
    #[must_use]
    pub fn times(self, times: u64) -> Rule {
        Rule::from(self).times(times)
    }
}

/// A fault and the calls it holds for. Conditions add up.
#[derive(Debug, Clone)]
pub struct Rule {
    fault: Fault,
    path: Option<String>,
    exact: bool,
    method: Option<String>,
    page: Option<u64>,
    skip: u64,
    left: Option<u64>,
}

impl From<Fault> for Rule {
    fn from(fault: Fault) -> Self {
        Self { fault, path: None, exact: false, method: None, page: None, skip: 0, left: None }
    }
}

impl Rule {
    /// See [`Fault::on`].
    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        self.path = Some(api_path(path).to_owned());
        self
    }

    /// See [`Fault::on_exactly`].
    #[must_use]
    pub fn on_exactly(self, path: &str) -> Self {
        Self { exact: true, ..self.on(path) }
    }

    /// Only calls with this method, in capitals.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only this page of a list, as the vendor counts: Freshservice from 1, Datto from 0. A call without the parameter is
    /// one to the first page.
    #[must_use]
    pub fn page(mut self, page: u64) -> Self {
        self.page = Some(page);
        self
    }

    /// The first `calls` that the other conditions fit go well.
    #[must_use]
    pub fn after(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// See [`Fault::times`].
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.left = Some(times);
        self
    }

    fn fits(&self, ask: &Ask, first_page: u64) -> bool {
        let path = self.path.as_deref().is_none_or(|path| match ask.path.strip_prefix(path) {
            Some("") => true,
            Some(below) => !self.exact && (below.starts_with('/') || path.ends_with('/')),
            None => false,
        });
        path && self.method.as_deref().is_none_or(|method| method == ask.method)
            && self.page.is_none_or(|page| ask.number("page").unwrap_or(first_page) == page)
    }
}

/// The path below `/api/v2`; a path outside it, such as that of the token, as it is.
pub(crate) fn api_path(path: &str) -> &str {
    match path.strip_prefix("/api/v2") {
        Some(below) if below.starts_with('/') => below,
        _ => path,
    }
}

/// Names one fault that was switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultId(usize);

/// The faults that are on.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    hits: Vec<u64>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: Rule) -> FaultId {
        self.rules.push(rule);
        self.hits.push(0);
        FaultId(self.rules.len() - 1)
    }

    pub(crate) fn remove(&mut self, id: FaultId) {
        // The rule stays in its place, because the ids of the others are places.
        if let Some(rule) = self.rules.get_mut(id.0) {
            rule.left = Some(0);
        }
    }

    pub(crate) fn clear(&mut self) {
        for rule in &mut self.rules {
            rule.left = Some(0);
        }
    }

    pub(crate) fn hits(&self, id: FaultId) -> u64 {
        self.hits.get(id.0).copied().unwrap_or(0)
    }

    /// The faults that hold for this call, each counted as used.
    pub(crate) fn take(&mut self, ask: &Ask, first_page: u64) -> Vec<Fault> {
        let mut taken = Vec::new();
        for (rule, hits) in self.rules.iter_mut().zip(&mut self.hits) {
            if rule.left == Some(0) || !rule.fits(ask, first_page) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.left = rule.left.map(|left| left - 1);
            *hits += 1;
            taken.push(rule.fault.clone());
        }
        taken
    }
}
