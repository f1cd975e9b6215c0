import { WebSocket } from "ws";
import { type DialledLink, dialLink } from "../../agents/host/dial.ts";
import type { Client } from "../../src/api/client.ts";
import { makeToken, tokenHash } from "../../src/control/tokens/tokens.ts";
import { wholeOf } from "../../src/link/flows.ts";
import type { Link } from "../../src/link/link.ts";
import type { LinkAnswer, ReceivedBody } from "../../src/link/types.ts";
import { LINK_SOCKET_OPTIONS } from "../../src/link/ws.ts";
import {
  type DesiredJob,
  desiredState,
  LEAVE_PATH,
  type OpenToAgent,
  openToAgent,
  REFUSED_HEADER,
  type Report,
  type SyncAnswer,
  syncAnswer,
} from "../../src/wire/index.ts";
import { until } from "./processes.ts";
import { INVENTORY, jobReportOf, reportOf } from "./reports.ts";

/** More than any answer to a sync of these tests has. */
const ANSWER_BYTES_MAX = 1024 * 1024;

type Opened<K extends OpenToAgent["kind"]> = Extract<OpenToAgent, { kind: K }>;
/** How a host answers a request for one of its replicas. */
export type Answering = (open: Opened<"http">, body: ReceivedBody, signal: AbortSignal) => Promise<LinkAnswer>;
export type Logging = (open: Opened<"logs">, signal: AbortSignal) => LinkAnswer;

/** What a sync came to, over either carrier. */
export type Synced =
  | { status: 200; answer: SyncAnswer }
  | { status: number; answer: null; error: { code: string; message: string } };

/**
 * A host that joined as hosts do, and whose agent is the test: it speaks when it is told to, says that it runs whatever
 * it was told to run, and answers requests as the test wants. Its dialled end of the link is the agent's own.
 */
export class PlayedHost {
  readonly id: string;
  readonly name: string;
  readonly credential: string;
  readonly url: string;
  link: Link | null = null;
  /** Why its last link ended; null while there is one. */
  ended: Error | null = null;
  wakes = 0;
  /** What it was told to run, and says that it does. */
  jobs: DesiredJob[] = [];
  held = { version: 0, hash: "" };
  answering: Answering = async (open) => json(200, { host: this.name, replica: open.replica, path: open.path });
  logging: Logging = () => refusedAs(404, "this host keeps no logs");
  #seq = 0;

  private constructor(url: string, id: string, name: string, credential: string) {
    this.url = url;
    this.id = id;
    this.name = name;
    this.credential = credential;
  }

  static async join(client: Client, url: string, name: string): Promise<PlayedHost> {
    const { token } = await client.createToken({ kind: "join", name: `for ${name}` });
    const credential = makeToken("host");
    const response = await joinAs(url, token, name, credential);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const { host } = (await response.json()) as { host: string };
    return new PlayedHost(url, host, name, credential);
  }

  /** Joined, linked and heard of, so that it can be given something to run. */
  static async here(client: Client, url: string, name: string): Promise<PlayedHost> {
    const host = await PlayedHost.join(client, url, name);
    await host.dial();
    await host.sync();
    await until(
      async () => (await client.hosts()).some(({ id, online }) => id === host.id && online),
      () => `${name} is not taken for online`,
    );
    return host;
  }

  /** A newer link beside the one that there is. @throws LinkRefused */
  async dial(): Promise<Link> {
    const dialled: DialledLink = await dialLink(
      this.url,
      this.credential,
      (open, body, signal) => this.#serve(openToAgent.parse(open), body, signal),
      (reason) => {
        if (this.link === dialled.link) this.ended = reason;
      },
    );
    this.link = dialled.link;
    this.ended = null;
    return dialled.link;
  }

  /** Dials until it is let in, as agents do when the control plane was away. */
  async dialUntilLet(): Promise<void> {
    const isLet = () =>
      this.dial().then(
        () => true,
        () => false,
      );
    await until(isLet, () => `${this.name} is not let in`);
  }

  /** The bare WebSocket, for words of the test's own. */
  async socket(): Promise<WebSocket> {
    const socket = new WebSocket(`${this.url.replace("http", "ws")}/agent/link`, {
      ...LINK_SOCKET_OPTIONS,
      headers: { authorization: `Bearer ${this.credential}` },
    });
    // It may be cut at any moment; that is what tests who ask for it are after.
    socket.on("error", () => {});
    await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("close", reject));
    return socket;
  }

  /** Reports over the link, and takes over what it is told. The same report twice is told apart by its number alone. */
  async sync(over: Partial<Report> = {}, link: Link | null = this.link): Promise<Synced> {
    if (link === null) throw new Error(`${this.name} has no link`);
    const body = new TextEncoder().encode(JSON.stringify(this.report(over)));
    const answer = await link.request({ kind: "sync" }, body, AbortSignal.timeout(30_000));
    const text = new TextDecoder().decode(await wholeOf(answer.body, ANSWER_BYTES_MAX));
    return this.#take(answer.head.status, text);
  }

  /** The same by a request of its own. */
  async ask(over: Partial<Report> = {}): Promise<Synced> {
    const response = await fetch(`${this.url}/agent/sync`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.credential}`, "content-type": "application/json" },
      body: JSON.stringify(this.report(over)),
    });
    return this.#take(response.status, await response.text());
  }

  /** Says that nothing is left on it, as an agent does that is taken off its host. @returns the status of the answer */
  async sayLeft(): Promise<number> {
    const headers = { authorization: `Bearer ${this.credential}` };
    return (await fetch(this.url + LEAVE_PATH, { method: "POST", headers })).status;
  }

  /** Syncs, taking on what it is told, until `condition` holds. */
  async syncUntil(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const isSo = async () => {
      const { status } = await this.sync();
      if (status !== 200) throw new Error(`a sync of ${this.name} was answered ${status}`);
      return condition();
    };
    await until(isSo, () => `${this.name}: ${what}; it runs ${this.jobs.map(({ replica }) => replica).join()}`);
  }

  /** It goes away as a machine does that is switched off: without a word about its link. */
  leave(): void {
    this.link?.close("the test is done with it");
    this.link = null;
  }

  #take(status: number, text: string): Synced {
    const value: unknown = JSON.parse(text);
    if (status !== 200)
      return { status, answer: null, error: (value as { error: { code: string; message: string } }).error };
    const answer = syncAnswer.parse(value);
    this.held = { version: answer.version, hash: answer.hash };
    if (answer.desired !== null) this.jobs = desiredState.parse(answer.desired).jobs;
    return { status: 200, answer };
  }

  report(over: Partial<Report> = {}): Report {
    this.#seq += 1;
    return reportOf({
      agent: { version: "0", bootId: "b", machine: this.name, incarnation: "i1" },
      seq: this.#seq,
      applied: this.held,
      jobs: this.jobs.map((job) =>
        jobReportOf(job, {
          state: job.phase.kind === "run" ? "ready" : "ended",
          confirmed: { role: "worker", bootstrapPort: null },
        }),
      ),
      ...over,
    });
  }

  async #serve(open: OpenToAgent, body: ReceivedBody, signal: AbortSignal): Promise<LinkAnswer> {
    if (open.kind === "wake") {
      this.wakes += 1;
      return { head: { status: 204, headers: [] }, body: null };
    }
    return open.kind === "logs" ? this.logging(open, signal) : this.answering(open, body, signal);
  }
}

/** @param token a join token, if it shall be let in */
export async function joinAs(
  url: string,
  token: string,
  name: string,
  credential = makeToken("host"),
): Promise<Response> {
  const credentialHash = await tokenHash(credential);
  return fetch(`${url}/agent/join`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name, machine: name, agentVersion: "0", inventory: INVENTORY, credentialHash }),
  });
}

export function json(status: number, value: unknown): LinkAnswer {
  return {
    head: { status, headers: [["content-type", "application/json"]] },
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}

/** What an agent answers that does not run the replica which is meant. */
export function notHere(): LinkAnswer {
  return { head: { status: 421, headers: [[REFUSED_HEADER, "not_here"]] }, body: null };
}

function refusedAs(status: number, message: string): LinkAnswer {
  return json(status, { error: { code: "refused", message } });
}
