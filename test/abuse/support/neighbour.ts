import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { expect } from "vitest";
import { until } from "../../support/processes.ts";
import { GOOD, STEADY, type Victim } from "./victim.ts";

/** Between two requests: a tenant of modest habits, so that what is measured is the abuse. */
const PAUSE_MS = 10;
/** An answer later than this is a failure; it takes milliseconds when nobody else is about. */
const PATIENCE_MS = 20_000;
/** The server's memory is read this often while something is done to it. */
const MEMORY_EVERY_MS = 50;
/** Past every bound that the server keeps by itself, far below a runaway. It holds 270 MiB before anything is asked. */
const RSS_MIB_MAX = 800;
/** Handles that may come and go by themselves: the database's, a keep-alive socket, the neighbour's own. */
const HANDLES_SLACK = 20;

/**
 * Does something to a server while a well-behaved tenant goes on: calls its service, reads the API, and holds a stream
 * open all the while. Nothing of that may fail, the server may neither end nor grow, and what was opened must be closed
 * again afterwards.
 */
export async function unnoticed(victim: Victim, abuse: () => Promise<void>): Promise<void> {
  const before = victim.handles();
  const neighbour = new Neighbour(victim);
  await neighbour.begin();
  let peakMib = 0;
  const watch = setInterval(() => {
    if (victim.alive) peakMib = Math.max(peakMib, victim.rssMib());
  }, MEMORY_EVERY_MS);
  try {
    await abuse();
  } finally {
    clearInterval(watch);
    await neighbour.end();
  }
  expect(victim.alive, victim.server.output()).toBe(true);
  expect(neighbour.failures, victim.server.output()).toEqual([]);
  expect(neighbour.answered).toBeGreaterThan(0);
  expect(peakMib).toBeLessThan(RSS_MIB_MAX);
  await until(
    () => victim.handles() <= before + HANDLES_SLACK,
    () => `the server had ${before} handles, now it has ${victim.handles()}`,
  );
}

class Neighbour {
  readonly failures: string[] = [];
  answered = 0;
  readonly #victim: Victim;
  readonly #agent = new Agent();
  readonly #leaving = new AbortController();
  #streamed = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(victim: Victim) {
    this.#victim = victim;
  }

  /** Returns once the first answers and the stream's first piece are here. */
  async begin(): Promise<void> {
    const streaming = this.#stream();
    const asking = this.#askOn();
    this.#running = Promise.all([streaming, asking]);
    await until(
      () => this.failures.length > 0 || (this.answered > 2 && this.#streamed > 0),
      () => "the neighbour gets no answer",
    );
  }

  /** Asks once more of each, and leaves. */
  async end(): Promise<void> {
    const { answered } = this;
    const streamed = this.#streamed;
    await until(
      () => this.failures.length > 0 || (this.answered > answered + 2 && this.#streamed > streamed),
      () => "the neighbour gets no answer any more",
    );
    this.#leaving.abort();
    await this.#running;
    await this.#agent.destroy();
  }

  async #askOn(): Promise<void> {
    const body = "x".repeat(2_000);
    while (!this.#leaving.signal.aborted && this.failures.length === 0) {
      await this.#ask("GET", `/proxy/services/${GOOD}/${STEADY}/hello`);
      await this.#ask("POST", `/proxy/services/${GOOD}/${STEADY}/echo`, body);
      await this.#ask("GET", `/api/projects/${GOOD}/services`);
      await delay(PAUSE_MS);
    }
  }

  async #ask(method: "GET" | "POST", path: string, body?: string): Promise<void> {
    try {
      const { statusCode, body: answer } = await request(`${this.#victim.url}${path}`, {
        dispatcher: this.#agent,
        method,
        headers: { authorization: `Bearer ${this.#victim.tokens[GOOD]}` },
        body: body ?? null,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await answer.text();
      if (statusCode === 200 && text.includes(body ?? "")) this.answered += 1;
      else this.failures.push(`${method} ${path}: ${statusCode} ${text.slice(0, 500)}`);
    } catch (error) {
      this.failures.push(`${method} ${path}: ${String(error)}`);
    }
  }

  async #stream(): Promise<void> {
    const { signal } = this.#leaving;
    try {
      const { statusCode, body } = await request(this.#victim.steadyUrl("/stream"), {
        dispatcher: this.#agent,
        headers: { authorization: `Bearer ${this.#victim.tokens[GOOD]}` },
        signal,
      });
      if (statusCode !== 200) this.failures.push(`the stream was refused: ${statusCode}`);
      for await (const piece of body) this.#streamed += (piece as Buffer).length;
      this.failures.push("the stream ended");
    } catch (error) {
      if (!signal.aborted) this.failures.push(`the stream was cut: ${String(error)}`);
    }
  }
}
