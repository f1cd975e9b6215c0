import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import type {
  Batch,
  BatchResult,
  Condition,
  ProtocolError,
  Statement,
  StatementResult,
  StreamRequest,
  StreamResult,
  Value,
} from "./protocol.ts";

/** How long a statement waits for a lock that another stream holds. A real server was measured to give up this soon. */
const LOCK_WAIT_MS = 100;

/**
 * The names of SQLite's primary codes as a genuine server gives them. It knows no extended ones, and calls SQLite's
 * plainest error, e.g. "no such table", unknown.
 */
const CODES: Record<number, string> = {
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  8: "SQLITE_READONLY",
  9: "SQLITE_INTERRUPT",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  17: "SQLITE_SCHEMA",
  18: "SQLITE_TOOBIG",
  19: "SQLITE_CONSTRAINT",
  20: "SQLITE_MISMATCH",
  21: "SQLITE_MISUSE",
  25: "SQLITE_RANGE",
  26: "SQLITE_NOTADB",
};

/** One connection to the database, and what a client keeps on it from one pipeline to the next. */
export class SqlStream {
  private readonly db: DatabaseSync;
  private readonly texts = new Map<number, string>();

  constructor(file: string) {
    // SQLite's own waiting would block the process in which the holder of the lock has to go on.
    this.db = new DatabaseSync(file, { timeout: 0 });
    // No test cuts the machine's power.
    this.db.exec("PRAGMA synchronous = off");
  }

  async answer(request: StreamRequest): Promise<StreamResult> {
    const { type } = request;
    try {
      switch (request.type) {
        case "execute":
          return { type: "ok", response: { type, result: await this.execute(request.stmt) } };
        case "batch":
          return { type: "ok", response: { type, result: await this.batch(request.batch) } };
        case "sequence":
          this.db.exec(this.text(request));
          return { type: "ok", response: { type } };
        case "store_sql":
          this.texts.set(request.sql_id, request.sql);
          return { type: "ok", response: { type } };
        case "close_sql":
          this.texts.delete(request.sql_id);
          return { type: "ok", response: { type } };
        case "get_autocommit":
          return { type: "ok", response: { type, is_autocommit: !this.db.isTransaction } };
        case "close":
          return { type: "ok", response: { type } };
        default:
          throw new Error(`unknown type of request ${type}`);
      }
    } catch (error) {
      return { type: "error", error: protocolError(error) };
    }
  }

  /** What is open is rolled back. */
  close(): void {
    this.db.close();
  }

  private async batch({ steps }: Batch): Promise<BatchResult> {
    const step_results: BatchResult["step_results"] = steps.map(() => null);
    const step_errors: BatchResult["step_errors"] = steps.map(() => null);
    const holds = (condition: Condition): boolean => {
      switch (condition.type) {
        case "ok":
          return step_results[condition.step] !== null;
        case "error":
          return step_errors[condition.step] !== null;
        case "not":
          return !holds(condition.cond);
        case "and":
          return condition.conds.every(holds);
        case "or":
          return condition.conds.some(holds);
        case "is_autocommit":
          return !this.db.isTransaction;
      }
    };
    for (const [i, { stmt, condition }] of steps.entries()) {
      if (condition && !holds(condition)) continue;
      try {
        step_results[i] = await this.execute(stmt);
      } catch (error) {
        step_errors[i] = protocolError(error);
      }
    }
    return { step_results, step_errors };
  }

  private async execute(statement: Statement): Promise<StatementResult> {
    const deadline = performance.now() + LOCK_WAIT_MS;
    for (let waitMs = 1; ; waitMs *= 2) {
      try {
        return this.run(statement);
      } catch (error) {
        if (protocolError(error).code !== "SQLITE_BUSY" || performance.now() > deadline) throw error;
        await delay(waitMs);
      }
    }
  }

  private run(statement: Statement): StatementResult {
    const prepared = this.db.prepare(this.text(statement));
    prepared.setReturnArrays(true);
    prepared.setReadBigInts(true);
    prepared.setAllowUnknownNamedParameters(true);
    const before = this.counters();
    const named = Object.fromEntries((statement.named_args ?? []).map(({ name, value }) => [name, toSql(value)]));
    const rows = prepared.all(named, ...(statement.args ?? []).map(toSql)) as unknown as SQLOutputValue[][];
    const after = this.counters();
    return {
      cols: prepared.columns().map(({ name, type }) => ({ name, decltype: type })),
      rows: statement.want_rows === false ? [] : rows.map((row) => row.map(fromSql)),
      affected_row_count: Number(after.changes - before.changes),
      last_insert_rowid: String(after.rowid),
    };
  }

  /** A statement with RETURNING says nothing of the rows that it changed, so they are counted around it. */
  private counters(): { changes: bigint; rowid: bigint } {
    const prepared = this.db.prepare("SELECT total_changes() AS changes, last_insert_rowid() AS rowid");
    prepared.setReadBigInts(true);
    return prepared.get() as { changes: bigint; rowid: bigint };
  }

  private text({ sql, sql_id }: { sql?: string; sql_id?: number }): string {
    const text = sql ?? (sql_id === undefined ? undefined : this.texts.get(sql_id));
    if (text === undefined) throw new Error("the SQL text is missing");
    return text;
  }
}

function protocolError(error: unknown): ProtocolError {
  if (!(error instanceof Error)) throw error;
  if (!("errcode" in error)) return { message: error.message, code: "SQL_PARSE_ERROR" };
  return { message: `SQLite error: ${error.message}`, code: CODES[Number(error.errcode) & 0xff] ?? "SQLITE_UNKNOWN" };
}

function toSql(value: Value): SQLInputValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value);
    case "float":
    case "text":
      return value.value;
    case "blob":
      return Buffer.from(value.base64, "base64");
  }
}

function fromSql(value: SQLOutputValue): Value {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: String(value) };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  return { type: "blob", base64: Buffer.from(value).toString("base64").replaceAll("=", "") };
}
