import { createHash } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { type DeliveredFile, FILES_PATH } from "../../src/wire/index.ts";
import { requestBytes } from "./http-request.ts";
import { reasonOf } from "./log.ts";

/** A file of 4 MiB over a slow line. */
const FETCH_TIMEOUT_MS = 60_000;
/** The control plane lets a project's hosts fetch so many files at a time; a place is free within a moment. */
const BUSY_TRIES = 20;
const BUSY_WAIT_MS = 1_000;
/** A refusal is a short text. */
const REFUSAL_BYTES_MAX = 64 * 1024;

/** Fetches what travels with a service's jobs, with the host's own credential. */
export class Deliveries {
  readonly #server: string;
  readonly #credential: string;
  readonly #sleep: (ms: number) => Promise<unknown>;

  /** @param server `http://` or `https://`, without a path */
  constructor(server: string, credential: string, sleep: (ms: number) => Promise<unknown> = setTimeout) {
    this.#server = server;
    this.#credential = credential;
    this.#sleep = sleep;
  }

  /** The archive, checked. @throws Error for people when it cannot be had */
  async fetch({ path, sha256, bytes }: DeliveredFile): Promise<Buffer> {
    const answer = await this.#askUntilFree(sha256, Math.max(bytes, REFUSAL_BYTES_MAX)).catch((error) => {
      throw new Error(`the file ${path} cannot be fetched from ${this.#server}: ${reasonOf(error)}`);
    });
    if (answer.status !== 200) {
      throw new Error(`the file ${path} cannot be fetched from ${this.#server}: it answered ${answer.status}`);
    }
    if (createHash("sha256").update(answer.body).digest("hex") === sha256) return answer.body;
    throw new Error(`the file ${path} came damaged from ${this.#server}: its SHA-256 is another one`);
  }

  async #askUntilFree(sha256: string, answerBytesMax: number): Promise<{ status: number; body: Buffer }> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#ask(sha256, answerBytesMax);
      if (answer.status !== 429 || tries === BUSY_TRIES) return answer;
      await this.#sleep(BUSY_WAIT_MS);
    }
  }

  #ask(sha256: string, answerBytesMax: number): Promise<{ status: number; body: Buffer }> {
    return requestBytes(`${this.#server}${FILES_PATH}${sha256}`, {
      method: "GET",
      headers: { authorization: `Bearer ${this.#credential}` },
      body: null,
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      answerBytesMax,
      agent: false,
    });
  }
}
