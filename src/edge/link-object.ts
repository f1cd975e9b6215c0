import { DurableObject } from "cloudflare:workers";
import { LinkError } from "../link/errors.ts";
import { PING, PONG } from "../link/ws.ts";
import type { Report } from "../wire/index.ts";
import { edgeLog } from "./edge-log.ts";
import { type Env, type HostName, projectStub } from "./env.ts";
import { LinkLife } from "./link-life.ts";
import {
  answerResponse,
  bodyOf,
  failureResponse,
  isProxied,
  LINK_BACK_PATH,
  LINKED_PATH,
  linkedResponse,
  openedBy,
  REQUEST_PATH,
} from "./link-requests.ts";
import { outcomeOf } from "./outcome.ts";
import { type DurableState, type EdgeSocket, edgeGlobals } from "./platform.ts";
import type { LinkStub } from "./stubs.ts";
import { watched } from "./watched.ts";

/** Opens the link of the host that the header names; the Worker has checked its credential. */
export const OPEN_PATH = "/open";
export const HOST_HEADER = "x-headrace-host";

/** Where a host's link ends: the object of the host's name. It sleeps while nothing happens, and its socket stays. */
export class LinkObject extends DurableObject<Env> implements LinkStub {
  #life: LinkLife | null = null;

  constructor(ctx: DurableState, env: Env) {
    super(ctx, env);
    const { WebSocketRequestResponsePair } = edgeGlobals();
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === OPEN_PATH) return this.#open(JSON.parse(request.headers.get(HOST_HEADER) ?? "null"));
    if (pathname === LINKED_PATH) return linkedResponse(this.#known()?.isLinked ?? false);
    if (pathname === LINK_BACK_PATH) return linkedResponse((await this.#known()?.linkBack(request.signal)) ?? false);
    if (pathname !== REQUEST_PATH) return new Response(null, { status: 404 });
    try {
      const life = this.#known();
      if (!life) throw new LinkError("closed", "the host was never connected", false);
      const [open, body] = [openedBy(request), await bodyOf(request)];
      const ask = (signal: AbortSignal) => life.request(open, body, signal);
      if (!isProxied(open)) return answerResponse(await ask(request.signal), false);
      return answerResponse(await watched(ask, request.signal), true);
    } catch (error) {
      return failureResponse(error);
    }
  }

  async wake(host: HostName): Promise<void> {
    await this.#lifeOf(host).wake();
  }

  syncUnlinked(host: HostName, report: Report) {
    return outcomeOf(this.#lifeOf(host).syncUnlinked(report));
  }

  async forget(host: HostName, reason: string): Promise<void> {
    this.#lifeOf(host).forget(reason);
    this.#life = null;
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  async alarm(): Promise<void> {
    await this.#known()?.look();
  }

  webSocketMessage(socket: EdgeSocket, message: ArrayBuffer | string): void {
    this.#known()?.received(socket, message);
  }

  webSocketClose(socket: EdgeSocket, code: number): void {
    this.#known()?.closed(socket, `the connection ended (${code})`);
  }

  webSocketError(socket: EdgeSocket, error: unknown): void {
    this.#known()?.closed(socket, `the connection broke: ${String(error)}`);
  }

  #open(host: HostName): Response {
    const { WebSocketPair } = edgeGlobals();
    const { 0: client, 1: server } = new WebSocketPair();
    this.#lifeOf(host).opened(server);
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  #lifeOf(host: HostName): LinkLife {
    const known = this.#known();
    if (known) return known;
    this.ctx.storage.kv.put("host", host);
    return this.#begin(host);
  }

  /** Of an object that the platform has woken: null where no host has ever come. */
  #known(): LinkLife | null {
    if (this.#life) return this.#life;
    const host = this.ctx.storage.kv.get<HostName>("host");
    return host ? this.#begin(host) : null;
  }

  #begin(host: HostName): LinkLife {
    const { ctx, env } = this;
    const project = () => projectStub(env, host.project);
    const deployment = env.VERSION?.id ?? "";
    this.#life = new LinkLife({ host, ctx, project, deployment, now: Date.now, log: edgeLog });
    return this.#life;
  }
}
