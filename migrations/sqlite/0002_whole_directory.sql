-- The rest of the directory: plans and features as records, what the API sends and what a search looks into kept beside
-- each record, who may read which row of the feed, API keys with a name, and requests that are carried out once.

-- `search` holds a record's texts in small letters. Like the bodies below it is written with the record, so that searches
-- and lists need not put them together again. Empty until they are made (see nexus-db, `bodies`).
ALTER TABLE companies ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN search TEXT NOT NULL DEFAULT '';

-- Plans and features become records with a history. Nothing has been in these tables before.
DROP TABLE feature_overrides;
DROP TABLE plan_features;
DROP TABLE plans;
DROP TABLE features;

CREATE TABLE features (
    id          INTEGER NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    archived_at TEXT,
    name        TEXT NOT NULL,
    description TEXT,
    position    BIGINT NOT NULL,
    search      TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX features_name ON features (lower(name)) WHERE archived_at IS NULL;

CREATE TABLE plans (
    id          INTEGER NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    archived_at TEXT,
    name        TEXT NOT NULL,
    description TEXT,
    position    BIGINT NOT NULL,
    search      TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX plans_name ON plans (lower(name)) WHERE archived_at IS NULL;

CREATE TABLE plan_features (
    plan_id    BIGINT NOT NULL REFERENCES plans (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    value      TEXT NOT NULL,
    PRIMARY KEY (plan_id, feature_id)
);

CREATE TABLE feature_overrides (
    company_id BIGINT NOT NULL REFERENCES companies (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    value      TEXT NOT NULL,
    PRIMARY KEY (company_id, feature_id)
);

-- A record as the API sends it. Bodies stand apart from the records, close together and in the order of their ids: a long
-- list reads nothing else.
CREATE TABLE companies_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE locations_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE contacts_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE assets_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE users_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE features_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE plans_bodies (
    id   INTEGER NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT NOT NULL
);

-- `revision` counts the commits that changed anything a reader can see: what was read at one revision is still so at the
-- same. `bodies` is the form of the kept bodies.
INSERT INTO sequences (name, value) VALUES ('feature', 0), ('plan', 0), ('revision', 0), ('bodies', 0);
INSERT INTO sequences (name, value) SELECT 'changeset', coalesce(max(id), 0) FROM changesets;

-- How many live records there are, so that a page of a long list need not count them.
CREATE TABLE live_counts (
    entity TEXT NOT NULL PRIMARY KEY,
    n      BIGINT NOT NULL
);
INSERT INTO live_counts (entity, n)
SELECT 'company', count(*) FROM companies WHERE archived_at IS NULL UNION ALL
SELECT 'location', count(*) FROM locations WHERE archived_at IS NULL UNION ALL
SELECT 'contact', count(*) FROM contacts WHERE archived_at IS NULL UNION ALL
SELECT 'asset', count(*) FROM assets WHERE archived_at IS NULL UNION ALL
SELECT 'user', count(*) FROM users WHERE archived_at IS NULL UNION ALL
SELECT 'plan', 0 UNION ALL
SELECT 'feature', 0;

-- Lists in their usual order, live records only.
DROP INDEX companies_name;
DROP INDEX contacts_name;
DROP INDEX assets_hostname;
DROP INDEX assets_company_id;
DROP INDEX locations_company_id;
CREATE INDEX companies_live ON companies (id) WHERE archived_at IS NULL;
CREATE INDEX locations_live ON locations (id) WHERE archived_at IS NULL;
CREATE INDEX contacts_live ON contacts (id) WHERE archived_at IS NULL;
CREATE INDEX assets_live ON assets (id) WHERE archived_at IS NULL;
CREATE INDEX users_live ON users (id) WHERE archived_at IS NULL;
CREATE INDEX companies_name ON companies (lower(name), id) WHERE archived_at IS NULL;
CREATE INDEX contacts_name ON contacts (lower(name), id) WHERE archived_at IS NULL;
CREATE INDEX assets_hostname ON assets (lower(hostname), id) WHERE archived_at IS NULL;
CREATE INDEX assets_last_seen ON assets (coalesce(last_seen, ''), id) WHERE archived_at IS NULL;
-- With what billing reads of a device, so that it need not be looked up.
CREATE INDEX assets_company_id ON assets (company_id, id, hostname, hardware_type, operating_system)
WHERE archived_at IS NULL;
CREATE INDEX locations_company_id ON locations (company_id, id);
CREATE INDEX locations_name ON locations (lower(name), id) WHERE archived_at IS NULL;

-- Who may read a row of the feed: the companies that the record belonged to. A record that moves between companies enters
-- one and leaves the other; `snapshot` is the whole record after it, for the readers on both sides.
ALTER TABLE changes ADD COLUMN snapshot TEXT;
CREATE TABLE change_companies (
    cursor     BIGINT NOT NULL,
    company_id BIGINT NOT NULL,
    side       TEXT NOT NULL CHECK (side IN ('stays', 'enters', 'leaves')),
    PRIMARY KEY (cursor, company_id)
);
CREATE INDEX change_companies_company_id ON change_companies (company_id, cursor);

-- A request with an `Idempotency-Key` is carried out once: the change set that came of it carries the request's name.
ALTER TABLE changesets ADD COLUMN request_key TEXT;
CREATE UNIQUE INDEX changesets_request_key ON changesets (request_key) WHERE request_key IS NOT NULL;

CREATE TABLE requests (
    request_key TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    claimed_at  TEXT NOT NULL,
    status      BIGINT,
    headers     TEXT,
    answer      TEXT
);
CREATE INDEX requests_claimed_at ON requests (claimed_at);

ALTER TABLE api_keys ADD COLUMN name TEXT;
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
ALTER TABLE api_keys ADD COLUMN revoked_by TEXT;

-- Words in `search`, by their parts of three letters. To put one record into the index costs as much as all else of its
-- write, and to put many in together next to nothing; so changed records wait in `…_unsearched`, with the text under which
-- the index knows them, and are looked at one by one until their turn comes (see nexus-db, `search`).

CREATE VIRTUAL TABLE companies_search
USING fts5(search, content='companies', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none);
CREATE TABLE companies_unsearched (
    id  INTEGER NOT NULL PRIMARY KEY,
    old TEXT
);
CREATE TRIGGER companies_unsearched_insert AFTER INSERT ON companies BEGIN
    INSERT INTO companies_unsearched (id) VALUES (new.id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER companies_unsearched_update AFTER UPDATE OF search, archived_at ON companies
WHEN new.search <> old.search OR (new.archived_at IS NULL) <> (old.archived_at IS NULL) BEGIN
    INSERT INTO companies_unsearched (id, old) VALUES (new.id, iif(old.archived_at IS NULL, old.search, NULL))
    ON CONFLICT (id) DO NOTHING;
END;
INSERT INTO companies_search (rowid, search) SELECT id, search FROM companies WHERE archived_at IS NULL;

CREATE VIRTUAL TABLE locations_search
USING fts5(search, content='locations', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none);
CREATE TABLE locations_unsearched (
    id  INTEGER NOT NULL PRIMARY KEY,
    old TEXT
);
CREATE TRIGGER locations_unsearched_insert AFTER INSERT ON locations BEGIN
    INSERT INTO locations_unsearched (id) VALUES (new.id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER locations_unsearched_update AFTER UPDATE OF search, archived_at ON locations
WHEN new.search <> old.search OR (new.archived_at IS NULL) <> (old.archived_at IS NULL) BEGIN
    INSERT INTO locations_unsearched (id, old) VALUES (new.id, iif(old.archived_at IS NULL, old.search, NULL))
    ON CONFLICT (id) DO NOTHING;
END;
INSERT INTO locations_search (rowid, search) SELECT id, search FROM locations WHERE archived_at IS NULL;

CREATE VIRTUAL TABLE contacts_search
USING fts5(search, content='contacts', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none);
CREATE TABLE contacts_unsearched (
    id  INTEGER NOT NULL PRIMARY KEY,
    old TEXT
);
CREATE TRIGGER contacts_unsearched_insert AFTER INSERT ON contacts BEGIN
    INSERT INTO contacts_unsearched (id) VALUES (new.id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER contacts_unsearched_update AFTER UPDATE OF search, archived_at ON contacts
WHEN new.search <> old.search OR (new.archived_at IS NULL) <> (old.archived_at IS NULL) BEGIN
    INSERT INTO contacts_unsearched (id, old) VALUES (new.id, iif(old.archived_at IS NULL, old.search, NULL))
    ON CONFLICT (id) DO NOTHING;
END;
INSERT INTO contacts_search (rowid, search) SELECT id, search FROM contacts WHERE archived_at IS NULL;

CREATE VIRTUAL TABLE assets_search
USING fts5(search, content='assets', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none);
CREATE TABLE assets_unsearched (
    id  INTEGER NOT NULL PRIMARY KEY,
    old TEXT
);
CREATE TRIGGER assets_unsearched_insert AFTER INSERT ON assets BEGIN
    INSERT INTO assets_unsearched (id) VALUES (new.id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER assets_unsearched_update AFTER UPDATE OF search, archived_at ON assets
WHEN new.search <> old.search OR (new.archived_at IS NULL) <> (old.archived_at IS NULL) BEGIN
    INSERT INTO assets_unsearched (id, old) VALUES (new.id, iif(old.archived_at IS NULL, old.search, NULL))
    ON CONFLICT (id) DO NOTHING;
END;
INSERT INTO assets_search (rowid, search) SELECT id, search FROM assets WHERE archived_at IS NULL;

-- The Datto sites that a person tied to a company; what a person ties, no sync unties.
ALTER TABLE companies ADD COLUMN tied_site_uids TEXT NOT NULL DEFAULT '[]';

-- A change of a change set that was undone by itself, and the change set that undid it.
ALTER TABLE changes ADD COLUMN reverted_by BIGINT;

-- What a person took out of a plan is not proposed again while its source says the same. `hash` is that of what was planned
-- from; of a record that was to go because it is missing, it is `missing`.
CREATE TABLE refusals (
    source      TEXT NOT NULL,
    entity      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    hash        TEXT NOT NULL,
    refused_by  TEXT NOT NULL,
    refused_at  TEXT NOT NULL,
    PRIMARY KEY (source, entity, external_id)
);

-- A run that was asked for, or has paused, waits for its job to claim it. What a job wants to know when it is started again
-- is kept with it.
ALTER TABLE runs ADD COLUMN claimed BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE runs ADD COLUMN dry_run BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE jobs ADD COLUMN kept TEXT;

INSERT INTO jobs (name, title, schedule, enabled, updated_at)
VALUES
    ('sync-datto', 'Datto RMM: sites and devices', 'rate(1 day)', TRUE, '2026-01-01T00:00:00.000Z'),
    ('assign-account-numbers', 'Freshservice: numbers for companies without one', 'rate(1 day)', FALSE,
     '2026-01-01T00:00:00.000Z'),
    ('push-account-numbers', 'Datto RMM: account numbers of sites', 'rate(1 day)', FALSE, '2026-01-01T00:00:00.000Z'),
    ('publish-changes', 'EventBridge: what changed', 'rate(5 minutes)', FALSE, '2026-01-01T00:00:00.000Z');
