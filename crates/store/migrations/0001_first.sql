-- One text for SQLite and PostgreSQL: BLOB is written BYTEA for PostgreSQL by the migration runner. Times are unix milliseconds.
CREATE TABLE connection (
  name TEXT PRIMARY KEY, epoch BIGINT NOT NULL, owner TEXT, lease_until BIGINT NOT NULL,
  paused_until BIGINT, pause_cause TEXT, account TEXT, account_at BIGINT
);
CREATE TABLE stream (
  conn TEXT NOT NULL, kind TEXT NOT NULL, cursor TEXT NOT NULL, readers TEXT NOT NULL, next_at BIGINT NOT NULL, last_new BIGINT,
  PRIMARY KEY (conn, kind)
);
-- remote '' means "poll now". A hint is removed by a read that began after it.
CREATE TABLE hint (
  conn TEXT NOT NULL, kind TEXT NOT NULL, remote TEXT NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (conn, kind, remote)
);
CREATE INDEX hint_at ON hint (conn, at);
-- Content-addressed by the SHA-256 of what they hold; bytes are zstd.
CREATE TABLE blob (hash BLOB PRIMARY KEY, bytes BLOB NOT NULL, at BIGINT NOT NULL);
CREATE INDEX blob_at ON blob (at);
CREATE TABLE record (
  conn TEXT NOT NULL, kind TEXT NOT NULL, remote TEXT NOT NULL, version TEXT NOT NULL,
  digest BLOB NOT NULL, doc BLOB, raw BLOB, state TEXT NOT NULL, seen_at BIGINT NOT NULL,
  PRIMARY KEY (conn, kind, remote)
);
CREATE INDEX record_doc ON record (doc);
CREATE INDEX record_raw ON record (raw);
CREATE TABLE link (
  src_conn TEXT NOT NULL, kind TEXT NOT NULL, src TEXT NOT NULL, part TEXT NOT NULL, dst_conn TEXT NOT NULL,
  dst_kind TEXT NOT NULL, dst TEXT NOT NULL, write_key TEXT, state TEXT NOT NULL, sole BIGINT NOT NULL,
  base BLOB, put BLOB, at BIGINT NOT NULL,
  PRIMARY KEY (src_conn, kind, src, part, dst_conn)
);
CREATE UNIQUE INDEX link_sole ON link (dst_conn, dst_kind, dst, src_conn) WHERE sole = 1;
CREATE INDEX link_back ON link (dst_conn, dst_kind, dst);
CREATE INDEX link_base ON link (base) WHERE base IS NOT NULL;
CREATE TABLE identity (
  dst_conn TEXT NOT NULL, kind TEXT NOT NULL, attr TEXT NOT NULL, value TEXT NOT NULL,
  ids TEXT, asked_at BIGINT, claimed_by TEXT,
  PRIMARY KEY (dst_conn, kind, attr, value)
);
-- Queue, hold list and status in one: a row per (flow, record).
CREATE TABLE work (
  flow TEXT NOT NULL, kind TEXT NOT NULL, src TEXT NOT NULL, dst_conn TEXT NOT NULL, root TEXT NOT NULL,
  state TEXT NOT NULL, cause TEXT, due BIGINT, want BLOB NOT NULL, done BLOB,
  tries BIGINT NOT NULL, rounds BIGINT NOT NULL, since BIGINT NOT NULL, approved TEXT,
  PRIMARY KEY (kind, src, flow)
);
CREATE INDEX work_due ON work (dst_conn, due, src) WHERE due IS NOT NULL;
CREATE INDEX work_cause ON work (cause, since) WHERE state IN ('waiting', 'held');
CREATE TABLE intent (
  id TEXT PRIMARY KEY, flow TEXT NOT NULL, kind TEXT NOT NULL, src TEXT NOT NULL, part TEXT NOT NULL,
  dst_conn TEXT NOT NULL, step TEXT NOT NULL, write_key TEXT NOT NULL, target TEXT, doc BLOB, before BLOB,
  input BLOB NOT NULL, revision BIGINT NOT NULL, state TEXT NOT NULL, sent_at BIGINT NOT NULL,
  settle_at BIGINT NOT NULL, expects TEXT, fault TEXT
);
CREATE UNIQUE INDEX intent_open ON intent (dst_conn, write_key, step) WHERE state IN ('sent', 'unknown');
CREATE INDEX intent_record ON intent (flow, kind, src);
CREATE INDEX intent_created ON intent (flow, sent_at) WHERE kind = 'order' AND step = 'create' AND state = 'proved';
CREATE INDEX intent_docs ON intent (sent_at) WHERE doc IS NOT NULL;
-- The last number given out, per connection: its row is locked until the entry is stored, so that there are no gaps.
CREATE TABLE journal_last (conn TEXT PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE journal (
  conn TEXT NOT NULL, n BIGINT NOT NULL, at BIGINT NOT NULL, flow TEXT, kind TEXT NOT NULL, src TEXT NOT NULL,
  intent TEXT, what TEXT NOT NULL,
  PRIMARY KEY (conn, n)
);
CREATE INDEX journal_record ON journal (conn, kind, src, n);
CREATE TABLE revision (
  n BIGINT PRIMARY KEY, parent BIGINT, author TEXT NOT NULL, at BIGINT NOT NULL, files BLOB NOT NULL
);
CREATE TABLE plan (
  id TEXT PRIMARY KEY, flow TEXT NOT NULL, digest BLOB NOT NULL, at BIGINT NOT NULL, author TEXT NOT NULL,
  items BLOB NOT NULL, state TEXT NOT NULL
);
CREATE TABLE secret (
  name TEXT NOT NULL, n BIGINT NOT NULL, sealed BLOB NOT NULL, until BIGINT,
  PRIMARY KEY (name, n)
);
