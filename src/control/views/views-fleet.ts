import * as z from "zod";
import { applyRequest, specNotes } from "./views.ts";

/** What people and programs read of fleets, and send to change them. */

const blocks = z.union([z.int(), z.literal("auto")]);

const login = { hostname: z.string(), port: z.int().nullable(), user: z.string(), identityFile: z.string() };

export const fleetView = z.object({
  name: z.string(),
  /** How often a file changed it; 0 = it is there because a host joined it. */
  revision: z.int(),
  placement: z.enum(["any", "cluster"]),
  blocks,
  overcommit: z.boolean(),
  /** What jobs may do to its hosts. `hostPaths`: each with all that is below it. */
  allow: z.object({ privileged: z.boolean(), hostPaths: z.array(z.string()), processes: z.boolean() }),
  agent: z.object({
    /** As its file says: `server`, `hold` or the start of a build. */
    version: z.string(),
    /** The build that its hosts are to run; null = each what it has. */
    build: z.string().nullable(),
    /** Hosts whose agents can update themselves, and those of them that run the build. */
    updatable: z.int(),
    current: z.int(),
    /** For people; empty = there is nothing to say. */
    message: z.string(),
  }),
  /** The hosts that its file names; null = hosts join by themselves. */
  ssh: z
    .object({
      network: z.string().nullable(),
      /** Names alone. */
      env: z.array(z.string()),
      hosts: z.array(
        z.object({
          ...login,
          proxyJump: z.object(login).nullable(),
          internalIp: z.string().nullable(),
          blocks: blocks.nullable(),
        }),
      ),
    })
    .nullable(),
  /** Most of its hosts fell silent together, so nothing is decided about them. */
  frozen: z.boolean(),
  /** How many have joined. */
  hosts: z.int(),
});

export const fleetPlanView = z.object({
  action: z.enum(["create", "update", "none", "refused"]),
  fleet: z.string(),
  /** Of the fleet as it is now; 0 when no file has described it. Send it back with the apply. */
  revision: z.int(),
  refusal: z.string().nullable(),
  /** Each changed field, as it is written; short texts for people. */
  changes: z.array(z.object({ path: z.string(), from: z.string(), to: z.string() })),
  /** How many hosts are in it. */
  hosts: z.int(),
  notes: specNotes,
  warnings: z.array(z.string()),
});

export const fleetRequest = applyRequest.pick({ config: true, file: true, expectedRevision: true });

export const fleetApplyAnswer = z.object({
  fleet: z.string(),
  revision: z.int(),
  action: z.enum(["create", "update", "none"]),
  version: z.int(),
});

export const fleetChangeAnswer = z.object({ fleet: z.string(), version: z.int() });

export type FleetView = z.infer<typeof fleetView>;
export type FleetPlanView = z.infer<typeof fleetPlanView>;
export type FleetRequest = z.infer<typeof fleetRequest>;
export type FleetApplyAnswer = z.infer<typeof fleetApplyAnswer>;
export type FleetChangeAnswer = z.infer<typeof fleetChangeAnswer>;
