-- The directory: every kind of record carries id, version, created_at, updated_at and archived_at.
-- Instants are text in one canonical form (see nexus-core, `instant`), so they sort and compare as text in both databases.
-- Text is collated bytewise, as in SQLite, so that order and lower() agree.
-- Ids of records come from `sequences`, never from the database, so that an id is never used again.

CREATE TABLE sequences (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE companies (
    id                   BIGINT NOT NULL PRIMARY KEY,
    version              BIGINT NOT NULL,
    created_at           TEXT COLLATE "C" NOT NULL,
    updated_at           TEXT COLLATE "C" NOT NULL,
    archived_at          TEXT COLLATE "C",
    account_number       TEXT COLLATE "C" NOT NULL,
    name                 TEXT COLLATE "C" NOT NULL,
    freshservice_id      BIGINT,
    description          TEXT COLLATE "C",
    plan_selected        TEXT COLLATE "C",
    profit_or_non_profit TEXT COLLATE "C",
    company_main_number  TEXT COLLATE "C",
    company_start_date   TEXT COLLATE "C",
    head_name            TEXT COLLATE "C",
    primary_contact_name TEXT COLLATE "C",
    domains              TEXT COLLATE "C" NOT NULL,
    address              TEXT COLLATE "C",
    phone_system         TEXT COLLATE "C",
    email_system         TEXT COLLATE "C"
);
CREATE UNIQUE INDEX companies_account_number ON companies (lower(account_number)) WHERE archived_at IS NULL;
CREATE INDEX companies_name ON companies (lower(name), id);
CREATE INDEX companies_freshservice_id ON companies (freshservice_id);

CREATE TABLE locations (
    id           BIGINT NOT NULL PRIMARY KEY,
    version      BIGINT NOT NULL,
    created_at   TEXT COLLATE "C" NOT NULL,
    updated_at   TEXT COLLATE "C" NOT NULL,
    archived_at  TEXT COLLATE "C",
    company_id   BIGINT NOT NULL REFERENCES companies (id),
    name         TEXT COLLATE "C" NOT NULL,
    address      TEXT COLLATE "C",
    phone_number TEXT COLLATE "C"
);
CREATE INDEX locations_company_id ON locations (company_id);

CREATE TABLE contacts (
    id                  BIGINT NOT NULL PRIMARY KEY,
    version             BIGINT NOT NULL,
    created_at          TEXT COLLATE "C" NOT NULL,
    updated_at          TEXT COLLATE "C" NOT NULL,
    archived_at         TEXT COLLATE "C",
    name                TEXT COLLATE "C" NOT NULL,
    email               TEXT COLLATE "C",
    title               TEXT COLLATE "C",
    employment_type     TEXT COLLATE "C",
    active              BOOLEAN NOT NULL,
    mobile_phone_number TEXT COLLATE "C",
    work_phone_number   TEXT COLLATE "C",
    secondary_emails    TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX contacts_email ON contacts (lower(email)) WHERE archived_at IS NULL;
CREATE INDEX contacts_name ON contacts (lower(name), id);

CREATE TABLE contact_companies (
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    company_id BIGINT NOT NULL REFERENCES companies (id),
    PRIMARY KEY (contact_id, company_id)
);
CREATE INDEX contact_companies_company_id ON contact_companies (company_id, contact_id);

CREATE TABLE assets (
    id                     BIGINT NOT NULL PRIMARY KEY,
    version                BIGINT NOT NULL,
    created_at             TEXT COLLATE "C" NOT NULL,
    updated_at             TEXT COLLATE "C" NOT NULL,
    archived_at            TEXT COLLATE "C",
    hostname               TEXT COLLATE "C" NOT NULL,
    company_id             BIGINT REFERENCES companies (id),
    hardware_type          TEXT COLLATE "C",
    operating_system       TEXT COLLATE "C",
    last_logged_in_user    TEXT COLLATE "C",
    datto_site_name        TEXT COLLATE "C",
    antivirus_product      TEXT COLLATE "C",
    description            TEXT COLLATE "C",
    ext_ip_address         TEXT COLLATE "C",
    int_ip_address         TEXT COLLATE "C",
    domain                 TEXT COLLATE "C",
    last_audit_date        TEXT COLLATE "C",
    last_reboot            TEXT COLLATE "C",
    last_seen              TEXT COLLATE "C",
    online                 BOOLEAN,
    patch_status           TEXT COLLATE "C",
    backup_usage_tb        TEXT COLLATE "C",
    backup_data_bytes      BIGINT,
    enabled_administrators TEXT COLLATE "C",
    device_type            TEXT COLLATE "C",
    portal_url             TEXT COLLATE "C",
    web_remote_url         TEXT COLLATE "C"
);
CREATE INDEX assets_hostname ON assets (lower(hostname), id);
CREATE INDEX assets_company_id ON assets (company_id);

CREATE TABLE asset_contacts (
    asset_id   BIGINT NOT NULL REFERENCES assets (id),
    contact_id BIGINT NOT NULL REFERENCES contacts (id),
    PRIMARY KEY (asset_id, contact_id)
);
CREATE INDEX asset_contacts_contact_id ON asset_contacts (contact_id, asset_id);

CREATE TABLE users (
    id              BIGINT NOT NULL PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TEXT COLLATE "C" NOT NULL,
    updated_at      TEXT COLLATE "C" NOT NULL,
    archived_at     TEXT COLLATE "C",
    username        TEXT COLLATE "C" NOT NULL,
    email           TEXT COLLATE "C",
    role            TEXT COLLATE "C" NOT NULL CHECK (role IN ('admin', 'technician', 'client', 'billing')),
    service_account BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (lower(username)) WHERE archived_at IS NULL;

CREATE TABLE user_companies (
    user_id    BIGINT NOT NULL REFERENCES users (id),
    company_id BIGINT NOT NULL REFERENCES companies (id),
    PRIMARY KEY (user_id, company_id)
);
CREATE INDEX user_companies_company_id ON user_companies (company_id, user_id);

INSERT INTO sequences (name, value)
VALUES ('feed', 0), ('company', 0), ('location', 0), ('contact', 0), ('asset', 0), ('user', 0);

-- What proves who somebody is. None of it is part of a record, so none of it reaches the history or the feed.

CREATE TABLE passwords (
    user_id    BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    hash       TEXT COLLATE "C" NOT NULL,
    is_default BOOLEAN NOT NULL,
    changed_at TEXT COLLATE "C" NOT NULL
);

CREATE TABLE sessions (
    token_hash TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    created_at TEXT COLLATE "C" NOT NULL,
    expires_at TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE api_keys (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id),
    prefix       TEXT COLLATE "C" NOT NULL,
    hash         TEXT COLLATE "C" NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    created_at   TEXT COLLATE "C" NOT NULL,
    expires_at   TEXT COLLATE "C",
    last_used_at TEXT COLLATE "C",
    revoked_at   TEXT COLLATE "C"
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);
CREATE INDEX api_keys_user_id ON api_keys (user_id);

-- `subject` is `account:` and the lower-case name, or `address:` and the client's address.
CREATE TABLE login_failures (
    subject       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    last_at       TEXT COLLATE "C" NOT NULL,
    blocked_until TEXT COLLATE "C"
);

-- Plans and what they include; a company may have its own value for a feature.

CREATE TABLE plans (
    id       BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name     TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL
);
CREATE UNIQUE INDEX plans_name ON plans (lower(name));

CREATE TABLE features (
    id       BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name     TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL
);
CREATE UNIQUE INDEX features_name ON features (lower(name));

CREATE TABLE plan_features (
    plan_id    BIGINT NOT NULL REFERENCES plans (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    value      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (plan_id, feature_id)
);

CREATE TABLE feature_overrides (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    value      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (company_id, feature_id)
);

-- The history. A change set is one deed; its applied changes are the audit log and, by `cursor`, the change feed.

CREATE TABLE changesets (
    id         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    state      TEXT COLLATE "C" NOT NULL
               CHECK (state IN ('proposed', 'held', 'applied', 'rejected', 'stale', 'reverted')),
    origin     TEXT COLLATE "C" NOT NULL,
    author_id  BIGINT REFERENCES users (id),
    author     TEXT COLLATE "C" NOT NULL,
    reason     TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C",
    reverts_id BIGINT REFERENCES changesets (id),
    run_id     BIGINT,
    created_at TEXT COLLATE "C" NOT NULL,
    decided_at TEXT COLLATE "C",
    decided_by TEXT COLLATE "C"
);
CREATE INDEX changesets_state ON changesets (state, id);

CREATE TABLE changes (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    changeset_id BIGINT NOT NULL REFERENCES changesets (id),
    cursor       BIGINT,
    entity       TEXT COLLATE "C" NOT NULL,
    record_id    BIGINT NOT NULL,
    action       TEXT COLLATE "C" NOT NULL CHECK (action IN ('create', 'update', 'archive', 'restore', 'link')),
    state        TEXT COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'applied', 'stale', 'rejected')),
    reason       TEXT COLLATE "C",
    version      BIGINT,
    before       JSONB NOT NULL,
    after        JSONB NOT NULL,
    link         JSONB,
    at           TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX changes_cursor ON changes (cursor);
CREATE INDEX changes_changeset_id ON changes (changeset_id, id);
CREATE INDEX changes_record ON changes (entity, record_id, id);

-- Where synced records come from. `vendor_values` are the source's latest, applied or not; `hash` covers what was
-- planned from them, so an unchanged record costs nothing.

CREATE TABLE source_links (
    source           TEXT COLLATE "C" NOT NULL,
    entity           TEXT COLLATE "C" NOT NULL,
    external_id      TEXT COLLATE "C" NOT NULL,
    record_id        BIGINT NOT NULL,
    scope            TEXT COLLATE "C" NOT NULL,
    hash             TEXT COLLATE "C" NOT NULL,
    vendor_values    JSONB NOT NULL,
    created_record   BOOLEAN NOT NULL,
    confirmed_run_id BIGINT NOT NULL,
    confirmed_at     TEXT COLLATE "C" NOT NULL,
    missing_since    TEXT COLLATE "C",
    archived_run_id  BIGINT,
    PRIMARY KEY (source, entity, external_id)
);
CREATE INDEX source_links_record ON source_links (entity, record_id);

-- What a person has said of a field of a synced record: a pinned field does not follow its source.
CREATE TABLE field_state (
    entity    TEXT COLLATE "C" NOT NULL,
    record_id BIGINT NOT NULL,
    field     TEXT COLLATE "C" NOT NULL,
    pinned_by TEXT COLLATE "C" NOT NULL,
    pinned_at TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (entity, record_id, field)
);

CREATE TABLE jobs (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    title      TEXT COLLATE "C" NOT NULL,
    schedule   TEXT COLLATE "C" NOT NULL,
    enabled    BOOLEAN NOT NULL,
    updated_at TEXT COLLATE "C" NOT NULL
);
INSERT INTO jobs (name, title, schedule, enabled, updated_at)
VALUES ('sync-freshservice', 'Freshservice: companies and contacts', 'rate(1 day)', TRUE, '2026-01-01T00:00:00.000Z');

CREATE TABLE runs (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    job          TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL
                 CHECK (state IN ('running', 'held', 'applied', 'failed', 'partial', 'interrupted', 'skipped')),
    started_by   TEXT COLLATE "C" NOT NULL CHECK (started_by IN ('schedule', 'manual')),
    message      TEXT COLLATE "C",
    started_at   TEXT COLLATE "C" NOT NULL,
    finished_at  TEXT COLLATE "C",
    lease_until  TEXT COLLATE "C",
    progress     JSONB NOT NULL,
    report       JSONB NOT NULL,
    changeset_id BIGINT REFERENCES changesets (id)
);
-- The lock of a job: a second running row of the same job cannot be written.
CREATE UNIQUE INDEX runs_running ON runs (job) WHERE state = 'running';
CREATE INDEX runs_job ON runs (job, id);

CREATE TABLE run_log (
    id     BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    run_id BIGINT NOT NULL REFERENCES runs (id),
    at     TEXT COLLATE "C" NOT NULL,
    line   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX run_log_run_id ON run_log (run_id, id);

-- A batch as the job sent it. The payload is text, not JSONB: what a vendor says is kept as it was said.
CREATE TABLE observations (
    run_id  BIGINT NOT NULL REFERENCES runs (id),
    batch   BIGINT NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, batch)
);
