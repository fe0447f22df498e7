-- What of a product can be sold, as last read or put: one small row each, never a document.
CREATE TABLE level (
  conn TEXT NOT NULL, item TEXT NOT NULL, sku TEXT NOT NULL, stock TEXT NOT NULL, digest BLOB NOT NULL,
  as_of BIGINT NOT NULL, zeroed_at BIGINT, sold_at BIGINT,
  PRIMARY KEY (conn, item)
);
CREATE INDEX level_sku ON level (conn, sku);
CREATE INDEX level_zeroed ON level (conn, zeroed_at) WHERE zeroed_at IS NOT NULL;
-- Which kits a component is in.
CREATE TABLE kit (conn TEXT NOT NULL, kit TEXT NOT NULL, component TEXT NOT NULL, PRIMARY KEY (conn, component, kit));
CREATE INDEX kit_of ON kit (conn, kit);
-- What orders take. In flight until a reading that began after erp_at.
CREATE TABLE reserve (
  flow TEXT NOT NULL, ord TEXT NOT NULL, sku TEXT NOT NULL, dst_conn TEXT NOT NULL,
  quantity TEXT NOT NULL, reserved TEXT NOT NULL, erp_at BIGINT,
  PRIMARY KEY (flow, ord, sku)
);
CREATE INDEX reserve_sku ON reserve (dst_conn, sku);
DROP INDEX work_due;
CREATE INDEX work_due ON work (dst_conn, kind, due, src) WHERE due IS NOT NULL;
