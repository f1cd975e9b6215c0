/** The parts of libSQL's protocol over HTTP (Hrana 2, JSON) that are used here, as they are on the wire. */

export type Value =
  | { type: "null" }
  /** In decimal, since it may need 64 bits. */
  | { type: "integer"; value: string }
  | { type: "float"; value: number }
  | { type: "text"; value: string }
  | { type: "blob"; base64: string };

export interface Statement {
  sql?: string;
  /** Of a text stored before in the same stream, in place of `sql`. */
  sql_id?: number;
  args?: Value[];
  named_args?: { name: string; value: Value }[];
  want_rows?: boolean;
}

export type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] }
  | { type: "is_autocommit" };

export interface Batch {
  steps: { stmt: Statement; condition?: Condition | null }[];
}

export type StreamRequest =
  | { type: "execute"; stmt: Statement }
  | { type: "batch"; batch: Batch }
  | { type: "sequence"; sql?: string; sql_id?: number }
  | { type: "store_sql"; sql_id: number; sql: string }
  | { type: "close_sql"; sql_id: number }
  | { type: "get_autocommit" }
  | { type: "close" };

export interface StatementResult {
  cols: { name: string; decltype: string | null }[];
  rows: Value[][];
  affected_row_count: number;
  last_insert_rowid: string | null;
}

export interface ProtocolError {
  message: string;
  code: string;
}

export interface BatchResult {
  step_results: (StatementResult | null)[];
  step_errors: (ProtocolError | null)[];
}

export type StreamResult =
  | { type: "ok"; response: { type: StreamRequest["type"]; result?: unknown; is_autocommit?: boolean } }
  | { type: "error"; error: ProtocolError };
