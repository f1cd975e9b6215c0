import * as z from "zod";
import {
  accelerator,
  FILE_BYTES_MAX,
  FILES_PER_SERVICE_MAX,
  fabric,
  hostDisk,
  hostProblem,
  modelCache,
  nic,
  resourceName,
  sha256Name,
} from "../../wire/index.ts";

/** What people and programs read of a project: committed facts with observed ones added. Instants in ms since 1970. */

export const replicaView = z.object({
  id: z.string(),
  group: z.string(),
  revision: z.int(),
  status: z.enum(["pending", "starting", "ready", "suspect", "lost", "unlisting", "quiescing", "stopping"]),
  since: z.int(),
  reason: z.string(),
  host: z.string().nullable(),
  port: z.int().nullable(),
  accelerators: z.array(z.int()),
  createdAt: z.int(),
  /** Observed; null until the host's next report. */
  observed: z.object({ state: z.string(), attempt: z.int(), recentEnds: z.int(), message: z.string() }).nullable(),
  /** A connection between it and another replica of its service that is known not to be made, and since when. */
  unreached: z.object({ message: z.string(), since: z.int() }).nullable(),
});

const groupView = z.object({
  name: z.string(),
  role: z.enum(["router", "prefill", "decode", "worker"]),
  wanted: z.int(),
  ready: z.int(),
});

export const serviceView = z.object({
  name: z.string(),
  status: z.enum(["running", "stopping", "stopped"]),
  /** Every group has its minimum ready, and a router (where there is one) is ready. */
  ready: z.boolean(),
  /** One line: what it is waiting for, empty when ready. */
  message: z.string(),
  revision: z.int(),
  model: z.string().nullable(),
  /** Path on this server. */
  url: z.string(),
  groups: z.array(groupView),
  replicas: z.array(replicaView),
});

export const hostView = z.object({
  id: z.string(),
  name: z.string(),
  fleet: z.string(),
  online: z.boolean(),
  /** Since when nothing is heard of it although it has jobs. */
  silentSince: z.int().nullable(),
  /** Its fleet's hosts fell silent together, so nothing is decided about them. */
  frozen: z.boolean(),
  address: z.string(),
  cpus: z.number(),
  memoryGib: z.number(),
  diskGib: z.number(),
  accelerators: z.array(accelerator.omit({ device: true })),
  /** The NICs over which it reaches the accelerators of others. */
  fabric: fabric.nullable(),
  /** How much room there is where the host keeps its data, its models and its images. */
  disks: z.array(hostDisk),
  /** Where jobs keep the models that they download, and how much that is. */
  modelCache: modelCache.nullable(),
  /** What keeps everything new off it until it is over, as its agent says. */
  problems: z.array(hostProblem),
  warnings: z.array(z.string()),
  /** Other hosts of its fleet that it does not reach (`to`), and that do not reach it (`from`), as those that tried say. */
  unreached: z.array(
    z.object({
      direction: z.enum(["to", "from"]),
      id: z.string(),
      name: z.string(),
      /** The one that was tried. */
      address: z.string(),
      ports: z.array(z.int()),
      why: z.string(),
      /** When the control plane heard so first. */
      since: z.int(),
    }),
  ),
  /** Observed; null until its next report. */
  agentVersion: z.string().nullable(),
  /** Of an agent that was installed by the script; null = it was started by hand, or not heard of yet. */
  agentBuild: z.string().nullable(),
  /** The build that it was told to run, while it does not. `failed`: why it went back, which stops the fleet's update. */
  agentUpdate: z.object({ build: z.string(), since: z.int(), failed: z.string().nullable() }).nullable(),
  jobs: z.int(),
  /** Why it gets nothing new, by who says so. */
  cordons: z.object({
    /** `drain`: what runs there is moved away as well. */
    operator: z.object({ since: z.int(), by: z.string(), reason: z.string(), drain: z.boolean() }).nullable(),
    health: z.object({ since: z.int(), reason: z.string() }).nullable(),
  }),
});

export const hostDetailView = hostView.extend({
  joinedAt: z.int(),
  /** With their place on the machine where they were found there. */
  accelerators: z.array(accelerator),
  nics: z.array(nic),
  replicas: z.array(
    z.object({
      id: z.string(),
      service: z.string(),
      group: z.string(),
      status: replicaView.shape.status,
      port: z.int(),
      accelerators: z.array(z.int()),
      /** What has to happen before it leaves a host that is drained; null = it stays. */
      waitsFor: z.string().nullable(),
    }),
  ),
});

export const cordonRequest = z.object({
  /** For people. */
  reason: z
    .string()
    .max(200)
    .regex(/^\P{C}*$/u, "must not have control characters")
    .default(""),
});

const journalEventView = z.object({
  type: z.string(),
  service: z.string().optional(),
  group: z.string().optional(),
  replica: z.string().optional(),
  host: z.string().optional(),
  message: z.string(),
});

export const commitView = z.object({
  version: z.int(),
  at: z.int(),
  cause: z.string(),
  actor: z.string(),
  events: z.array(journalEventView),
});

/** Fields that are understood and act only when something else is there. `file`: set where it is not the one sent. */
export const specNotes = z.array(
  z.object({ file: z.string().optional(), line: z.int(), column: z.int(), path: z.string(), message: z.string() }),
);

export const planView = z.object({
  /** `start`: it is stopped now. `refused`: an apply would be, for the reason in `refusal`. */
  action: z.enum(["create", "start", "update", "none", "refused"]),
  service: z.string(),
  /** Of the service as it is now; 0 when it does not exist. Send it back with the apply. */
  revision: z.int(),
  refusal: z.string().nullable(),
  /** What becomes of each group. */
  groups: z.array(
    z.object({ name: z.string(), way: z.enum(["unchanged", "added", "removed", "in_place", "rolled", "replaced"]) }),
  ),
  /**
   * Each changed field. `in_place`: what runs goes on as it is. `rolled`: new replicas take the place of the old ones,
   * one after another. `replaced`: only when the service is stopped and started.
   */
  changes: z.array(
    z.object({
      /** As it is written, e.g. `replicas`, `env.MODEL_ID`, `resources.gpu`. */
      path: z.string(),
      /** The groups whose replicas it concerns; empty for what concerns the service alone. */
      groups: z.array(z.string()),
      /** The path with its groups in front where they are not all there are: `decode.replicas`. */
      label: z.string(),
      way: z.enum(["in_place", "rolled", "replaced"]),
      /** Short texts for people. What may be a secret (values of `env`, logins) is not shown. */
      from: z.string(),
      to: z.string(),
      /** Of commands with more than one changed line: those lines, marked `- ` and `+ `. */
      lines: z.array(z.string()),
    }),
  ),
  /** Where the new replicas of each group would go now; `host: null`: nowhere, for these reasons. */
  placements: z.array(
    z.object({
      group: z.string(),
      host: z.string().nullable(),
      replicas: z.int(),
      /** Equal reasons together: how many hosts there are, and the names of the first; none while none is looked for. */
      reasons: z.array(z.object({ reason: z.string(), count: z.int(), hosts: z.array(z.string()) })),
    }),
  ),
  /** Replicas that would finish their requests and go; the first hundred. */
  drained: z.array(z.object({ replica: z.string(), group: z.string(), host: z.string().nullable() })),
  notes: specNotes,
  warnings: z.array(z.string()),
});

export const applyRequest = z.object({
  /** The YAML text. */
  config: z.string().max(256 * 1024),
  /** Its name in messages. */
  file: z
    .string()
    .max(500)
    .regex(/^\P{C}*$/u, "must not have control characters")
    .default("service.yml"),
  /** Values of the variables that the file passes through. */
  env: z.record(z.string(), z.string().max(64 * 1024)).default({}),
  /** What the file names under `files`, as it was or will be uploaded (`PUT .../files/<sha256>`). */
  files: z
    .array(
      z.object({ localPath: z.string().max(4_096), sha256: sha256Name, bytes: z.int().min(0).max(FILE_BYTES_MAX) }),
    )
    .max(FILES_PER_SERVICE_MAX)
    .default([]),
  /** Variables that every group gets, whatever the file says of them; their values are in `env`. */
  overrides: z
    .array(
      z
        .string()
        .max(200)
        .regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/),
    )
    .max(256)
    .optional(),
  /** What stands for `${{ run.args }}`. */
  args: z
    .array(
      z
        .string()
        .max(8 * 1024)
        .refine((text) => !text.includes("\0"), "must not have NUL characters"),
    )
    .max(256)
    .optional(),
  /** A file of profiles, and the profile to use; `name: null` = the default one, if any. */
  profiles: z
    .object({ text: z.string().max(128 * 1024), file: z.string().max(1_000), name: z.string().max(200).nullable() })
    .optional(),
  /** Refuse with `stale_plan` when the service is not at this revision (from the plan); 0 = when it exists. */
  expectedRevision: z.int().optional(),
});

export const applyAnswer = z.object({
  service: z.string(),
  revision: z.int(),
  action: z.enum(["create", "update", "none"]),
  /** The commit that did it: everything that follows has a higher version. */
  version: z.int(),
});

export const changeAnswer = z.object({ service: z.string(), version: z.int() });

export const hostChangeAnswer = z.object({ host: z.string(), version: z.int() });

/** Characters of a secret: keys, certificates and service accounts have a few thousand. */
const SECRET_CHARS_MAX = 16 * 1024;

/** What a reference in a configuration can name, e.g. `HF_TOKEN`. */
export const secretNameText = z
  .string()
  .max(100)
  .regex(/^(?!__proto__$)[A-Za-z_][A-Za-z0-9_]*$/, "must be letters, digits and _, not beginning with a digit");

export const secretRequest = z.object({
  value: z
    .string()
    .min(1, "must not be empty")
    .max(SECRET_CHARS_MAX)
    .refine((value) => !value.includes("\0"), "must not have NUL characters, which no program can be given"),
});

/** A secret without its value, which is never shown. */
export const secretView = z.object({
  name: z.string(),
  setAt: z.int(),
  setBy: z.string(),
  /** The services whose current revision names it, and whether they have the value that it has now. */
  services: z.array(z.object({ name: z.string(), isCurrent: z.boolean() })),
});

export const secretChangeAnswer = z.object({ secret: z.string(), version: z.int() });

/** Ten years; who means longer means never. */
const TOKEN_LIFETIME_S_MAX = 10 * 365 * 24 * 3_600;

export const tokenRequest = z.object({
  kind: z.enum(["admin", "member", "join"]),
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^\P{C}*$/u, "must not have control characters"),
  /** Join tokens only; one that is not there will be once the host joins. */
  fleet: resourceName.default("default"),
  /** Seconds; join tokens default to an hour, others never expire. */
  expiresInS: z.int().min(1).max(TOKEN_LIFETIME_S_MAX).optional(),
});

export const tokenAnswer = z.object({
  id: z.string(),
  /** Shown this once. */
  token: z.string(),
  expiresAt: z.int().nullable(),
});

/** A token without its value, which nobody can show again. */
export const tokenView = z.object({
  id: z.string(),
  /** Whose it is, as was said when it was made; several may have the same. */
  name: z.string(),
  kind: z.enum(["admin", "member", "join"]),
  /** Of a join token. */
  fleet: z.string().nullable(),
  createdAt: z.int(),
  /** Null: never, or it was revoked before. */
  expiresAt: z.int().nullable(),
  /** Whose token it was made with; null: none, on the server's own machine, or it was made before this was noted. */
  madeBy: z.string().nullable(),
  /** When a host joined with it; of other kinds no use is recorded. */
  usedAt: z.int().nullable(),
  state: z.enum(["usable", "used", "expired", "revoked"]),
  /** The one that this was asked with. */
  own: z.boolean(),
});

export const tokenRevokeAnswer = z.object({
  token: z.string(),
  name: z.string(),
  kind: z.enum(["admin", "member", "join"]),
  /** It is the one that was asked with: whoever asked needs another from now on. */
  own: z.boolean(),
});

/** A line among those of a log: a replica's cannot be read, or not any further. */
export const unreadLog = z.object({
  replica: z.string(),
  error: z.object({ code: z.literal("unavailable"), message: z.string() }),
});

export type ReplicaView = z.infer<typeof replicaView>;
export type ServiceView = z.infer<typeof serviceView>;
export type HostDetailView = z.infer<typeof hostDetailView>;
export type HostView = z.infer<typeof hostView>;
export type CommitView = z.infer<typeof commitView>;
export type PlanView = z.infer<typeof planView>;
export type ApplyRequest = z.infer<typeof applyRequest>;
export type ApplyAnswer = z.infer<typeof applyAnswer>;
export type ChangeAnswer = z.infer<typeof changeAnswer>;
export type HostChangeAnswer = z.infer<typeof hostChangeAnswer>;
export type SecretView = z.infer<typeof secretView>;
export type SecretChangeAnswer = z.infer<typeof secretChangeAnswer>;
export type TokenRequest = z.infer<typeof tokenRequest>;
export type TokenAnswer = z.infer<typeof tokenAnswer>;
export type TokenView = z.infer<typeof tokenView>;
export type UnreadLog = z.infer<typeof unreadLog>;
export type TokenRevokeAnswer = z.infer<typeof tokenRevokeAnswer>;
