import type { ServiceSpec } from "../spec/types.ts";
import type { FleetSettings } from "../spec/types-fleet.ts";
import type { DeliveredFile, Inventory } from "../wire/index.ts";
import type { FleetEntity, Millis } from "./state.ts";

/** What the state machine is told. Everything that a decision may depend on is in the state, in here, or is `now`. */
export type Input =
  | {
      kind: "apply";
      spec: ServiceSpec;
      /** Versions of the sealed values of the environment that the spec passes through. */
      sealed: Record<string, string>;
      /** Versions of the secrets that the spec names; those that the project does not have are not among them. */
      secrets: Record<string, string>;
      /** Of the groups that name no image: those that the server's settings have for them. */
      images: Record<string, string>;
      /** The files that the spec names, as they were sent along. */
      files: DeliveredFile[];
      pairing: string;
      /** The revision that the user's plan was made on; null = whatever there is. */
      expectedRevision: number | null;
      actor: string;
    }
  | { kind: "stop"; service: string }
  | { kind: "delete"; service: string }
  | { kind: "secret_set"; name: string; version: string; actor: string }
  | { kind: "secret_deleted"; name: string }
  /** What there is to tell of a token; the token itself is kept beside the state. */
  | {
      kind: "token_made" | "token_revoked";
      token: { id: string; name: string; kind: "admin" | "member" | "join"; fleet: string | null };
      actor: string;
    }
  | { kind: "host_joined"; host: string; name: string; fleet: string; machine: string; inventory: Inventory }
  /** The host's report in `state.observed` is new. */
  | { kind: "host_reported"; host: string }
  /** The host's link is up and its report is there, as `state.present` and `state.observed` say. */
  | { kind: "host_present"; host: string }
  /** Nothing was heard of the host since then. */
  | { kind: "host_silent"; host: string; since: Millis }
  /** An operator wants nothing new on the host; with `drain` what runs there is to be moved away. */
  | { kind: "host_cordoned"; host: string; drain: boolean; reason: string; actor: string }
  | { kind: "host_uncordoned"; host: string }
  | {
      kind: "fleet_applied";
      fleet: string;
      settings: FleetSettings;
      hosts: FleetEntity["hosts"];
      /** The revision that the user's plan was made on; null = whatever there is. */
      expectedRevision: number | null;
    }
  | { kind: "fleet_deleted"; fleet: string }
  /** An operator says that the host is gone for good, or, without force, that it is not needed any more. */
  | { kind: "host_removed"; host: string; force: boolean }
  /** The host itself says that nothing is left on it of what it ran. */
  | { kind: "host_left"; host: string }
  /** A server that has begun gives out this build of the agent. */
  | { kind: "agent_given_out"; build: string }
  /** Time has passed: look at what is due. */
  | { kind: "time" };

/** The answer to one input. */
export type Answer =
  | { kind: "done" }
  | { kind: "applied"; revision: number; action: "create" | "update" | "none" }
  | { kind: "refused"; code: RefusalCode; message: string };

/** `stale_plan`: the service is at another revision than the one that the apply was planned on. */
export type RefusalCode = "not_found" | "conflict" | "stale_plan" | "invalid_config" | "too_many";

/** What shall be done once the changes are committed. Losing one costs time only: the same is derived again. */
export type Effect =
  /** The host's desired state may have changed. */
  { kind: "wake"; host: string };
