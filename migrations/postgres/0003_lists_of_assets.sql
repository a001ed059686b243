-- A page of assets names their companies. With the company in the index of its order, the assets themselves need not be looked up.
DROP INDEX assets_hostname;
DROP INDEX assets_last_seen;
CREATE INDEX assets_hostname ON assets (lower(hostname), id, company_id) WHERE archived_at IS NULL;
CREATE INDEX assets_last_seen ON assets (coalesce(last_seen, ''), id, company_id) WHERE archived_at IS NULL;
