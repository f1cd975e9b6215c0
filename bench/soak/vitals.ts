import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Client, createClient } from "@libsql/client";

/** What must not grow with time, of one moment or as the median of several. */
export interface Vitals {
  serverMb: number;
  serverFiles: number;
  agentMb: number;
  agentFiles: number;
  databaseKb: number;
  walKb: number;
  journalRows: number;
  entities: number;
}

/** Looks at the processes from outside, and at the database as any other reader. */
export class Watch {
  private readonly database: Client;
  private readonly file: string;
  private readonly pids: () => { server: number; agent: number };

  /** @param pids of now: a soak may start a process anew */
  constructor(dataDir: string, pids: () => { server: number; agent: number }) {
    this.file = join(dataDir, "headrace.db");
    this.database = createClient({ url: pathToFileURL(this.file).href });
    this.pids = pids;
  }

  async look(): Promise<Vitals> {
    const { server, agent } = this.pids();
    const { rows } = await this.database.execute(
      "SELECT (SELECT count(*) FROM commits) AS journal, (SELECT count(*) FROM entities) AS entities",
    );
    return {
      serverMb: residentMb(server),
      serverFiles: openFiles(server),
      agentMb: residentMb(agent),
      agentFiles: openFiles(agent),
      databaseKb: statSync(this.file).size / 1_024,
      walKb: (statSync(`${this.file}-wal`, { throwIfNoEntry: false })?.size ?? 0) / 1_024,
      journalRows: Number(rows[0]?.journal),
      entities: Number(rows[0]?.entities),
    };
  }

  close(): void {
    this.database.close();
  }
}

/**
 * One row out of many. The least memory, since what lies above it is garbage that was not collected yet; of the rest,
 * which goes up and down with what is being done, the median.
 */
export function summed(samples: Vitals[]): Vitals {
  const of = (key: keyof Vitals) => samples.map((sample) => sample[key]).sort((a, b) => a - b);
  const least = (key: keyof Vitals) => Math.round(of(key)[0] ?? 0);
  const median = (key: keyof Vitals) => Math.round(of(key)[Math.floor(samples.length / 2)] ?? 0);
  return {
    serverMb: least("serverMb"),
    serverFiles: median("serverFiles"),
    agentMb: least("agentMb"),
    agentFiles: median("agentFiles"),
    databaseKb: median("databaseKb"),
    walKb: median("walKb"),
    journalRows: median("journalRows"),
    entities: median("entities"),
  };
}

function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kb) / 1_024;
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
