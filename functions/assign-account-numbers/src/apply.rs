//! The write of one number, and the look at what else it did.

use nexus_vendors::freshservice::{Freshservice, PrimaryContact, Workspace};
use nexus_vendors::{CustomFields, Error, Target, Verdict};

use crate::companies::Kind;
use crate::plan::{FIELD, Held};

/// A company that is to have a number.
pub(crate) struct Assignment {
    pub(crate) vendor: Freshservice,
    pub(crate) kind: Kind,
    pub(crate) id: i64,
    pub(crate) number: u32,
}

/// A company as it was read.
pub(crate) struct Seen {
    fields: CustomFields,
    /// Of a client also what its fields are a part of.
    client: Option<Workspace>,
}

impl Seen {
    fn of_client(client: Workspace) -> Self {
        let fields = client.metadata.as_ref().map(|metadata| metadata.custom_fields.clone()).unwrap_or_default();
        Self { fields, client: Some(client) }
    }

    /// What a client's metadata has beside the fields.
    fn beside_fields(&self) -> (Option<&PrimaryContact>, &[String]) {
        let metadata = self.client.as_ref().and_then(|client| client.metadata.as_ref());
        metadata.map(|metadata| (metadata.primary_contact.as_ref(), &metadata.email_domains[..])).unwrap_or_default()
    }

    /// What other than the number is not as it was.
    fn changed(&self, now: &Self) -> Vec<String> {
        let fields = self.fields.differences(&now.fields).into_iter().filter(|field| *field != FIELD);
        let mut changed: Vec<String> = fields.map(str::to_owned).collect();
        let (contact, domains) = self.beside_fields();
        let (contact_now, domains_now) = now.beside_fields();
        changed.extend((contact != contact_now).then(|| "primary_contact".to_owned()));
        changed.extend((domains != domains_now).then(|| "email_domains".to_owned()));
        changed
    }
}

impl Target for Assignment {
    type Seen = Seen;

    async fn read(&self) -> Result<Seen, Error> {
        match self.kind {
            Kind::Department => Ok(Seen { fields: self.vendor.department(self.id).await?.custom_fields, client: None }),
            Kind::Client => self.vendor.workspace(self.id).await.map(Seen::of_client),
        }
    }

    fn judge(&self, before: Option<&Seen>, now: &Seen) -> Verdict {
        match Held::of(&now.fields) {
            Held::Nothing => Verdict::Due,
            Held::Number(number) if number == self.number => {
                let changed = before.map(|before| before.changed(now)).unwrap_or_default();
                if changed.is_empty() {
                    return Verdict::Done;
                }
                Verdict::Stop(format!(
                    "It has its number, but with it these fields have changed: {}. Look at them in Freshservice.",
                    changed.join(", ")
                ))
            }
            Held::Number(number) => Verdict::Stop(format!("It has the number {number} by now.")),
            Held::Odd(text) => Verdict::Stop(format!("Its account number is {text:?} by now.")),
        }
    }

    async fn write(&self, now: &Seen) -> Result<(), Error> {
        let fields = now.fields.with(FIELD, self.number);
        match &now.client {
            None => self.vendor.write_department(self.id, &fields).await,
            Some(client) => self.vendor.write_workspace(client, &fields).await,
        }
    }
}
