import type { EnvSpec, ProbeSpec, Role, RouterSpec } from "../spec/types.ts";
import type { CommandWords } from "./shell-words.ts";

/** A port that a launch line binds. `env` names the variable that lets the line take another port, when it uses it. */
export interface PortClaim {
  /** `service`: where probes and requests go; `bootstrap`: where decodes meet a prefill; `metrics`: a router's own. */
  name: "service" | "bootstrap" | "metrics";
  port: number;
  /** Set when the commands refer to this variable, so that another free port will do. */
  env: "HEADRACE_PORT" | "HEADRACE_BOOTSTRAP_PORT" | "HEADRACE_METRICS_PORT" | null;
}

/** Replicas of one role open connections to a port of those of another, in the same service. */
export interface Dial {
  from: Role;
  to: Exclude<Role, "router">;
  port: PortClaim["name"];
}

/** One HTTP question to an engine or router. The agent asks it at the job's own address. */
export interface HttpQuestion {
  method: "GET" | "POST" | "DELETE";
  path: string;
  /** JSON; sent with its content type. */
  body?: string;
}

/** What a launch line stands in. */
export interface LaunchContext {
  /** The service's environment: literals among it are filled into flags. */
  env: EnvSpec;
  servicePort: number;
  /** The role as written in the spec, null when it is to be read from the commands. */
  role: Exclude<Role, "router"> | null;
  /** Whether requests come through a router, which may run on another host. */
  behindRouter: boolean;
  /** Whether the commands refer to a variable anywhere. */
  mentions(variable: string): boolean;
}

/** What a launch line says. */
export interface LaunchReading {
  role: Exclude<Role, "router">;
  ports: PortClaim[];
  /** For people, one sentence each. */
  warnings: string[];
}

/** What differs between inference engines. Pure: questions and the reading of answers. */
export interface EngineAdapter {
  name: string;
  /** @returns null when these commands do not launch this engine. */
  readLaunch(commands: CommandWords[], context: LaunchContext): LaunchReading | null;
  /** The probe of a worker that has none of its own. */
  probe: ProbeSpec;
  /** How its replicas reach each other. */
  dials: readonly Dial[];
  /** What the engine says of itself. */
  identify: {
    question: HttpQuestion;
    /** @returns null when the answer is not this engine's. */
    read(status: number, body: string): { role: Exclude<Role, "router">; bootstrapPort: number | null } | null;
  };
  /** Whether nothing is running, queued or being transferred. */
  idle: {
    question: HttpQuestion;
    /** @returns null when the answer says nothing about it. */
    read(status: number, body: string): boolean | null;
  };
}

export interface ListedWorker {
  /** The router's own handle, for removal. */
  handle: string;
  url: string;
  status: "pending" | "ready" | "not_ready" | "failed" | "draining";
  role: Exclude<Role, "router">;
  labels: Record<string, string>;
  bootstrapPort: number | null;
}

/** What differs between routers. */
export interface RouterAdapter {
  name: string;
  /**
   * The commands of a router that was declared without any: every port that it binds may move, and its
   * API is locked. Texts as a file would have them.
   */
  generate(router: NonNullable<RouterSpec["generated"]>): string[];
  /** A router's commands always launch it: the spec says so, even where its line cannot be read. */
  readLaunch(commands: CommandWords[], context: LaunchContext): Omit<LaunchReading, "role">;
  probe: ProbeSpec;
  /** Which of its workers it connects to, and where. */
  dials: readonly Dial[];
  /** Asked besides the probes: whether requests would be served now. */
  readiness: { question: HttpQuestion; read(status: number, body: string): boolean };
  /** How to show on the worker API below that one may use it, to a router that was started with this key. */
  authorization(key: string): { name: string; value: string };
  list: { question: HttpQuestion; read(status: number, body: string): ListedWorker[] | null };
  add(worker: {
    url: string;
    role: Exclude<Role, "router">;
    bootstrapPort: number | null;
    labels: Record<string, string>;
  }): HttpQuestion;
  remove(handle: string): HttpQuestion;
  /** How it answers a request that it had no worker for, which so has reached none: one of these codes in this header. */
  noWorker: { header: string; codes: readonly string[] };
}

/** A group with what its adapters read out of it. */
export interface ResolvedGroup {
  /** As written, or those that the router's adapter makes. */
  commands: string[];
  role: Role;
  engine: string | null;
  router: "smg" | "dynamo" | null;
  ports: PortClaim[];
  probes: ProbeSpec[];
  /** What a plan should tell people about the group's launch line, one sentence each. */
  warnings: string[];
}
