//! `page` and `per_page` of a list, and the headers that go with them.

use std::fmt::Write as _;

use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderName, HeaderValue, Uri};
use nexus_core::{Entity, FieldError, Scope};
use nexus_db::Db;
use serde::{Deserialize, Serialize};

use crate::body::{json_string, json_text};
use crate::error::Error;
use crate::list::List;

/// How many there are in all.
pub const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");

/// A page of a list, as asked for: pages count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paging {
    /// The page.
    pub page: i64,
    /// Records on it, 1 to 1,000.
    pub per_page: i64,
}

/// The pages of a list, as a caller asks for them; flatten this into a list's own parameters.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Pages {
    /// Page, from 1; without `page` and `per_page` the whole list is sent.
    #[param(value_type = Option<i64>, minimum = 1)]
    page: Option<String>,
    /// Records on a page; 100 when only `page` is given.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    per_page: Option<String>,
}

impl Pages {
    /// The page asked for, if any was.
    ///
    /// # Errors
    /// A page that cannot be.
    pub fn paging(&self) -> Result<Option<Paging>, Error> {
        if self.page.is_none() && self.per_page.is_none() {
            return Ok(None);
        }
        let number = |name, given: &Option<String>, default, max: i64| match given.as_deref().map(str::parse) {
            None => Ok(default),
            Some(Ok(number)) if (1..=max).contains(&number) => Ok(number),
            Some(_) => Err(FieldError::new(name, format!("must be a whole number from 1 to {max}"))),
        };
        // The last page whose first record still has a number.
        let page = number("page", &self.page, 1, 1_000_000_000);
        let per_page = number("per_page", &self.per_page, 100, 1_000);
        match (page, per_page) {
            (Ok(page), Ok(per_page)) => Ok(Some(Paging { page, per_page })),
            (page, per_page) => Err(Error::fields([page.err(), per_page.err()].into_iter().flatten().collect())),
        }
    }
}

/// What every list of records can be asked; flatten this into a list's own parameters.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// Words that must all be in the texts of a record, letter case aside; telephone numbers are found however they are
    /// written.
    search: Option<String>,
    /// What to sort by, `id` unless told (plans and features: `position`); a name that there is not is answered with those that there are.
    sort: Option<String>,
    /// `asc` (default) or `desc`.
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$")]
    order: Option<String>,
    /// `true`: the archived records in place of the live ones.
    #[param(value_type = Option<bool>)]
    archived: Option<String>,
    /// Page, from 1; without `page` and `per_page` the whole list is sent.
    #[param(value_type = Option<i64>, minimum = 1)]
    page: Option<String>,
    /// Records on a page; 100 when only `page` is given.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    per_page: Option<String>,
}

impl Listing {
    /// The list that is asked for, and the page of it, if any is.
    ///
    /// # Errors
    /// An order or a page that cannot be.
    pub fn list(self, db: &Db, entity: Entity, scope: &Scope) -> Result<(List, Option<Paging>), Error> {
        let list = match self.archived.as_deref() {
            None | Some("false") => List::new(entity, scope),
            Some("true") => List::archived(entity, scope),
            Some(_) => return Err(Error::fields(vec![FieldError::new("archived", "must be true or false")])),
        };
        let list = list.search(db, self.search.as_deref()).sort(self.sort.as_deref(), self.order.as_deref())?;
        Ok((list, Pages { page: self.page, per_page: self.per_page }.paging()?))
    }
}

impl Paging {
    /// Records before this page.
    #[must_use]
    pub const fn offset(self) -> i64 {
        (self.page - 1) * self.per_page
    }

    /// The number of the last page of so many records; 1 for an empty list.
    #[must_use]
    pub const fn last(self, total: i64) -> i64 {
        if total <= 0 { 1 } else { (total - 1) / self.per_page + 1 }
    }

    /// The list with `Link` (RFC 8288) and `X-Total-Count`.
    #[must_use]
    pub fn respond(self, uri: &Uri, total: i64, body: String) -> Response {
        let mut response = json_text(body).into_response();
        let last = self.last(total);
        let mut links = String::new();
        let mut add = |rel: &str, page: i64| {
            let separator = if links.is_empty() { "" } else { ", " };
            let _ = write!(links, "{separator}<{}>; rel=\"{rel}\"", self.link(uri, page));
        };
        if self.page < last {
            add("next", self.page + 1);
        }
        if self.page > 1 {
            add("prev", (self.page - 1).min(last));
        }
        add("last", last);
        let headers = response.headers_mut();
        if let Ok(links) = HeaderValue::from_str(&links) {
            headers.insert(LINK, links);
        }
        headers.insert(X_TOTAL_COUNT, HeaderValue::from(total));
        response
    }

    /// The same of records that are not JSON yet.
    ///
    /// # Errors
    /// When they have no JSON form.
    pub fn respond_with(self, uri: &Uri, total: i64, items: &[impl Serialize]) -> Result<Response, Error> {
        Ok(self.respond(uri, total, json_string(&items)?))
    }

    fn link(self, uri: &Uri, page: i64) -> String {
        let others = uri.query().unwrap_or_default().split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && name != "page" && name != "per_page"
        });
        let mut link = format!("{}?page={page}&per_page={}", uri.path(), self.per_page);
        for pair in others {
            link.push('&');
            link.push_str(pair);
        }
        link
    }
}

#[cfg(test)]
mod tests {
    use super::{Pages, Paging};

    fn listing(page: Option<&str>, per_page: Option<&str>) -> Pages {
        Pages { page: page.map(str::to_owned), per_page: per_page.map(str::to_owned) }
    }

    #[test]
    fn a_page_that_cannot_be_is_refused_and_names_its_parameter() {
        for (page, per_page, field) in [
            ("0", "10", "page"),
            ("-1", "10", "page"),
            ("x", "10", "page"),
            ("1", "0", "per_page"),
            ("1", "1001", "per_page"),
        ] {
            match listing(Some(page), Some(per_page)).paging() {
                Err(crate::Error::Invalid { fields, .. }) => assert_eq!(fields[0].field, field),
                other => panic!("{page} {per_page}: {other:?}"),
            }
        }
        assert_eq!(listing(None, None).paging().unwrap(), None);
        assert_eq!(listing(Some("3"), None).paging().unwrap(), Some(Paging { page: 3, per_page: 100 }));
    }

    #[test]
    fn links_keep_the_filters_and_lead_to_the_last_page() {
        let uri = "/api/contacts?search=a%20b&page=2&per_page=10".parse().unwrap();
        let response = Paging { page: 2, per_page: 10 }.respond(&uri, 25, "[]".into());
        let link = response.headers()["link"].to_str().unwrap();
        assert_eq!(
            link,
            "</api/contacts?page=3&per_page=10&search=a%20b>; rel=\"next\", \
             </api/contacts?page=1&per_page=10&search=a%20b>; rel=\"prev\", \
             </api/contacts?page=3&per_page=10&search=a%20b>; rel=\"last\""
        );
        assert_eq!(response.headers()["x-total-count"], "25");
    }
}
