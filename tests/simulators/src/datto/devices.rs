//! The devices of the sites.

use super::records::{Antivirus, Device, DeviceType, PatchManagement, Site, Text};
use crate::companies::{Company, NOW, rfc3339, slug};
use crate::random::Random;
use crate::words;

const WINDOWS: &[&str] = &[
    "Microsoft Windows 11 Pro 10.0.26100",
    "Microsoft Windows 11 Pro 10.0.22631",
    "Microsoft Windows 11 Enterprise 10.0.22631",
    "Microsoft Windows 10 Pro 10.0.19045",
    "Microsoft Windows 10 Pro 10.0.19045",
    "Microsoft Windows 7 Professional 6.1.7601",
];
const WINDOWS_SERVER: &[&str] = &[
    "Microsoft Windows Server 2022 Standard 10.0.20348",
    "Microsoft Windows Server 2019 Standard 10.0.17763",
    "Microsoft Windows Server 2016 Datacenter 10.0.14393",
    "Microsoft Windows Server 2012 R2 Standard 6.3.9600",
];
const MACOS: &[&str] = &["Apple macOS 15.3 (24D60)", "Apple macOS 14.7.2 (23H311)", "Apple macOS 13.7.4 (22H420)"];
const LINUX: &[&str] = &["Ubuntu 24.04.1 LTS", "Debian GNU/Linux 12 (bookworm)", "AlmaLinux 9.5 (Teal Serval)"];
const ANTIVIRUS: &[&str] = &[
    "Windows Defender",
    "Windows Defender",
    "Datto AV",
    "SentinelOne",
    "Bitdefender Endpoint Security",
    "Webroot SecureAnywhere",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Desktop,
    Laptop,
    Server,
    Mac,
    Linux,
    EsxiHost,
    Printer,
    Network,
}

/// `count` devices over the sites of the companies, ordered by site.
pub(super) fn generate(count: usize, companies: &[Company], sites: &[Site], seed: u64) -> Vec<Device> {
    if companies.is_empty() {
        return Vec::new();
    }
    let mut random = Random::new(seed, 8);
    // The smaller of two draws: few large sites, many small ones.
    let mut homes: Vec<usize> =
        (0..count).map(|_| random.below(companies.len()).min(random.below(companies.len()))).collect();
    homes.sort_unstable();
    let mut id = 1_400_000;
    let mut previous: Option<Text> = None;
    homes
        .into_iter()
        .enumerate()
        .map(|(index, home)| {
            id += random.between(1, 4);
            let mut device = device(&mut random, id, index, &companies[home], &sites[home]);
            // A cloned machine keeps its name.
            if index % 211 == 210 {
                device.hostname.clone_from(&previous);
            }
            previous.clone_from(&device.hostname);
            device
        })
        .collect()
}

fn device(random: &mut Random, id: i64, index: usize, company: &Company, site: &Site) -> Device {
    let kind = match random.below(100) {
        0..=37 => Kind::Laptop,
        38..=67 => Kind::Desktop,
        68..=76 => Kind::Server,
        77..=84 => Kind::Mac,
        85..=88 => Kind::Linux,
        89..=90 => Kind::EsxiHost,
        91..=94 => Kind::Printer,
        _ => Kind::Network,
    };
    let prefix: String = slug(&company.name).split('-').filter_map(|word| word.chars().next()).take(4).collect();
    let hostname = hostname(random, kind, &prefix.to_uppercase());
    let created = NOW - random.between(1, 1_500) * 86_400;
    let online = random.percent(if site.on_demand == Some(true) { 10 } else { 72 });
    let last_seen = NOW - if online { random.between(0, 300) } else { random.between(600, 20 * 86_400) };
    let net = index % 200;
    let mut device = Device {
        device_type: Some(device_type(kind)),
        int_ip_address: Some(format!("192.168.{}.{}", net, random.between(2, 250)).into()),
        ext_ip_address: Some(format!("203.0.113.{}", random.between(1, 254)).into()),
        online: Some(online),
        last_seen: Some(last_seen.max(created) * 1_000),
        last_audit_date: Some((NOW - random.between(0, 86_400)) * 1_000),
        creation_date: Some(created * 1_000),
        portal_url: Some(format!("https://simulated.centrastage.net/csm/device/view/{id}").into()),
        suspended: Some(random.percent(1)),
        ..Device::new(id, &random.uuid(), site, &hostname)
    };
    match kind {
        Kind::Network => network(random, &mut device),
        Kind::Printer => printer(&mut device),
        _ => computer(random, kind, company, &mut device),
    }
    device
}

fn hostname(random: &mut Random, kind: Kind, prefix: &str) -> String {
    let number = random.below(1_000);
    match kind {
        Kind::Desktop if random.percent(20) => format!("DESKTOP-{}", random.word(7).to_uppercase()),
        Kind::Laptop if random.percent(20) => format!("LAPTOP-{}", random.word(8).to_uppercase()),
        Kind::Desktop => format!("{prefix}-WS{number:03}"),
        Kind::Laptop if random.percent(15) => format!("{}-lt{number:03}", prefix.to_lowercase()),
        Kind::Laptop => format!("{prefix}-LT{number:03}"),
        Kind::Server => format!("{prefix}-{}{:02}", random.pick(&["DC", "FS", "SQL", "RDS", "APP"]), number % 5 + 1),
        Kind::Mac => format!("{}s-MacBook-Pro.local", slug(random.pick(words::FIRST_NAMES[0]))),
        Kind::Linux => format!("{}{:02}", random.pick(&["web", "proxy", "backup", "git"]), number % 9 + 1),
        Kind::EsxiHost => format!("esxi{:02}.{}.local", number % 4 + 1, prefix.to_lowercase()),
        Kind::Printer => format!("PRN-{prefix}-{:02}", number % 30),
        Kind::Network => format!("{}-{:02}", random.pick(&["switch-core", "ap-floor", "fw"]), number % 12 + 1),
    }
}

fn device_type(kind: Kind) -> DeviceType {
    let (category, kind) = match kind {
        Kind::Desktop => ("Desktop", "Main System Chassis"),
        Kind::Laptop | Kind::Mac => ("Laptop", "Notebook"),
        Kind::Server | Kind::Linux => ("Server", "Rack Mount Chassis"),
        Kind::EsxiHost => ("ESXi Host", "ESXi Host"),
        Kind::Printer => ("Printer", "Printer"),
        Kind::Network => ("Network Device", "Switch"),
    };
    DeviceType { category: Some(category.into()), kind: Some(kind.into()) }
}

/// What has no agent answers null to most questions.
fn network(random: &mut Random, device: &mut Device) {
    device.device_class = Some("rmmnetworkdevice".into());
    device.ext_ip_address = None;
    device.snmp_enabled = Some(true);
    device.onboarded_via_network_monitor = Some(true);
    device.description = random.percent(50).then_some("Found by the network monitor".into());
}

fn printer(device: &mut Device) {
    device.device_class = Some("printer".into());
    device.ext_ip_address = None;
    device.snmp_enabled = Some(true);
    device.operating_system = Some("".into());
}

fn computer(random: &mut Random, kind: Kind, company: &Company, device: &mut Device) {
    let one_of = |random: &mut Random, from: &[&'static str]| Some(Text::Borrowed(from[random.below(from.len())]));
    let windows = matches!(kind, Kind::Desktop | Kind::Laptop | Kind::Server);
    let server = matches!(kind, Kind::Server | Kind::Linux | Kind::EsxiHost);
    device.operating_system = match kind {
        Kind::Server => one_of(random, WINDOWS_SERVER),
        Kind::Mac => one_of(random, MACOS),
        Kind::Linux => one_of(random, LINUX),
        Kind::EsxiHost => Some("VMware ESXi 8.0.3".into()),
        _ => one_of(random, WINDOWS),
    };
    if kind == Kind::EsxiHost {
        device.device_class = Some("esxihost".into());
        return;
    }
    let words = slug(&company.name);
    let workgroup = words.split('-').find(|word| word.len() > 3).unwrap_or("office").to_uppercase();
    let first_name = slug(random.pick(words::FIRST_NAMES[company.region]));
    device.last_logged_in_user = match random.below(10) {
        0 => None,
        1 | 2 if windows => Some(format!("{workgroup}\\administrator").into()),
        _ if windows => Some(format!("{workgroup}\\{first_name}").into()),
        _ => Some(first_name.into()),
    };
    device.domain =
        windows.then(|| if random.percent(80) { company.domain.clone().into() } else { "WORKGROUP".into() });
    device.cag_version = Some("4.4.2210.2210".into());
    device.display_version = Some("14.9.0".into());
    device.a64_bit = Some(true);
    device.reboot_required = random.percent(97).then(|| random.percent(12));
    device.last_reboot = random.percent(97).then(|| (NOW - random.between(600, 90 * 86_400)) * 1_000);
    device.warranty_date =
        random.percent(70).then(|| rfc3339(NOW + random.between(-900, 1_000) * 86_400)[..10].to_owned().into());
    device.antivirus = random.percent(96).then(|| antivirus(random, kind));
    device.patch_management = windows.then(|| patches(random));
    device.software_status = random.percent(60).then_some("Compliant".into());
    device.web_remote_url = Some(format!("https://simulated.rmm.datto.com/web-remote/{}", device.id).into());
    user_defined(random, kind, server, device);
}

fn antivirus(random: &mut Random, kind: Kind) -> Antivirus {
    if kind == Kind::Linux || random.percent(3) {
        return Antivirus { product: None, status: Some("NotDetected".into()) };
    }
    let status = match random.below(20) {
        0 => "NotRunning",
        1 | 2 => "RunningAndNotUpToDate",
        _ => "RunningAndUpToDate",
    };
    let product = if kind == Kind::Mac { "SentinelOne" } else { ANTIVIRUS[random.below(ANTIVIRUS.len())] };
    Antivirus { product: Some(product.into()), status: Some(status.into()) }
}

fn patches(random: &mut Random) -> PatchManagement {
    let (status, pending) = match random.below(10) {
        0 => ("RebootRequired", 0),
        1 => ("InstallError", random.between(1, 5)),
        2 | 3 => ("ApprovedPending", random.between(1, 20)),
        4 => ("NoPolicy", 0),
        _ => ("FullyPatched", 0),
    };
    PatchManagement {
        patch_status: Some(status.into()),
        patches_approved_pending: Some(pending),
        patches_not_approved: Some(random.between(0, 12)),
        patches_installed: random.percent(95).then(|| random.between(20, 400)),
    }
}

/// Field 4 names enabled administrators, 6 counts the bytes of the backup, 7 says what kind of machine it is.
fn user_defined(random: &mut Random, kind: Kind, server: bool, device: &mut Device) {
    if matches!(kind, Kind::Desktop | Kind::Laptop | Kind::Server) && random.percent(80) {
        let administrators = ["Administrator", "Administrator, localadmin", "localadmin", "Administrator, scanner, it"];
        device.udf.push((4, administrators[random.below(4)].into()));
    }
    if random.percent(if server { 85 } else { 15 }) {
        device.udf.push((6, random.between(20_000_000_000, 9_000_000_000_000).to_string().into()));
    }
    let machine = match kind {
        Kind::Laptop | Kind::Mac => "Laptop",
        Kind::Desktop => "Desktop",
        _ if random.percent(60) => "Virtual Server",
        _ => "Server",
    };
    if random.percent(92) {
        device.udf.push((7, machine.into()));
    }
}
