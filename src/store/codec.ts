import type * as z from "zod";
import type { Entity, EntityKind } from "../core/state.ts";
import { StoreError } from "./errors.ts";
import * as shapes from "./shapes.ts";
import { upgradeRevisionTo2 } from "./upgrade-spec.ts";

/** An entity as its row holds it. */
export interface EntityRow {
  kind: string;
  id: string;
  /** Number of the shape that `body` has. */
  schema: number;
  /** JSON of the entity without kind and id. */
  body: string;
}

/** What an entity says beyond its kind and id. */
type BodyOf<K extends EntityKind> = Omit<Extract<Entity, { kind: K }>, "kind" | "id">;

/**
 * How the bodies of one kind are stored. `upgrades[n]` turns a body of schema n + 1 into one of schema n + 2, so the
 * schema written is always one more than the number of upgrades. A change of a shape adds an upgrade; a body is
 * upgraded when it is read and stored in its new shape when it next changes.
 */
export interface Shape<Body> {
  upgrades: readonly ((body: unknown) => unknown)[];
  body: z.ZodType<Body>;
}

/** Each kind has a shape, and a field of an entity that its shape does not name does not compile. */
const SHAPES: { [K in EntityKind]: Shape<BodyOf<K>> } = {
  // 2: it is known when a service was first ready. 3: and what its last failed replica failed of.
  service: {
    upgrades: [(body) => ({ ...(body as object), firstReadyAt: null }), upgradeBackoff],
    body: exactly<BodyOf<"service">>()(shapes.service),
  },
  // 3: groups that name no image have those of the server's settings.
  revision: {
    upgrades: [upgradeRevisionTo2, (body) => ({ ...(body as object), images: {} })],
    body: exactly<BodyOf<"revision">>()(shapes.revision),
  },
  replica: { upgrades: [], body: exactly<BodyOf<"replica">>()(shapes.replica) },
  // 2: a job keeps the addresses that it was started with. 3: and what runs it; until then there were only processes.
  job: {
    upgrades: [
      (body) => ({ ...(body as object), addresses: {} }),
      (body) => ({ ...(body as object), runtime: "process" }),
    ],
    body: exactly<BodyOf<"job">>()(shapes.job),
  },
  // 2: a host can be cordoned. 3: and it is known whether it has run containers, as none had before.
  // 4: and what its agent was told to run.
  host: {
    upgrades: [
      (body) => ({ ...(body as object), cordons: { operator: null, health: null } }),
      (body) => ({ ...(body as object), offeredContainers: false }),
      (body) => ({ ...(body as object), update: null }),
    ],
    body: exactly<BodyOf<"host">>()(shapes.host),
  },
  // 2: a fleet can be frozen. 3: and it is known when that was over. 4: it can be described by a file. 5: and say
  // what its agents run. 6: and blocks mean something in it, and it says whether jobs may be processes.
  fleet: {
    upgrades: [
      (body) => ({ ...(body as object), frozenSince: null }),
      (body) => ({ ...(body as object), thawedAt: null }),
      upgradeFleetTo4,
      upgradeFleetTo5,
      upgradeFleetTo6,
    ],
    body: exactly<BodyOf<"fleet">>()(shapes.fleet),
  },
  // 2: ports are kept by address as well as by host.
  hold: {
    upgrades: [(body) => ({ ...(body as object), address: "" })],
    body: exactly<BodyOf<"hold">>()(shapes.hold),
  },
  secret: { upgrades: [], body: exactly<BodyOf<"secret">>()(shapes.secret) },
  // 2: it is known which build of the agent its server gives out.
  project: {
    upgrades: [(body) => ({ ...(body as object), agentBuild: null })],
    body: exactly<BodyOf<"project">>()(shapes.project),
  },
};

/** No file could describe a fleet before, nor allow its jobs anything. */
function upgradeFleetTo4(body: unknown): unknown {
  const { placement, overcommit, ...rest } = (body ?? {}) as { placement: string; overcommit: boolean };
  const allow = { privileged: false, hostPaths: [] };
  return { ...rest, settings: { placement, blocks: 1, overcommit, allow }, hosts: { kind: "joined" }, revision: 0 };
}

function upgradeFleetTo5(body: unknown): unknown {
  const { settings, ...rest } = (body ?? {}) as { settings: object };
  return { ...rest, settings: { ...settings, agentVersion: "server" } };
}

/** Whatever was written, jobs shared a host by the accelerator, and could be processes. */
function upgradeFleetTo6(body: unknown): unknown {
  const { settings, hosts, ...rest } = (body ?? {}) as { settings?: { allow?: object }; hosts?: { hosts?: object[] } };
  const listed = hosts?.hosts?.map((host) => ({ ...host, blocks: null }));
  return {
    ...rest,
    settings: { ...settings, blocks: "auto", allow: { ...settings?.allow, processes: true } },
    hosts: listed ? { ...hosts, hosts: listed } : hosts,
  };
}

/**
 * An entity as the row to store.
 *
 * @throws StoreError `refused` when the entity does not have the shape of its kind: what could not be read back must
 *   not be written
 */
export function encodeEntity(entity: Entity): EntityRow {
  const { kind, id, ...body } = entity;
  const shape = shapeOf(kind, id);
  const checked = shape.body.safeParse(body);
  if (!checked.success) {
    throw new StoreError("refused", `${kind} ${id} cannot be stored: ${complaints(checked.error)}.`);
  }
  return { kind, id, schema: shape.upgrades.length + 1, body: JSON.stringify(checked.data) };
}

/**
 * The entity that a row holds, brought up to the shape of this version of Headrace.
 *
 * @throws StoreError `unreadable` for a kind or schema that this version does not know, or a body that does not have
 *   the shape its row names
 */
export function decodeEntity(row: EntityRow): Entity {
  const shape = shapeOf(row.kind, row.id);
  return { kind: row.kind, id: row.id, ...decodeBody(shape, row) } as Entity;
}

/** Parses, upgrades and checks one body. Kept apart from the kinds so that upgrades can be tested before any exists. */
export function decodeBody<Body>(shape: Shape<Body>, row: EntityRow): Body {
  const newest = shape.upgrades.length + 1;
  if (row.schema < 1 || row.schema > newest) {
    throw new StoreError(
      "unreadable",
      `${row.kind} ${row.id} is stored with schema ${row.schema}, this version reads up to ${newest}. ` +
        "The database was written by a newer Headrace: start that version or a later one.",
    );
  }
  let body = parseJson(row);
  for (const upgrade of shape.upgrades.slice(row.schema - 1)) body = upgrade(body);
  const checked = shape.body.safeParse(body);
  if (!checked.success) {
    throw new StoreError(
      "unreadable",
      `${row.kind} ${row.id} (schema ${row.schema}) is damaged: ${complaints(checked.error)}.`,
    );
  }
  return checked.data;
}

function shapeOf(kind: string, id: string): Shape<object> {
  if (Object.hasOwn(SHAPES, kind)) return SHAPES[kind as EntityKind];
  throw new StoreError(
    "unreadable",
    `${id} is stored as a "${kind}", which this version does not know. ` +
      "The database was written by a newer Headrace: start that version or a later one.",
  );
}

function parseJson(row: EntityRow): unknown {
  try {
    return JSON.parse(row.body);
  } catch {
    throw new StoreError("unreadable", `${row.kind} ${row.id} (schema ${row.schema}) is damaged: it is not JSON.`);
  }
}

/** Names places and expectations, never the values found there. */
function complaints(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join(".") || "the body"}: ${issue.message}`).join("; ");
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Accepts only a schema that gives exactly `Body`: an optional field too many or too few is an error as well. */
function exactly<Body>() {
  return <Schema extends z.ZodType>(
    schema: Schema & (Same<z.output<Schema>, Body> extends true ? unknown : "its fields differ from the entity's"),
  ): Schema => schema;
}

function upgradeBackoff(body: unknown): unknown {
  const service = body as { backoff: Record<string, object> };
  const backoff = Object.entries(service.backoff).map(([group, failed]) => [group, { ...failed, reason: "" }]);
  return { ...service, backoff: Object.fromEntries(backoff) };
}
