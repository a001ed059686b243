//! The directory that is measured: companies, contacts and assets, each made of nothing but its number.
//!
//! A record is the same in every world that holds it, so what is asked of a medium world can be asked of a large one too.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nexus_core::{Actor, Entity, fields, instant};
use nexus_db::changes::{Deed, Edit, Origin, change};
use nexus_db::{Db, accounts};
use serde_json::{Map, Value, json};

/// 2026-02-01T00:00:00Z: the moment at which every world stands still.
const NOW: i64 = 1_769_904_000;
/// Records that are written by one change set.
const CHUNK: usize = 2_000;
/// Every this many-th asset has no company yet.
const ASTRAY: usize = 97;

/// How many records of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// What it is called.
    pub name: &'static str,
    /// Companies.
    pub companies: usize,
    /// Contacts.
    pub contacts: usize,
    /// Assets.
    pub assets: usize,
}

/// The directory of a usual service provider.
pub const MEDIUM: Size = Size { name: "medium", companies: 200, contacts: 5_000, assets: 10_000 };
/// The same with ten times as many assets.
pub const LARGE: Size = Size { name: "large", companies: 200, contacts: 5_000, assets: 100_000 };

/// Who there is beside the accounts of every Nexus: name, role, and whether they belong to a company.
pub const USERS: &[(&str, &str, bool)] = &[
    ("load-admin", "admin", false),
    ("load-billing", "billing", false),
    ("load-client-1", "client", true),
    ("load-client-2", "client", true),
    ("load-client-3", "client", true),
];

/// A world in a database.
#[derive(Clone, Debug)]
pub struct World {
    /// How large it is.
    pub size: Size,
    /// The companies' ids, by number.
    pub companies: Vec<i64>,
    /// The contacts' ids, by number.
    pub contacts: Vec<i64>,
    /// The assets' ids, by number.
    pub assets: Vec<i64>,
    /// The users' ids, as in [`USERS`].
    pub users: Vec<i64>,
}

impl World {
    /// Writes a world of that size into a new directory. The users have the password of that hash.
    pub async fn write(db: &Db, size: Size, password_hash: &str) -> Self {
        let mut world = Self { size, companies: vec![], contacts: vec![], assets: vec![], users: vec![] };
        world.companies = create(db, Entity::Company, size.companies, company).await;
        let companies = &world.companies;
        world.contacts = create(db, Entity::Contact, size.contacts, |n| contact(n, companies)).await;
        let contacts = &world.contacts;
        world.assets = create(db, Entity::Asset, size.assets, |n| asset(n, companies, contacts)).await;
        world.users = create(db, Entity::User, USERS.len(), |n| user(n, companies)).await;
        for &id in &world.users {
            accounts::set_password(db, id, password_hash, false).await.unwrap();
        }
        world
    }

    /// The name of an asset.
    #[must_use]
    pub fn hostname(&self, n: usize) -> String {
        let (company, person) = home(n, self.size.companies, self.size.contacts);
        hostname(n, Machine::of(n), company, person)
    }
}

/// Writes `count` records of a kind, a chunk at a time; their ids.
async fn create(db: &Db, entity: Entity, count: usize, record: impl Fn(usize) -> Map<String, Value>) -> Vec<i64> {
    let actor = Actor { user_id: None, name: "load".into() };
    let deed = Deed::new(actor, Origin::System, "Made up to be measured");
    let mut ids = Vec::with_capacity(count);
    for start in (0..count).step_by(CHUNK) {
        let numbers = start..count.min(start + CHUNK);
        let parsed = numbers.map(|n| fields::parse(entity, &record(n)).unwrap());
        let edits = parsed.map(|fields| Edit::Create { entity, fields }).collect();
        ids.extend(change(db, &deed, edits).await.unwrap().records.iter().map(|record| record.id));
    }
    ids
}

/// The account number of a company.
#[must_use]
pub fn account_number(n: usize) -> String {
    // A step without a common divisor with 900,000 visits every six-digit number once.
    (100_000 + n * 127_447 % 900_000).to_string()
}

/// A company.
#[must_use]
pub fn company(n: usize) -> Map<String, Value> {
    let mut dice = Dice::new(Entity::Company, n);
    let domain = domain(n);
    record([
        ("account_number", json!(account_number(n))),
        ("name", json!(company_name(n))),
        ("freshservice_id", json!(21_000_100_000_i64 + dice.between(0, 99) + whole(n) * 100)),
        ("description", dice.maybe(40, |_| json!("Client since the merger; ask for the office manager first."))),
        ("plan_selected", json!(dice.pick(&["Break Fix", "Essential", "Complete", "Complete Plus"]))),
        ("profit_or_non_profit", json!(if dice.percent(8) { "Non Profit" } else { "Profit" })),
        ("company_main_number", phone(&mut dice)),
        ("company_start_date", json!(day(NOW - dice.between(90, 4_000) * 86_400))),
        ("head_name", json!(name(n * 7))),
        ("primary_contact_name", json!(name(n * 7 + 3))),
        ("domains", json!([domain, format!("mail.{domain}")])),
        ("address", json!(format!("{} {}, {}", dice.between(1, 400), dice.pick(STREETS), dice.pick(TOWNS)))),
        ("phone_system", json!(dice.pick(&["RingCentral", "3CX", "Microsoft Teams", "Zoom Phone"]))),
        ("email_system", json!(dice.pick(&["Microsoft 365", "Microsoft 365", "Google Workspace"]))),
    ])
}

/// A contact, of one company or two of these (ids).
#[must_use]
pub fn contact(n: usize, companies: &[i64]) -> Map<String, Value> {
    let mut dice = Dice::new(Entity::Contact, n);
    let company = company_of_person(n, companies.len());
    let name = name(n);
    let address = format!("{}{n}@{}", login(n), domain(company));
    let second = if dice.percent(10) { dice.below(companies.len()) } else { company };
    let company_ids = BTreeSet::from([companies[company], companies[second]]);
    record([
        ("name", json!(name)),
        ("title", dice.maybe(80, |dice| json!(dice.pick(TITLES)))),
        ("employment_type", json!(if dice.percent(85) { "Full Time" } else { "Part Time" })),
        ("active", json!(dice.percent(94))),
        ("mobile_phone_number", dice.maybe(45, phone)),
        ("work_phone_number", dice.maybe(70, phone)),
        ("secondary_emails", json!(if dice.percent(15) { vec![format!("info.{address}")] } else { vec![] })),
        ("email", json!(address)),
        ("company_ids", json!(company_ids)),
    ])
}

/// Whether an asset belongs to a company; few do not.
#[must_use]
pub const fn has_company(n: usize) -> bool {
    n % ASTRAY != ASTRAY - 1
}

/// An asset as Datto RMM tells one, of one of these companies and at times one of these contacts (ids).
#[must_use]
pub fn asset(n: usize, companies: &[i64], contacts: &[i64]) -> Map<String, Value> {
    let (company, person) = home(n, companies.len(), contacts.len());
    let mut asset = device(n, company, person);
    if has_company(n) {
        asset.insert("company_id".to_owned(), json!(companies[company]));
        if Dice::new(Entity::Location, n).percent(40) {
            asset.insert("contact_ids".to_owned(), json!([contacts[person]]));
        }
    }
    asset
}

/// An asset as a caller of the API sends it, with the account number of its company.
#[must_use]
pub fn asset_body(n: usize, size: Size) -> Map<String, Value> {
    let (company, person) = home(n, size.companies, size.contacts);
    let mut asset = device(n, company, person);
    asset.insert("company_account_number".to_owned(), json!(account_number(company)));
    asset
}

/// What an asset has beside its links.
fn device(n: usize, company: usize, person: usize) -> Map<String, Value> {
    let mut dice = Dice::new(Entity::Asset, n);
    let machine = Machine::of(n);
    let online = dice.percent(70);
    let seen = NOW - if online { dice.between(0, 300) } else { dice.between(600, 20 * 86_400) };
    let backup = dice.percent(if machine.is_server() { 85 } else { 15 });
    let bytes = dice.between(20_000_000_000, 9_000_000_000_000);
    let hundredths = bytes / 10_000_000_000;
    let workgroup = prefix(company);
    let id = 1_400_000 + n * 3;
    record([
        ("hostname", json!(hostname(n, machine, company, person))),
        ("hardware_type", json!(machine.hardware())),
        ("operating_system", json!(machine.system(&mut dice))),
        ("last_logged_in_user", dice.maybe(90, |_| json!(format!("{workgroup}\\{}", login(person))))),
        ("datto_site_name", json!(company_name(company))),
        ("antivirus_product", dice.maybe(96, |dice| json!(dice.pick(ANTIVIRUS)))),
        ("description", dice.maybe(30, |dice| json!(format!("{} {}", machine.hardware(), dice.pick(PLACES))))),
        ("ext_ip_address", json!(format!("203.0.{}.{}", company % 250, dice.between(1, 254)))),
        ("int_ip_address", json!(format!("192.168.{}.{}", company % 250, dice.between(2, 254)))),
        ("domain", json!(if dice.percent(80) { domain(company) } else { "WORKGROUP".to_owned() })),
        ("last_audit_date", json!(at(&mut dice, NOW - 86_400))),
        ("last_reboot", dice.maybe(97, |dice| json!(at(dice, NOW - 30 * 86_400)))),
        ("last_seen", json!(at(&mut dice, seen))),
        ("online", json!(online)),
        ("patch_status", json!(dice.pick(PATCHES))),
        ("backup_usage_tb", json!(backup.then(|| format!("{}.{:02}", hundredths / 100, hundredths % 100)))),
        ("backup_data_bytes", json!(backup.then_some(bytes))),
        ("enabled_administrators", dice.maybe(80, |dice| json!(dice.pick(ADMINISTRATORS)))),
        ("device_type", json!(machine.billed(&mut dice))),
        ("portal_url", json!(format!("https://simulated.centrastage.net/csm/device/view/{id}"))),
        ("web_remote_url", json!(format!("https://simulated.rmm.datto.com/web-remote/{id}"))),
    ])
}

/// An account of [`USERS`].
#[must_use]
pub fn user(n: usize, companies: &[i64]) -> Map<String, Value> {
    let (username, role, belongs) = USERS[n];
    let company_ids = if belongs { vec![companies[n % companies.len()]] } else { vec![] };
    record([("username", json!(username)), ("role", json!(role)), ("company_ids", json!(company_ids))])
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The company and the person of an asset, by number.
fn home(n: usize, companies: usize, people: usize) -> (usize, usize) {
    let person = Dice::new(Entity::User, n).below(people);
    (company_of_person(person, companies), person)
}

/// A few companies are large and many are small: the largest has about a fourteenth of all.
fn company_of_person(n: usize, companies: usize) -> usize {
    let drawn = Dice::new(Entity::Location, n).below(1_000_000);
    drawn * drawn / 1_000_000 * companies / 1_000_000
}

fn company_name(n: usize) -> String {
    let mut dice = Dice::new(Entity::Company, n);
    // The pairs are met in turn; where they are used up, a number tells the companies apart.
    let (first, second) = (COMPANY_WORDS[n % COMPANY_WORDS.len()], TRADES[n / COMPANY_WORDS.len() % TRADES.len()]);
    let form = dice.pick(&["LLC", "Inc.", "& Sons", "Partners", "Group"]);
    match n / (COMPANY_WORDS.len() * TRADES.len()) {
        0 => format!("{first} {second} {form}"),
        more => format!("{first} {second} {form} {}", more + 1),
    }
}

fn domain(n: usize) -> String {
    format!("{}{n}.example", COMPANY_WORDS[n % COMPANY_WORDS.len()].to_lowercase())
}

/// The letters with which the names of a company's devices begin.
fn prefix(n: usize) -> String {
    let (first, second) = (COMPANY_WORDS[n % COMPANY_WORDS.len()], TRADES[n / COMPANY_WORDS.len() % TRADES.len()]);
    format!("{}{}", &first[..2], &second[..1]).to_uppercase()
}

fn name(n: usize) -> String {
    let (first, last) = words_of_name(n);
    format!("{first} {last}")
}

fn login(n: usize) -> String {
    let (first, last) = words_of_name(n);
    format!("{}{}", &first[..1], last).to_lowercase()
}

fn words_of_name(n: usize) -> (&'static str, &'static str) {
    let mut dice = Dice::new(Entity::User, n);
    (dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES))
}

/// A number in one of the forms in which people write them.
fn phone(dice: &mut Dice) -> Value {
    let (area, line) = (dice.between(201, 989), dice.between(0, 99));
    json!(match dice.below(7) {
        0 => format!("({area}) 555-01{line:02}"),
        1 => format!("{area}-555-01{line:02}"),
        2 => format!("{area}.555.01{line:02}"),
        3 => format!("+1{area}55501{line:02}"),
        4 => format!("1-{area}-555-01{line:02} x{}", dice.between(100, 499)),
        5 => format!("+44 20 7946 0{area}"),
        _ => format!("{area}55501{line:02}"),
    })
}

/// An instant of the day up to then.
fn at(dice: &mut Dice, then: i64) -> String {
    instant::canonical(Timestamp::from_millisecond(then * 1_000 - dice.between(0, 86_400_000)).unwrap())
}

/// A day as people write it into a field of text.
fn day(second: i64) -> String {
    Timestamp::from_second(second).unwrap().strftime("%Y-%m-%d").to_string()
}

fn whole(n: usize) -> i64 {
    i64::try_from(n).unwrap()
}

fn hostname(n: usize, machine: Machine, company: usize, person: usize) -> String {
    let prefix = prefix(company);
    match machine {
        Machine::Desktop if n.is_multiple_of(5) => format!("DESKTOP-{}", code(n)),
        Machine::Laptop if n.is_multiple_of(5) => format!("LAPTOP-{}", code(n)),
        Machine::Desktop => format!("{prefix}-WS{n:05}"),
        Machine::Laptop => format!("{prefix}-LT{n:05}"),
        Machine::Server => format!("{prefix}-{}{n:05}", Dice::new(Entity::Asset, n).pick(&["DC", "FS", "SQL", "RDS"])),
        Machine::Mac => format!("{}s-MacBook-Pro-{n}.local", words_of_name(person).0),
        Machine::Network => format!("{}-{n:05}", Dice::new(Entity::Asset, n).pick(&["switch-core", "ap-floor", "fw"])),
    }
}

/// Seven letters and digits, as Windows gives them to a device that nobody named.
fn code(n: usize) -> String {
    const SIGNS: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    // An odd step below a power of 36 does not meet a number twice.
    let mut rest = (n + 1) * 1_234_577 % 36_usize.pow(7);
    let mut code = String::new();
    for _ in 0..7 {
        code.push(char::from(SIGNS[rest % 36]));
        rest /= 36;
    }
    code
}

/// What kind of device an asset is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Machine {
    Desktop,
    Laptop,
    Server,
    Mac,
    Network,
}

impl Machine {
    fn of(n: usize) -> Self {
        match Dice::new(Entity::Asset, n).below(100) {
            0..=39 => Self::Laptop,
            40..=71 => Self::Desktop,
            72..=83 => Self::Server,
            84..=92 => Self::Mac,
            _ => Self::Network,
        }
    }

    fn is_server(self) -> bool {
        self == Self::Server
    }

    fn hardware(self) -> &'static str {
        match self {
            Self::Desktop => "Desktop",
            Self::Laptop | Self::Mac => "Laptop",
            Self::Server => "Server",
            Self::Network => "Network Device",
        }
    }

    fn system(self, dice: &mut Dice) -> Option<&'static str> {
        match self {
            Self::Desktop | Self::Laptop => Some(dice.pick(WINDOWS)),
            Self::Server => Some(dice.pick(WINDOWS_SERVER)),
            Self::Mac => Some(dice.pick(MACOS)),
            Self::Network => None,
        }
    }

    fn billed(self, dice: &mut Dice) -> Option<&'static str> {
        match self {
            Self::Server if dice.percent(60) => Some("Virtual Server"),
            Self::Network => None,
            other => Some(other.hardware()),
        }
    }
}

/// Numbers that follow from a kind of record and its number alone (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn new(entity: Entity, n: usize) -> Self {
        let stream = entity.as_str().bytes().fold(0_u64, |sum, byte| sum * 31 + u64::from(byte));
        let mut dice = Self(stream.wrapping_mul(0xD1B5_4A32_D192_ED03) ^ u64::try_from(n).unwrap());
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end - 1`.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from((u128::from(self.next()) * u128::try_from(end).unwrap()) >> 64).unwrap()
    }

    /// A number from `low` to `high`, both included.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + whole(self.below(usize::try_from(high - low + 1).unwrap()))
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from[self.below(from.len())]
    }

    /// A value with that chance in a hundred, else none.
    fn maybe(&mut self, chance: usize, value: impl FnOnce(&mut Self) -> Value) -> Value {
        if self.percent(chance) { value(self) } else { Value::Null }
    }
}

const COMPANY_WORDS: &[&str] = &[
    "Alder",
    "Birchwood",
    "Cobalt",
    "Dunmore",
    "Evergreen",
    "Fairview",
    "Granite",
    "Harbor",
    "Ironbridge",
    "Juniper",
    "Kestrel",
    "Lakeside",
    "Meridian",
    "Northgate",
    "Oakhurst",
    "Pinnacle",
    "Quarry",
    "Redstone",
    "Summit",
    "Tidewater",
];
const TRADES: &[&str] = &[
    "Accounting",
    "Builders",
    "Clinic",
    "Dental",
    "Engineering",
    "Freight",
    "Gardens",
    "Hospitality",
    "Insurance",
    "Joinery",
    "Kitchens",
    "Legal",
];
const FIRST_NAMES: &[&str] = &[
    "Olivia", "James", "Ava", "Ethan", "Grace", "Marcus", "Hannah", "Tyrone", "Chloe", "Diego", "Maya", "Kevin",
    "Priya", "Brandon", "Naomi", "Luis", "Rachel", "Omar", "Megan", "Trevor",
];
const LAST_NAMES: &[&str] = &[
    "Whitaker",
    "Alvarez",
    "Johnson",
    "Nguyen",
    "Peterson",
    "Castillo",
    "Bennett",
    "Kowalski",
    "Patel",
    "Ramirez",
    "Foster",
    "Goldberg",
    "Chen",
    "Washington",
    "Lindqvist",
    "Hayes",
    "Romano",
    "Park",
    "Sutherland",
    "Delgado",
];
const TITLES: &[&str] =
    &["Office Manager", "Engineer", "Accountant", "Chief Executive Officer", "Nurse", "Sales Representative"];
const STREETS: &[&str] = &["Peachtree Street NE", "Long Street", "Market Square", "Industrial Boulevard, Suite 210"];
const TOWNS: &[&str] = &["Atlanta, GA 30303", "Columbus, OH 43215", "Portland, OR 97204", "Savannah, GA 31401"];
const PLACES: &[&str] = &["in the front office", "in the server room, second rack", "lent to the warehouse", "spare"];
const WINDOWS: &[&str] = &[
    "Microsoft Windows 11 Pro 10.0.26100",
    "Microsoft Windows 11 Pro 10.0.22631",
    "Microsoft Windows 11 Enterprise 10.0.22631",
    "Microsoft Windows 10 Pro 10.0.19045",
];
const WINDOWS_SERVER: &[&str] = &[
    "Microsoft Windows Server 2022 Standard 10.0.20348",
    "Microsoft Windows Server 2019 Standard 10.0.17763",
    "Microsoft Windows Server 2016 Datacenter 10.0.14393",
];
const MACOS: &[&str] = &["Apple macOS 15.3 (24D60)", "Apple macOS 14.7.2 (23H311)"];
const ANTIVIRUS: &[&str] =
    &["Windows Defender", "Datto AV", "SentinelOne", "Bitdefender Endpoint Security", "Webroot SecureAnywhere"];
const PATCHES: &[&str] = &["FullyPatched", "FullyPatched", "ApprovedPending", "RebootRequired", "InstallError"];
const ADMINISTRATORS: &[&str] =
    &["Administrator", "Administrator, localadmin", "localadmin", "Administrator, scanner, it"];

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use nexus_core::{Entity, fields};
    use serde_json::{Map, Value};

    use super::{LARGE, MEDIUM, Size, USERS, asset, asset_body, company, contact, user};

    fn ids(first: i64, count: usize) -> Vec<i64> {
        (first..).take(count).collect()
    }

    /// Every record of a world with that many assets, each kind's ids being made up.
    fn records(size: Size) -> Vec<(Entity, Map<String, Value>)> {
        let (companies, contacts) = (ids(1, size.companies), ids(1_000, size.contacts));
        let mut records: Vec<_> = (0..size.companies).map(|n| (Entity::Company, company(n))).collect();
        records.extend((0..size.contacts).map(|n| (Entity::Contact, contact(n, &companies))));
        records.extend((0..size.assets).map(|n| (Entity::Asset, asset(n, &companies, &contacts))));
        records.extend((0..USERS.len()).map(|n| (Entity::User, user(n, &companies))));
        records
    }

    #[test]
    fn a_world_is_the_same_each_time_and_every_field_parses() {
        let world = records(MEDIUM);
        assert_eq!(world, records(MEDIUM));
        for (entity, given) in &world {
            let mut parsed = fields::parse(*entity, given).unwrap();
            assert_eq!(fields::complete(*entity, &mut parsed), Ok(()), "{given:?}");
            // What is written in canonical form is what a source would tell.
            assert!(
                given.iter().all(|(name, value)| entity.field(name).is_some() && parsed[name] == *value),
                "{given:?}"
            );
        }
    }

    #[test]
    fn unique_fields_are_unique_and_so_are_the_hostnames_of_the_large_world() {
        let world = records(LARGE);
        for (kind, name) in
            [(Entity::Company, "account_number"), (Entity::Contact, "email"), (Entity::Asset, "hostname")]
        {
            let mut seen = HashSet::new();
            for (_, fields) in world.iter().filter(|(entity, _)| *entity == kind) {
                let value = fields[name].as_str().unwrap().to_lowercase();
                assert!(seen.insert(value), "{}", fields[name]);
            }
        }
    }

    #[test]
    fn a_few_companies_have_most_of_the_assets() {
        let mut owned: HashMap<Option<i64>, usize> = HashMap::new();
        for (_, fields) in records(MEDIUM).iter().filter(|(entity, _)| *entity == Entity::Asset) {
            *owned.entry(fields.get("company_id").and_then(Value::as_i64)).or_default() += 1;
        }
        assert!(owned.remove(&None).is_some_and(|astray| astray > 0));
        assert_eq!(owned.len(), MEDIUM.companies);
        let mut counts: Vec<_> = owned.into_values().collect();
        counts.sort_unstable();
        assert!(counts[counts.len() - 1] > 10 * counts[counts.len() / 2], "{counts:?}");
    }

    #[test]
    fn an_asset_that_is_sent_is_the_asset_with_its_number() {
        let (mut sent, kept) = (asset_body(3, MEDIUM), asset(3, &ids(1, 200), &ids(1_000, 5_000)));
        assert!(sent.remove("company_account_number").is_some());
        assert!(sent.iter().all(|(name, value)| kept[name] == *value));
    }
}
