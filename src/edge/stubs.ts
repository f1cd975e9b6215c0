import type { HeadraceControl } from "../control/control.ts";
import type { ControlErrorCode } from "../control/types.ts";
import type { SpecIssue } from "../spec/types.ts";
import type { Report, SyncAnswer } from "../wire/index.ts";
import type { HostName } from "./env.ts";
import type { FetchStub } from "./platform.ts";

/** What the Worker asks a project's object, which answers as the one controller of that project would. */
export const PROJECT_CALLS = [
  "plan",
  "apply",
  "stop",
  "delete",
  "services",
  "serviceView",
  "hosts",
  "hostView",
  "cordonHost",
  "uncordonHost",
  "removeHost",
  "leaveHost",
  "fleets",
  "planFleet",
  "applyFleet",
  "deleteFleet",
  "journal",
  "secrets",
  "setSecret",
  "deleteSecret",
  "createToken",
  "tokens",
  "revokeToken",
  "join",
  "service",
  "models",
  "syncRelayed",
] as const;
export type ProjectCall = (typeof PROJECT_CALLS)[number];
export type ProjectMethod<C extends ProjectCall> = HeadraceControl[C];

/** A refusal as a value, since errors lose their class between objects. */
export interface Refused {
  refused: { code: ControlErrorCode; message: string; issues: SpecIssue[] };
}
export type Outcome<T> = { value: T } | Refused;

/** A project's object. Every call names the project, because an object that is woken by its alarm has no other way. */
export interface ProjectStub {
  call(project: string, method: ProjectCall, args: unknown[]): Promise<Outcome<unknown>>;
  /** Commits after `after` as they are made, one JSON a line. */
  follow(project: string, after: number): Promise<ReadableStream<Uint8Array>>;
  logs(
    project: string,
    service: string,
    options: { replica?: string; tailLines: number; follow: boolean },
  ): Promise<Outcome<ReadableStream<Uint8Array>>>;
  /** A host came (again): over a link, or by a request of its own. */
  hostHere(host: HostName, linked: boolean): Promise<void>;
  /** @param silentMs for how long nothing had been heard of it */
  hostGone(host: HostName, linked: boolean, silentMs: number): Promise<void>;
  /** Looks at what is due. */
  poke(project: string): Promise<void>;
}

/** Where a host's link ends. `fetch` carries requests to the host and opens its link. */
export interface LinkStub extends FetchStub {
  /** What the host shall run may have changed: its next report is passed on whatever it says, and it is asked for one. */
  wake(host: HostName): Promise<void>;
  /** A report that came by a request of its own. */
  syncUnlinked(host: HostName, report: Report): Promise<Outcome<SyncAnswer>>;
  /** Ends the link, and forgets the host. */
  forget(host: HostName, reason: string): Promise<void>;
}
