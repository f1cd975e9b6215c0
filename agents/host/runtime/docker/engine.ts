import type { IncomingMessage } from "node:http";
import type * as z from "zod";
import {
  type ContainerAnswer,
  containerAnswer,
  containerList,
  createdAnswer,
  type EngineInfo,
  engineEvent,
  imageAnswer,
  infoAnswer,
  type PullLine,
  pullLine,
  versionAnswer,
} from "./engine-answers.ts";
import { EngineUnreachable, isRefusal, unreachable } from "./engine-error.ts";
import { EngineSocket } from "./engine-socket.ts";
import { readJsonLines } from "./json-lines.ts";
import { readFrames } from "./log-frames.ts";

/** The API that this was written and tested against; engines since 2020 have it, the newest want a later one. */
const API_VERSION = "1.41";

/** A question is answered in milliseconds; a host under full load takes its time. */
const ASK_MS = 30_000;
/** Creating unpacks nothing, but a slow disk or a vendor's hook at the start may take long. */
const BEGIN_MS = 120_000;
/** Removing a large writable layer. */
const REMOVE_MS = 120_000;
/** An archive of some MiB into a container. */
const ARCHIVE_MS = 60_000;
/** A pull says something all the time, but for checking a large layer; a registry that is silent longer is stuck. */
const PULL_SILENCE_MS = 5 * 60_000;

export interface RegistryAuth {
  username: string;
  password: string;
}

/** An image that is on the host. */
export interface EngineImage {
  id: string;
  bytes: number;
  /** The names of the variables that it sets. */
  variables: string[];
  /** Whom its containers run as unless they say; empty = root. */
  user: string;
}

/** Which lines of a container's log. */
export interface LogOptions {
  /** Lines before the end; null = all. */
  tail: number | null;
  /** Unix seconds with a fraction, as text: lines from then on; null = from the first. */
  since: string | null;
  follow: boolean;
}

/**
 * What the agent asks of a Docker engine: thin, typed, every answer checked, every wait bounded. `dockerode` would do
 * the same with three times the code to load and half as much memory again (it brings gRPC along).
 *
 * Every method throws EngineUnreachable when there was no answer, and EngineRefusal when it was a no.
 */
export class Engine {
  readonly #socket: EngineSocket;
  #version: Promise<string> | null = null;

  /** @param socket path of the engine's Unix socket */
  constructor(socket: string) {
    this.#socket = new EngineSocket(socket);
  }

  get socketPath(): string {
    return this.#socket.path;
  }

  async info(): Promise<EngineInfo> {
    return this.#ask("GET", "/info", infoAnswer);
  }

  /** Containers in any state that bear all of these labels; the state as in their inspection. */
  async list(labels: Record<string, string>): Promise<{ id: string; labels: Record<string, string>; state: string }[]> {
    const filters = { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) };
    const found = await this.#ask("GET", `/containers/json?all=1&filters=${json(filters)}`, containerList);
    return found.map(({ Id, Labels, State }) => ({ id: Id, labels: Labels, state: State }));
  }

  /** @returns null when there is no such container */
  async inspect(container: string): Promise<ContainerAnswer | null> {
    return orNull(this.#ask("GET", `/containers/${encode(container)}/json`, containerAnswer));
  }

  /** @returns the container's id. Refuses with 404 when the image is not here, with 409 when the name is taken. */
  async create(name: string, body: object): Promise<string> {
    const path = `/containers/create?name=${encode(name)}`;
    return (await this.#ask("POST", path, createdAnswer, { body, withinMs: BEGIN_MS })).Id;
  }

  /** One that runs already is no error. */
  async start(container: string): Promise<void> {
    await this.#call("POST", `/containers/${encode(container)}/start`, { withinMs: BEGIN_MS });
  }

  /** Sends a signal to its first process. One that has ended or is gone is no error. */
  async kill(container: string, signal: string): Promise<void> {
    await this.#call("POST", `/containers/${encode(container)}/kill?signal=${encode(signal)}`).catch((error) => {
      if (!isRefusal(error, 404, 409)) throw error;
    });
  }

  /**
   * Removes a container with its anonymous volumes. One that is gone is no error.
   * @param force kill it first; else one that runs is refused with 409
   */
  async remove(container: string, force: boolean): Promise<void> {
    const path = `/containers/${encode(container)}?v=1&force=${force ? 1 : 0}`;
    await orNull(this.#call("DELETE", path, { withinMs: REMOVE_MS }));
  }

  /** The messages of a container's log, oldest first, each with its time in front. Ends with it, or when `signal` aborts. */
  async *logs(container: string, options: LogOptions, signal: AbortSignal) {
    const query = new URLSearchParams({ stdout: "1", stderr: "1", timestamps: "1" });
    query.set("follow", options.follow ? "1" : "0");
    query.set("tail", options.tail === null ? "all" : String(options.tail));
    if (options.since !== null) query.set("since", options.since);
    const answer = await this.#open("GET", `/containers/${encode(container)}/logs?${query}`, ASK_MS, signal);
    yield* this.#reading(readFrames(answer), signal);
  }

  /**
   * Tells that something happened to a container with this label, from when this resolves. Ends with the engine, or
   * throws when `signal` aborts.
   */
  async events(label: string, signal: AbortSignal): Promise<AsyncGenerator<unknown>> {
    const filters = { type: ["container"], label: [label], event: ["start", "die", "destroy", "pause", "unpause"] };
    const answer = await this.#open("GET", `/events?filters=${json(filters)}`, ASK_MS, signal);
    return this.#reading(readJsonLines(answer), signal);
  }

  /** Signals that were sent to a container from outside since an instant, as far as the engine remembers. */
  async signalsSent(container: string, sinceSeconds: number): Promise<number[]> {
    const filters = { type: ["container"], container: [container], event: ["kill"] };
    // An end that has passed: the answer is what is on record, and then it is over.
    const query = `since=${sinceSeconds}&until=${Date.now() / 1_000}&filters=${json(filters)}`;
    const body = await this.#call("GET", `/events?${query}`);
    const sent: number[] = [];
    for await (const value of readJsonLines([body])) {
      const signal = Number(engineEvent.parse(value).Actor?.Attributes.signal);
      if (Number.isInteger(signal)) sent.push(signal);
    }
    return sent;
  }

  /** @returns null when the image is not here */
  async image(reference: string): Promise<EngineImage | null> {
    const found = await orNull(this.#ask("GET", `/images/${encodePath(reference)}/json`, imageAnswer));
    if (found === null) return null;
    const variables = (found.Config?.Env ?? []).map((line) => line.split("=")[0] ?? "");
    return { id: found.Id, bytes: found.Size, variables, user: found.Config?.User ?? "" };
  }

  /** Takes a name from an image, and the image with its last one. Refuses with 409 while a container is made of it. */
  async removeImage(reference: string): Promise<void> {
    await orNull(this.#call("DELETE", `/images/${encodePath(reference)}?force=0`, { withinMs: REMOVE_MS }));
  }

  /** Pulls an image and tells how it goes; a failure comes as a line of its own, or as a refusal. */
  async *pull(reference: string, auth: RegistryAuth | null, signal: AbortSignal): AsyncGenerator<PullLine> {
    const silence = new AbortController();
    const both = AbortSignal.any([signal, silence.signal]);
    const timer = setTimeout(
      () => silence.abort(new EngineUnreachable(`nothing came for ${PULL_SILENCE_MS / 60_000} minutes`)),
      PULL_SILENCE_MS,
    );
    try {
      const path = `/images/create?fromImage=${encode(withTag(reference))}`;
      const headers = auth === null ? {} : { "x-registry-auth": authHeader(auth, registryOf(reference)) };
      const answer = await this.#open("POST", path, PULL_SILENCE_MS, both, headers);
      for await (const value of this.#reading(readJsonLines(answer), both)) {
        timer.refresh();
        yield pullLine.parse(value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Puts an archive's contents into a folder of a container that need not run. Refuses with 404 without that folder. */
  async putArchive(container: string, folder: string, archive: Buffer): Promise<void> {
    const headers = { "content-type": "application/x-tar" };
    const path = `/containers/${encode(container)}/archive?path=${encode(folder)}`;
    await this.#call("PUT", path, { body: archive, headers, withinMs: ARCHIVE_MS });
  }

  /** Whether a container has something at a path. */
  async hasPath(container: string, path: string): Promise<boolean> {
    const found = await orNull(this.#call("HEAD", `/containers/${encode(container)}/archive?path=${encode(path)}`));
    return found !== null;
  }

  /** A file of a container that need not run; null when there is none. */
  async getFile(container: string, path: string): Promise<Buffer | null> {
    const archive = await orNull(this.#call("GET", `/containers/${encode(container)}/archive?path=${encode(path)}`));
    if (archive === null) return null;
    // One entry: a header of 512 bytes, whose size is in octal digits, and the contents.
    const size = Number.parseInt(archive.toString("latin1", 124, 136), 8);
    return archive.subarray(512, 512 + size);
  }

  /** Asks the engine again which API it speaks: it may be another one since it was last reached. */
  async hello(): Promise<void> {
    this.#version = null;
    await this.#versioned("");
  }

  async #ask<T>(
    method: "GET" | "POST",
    path: string,
    schema: z.ZodType<T>,
    more: { body?: object; withinMs?: number } = {},
  ): Promise<T> {
    const answer = await this.#call(method, path, more);
    return schema.parse(JSON.parse(answer.toString("utf8")));
  }

  async #call(
    method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE",
    path: string,
    more: { body?: Buffer | object; headers?: Record<string, string>; withinMs?: number } = {},
  ): Promise<Buffer> {
    return this.#socket.call({ method, path: await this.#versioned(path), withinMs: ASK_MS, ...more });
  }

  async #open(
    method: "GET" | "POST",
    path: string,
    withinMs: number,
    signal: AbortSignal,
    headers: Record<string, string> = {},
  ): Promise<IncomingMessage> {
    return this.#socket.open({ method, path: await this.#versioned(path), withinMs, signal, headers });
  }

  /** A stream that breaks off is the engine's silence, and one that was given up ends without an error. */
  async *#reading<T>(stream: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
    try {
      yield* stream;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw unreachable(this.#socket.path, error);
    }
  }

  async #versioned(path: string): Promise<string> {
    this.#version ??= this.#negotiate();
    try {
      return `/v${await this.#version}${path}`;
    } catch (error) {
      this.#version = null;
      throw error;
    }
  }

  /** Ours, unless the engine is older or has given it up. */
  async #negotiate(): Promise<string> {
    const answer = await this.#socket.call({ method: "GET", path: "/version", withinMs: ASK_MS });
    const { ApiVersion, MinAPIVersion } = versionAnswer.parse(JSON.parse(answer.toString("utf8")));
    if (MinAPIVersion !== undefined && isBefore(API_VERSION, MinAPIVersion)) return MinAPIVersion;
    return isBefore(ApiVersion, API_VERSION) ? ApiVersion : API_VERSION;
  }
}

/** `1.9` is before `1.41`. */
function isBefore(one: string, other: string): boolean {
  return one.localeCompare(other, "en", { numeric: true }) < 0;
}

/** Without a tag the engine would pull every one that there is. */
export function withTag(reference: string): string {
  const name = reference.slice(reference.lastIndexOf("/") + 1);
  return name.includes(":") || name.includes("@") ? reference : `${reference}:latest`;
}

/** Who asks a registry, as the engine wants it in a header: base64 for URLs, padded, which Node's own is not. */
export function authHeader(auth: RegistryAuth, registry: string): string {
  const json = JSON.stringify({ username: auth.username, password: auth.password, serveraddress: registry });
  return Buffer.from(json).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** The registry that a name leads to: what stands before the first slash if it can be a host, else Docker Hub. */
export function registryOf(reference: string): string {
  const first = reference.includes("/") ? (reference.split("/")[0] ?? "") : "";
  return /[.:]/.test(first) || first === "localhost" ? first : "docker.io";
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  return answer.catch((error) => {
    if (isRefusal(error, 404)) return null;
    throw error;
  });
}

const encode = encodeURIComponent;

/** A reference keeps its slashes. */
function encodePath(reference: string): string {
  return reference.split("/").map(encode).join("/");
}

function json(value: unknown): string {
  return encode(JSON.stringify(value));
}
