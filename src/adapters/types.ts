import type { GroupSpec, ProbeSpec, Role, ServiceSpec } from "../spec/types.ts";

/** A port that a launch line binds. `env` names the variable that lets the line take another port, when it uses it. */
export interface PortClaim {
  name: "service" | "bootstrap" | "metrics";
  port: number;
  /** Set when the commands refer to this variable, so that another free port will do. */
  env: "HEADRACE_PORT" | "HEADRACE_BOOTSTRAP_PORT" | "HEADRACE_METRICS_PORT" | null;
}

/** One HTTP question to an engine or router. The agent asks it at the job's own address. */
export interface HttpQuestion {
  method: "GET" | "POST" | "DELETE";
  path: string;
  body?: string;
}

/** What differs between inference engines. Pure: questions and the reading of answers. */
export interface EngineAdapter {
  name: string;
  /** Whether these commands launch this engine. */
  recognises(commands: string[]): boolean;
  /** The role that the commands give it. */
  role(commands: string[]): Exclude<Role, "router">;
  ports(commands: string[], role: Role, servicePort: number): PortClaim[];
  /** The probe of a worker that has none of its own. */
  probe: ProbeSpec;
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
  ports(commands: string[], servicePort: number): PortClaim[];
  probe: ProbeSpec;
  /** Asked besides the probes: whether requests would be served now. */
  readiness: { question: HttpQuestion; read(status: number, body: string): boolean };
  list: { question: HttpQuestion; read(status: number, body: string): ListedWorker[] | null };
  add(worker: {
    url: string;
    role: Exclude<Role, "router">;
    bootstrapPort: number | null;
    labels: Record<string, string>;
  }): HttpQuestion;
  remove(handle: string): HttpQuestion;
}

/** A group with what its adapters read out of it. */
export interface ResolvedGroup {
  role: Role;
  engine: string | null;
  router: "smg" | "dynamo" | null;
  ports: PortClaim[];
  probes: ProbeSpec[];
}

export type ResolveGroup = (service: ServiceSpec, group: GroupSpec) => ResolvedGroup;
