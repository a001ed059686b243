-- The rest of the directory: plans and features as records, what the API sends and what a search looks into kept beside
-- each record, who may read which row of the feed, API keys with a name, and requests that are carried out once.

-- `search` holds a record's texts in small letters. Like the bodies below it is written with the record, so that searches
-- and lists need not put them together again. Empty until they are made (see nexus-db, `bodies`).
ALTER TABLE companies ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE locations ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE assets ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Plans and features become records with a history. Nothing has been in these tables before.
DROP TABLE feature_overrides;
DROP TABLE plan_features;
DROP TABLE plans;
DROP TABLE features;

CREATE TABLE features (
    id          BIGINT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TEXT COLLATE "C" NOT NULL,
    updated_at  TEXT COLLATE "C" NOT NULL,
    archived_at TEXT COLLATE "C",
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    position    BIGINT NOT NULL,
    search      TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX features_name ON features (lower(name)) WHERE archived_at IS NULL;

CREATE TABLE plans (
    id          BIGINT NOT NULL PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TEXT COLLATE "C" NOT NULL,
    updated_at  TEXT COLLATE "C" NOT NULL,
    archived_at TEXT COLLATE "C",
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    position    BIGINT NOT NULL,
    search      TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX plans_name ON plans (lower(name)) WHERE archived_at IS NULL;

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

-- A record as the API sends it. Bodies stand apart from the records, close together and in the order of their ids: a long
-- list reads nothing else.
CREATE TABLE companies_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE TABLE locations_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE TABLE contacts_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE TABLE assets_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE TABLE users_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE TABLE features_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);
CREATE TABLE plans_bodies (
    id   BIGINT NOT NULL PRIMARY KEY,
    live BOOLEAN NOT NULL,
    body TEXT COLLATE "C" NOT NULL
);

-- `revision` counts the commits that changed anything a reader can see: what was read at one revision is still so at the
-- same. `bodies` is the form of the kept bodies.
INSERT INTO sequences (name, value) VALUES ('feature', 0), ('plan', 0), ('revision', 0), ('bodies', 0);
INSERT INTO sequences (name, value) SELECT 'changeset', coalesce(max(id), 0) FROM changesets;

-- How many live records there are, so that a page of a long list need not count them.
CREATE TABLE live_counts (
    entity TEXT COLLATE "C" NOT NULL PRIMARY KEY,
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
ALTER TABLE changes ADD COLUMN snapshot JSONB;
CREATE TABLE change_companies (
    cursor     BIGINT NOT NULL,
    company_id BIGINT NOT NULL,
    side       TEXT COLLATE "C" NOT NULL CHECK (side IN ('stays', 'enters', 'leaves')),
    PRIMARY KEY (cursor, company_id)
);
CREATE INDEX change_companies_company_id ON change_companies (company_id, cursor);

-- A request with an `Idempotency-Key` is carried out once: the change set that came of it carries the request's name.
ALTER TABLE changesets ADD COLUMN request_key TEXT COLLATE "C";
CREATE UNIQUE INDEX changesets_request_key ON changesets (request_key) WHERE request_key IS NOT NULL;

CREATE TABLE requests (
    request_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    fingerprint TEXT COLLATE "C" NOT NULL,
    claimed_at  TEXT COLLATE "C" NOT NULL,
    status      BIGINT,
    headers     TEXT COLLATE "C",
    answer      TEXT COLLATE "C"
);
CREATE INDEX requests_claimed_at ON requests (claimed_at);

ALTER TABLE api_keys ADD COLUMN name TEXT COLLATE "C";
ALTER TABLE api_keys ADD COLUMN created_by TEXT COLLATE "C";
ALTER TABLE api_keys ADD COLUMN revoked_by TEXT COLLATE "C";

-- Words in `search`, by their parts of three letters. The extension may be installed in a schema of its own.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
DO $$
DECLARE
    home TEXT := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm');
    searched TEXT;
BEGIN
    FOREACH searched IN ARRAY ARRAY['companies', 'locations', 'contacts', 'assets'] LOOP
        EXECUTE format(
            'CREATE INDEX %I ON %I USING gin (search %I.gin_trgm_ops) WHERE archived_at IS NULL',
            searched || '_search', searched, home);
    END LOOP;
END $$;

-- The Datto sites that a person tied to a company; what a person ties, no sync unties.
ALTER TABLE companies ADD COLUMN tied_site_uids TEXT COLLATE "C" NOT NULL DEFAULT '[]';

-- A change of a change set that was undone by itself, and the change set that undid it.
ALTER TABLE changes ADD COLUMN reverted_by BIGINT;

-- What a person took out of a plan is not proposed again while its source says the same. `hash` is that of what was planned
-- from; of a record that was to go because it is missing, it is `missing`.
CREATE TABLE refusals (
    source      TEXT COLLATE "C" NOT NULL,
    entity      TEXT COLLATE "C" NOT NULL,
    external_id TEXT COLLATE "C" NOT NULL,
    hash        TEXT COLLATE "C" NOT NULL,
    refused_by  TEXT COLLATE "C" NOT NULL,
    refused_at  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, entity, external_id)
);

-- A run that was asked for, or has paused, waits for its job to claim it. What a job wants to know when it is started again
-- is kept with it.
ALTER TABLE runs ADD COLUMN claimed BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE runs ADD COLUMN dry_run BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE jobs ADD COLUMN kept JSONB;

INSERT INTO jobs (name, title, schedule, enabled, updated_at)
VALUES
    ('sync-datto', 'Datto RMM: sites and devices', 'rate(1 day)', TRUE, '2026-01-01T00:00:00.000Z'),
    ('assign-account-numbers', 'Freshservice: numbers for companies without one', 'rate(1 day)', FALSE,
     '2026-01-01T00:00:00.000Z'),
    ('push-account-numbers', 'Datto RMM: account numbers of sites', 'rate(1 day)', FALSE, '2026-01-01T00:00:00.000Z'),
    ('publish-changes', 'EventBridge: what changed', 'rate(5 minutes)', FALSE, '2026-01-01T00:00:00.000Z');
