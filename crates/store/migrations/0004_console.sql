-- People who sign in to the console. Their password is kept as an argon2id string.
CREATE TABLE person (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL, disabled BIGINT NOT NULL,
  made_at BIGINT NOT NULL, made_by TEXT NOT NULL, seen_at BIGINT
);
-- Of a session and of a token only the hash of the secret is kept.
CREATE TABLE session (
  hash BLOB PRIMARY KEY, person TEXT NOT NULL, made_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, until BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person);
CREATE TABLE token (
  name TEXT PRIMARY KEY, hash BLOB NOT NULL, scopes TEXT NOT NULL, until BIGINT, made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL, used_at BIGINT
);
CREATE UNIQUE INDEX token_hash ON token (hash);
-- Sign-ins that failed, by name and by address, each as a hash.
CREATE TABLE knock (who TEXT PRIMARY KEY, failed BIGINT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE audit (
  n BIGINT PRIMARY KEY, at BIGINT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL, why TEXT NOT NULL
);
-- What a person has stopped: `all`, `connection:NAME` or `flow:NAME`.
CREATE TABLE halt (scope TEXT PRIMARY KEY, who TEXT NOT NULL, why TEXT NOT NULL, at BIGINT NOT NULL);
-- What lists, sums and the search need of a record without opening its document. Amounts are millionths of the currency.
CREATE TABLE card (
  conn TEXT NOT NULL, kind TEXT NOT NULL, remote TEXT NOT NULL, digest BLOB NOT NULL, number TEXT NOT NULL,
  at BIGINT NOT NULL, amount BIGINT, currency TEXT NOT NULL, word TEXT NOT NULL, parent TEXT NOT NULL, first_at BIGINT NOT NULL,
  PRIMARY KEY (conn, kind, remote)
);
CREATE INDEX card_of ON card (conn, kind, at, remote);
CREATE INDEX card_at ON card (kind, at, conn, remote);
CREATE INDEX card_parent ON card (conn, parent) WHERE parent <> '';
-- Words that records are found by. An e-mail is here as keyed hashes of itself and of its beginnings, never itself.
CREATE TABLE term (
  word TEXT NOT NULL, at BIGINT NOT NULL, conn TEXT NOT NULL, kind TEXT NOT NULL, remote TEXT NOT NULL,
  PRIMARY KEY (word, at, conn, kind, remote)
);
CREATE INDEX term_record ON term (conn, kind, remote);
-- How a flow stood, hour by hour.
CREATE TABLE sample (
  flow TEXT NOT NULL, at BIGINT NOT NULL, held BIGINT NOT NULL, open BIGINT NOT NULL, done BIGINT NOT NULL, PRIMARY KEY (flow, at)
);
CREATE INDEX record_seen ON record (seen_at);
CREATE INDEX work_held ON work (flow, cause, since) WHERE state = 'held';
