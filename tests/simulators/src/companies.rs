//! The companies that both simulators tell of.

use std::collections::HashSet;

use crate::random::Random;
use crate::words;

/// 2026-02-01T00:00:00Z: the moment at which every generated world stands still.
pub(crate) const NOW: i64 = 1_769_904_000;

/// One client of the service provider, before a vendor's form is put on it.
pub(crate) struct Company {
    pub(crate) name: String,
    /// Under `.example`, which nobody can own.
    pub(crate) domain: String,
    /// Six digits, unique; about one company in a hundred has none.
    pub(crate) account_number: Option<i64>,
    /// Index into the regional word lists.
    pub(crate) region: usize,
    pub(crate) address: String,
    pub(crate) main_number: String,
    pub(crate) non_profit: bool,
    /// Unix seconds.
    pub(crate) since: i64,
}

pub(crate) fn generate(count: usize, seed: u64) -> Vec<Company> {
    let mut random = Random::new(seed, 1);
    let first_number = random.between(0, 899_999);
    let mut names = HashSet::with_capacity(count);
    let mut domains = HashSet::with_capacity(count);
    (0..count)
        .map(|index| {
            let region = [0, 0, 0, 1, 1, 2, 2, 3][random.below(8)];
            let non_profit = random.percent(8);
            let (town, postal_code) = words::TOWNS[region][random.below(words::TOWNS[region].len())];
            let mut name = name(&mut random, region, non_profit, town);
            let mut tries = 0;
            while !names.insert(name.clone()) {
                tries += 1;
                name = if tries < 4 {
                    self::name(&mut random, region, non_profit, town)
                } else {
                    format!("{name} {}", index + 1)
                };
            }
            let domain = domain(&name, region, index, &mut domains);
            Company {
                // A step without a common divisor with 900 000 visits every six-digit number once.
                account_number: (index % 100 != 7).then(|| {
                    let step = i64::try_from(index % 900_000).unwrap_or(0) * 127_447;
                    100_000 + (first_number + step) % 900_000
                }),
                address: address(&mut random, region, town, postal_code),
                main_number: phone(&mut random, region),
                since: NOW - random.between(90, 4_000) * 86_400,
                name,
                domain,
                region,
                non_profit,
            }
        })
        .collect()
}

fn name(random: &mut Random, region: usize, non_profit: bool, town: &str) -> String {
    if non_profit {
        return format!("{town} {}", random.pick(words::CHARITIES[region]));
    }
    let family = random.pick(words::LAST_NAMES[region]);
    let trade = random.pick(words::TRADES[region]);
    let legal_form = random.pick(words::LEGAL_FORMS[region]);
    let name = match random.below(4) {
        0 => format!("{family} & {} {trade}", random.pick(words::LAST_NAMES[region])),
        1 => format!("{town} {trade}"),
        _ => format!("{family} {trade}"),
    };
    format!("{name} {legal_form}").trim_end().to_owned()
}

/// The name without its legal form, as far as that is free.
fn domain(name: &str, region: usize, index: usize, taken: &mut HashSet<String>) -> String {
    let mut forms = words::LEGAL_FORMS[region].iter().filter(|form| !form.is_empty());
    let short = forms.find_map(|form| name.strip_suffix(form)).unwrap_or(name);
    let free = [slug(short), slug(name)].into_iter().find(|slug| !taken.contains(slug));
    let free = free.unwrap_or_else(|| format!("{}-{}", slug(name), index + 1));
    taken.insert(free.clone());
    format!("{free}.example")
}

fn address(random: &mut Random, region: usize, town: &str, postal_code: &str) -> String {
    let street = random.pick(words::STREETS[region]);
    let number = random.between(1, 240);
    match region {
        0 => format!("{number} {street}, {town}, {postal_code}"),
        1 => format!("{number} {street}\n{town}\n{postal_code}"),
        2 => format!("{street} {number}, {postal_code} {town}"),
        _ => format!("{number}, {street}, {postal_code} {town}"),
    }
}

/// A number from the ranges set aside for fiction, written as people write them: there is no one format.
pub(crate) fn phone(random: &mut Random, region: usize) -> String {
    let line = random.between(0, 99);
    let form = random.below(4);
    let extension = random.between(10, 999);
    match region {
        0 => {
            let area = random.between(201, 989);
            match form {
                0 => format!("({area}) 555-01{line:02}"),
                1 => format!("{area}.555.01{line:02}"),
                2 => format!("+1 {area}-555-01{line:02} x{extension}"),
                _ => format!("+1{area}55501{line:02}"),
            }
        }
        1 => match form {
            0 => format!("020 7946 0{extension:03}"),
            1 => format!("+44 20 7946 0{extension:03}"),
            2 => format!("07700 900{extension:03}"),
            _ => format!("+44 (0)20 7946 0{extension:03}"),
        },
        2 => match form {
            0 => format!("030 23125{extension:03}"),
            1 => format!("+49 30 23125 {extension:03}"),
            2 => format!("+49 (0) 30 / 23125-{extension:03}"),
            _ => format!("004930 23125{extension:03}"),
        },
        _ => match form {
            0 => format!("01 99 00 {line:02} {:02}", extension % 100),
            1 => format!("+33 1 99 00 {line:02} {:02}", extension % 100),
            2 => format!("01.99.00.{line:02}.{:02}", extension % 100),
            _ => format!("06 39 98 {line:02} {:02}", extension % 100),
        },
    }
}

/// Lower-case ASCII letters, digits and hyphens, with umlauts and accents written out.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => slug.push(letter),
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            'á' | 'à' | 'â' => slug.push('a'),
            'é' | 'è' | 'ê' | 'ë' => slug.push('e'),
            'í' | 'î' | 'ï' | 'ı' => slug.push('i'),
            'ó' | 'ô' => slug.push('o'),
            'ù' | 'û' => slug.push('u'),
            'ç' => slug.push('c'),
            'ñ' => slug.push('n'),
            'ş' => slug.push('s'),
            ' ' | '-' if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// RFC 3339 in UTC, whole seconds.
pub(crate) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}
