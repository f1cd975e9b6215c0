import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import { text } from "node:stream/consumers";

/** What an agent asked an engine to create: the container's name and the whole of its specification. */
export interface AskedContainer {
  name: string;
  body: { HostConfig?: { Privileged?: boolean }; [field: string]: unknown };
}

/**
 * Stands in front of a Docker engine that may not grant `privileged`, since it has few capabilities itself: keeps what
 * was asked for, to be compared, and asks the engine for the same without `privileged`. All else passes as it is.
 */
export class LenientEngine {
  /** Containers as they were asked for, first to last. */
  readonly asked: AskedContainer[] = [];
  /** How often `privileged` was taken out. */
  cleared = 0;
  readonly socket: string;
  readonly #engine: string;
  readonly #server: Server;

  private constructor(engine: string) {
    this.#engine = engine;
    this.socket = `${engine}.lenient`;
    this.#server = createServer(async (asked, answer) => {
      const isCreate = asked.method === "POST" && /\/containers\/create\b/.test(asked.url ?? "");
      const body = isCreate ? this.#note(asked.url ?? "", await text(asked)) : null;
      const length = body === null ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const passed = request({
        socketPath: this.#engine,
        method: asked.method,
        path: asked.url,
        headers: { ...asked.headers, ...length },
        agent: false,
      });
      passed.once("response", (found) => {
        answer.writeHead(found.statusCode ?? 502, found.headers);
        // Whoever waits for events waits for the head too.
        answer.flushHeaders();
        found.pipe(answer);
        found.once("error", () => answer.destroy());
      });
      passed.once("error", () => answer.destroy());
      answer.once("close", () => passed.destroy());
      if (body === null) asked.pipe(passed);
      else passed.end(body);
    });
  }

  /** @param engine path of the engine's socket; its own lies beside it */
  static async before(engine: string): Promise<LenientEngine> {
    const lenient = new LenientEngine(engine);
    await once(lenient.#server.listen(lenient.socket), "listening");
    return lenient;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #note(url: string, sent: string): string {
    const name = new URL(url, "http://engine").searchParams.get("name") ?? "";
    const body = JSON.parse(sent) as AskedContainer["body"];
    this.asked.push({ name, body });
    if (body.HostConfig?.Privileged !== true) return sent;
    this.cleared += 1;
    return JSON.stringify({ ...body, HostConfig: { ...body.HostConfig, Privileged: false } });
  }
}
