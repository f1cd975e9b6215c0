import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { sha256Hex as digest } from "../../../src/control/digest.ts";
import type { Link } from "../../../src/link/link.ts";
import type { LinkAnswer } from "../../../src/link/types.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../../../src/link/ws.ts";
import {
  type DesiredJob,
  desiredHash,
  joinRequest,
  type Report,
  report,
  type SyncAnswer,
} from "../../../src/wire/index.ts";
import { sha256Hex } from "../chosen-credential.ts";

export const JOIN_TOKEN = "join-once";

/**
 * The control plane as one host sees it: a join, a link and answers to syncs, over real HTTP and a real WebSocket. Tests
 * say what is desired, and await reports instead of time.
 */
export class TestControlPlane {
  readonly reports: Report[] = [];
  joins = 0;
  /** Lets a test lose the answers of this many joins. */
  lostJoinAnswers = 0;
  /** Hash of the credential that has joined. */
  credentialHash = "";
  version = 0;
  jobs: DesiredJob[] = [];
  link: Link | null = null;
  /** As behind a proxy that knows no WebSockets. */
  refusesLinks = false;
  /** How many of the reports came by requests of their own. */
  posts = 0;
  /** Lets a test say something else than what is desired. */
  answer: ((answer: SyncAnswer) => SyncAnswer) | null = null;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, ...LINK_SOCKET_OPTIONS });
  #heard: (() => void)[] = [];

  constructor() {
    this.#server = createServer(async (request, response) => {
      const send = (status: number, value: unknown) => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(value));
      };
      let text = "";
      for await (const chunk of request) text += chunk;
      if (request.url === "/agent/sync") {
        if (!this.#isHost(request)) return send(401, { error: { code: "unauthorized", message: "not this host's" } });
        this.posts += 1;
        return send(200, await this.#answer(text));
      }
      const isToken = request.headers.authorization === `Bearer ${JOIN_TOKEN}`;
      const { credentialHash } = isToken ? joinRequest.parse(JSON.parse(text)) : { credentialHash: null };
      if (!isToken || (this.joins > 0 && credentialHash !== this.credentialHash)) {
        return send(401, { error: { code: "unauthorized", message: "the token is not valid" } });
      }
      this.credentialHash = credentialHash ?? "";
      this.joins += 1;
      if (this.joins <= this.lostJoinAnswers) return void request.socket.destroy();
      send(200, { project: "main", fleet: "default", host: "h1" });
    });
    this.#server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/agent/link" || !this.#isHost(request) || this.refusesLinks) {
        socket.end(`HTTP/1.1 ${this.refusesLinks ? 403 : 401} Refused\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        this.link = linkOverWebSocket(ws, {
          side: "accepted",
          later: setImmediate,
          handler: (_open, body) => this.#sync(body as Uint8Array),
        });
      });
    });
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Changes what is desired and tells the agent, as the real one does. */
  async want(jobs: DesiredJob[]): Promise<void> {
    this.jobs = jobs;
    this.version += 1;
    await this.link?.request({ kind: "wake" });
  }

  /** Waits for a report like this. */
  async heard(matches: (last: Report) => boolean): Promise<Report> {
    for (;;) {
      const last = this.reports.at(-1);
      if (last !== undefined && matches(last)) return last;
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  /** Waits until a job is in this state. */
  async state(job: string, state: string, attempt?: number) {
    const last = await this.heard((candidate) =>
      candidate.jobs.some(
        (one) => one.job === job && one.state === state && (attempt === undefined || one.attempt === attempt),
      ),
    );
    return last.jobs.find((one) => one.job === job)!;
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  #isHost(request: IncomingMessage): boolean {
    const credential = request.headers.authorization?.replace(/^Bearer /, "") ?? "";
    return sha256Hex(credential) === this.credentialHash;
  }

  async #sync(body: Uint8Array): Promise<LinkAnswer> {
    const answer = await this.#answer(new TextDecoder().decode(body));
    return { head: { status: 200, headers: [] }, body: new TextEncoder().encode(JSON.stringify(answer)) };
  }

  async #answer(text: string): Promise<SyncAnswer> {
    const heard = report.parse(JSON.parse(text));
    const hash = await desiredHash(this.jobs, digest);
    const desired = { project: "main", host: "h1", version: this.version, jobs: this.jobs };
    const plain: SyncAnswer = {
      version: this.version,
      hash,
      desired: hash === heard.applied.hash ? null : desired,
      nextSyncInMs: 5_000,
      peers: null,
    };
    this.reports.push(heard);
    for (const resolve of this.#heard.splice(0)) resolve();
    return this.answer?.(plain) ?? plain;
  }
}
