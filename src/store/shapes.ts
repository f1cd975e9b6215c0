import * as z from "zod";
import { deliveredFile, inventory } from "../wire/index.ts";
import { fleetHosts, fleetSettings } from "./shapes-fleet.ts";
import { serviceSpec } from "./shapes-spec.ts";

/**
 * The stored shape of each kind of entity, without its kind and id, which are columns. They are strict: a field that
 * is not named here would be lost when it is read back, so it is refused when it is written.
 *
 * An instant is a whole number of milliseconds since 1970.
 */
const instant = z.int();

export const service = z.strictObject({
  status: z.enum(["running", "stopping", "stopped"]),
  revision: z.int(),
  wanted: z.record(z.string(), z.int()),
  backoff: z.record(z.string(), z.strictObject({ failures: z.int(), notBefore: instant, reason: z.string() })),
  firstReadyAt: instant.nullable(),
});

export const revision = z.strictObject({
  service: z.string(),
  number: z.int(),
  spec: serviceSpec,
  sealed: z.record(z.string(), z.string()),
  secrets: z.record(z.string(), z.string()),
  images: z.record(z.string(), z.string()),
  files: z.array(deliveredFile),
  pairing: z.string(),
  createdAt: instant,
  createdBy: z.string(),
});

export const replica = z.strictObject({
  service: z.string(),
  group: z.string(),
  revision: z.int(),
  status: z.enum(["pending", "starting", "ready", "suspect", "lost", "unlisting", "quiescing", "stopping"]),
  since: instant,
  reason: z.string(),
  deadline: instant.nullable(),
  unlistedIn: z.int().nullable(),
  createdAt: instant,
  wasReady: z.boolean(),
});

export const job = z.strictObject({
  replica: z.string(),
  service: z.string(),
  group: z.string(),
  rank: z.int(),
  host: z.string(),
  status: z.enum(["assigned", "running", "quiescing", "stopping"]),
  since: instant,
  runtime: z.enum(["process", "docker"]),
  created: z.int(),
  port: z.int(),
  ports: z.array(z.strictObject({ name: z.string(), port: z.int() })),
  accelerators: z.array(z.int()),
  addresses: z.record(z.string(), z.string()),
});

export const host = z.strictObject({
  name: z.string(),
  fleet: z.string(),
  machine: z.string(),
  inventory,
  silentSince: instant.nullable(),
  joinedAt: instant,
  offeredContainers: z.boolean(),
  cordons: z.strictObject({
    operator: z.strictObject({ since: instant, by: z.string(), reason: z.string(), drain: z.boolean() }).nullable(),
    health: z.strictObject({ since: instant, reason: z.string() }).nullable(),
  }),
  update: z
    .strictObject({
      build: z.string(),
      order: z.int(),
      since: instant,
      cameAt: instant.nullable(),
      failed: z.string().nullable(),
    })
    .nullable(),
});

export const fleet = z.strictObject({
  settings: fleetSettings,
  hosts: fleetHosts,
  revision: z.int(),
  frozenSince: instant.nullable(),
  thawedAt: instant.nullable(),
});

export const hold = z.strictObject({
  service: z.string(),
  worker: z.string(),
  router: z.string(),
  host: z.string(),
  address: z.string(),
  ports: z.array(z.int()),
  since: z.int(),
});

export const secret = z.strictObject({
  version: z.string(),
  setAt: instant,
  setBy: z.string(),
});

export const project = z.strictObject({
  nextSerial: z.int(),
  agentBuild: z.string().nullable(),
});
