//! What belongs to a company, and what is asked of all companies at once.

use nexus_core::records::{Asset, Company, Contact, Location, User};
use nexus_core::views::{BillingSummary, CompanyFeature, WholeCompany};
use reqwest::Method;
use serde_json::json;

use crate::client::Client;
use crate::error::Error;
use crate::lists::{List, Part};
use crate::pages::Pages;
use crate::records::{Records, Saved};
use crate::request::Request;

impl Records<Company> {
    fn part<T>(&self, account_number: &str, name: &str) -> List<T, Part> {
        List::new(self.client().clone(), Self::path(&account_number.to_owned(), name))
    }

    /// The devices of a company.
    #[must_use]
    pub fn assets(&self, account_number: &str) -> List<Asset, Part> {
        self.part(account_number, "/assets")
    }

    /// The people of a company.
    #[must_use]
    pub fn contacts(&self, account_number: &str) -> List<Contact, Part> {
        self.part(account_number, "/contacts")
    }

    /// The places of a company.
    #[must_use]
    pub fn locations(&self, account_number: &str) -> List<Location, Part> {
        self.part(account_number, "/locations")
    }

    /// The portal users of a company.
    #[must_use]
    pub fn users(&self, account_number: &str) -> List<User, Part> {
        self.part(account_number, "/users")
    }

    /// Every feature, and what a company has of it.
    pub async fn features(&self, account_number: &str) -> Result<Vec<CompanyFeature>, Error> {
        self.client().get(&Self::path(&account_number.to_owned(), "/features")).await
    }

    /// Gives a company its own value of a feature, in place of what its plan says. With a version, only if the company
    /// still has it.
    pub async fn set_feature(
        &self,
        account_number: &str,
        feature_id: i64,
        value: &str,
        version: impl Into<Option<i64>>,
    ) -> Result<Saved<String>, Error> {
        let path = Self::path(&account_number.to_owned(), &format!("/features/{feature_id}"));
        let request = Request::write(Method::PUT, &path, &json!({ "value": value }))?;
        self.saved(request.at(version.into())).await
    }

    /// Lets a company follow its plan in a feature again. With a version, only if the company still has it.
    pub async fn clear_feature(
        &self,
        account_number: &str,
        feature_id: i64,
        version: impl Into<Option<i64>>,
    ) -> Result<Saved<String>, Error> {
        let path = Self::path(&account_number.to_owned(), &format!("/features/{feature_id}"));
        self.saved(Request::new(Method::DELETE, &path).at(version.into())).await
    }

    /// Every company with its devices, people and places.
    #[must_use]
    pub fn bulk(&self) -> Pages<WholeCompany> {
        self.client().list("/api/companies/bulk?page=1&per_page=100")
    }
}

impl Client {
    /// What is billed, by company.
    #[must_use]
    pub fn billing_summary(&self) -> Pages<BillingSummary> {
        self.list("/api/billing_summary?page=1&per_page=100")
    }
}
