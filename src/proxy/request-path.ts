import { answerOf } from "./answer.ts";
import { KeptBodies, lengthOf, modelOf, type RequestBody, takeBody } from "./body.ts";
import { Directory } from "./directory.ts";
import { jsonAnswer, Refusal, refusalAnswer } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { discard, type Forwarder, forward, headersTooLarge } from "./forward.ts";
import { bearerOf, headerOf, requestHeaders } from "./headers.ts";
import { ABSENCE_LIFE_MS, HEADERS_MAX, IDLE_MS_MAX } from "./limits.ts";
import { Load } from "./load.ts";
import { entryFor, isServed, modelList, modelPath } from "./models.ts";
import { allowedAtRouter, canonicalPath, servicePath } from "./paths.ts";
import type { ProxyAnswer, ProxyRequest, ProxySource, ServiceEntry } from "./types.ts";
import { Waits } from "./waits.ts";

interface RequestPathOptions {
  /** Milliseconds of a clock that never goes back; `performance.now` unless a test has its own. */
  now?: () => number;
  idleMsMax?: number;
  /**
   * Whether requests that ask for the same wait for one answer, as they do unless told otherwise. Not where the
   * platform ends what a request has begun together with it.
   */
  shareQuestions?: boolean;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * The request path: `/proxy/services/<project>/<service>/...` and `/proxy/models/<project>/...`, the same on every
 * platform. What the proxy itself has to say is OpenAI-style JSON.
 */
export class RequestPath {
  readonly #directory: Directory;
  readonly #forwarder: Forwarder;
  readonly #kept = new KeptBodies();
  readonly #now: () => number;
  readonly #idleMsMax: number;

  constructor(source: ProxySource, options: RequestPathOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#idleMsMax = options.idleMsMax ?? IDLE_MS_MAX;
    this.#directory = new Directory(source, this.#now, options.shareQuestions ?? true);
    this.#forwarder = {
      directory: this.#directory,
      load: new Load(),
      waits: new Waits(source, this.#now),
      now: this.#now,
      wayTo: (project, target) => source.way(project, target),
    };
  }

  /**
   * Answers a request; refusals are answers too. The body of the answer has to be started or cancelled.
   * @throws only what is a fault of ours
   */
  async serve(request: ProxyRequest): Promise<ProxyAnswer> {
    const exchange = new Exchange(request, this.#idleMsMax, this.#now);
    try {
      refuseWhatIsNotCarried(request);
      const { pathname } = request.url;
      const service = pathname.startsWith("/proxy/services/") ? servicePath(pathname) : null;
      if (service) return await this.#toService(exchange, service);
      const model = pathname.startsWith("/proxy/models/") ? modelPath(pathname) : null;
      if (model) return await this.#toModel(exchange, model);
      throw noRoute();
    } catch (error) {
      exchange.end();
      // A client that goes away breaks the reading of its body: what broke it says more than how.
      const refusal = exchange.watch.givenUp ?? error;
      if (!(refusal instanceof Refusal)) throw error;
      return refusalAnswer(refusal, exchange.id, request.method);
    }
  }

  /** Asks again who may call the services of a project, as once a token of it was revoked. */
  forgetCallers(project: string): void {
    this.#directory.forgetCallers(project);
  }

  async #toService(exchange: Exchange, found: NonNullable<ReturnType<typeof servicePath>>): Promise<ProxyAnswer> {
    const { project, service } = found;
    const path = canonicalPath(found.path);
    if (!path) throw new Refusal(400, "invalid_path", "the path has a broken escape or characters that need one");
    const held = await this.#directory.service(project, service);
    if (!held) await this.#mustBeAllowed(project, exchange.request);
    const entry = held ?? (await this.#directory.service(project, service, ABSENCE_LIFE_MS));
    if (entry?.auth) await this.#mustBeAllowed(project, exchange.request);
    if (!entry) throw new Refusal(404, "service_not_found", `project ${project} has no service ${service}`);
    exchange.hold(this.#forwarder.load.enter(entry));
    const prefix = `/proxy/services/${project}/${service}`;
    const [before, kept] = entry.stripPrefix ? [prefix, ""] : ["", prefix];
    return this.#pass(exchange, entry, path, { before, kept }, await this.#take(exchange));
  }

  async #toModel(exchange: Exchange, { project, operation }: NonNullable<ReturnType<typeof modelPath>>) {
    const { request } = exchange;
    const allowed = await this.#directory.mayCall(project, bearerOf(request.headers));
    const openTo = async (lifeMs?: number) =>
      (await this.#directory.models(project, lifeMs)).filter((entry) => allowed || !entry.auth);
    const open = await openTo();
    if (!allowed && open.length === 0) throw unauthorized(project, request);
    if (operation === "models") {
      mustUse(["GET", "HEAD"], request.method);
      exchange.end();
      const list = jsonAnswer(200, JSON.stringify(modelList(await openTo(ABSENCE_LIFE_MS))), exchange.id);
      return request.method === "HEAD" ? { ...list, body: null } : list;
    }
    mustUse(["POST"], request.method);
    const body = await this.#take(exchange);
    const model = modelOf(body);
    const entry = entryFor(model, isServed(model, open) ? open : await openTo(ABSENCE_LIFE_MS));
    exchange.hold(this.#forwarder.load.enter(entry));
    const path = canonicalPath(`${entry.model!.prefix}/${operation}`);
    if (!path) throw new Refusal(502, "invalid_prefix", `the model prefix of ${entry.service} is not a path`);
    return this.#pass(exchange, entry, path, { before: `/proxy/models/${project}`, kept: "" }, body);
  }

  /**
   * @param path what the service serves
   * @param prefix of the caller's path: what the replica does not see of it, and what it does
   */
  async #pass(
    exchange: Exchange,
    entry: ServiceEntry,
    path: string,
    prefix: { before: string; kept: string },
    body: RequestBody,
  ) {
    const { request, id, watch } = exchange;
    if (entry.router && !allowedAtRouter(path)) {
      throw new Refusal(
        403,
        "path_not_allowed",
        `${entry.service} is behind a router: only /v1/..., /generate and /chat/completions are served, not ${path}`,
      );
    }
    const { method, url, clientAddress } = request;
    const contentLength = body.kind === "stream" ? body.contentLength : null;
    const headers = requestHeaders(request.headers, {
      url,
      prefix: prefix.before,
      requestId: id,
      clientAddress,
      contentLength,
    });
    if (headers.length > HEADERS_MAX) throw headersTooLarge();
    const call = { entry, method, path: prefix.kept + path + url.search, headers, body, signal: watch.signal };
    const { answer, release } = await forward(call, this.#forwarder);
    exchange.hold(release);
    try {
      return answerOf(answer, { method, requestId: id, watch, over: exchange.end });
    } catch (error) {
      discard(answer);
      throw error;
    }
  }

  async #take(exchange: Exchange): Promise<RequestBody> {
    const { method, headers, body } = exchange.request;
    const source = method === "GET" || method === "HEAD" ? null : body;
    const taken = takeBody(source, lengthOf(headers), this.#kept, exchange.watch.moved);
    // Also when the client goes away first: what was reserved is given back once reading has come to its end.
    exchange.hold(
      () => void taken.then(({ reservedBytes }) => this.#kept.release(reservedBytes)).catch(() => undefined),
    );
    return (await orAborted(taken, exchange.watch.signal)).body;
  }

  async #mustBeAllowed(project: string, request: ProxyRequest): Promise<void> {
    if (!(await this.#directory.mayCall(project, bearerOf(request.headers)))) throw unauthorized(project, request);
  }
}

function refuseWhatIsNotCarried(request: ProxyRequest): void {
  if (headerOf(request.headers, "upgrade")?.toLowerCase() === "websocket") {
    throw new Refusal(
      501,
      "websocket_not_supported",
      "WebSockets do not go through the proxy; use HTTP, streamed with server-sent events",
    );
  }
  mustUse(METHODS, request.method);
}

function mustUse(methods: string[], method: string): void {
  if (methods.includes(method)) return;
  throw new Refusal(405, "method_not_allowed", `use ${methods.join(" or ")} here, not ${method}`);
}

function unauthorized(project: string, request: ProxyRequest): Refusal {
  if (headerOf(request.headers, "authorization") !== null) {
    return new Refusal(401, "invalid_token", `this token may not call the services of project ${project}`);
  }
  return new Refusal(401, "token_missing", "a token is needed: send the header `Authorization: Bearer <token>`");
}

function noRoute(): Refusal {
  return new Refusal(
    404,
    "route_not_found",
    "use /proxy/services/<project>/<service>/... or /proxy/models/<project>/v1/chat/completions (also completions, embeddings, models)",
  );
}

/** Waits for something that cannot be told to stop, until the signal says so. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
