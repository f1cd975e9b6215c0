import { WebSocket } from "ws";
import { makeToken, tokenHash } from "../../../src/control/tokens/tokens.ts";
import { wholeOf } from "../../../src/link/flows.ts";
import { FRAME_BYTES_MAX, MESSAGE_BYTES_MAX } from "../../../src/link/limits.ts";
import type { Link } from "../../../src/link/link.ts";
import type { LinkHandler } from "../../../src/link/types.ts";
import { LINK_SOCKET_OPTIONS, linkOverWebSocket } from "../../../src/link/ws.ts";
import type { DesiredState, Report, SyncAnswer } from "../../../src/wire/index.ts";
import { until } from "../../support/processes.ts";
import { INVENTORY, jobReportOf, reportOf } from "../../support/reports.ts";
import { BAD, type Victim } from "./victim.ts";

/** A host of the bad project that joined as it should and does not behave from then on. */
export class HostileHost {
  readonly id: string;
  readonly credential: string;
  readonly #victim: Victim;

  private constructor(victim: Victim, id: string, credential: string) {
    this.#victim = victim;
    this.id = id;
    this.credential = credential;
  }

  static async join(victim: Victim, name: string, inventory: unknown = INVENTORY): Promise<HostileHost> {
    const { token } = await victim.client(BAD).createToken({ kind: "join", name: "hostile" });
    const credential = makeToken("host");
    const credentialHash = await tokenHash(credential);
    const response = await fetch(`${victim.url}/agent/join`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ name, machine: name, agentVersion: "0", inventory, credentialHash }),
    });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const { host } = (await response.json()) as { host: string };
    return new HostileHost(victim, host, credential);
  }

  /**
   * Takes the bad project's service on, says that it runs, and answers its requests from then on in its own way.
   * @returns its link
   */
  async serve(service: string, handler: LinkHandler): Promise<Link> {
    const link = linkOverWebSocket(await this.socket(), { side: "dialled", later: setImmediate, handler });
    const sync = async (over: Partial<Report>) => {
      const body = new TextEncoder().encode(JSON.stringify(this.report(over)));
      const answer = await link.request({ kind: "sync" }, body);
      const text = new TextDecoder().decode(await wholeOf(answer.body, MESSAGE_BYTES_MAX));
      return JSON.parse(text) as SyncAnswer & { desired: DesiredState | null };
    };
    let seq = 1;
    await sync({ seq });
    const config = `type: service\nname: ${service}\nport: 80\ncommands: ["true"]\nresources: { cpu: 1.., memory: 100MB.., disk: 1GB.. }`;
    await this.#victim.client(BAD).apply({ config });
    await until(
      async () => {
        seq += 1;
        const { desired, version, hash } = await sync({ seq });
        const jobs = (desired?.jobs ?? []).map((job) => jobReportOf(job));
        if (jobs.length > 0) await sync({ seq: seq + 1, jobs, applied: { version, hash } });
        seq += 1;
        return (await this.#victim.client(BAD).service(service)).ready;
      },
      () => `${service} does not become ready`,
    );
    return link;
  }

  /** Opens the bare WebSocket, for frames of one's own making. */
  async socket(): Promise<WebSocket> {
    const socket = new WebSocket(`${this.#victim.url.replace("http", "ws")}/agent/link`, {
      ...LINK_SOCKET_OPTIONS,
      headers: { authorization: `Bearer ${this.credential}` },
    });
    // The server may cut it at any moment; that is what these tests are after.
    socket.on("error", () => {});
    await new Promise<void>((resolve, reject) => socket.once("open", resolve).once("close", reject));
    return socket;
  }

  report(over: Partial<Report> = {}): Report {
    const machine = this.id.replace(/-[0-9a-f]{8}$/, "");
    return reportOf({ agent: { version: "0", bootId: "b", machine, incarnation: "i1" }, ...over });
  }
}

/** One frame as it travels, whatever it says. */
export function frame(type: number, stream: number, rest: Uint8Array = new Uint8Array()): Uint8Array {
  const bytes = new Uint8Array(9 + rest.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 5 + rest.length);
  view.setUint8(4, type);
  view.setUint32(5, stream);
  bytes.set(rest, 9);
  return bytes;
}

/** The rest of an open: how its body travels (0 none, 1 whole, 2 stream) and its head. */
export function openRest(head: string, body: 0 | 1 | 2 = 0): Uint8Array {
  const json = new TextEncoder().encode(head);
  const rest = new Uint8Array(5 + json.length);
  rest[0] = body;
  new DataView(rest.buffer).setUint32(1, json.length);
  rest.set(json, 5);
  return rest;
}

export const TOO_LONG = FRAME_BYTES_MAX + 1;
