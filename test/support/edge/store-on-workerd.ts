import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../../scripts/bootstrap.js";
import { prepareWorkerd } from "../../../scripts/workerd/workerd.ts";
import { StoreError, type StoreErrorCode } from "../../../src/store/errors.ts";
import { type Store, UnclearOutcome } from "../../../src/store/types.ts";
import { freePort } from "../ports.ts";
import { startProcess, until } from "../processes.ts";
import { decode, encode, type StoreAnswer, type StoreCall } from "./store-calls.ts";

const METHODS: Record<StoreCall["method"], true> = {
  createProject: true,
  projects: true,
  overdue: true,
  load: true,
  commit: true,
  inputsSince: true,
  journal: true,
  trimJournal: true,
  idempotency: true,
  trimIdempotency: true,
  secrets: true,
  putFile: true,
  file: true,
  useFiles: true,
  trimFiles: true,
  putCredential: true,
  credential: true,
  credentials: true,
  redeemJoin: true,
  deleteCredential: true,
};

/** The Worker's store in a process of workerd, for any number of databases. */
export class StoreOnWorkerd {
  readonly #url: string;
  readonly #stop: () => Promise<void>;

  private constructor(url: string, stop: () => Promise<void>) {
    this.#url = url;
    this.#stop = stop;
  }

  static async start(): Promise<StoreOnWorkerd> {
    const folder = await mkdtemp(join(tmpdir(), "headrace-store-"));
    const [port, cronPort] = [await freePort(), await freePort()];
    const place = { port, cronPort, databaseUrl: "http://127.0.0.1:1", version: "1" };
    const entry = join(ROOT, "test/support/edge/store-worker.ts");
    const command = await prepareWorkerd(folder, place, entry);
    const env = { PATH: process.env.PATH, HEADRACE_KEY: "", HEADRACE_DATABASE_TOKEN: "" };
    const running = startProcess(command, env);
    const url = `http://127.0.0.1:${port}`;
    const answers = () =>
      fetch(url).then(
        () => true,
        () => false,
      );
    await until(answers, running.output);
    return new StoreOnWorkerd(url, async () => {
      await running.stop("SIGKILL");
      await rm(folder, { recursive: true });
    });
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  /** The store of a database, each of its calls made on workerd. */
  of(database: string): Store {
    const calls = Object.keys(METHODS).map((method) => [
      method,
      (...args: unknown[]) => this.#call({ database, method, args } as StoreCall),
    ]);
    return { ...Object.fromEntries(calls), close: async () => {} };
  }

  async #call(call: StoreCall): Promise<unknown> {
    const response = await fetch(this.#url, { method: "POST", body: encode(call) });
    const answer = decode<StoreAnswer>(await response.text());
    if ("value" in answer) return answer.value;
    const { name, message, code } = answer.error;
    if (name === "StoreError") throw new StoreError(code as StoreErrorCode, message);
    if (name === "UnclearOutcome") throw new UnclearOutcome(message);
    throw new Error(`${name}: ${message}`);
  }
}
