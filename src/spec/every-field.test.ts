import { expect, test } from "vitest";
import type * as z from "zod";
import { parseConfig } from "./parse.ts";
import { fieldsByKind } from "./schema/field-table.ts";
import type { Standing } from "./schema/fields.ts";
import { metaOf } from "./schema/json-schema.ts";
import { documentedKinds } from "./schema/kinds.ts";
import type { ParsedConfig } from "./types.ts";
import { formatPath } from "./yaml/node.ts";

// No field is ignored in silence: each one, once it is written, makes another spec of the file, or is refused, or is
// spoken of in a note. The fields and the values to write are the schemas' own, so that a new field is tried too.

type Step = string | number;

/** A document that has a mapping of some kind, and where it stands there. */
interface Seat {
  document: object;
  path: Step[];
  /** Set where the document is a file of profiles: which one a service asks for. */
  profile?: string | null;
}

const least = { type: "service", name: "demo", port: 80, commands: ["run"] };
const service = (more: object, ...path: Step[]): Seat => ({ document: { ...least, ...more }, path });
const resources = (more: object, ...path: Step[]) => service({ resources: more }, "resources", ...path);
const scaling = { metric: "rps", target: 1 };
const { commands: _of, ...bare } = least;
const group = { name: "a", replicas: 1, commands: ["run"] };
const grouped = (more: object, ...path: Step[]): Seat => ({
  document: { ...bare, groups: [{ ...group, ...more }] },
  path: ["groups", 0, ...path],
});
const login = { user: "u", identity_file: "k" };
const ssh = (more: object, ...path: Step[]): Seat => ({
  document: { type: "fleet", name: "demo", ssh_config: { ...login, hosts: ["h"], ...more } },
  path: path.length === 0 ? [] : ["ssh_config", ...path],
});
const cloud = (more: object, ...path: Step[]): Seat => ({
  document: { type: "fleet", name: "demo", nodes: 1, ...more },
  path,
});
const gateway = (more: object, ...path: Step[]): Seat => ({
  document: { type: "gateway", name: "demo", backend: "gcp", region: "r", ...more },
  path,
});
const volume = (more: object): Seat => ({ document: { type: "volume", name: "demo", region: "r", ...more }, path: [] });
const alb = { load_balancer: { type: "alb" } };

/** For each kind of mapping documents in which its fields can be told apart. */
const seats: Record<string, Seat[]> = {
  service: [
    service({}),
    service({ replicas: "1..3", scaling }),
    { document: { ...bare, image: "x" }, path: [] },
    { document: { ...bare, image: "x", groups: [group] }, path: [] },
  ],
  group: [grouped({}), grouped({ replicas: undefined, count: 3 }), grouped({ replicas: "1..3", scaling })],
  "profiles file": [{ document: { profiles: [{ name: "spot" }] }, path: [], profile: "spot" }],
  profile: [
    { document: { profiles: [{ name: "spot" }] }, path: ["profiles", 0], profile: "spot" },
    { document: { profiles: [{ name: "spot", max_price: 1 }] }, path: ["profiles", 0], profile: null },
  ],
  port: [service({ port: { container_port: 80 } }, "port")],
  scaling: [
    service(
      { replicas: "1..3", scaling: { ...scaling, window: 30, scale_up_delay: 1, scale_down_delay: 1 } },
      "scaling",
    ),
  ],
  model: [service({ model: { name: "m", format: "openai", prefix: "/v2" } }, "model")],
  registry_auth: [
    service({ registry_auth: { username: "a", password: "b" }, env: ["REGISTRY_USER"] }, "registry_auth"),
  ],
  volume: [service({ volumes: [{ instance_path: "/a", path: "/b" }] }, "volumes", 0)],
  "network volume": [service({ volumes: [{ name: "aa", path: "/b" }] }, "volumes", 0)],
  file: [service({ files: [{ local_path: "a", path: "b" }] }, "files", 0)],
  router: [grouped({ router: { type: "dynamo" } }, "router")],
  "outer router": [service({ router: { policy: "random" } }, "router")],
  canary: [service({ canary: { replicas: 2, hold: "1m" } }, "canary")],
  "rate limit": [service({ rate_limits: [{ rps: 1 }] }, "rate_limits", 0)],
  "rate limit key": [
    service({ rate_limits: [{ rps: 1, key: { type: "header", header: "a" } }] }, "rate_limits", 0, "key"),
  ],
  probe: [
    service({ probes: [{ type: "http", method: "head", timeout: 3, interval: 3, ready_after: 2 }] }, "probes", 0),
    service({ probes: [{ type: "http", method: "post" }] }, "probes", 0),
  ],
  header: [service({ probes: [{ type: "http", headers: [{ name: "a", value: "b" }] }] }, "probes", 0, "headers", 0)],
  resources: [resources({})],
  cpu: [resources({ cpu: { arch: "x86", count: 3 } }, "cpu")],
  gpu: [resources({ gpu: { name: "X", count: 3 } }, "gpu"), resources({ gpu: {} }, "gpu")],
  disk: [resources({ disk: { size: 1 } }, "disk")],
  range: [resources({ cpu: { min: 2, max: 9 } }, "cpu"), resources({ memory: { min: 1, max: 99 } }, "memory")],
  retry: [service({ retry: { on_events: ["error"], duration: "2h" } }, "retry")],
  utilization_policy: [
    service({ utilization_policy: { min_gpu_utilization: 1, time_window: "10m" } }, "utilization_policy"),
  ],
  reference: [service({ fleets: [{ name: "aa" }] }, "fleets", 0)],
  instance: [
    service({ instances: [{ name: "a" }] }, "instances", 0),
    service({ instances: [{ hostname: "a" }] }, "instances", 0),
  ],
  agent: [{ document: { type: "fleet", name: "demo", agent: {} }, path: ["agent"] }],
  allow: [{ document: { type: "fleet", name: "demo", allow: {} }, path: ["allow"] }],
  fleet: [cloud({ nodes: 3 }), ssh({})],
  nodes: [cloud({ nodes: { min: 1, target: 3, max: 5 } }, "nodes")],
  ssh_config: [{ ...ssh({}), path: ["ssh_config"] }],
  "ssh host": [ssh({ hosts: [{ hostname: "h", ...login }] }, "hosts", 0)],
  proxy_jump: [ssh({ proxy_jump: { hostname: "j", ...login } }, "proxy_jump")],
  gateway: [gateway({}), gateway({ certificate: null }), gateway({ backend: undefined, backends: ["aws"] })],
  "gateway router": [gateway({ router: { policy: "random" } }, "router")],
  load_balancer: [gateway({ ...alb, certificate: null }, "load_balancer")],
  certificate: [
    gateway(
      { backend: "aws", certificate: { type: "acm", arn: "arn:aws:acm:eu:000000000000:certificate/a" } },
      "certificate",
    ),
    gateway({ ...alb, certificate: { type: "gcp-cm", name: "a" } }, "certificate"),
  ],
  "volume file": [
    volume({ backend: "aws", size: 1 }),
    volume({ backend: "aws", volume_id: "v" }),
    volume({ backend: "kubernetes", size: 1 }),
  ],
};

/** Fields that decide which others may stand beside them: with those of the seat another value is refused. */
const deciding = new Set(["certificate.type", "rate limit key.type"]);

/** Fields of which all that may be written means the same; anything else is refused. */
const oneMeaning = new Set(["outer router.type", "gateway router.type", "model.format"]);

/** Told by `profiles.test.ts`: it does not say what a profile holds but which one is picked. */
const elsewhere = new Set(["profile.name"]);

const fields = [...fieldsByKind(documentedKinds)].flatMap(([kind, schemas]) =>
  [...schemas].map(([name, schema]): [kind: string, name: string, schema: z.core.$ZodType] => [kind, name, schema]),
);

function read({ document, profile }: Seat): ParsedConfig {
  const text = JSON.stringify(document);
  if (profile === undefined) return parseConfig(text, "demo.yml");
  return parseConfig(JSON.stringify(least), "demo.yml", { profiles: { text, file: "profiles.yml", name: profile } });
}

function withField({ document, path, ...seat }: Seat, name: string, value: unknown): Seat {
  const copy = structuredClone(document) as Record<Step, unknown>;
  const mapping = path.reduce((at, step) => at[step] as Record<Step, unknown>, copy);
  mapping[name] = value;
  return { ...seat, document: copy, path };
}

type Effect = "changed" | "noted" | "refused";

/** What comes of writing a value into a field: another spec, a note on it, or a refusal of it. */
function effectsOf(seat: Seat, name: string, value: unknown): Effect[] {
  const place = formatPath([...seat.path, name]);
  const isAbout = (path: string) => path !== "" && (place.startsWith(path) || path.startsWith(place));
  const after = read(withField(seat, name, value));
  if (!after.ok) return after.issues.some(({ path }) => isAbout(path)) ? ["refused"] : [];
  const changed = JSON.stringify(after.spec) !== specOf(seat);
  const noted = after.notes.some(({ path }) => isAbout(path) || path === "type");
  return [...(changed ? ["changed" as const] : []), ...(noted ? ["noted" as const] : [])];
}

const specs = new Map<Seat, string>();

/** The spec of a seat as it is, as JSON. */
function specOf(seat: Seat): string {
  const known = specs.get(seat);
  if (known !== undefined) return known;
  const before = read(seat);
  if (!before.ok) throw new Error(`this seat is no valid file: ${JSON.stringify(before.issues)}`);
  const spec = JSON.stringify(before.spec);
  specs.set(seat, spec);
  return spec;
}

test.each(fields)("%s: %s", (kind, name, schema) => {
  const { examples = [], standing } = metaOf(schema);
  const place = `${kind}.${name}`;
  if (elsewhere.has(place)) return;
  const expected = expectedOf(place, standing, isConstant(schema));
  expect(
    seats[kind],
    `a new kind of mapping needs a document to be tried in: give \`seats\` one for ${kind}`,
  ).toBeDefined();
  const tries = (seats[kind] ?? []).flatMap((seat) => [...examples, true].map((value) => ({ seat, value })));
  const isNoticed = tries.some(({ seat, value }) => {
    const effects = effectsOf(seat, name, value);
    return expected.every((effect) => effects.includes(effect));
  });
  expect(isNoticed, `${place} shall be ${expected.join(" and ")} by one of ${JSON.stringify(examples)}`).toBe(true);
});

function expectedOf(place: string, standing: Standing | undefined, isConstant: boolean): Effect[] {
  if (isConstant || oneMeaning.has(place) || deciding.has(place)) return ["refused"];
  if (standing?.kind === "refused") return ["refused"];
  if (standing?.kind === "unused") return ["noted"];
  return standing?.kind === "later" ? ["changed", "noted"] : ["changed"];
}

/** Whether there is one value alone that may be written. */
function isConstant(schema: z.core.$ZodType): boolean {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "literal") return def.values.length === 1;
  if (def.type === "pipe") return isConstant(def.in);
  return "innerType" in def && isConstant(def.innerType);
}

test("there is a seat for each kind of mapping, and none for what does not exist", () => {
  expect(Object.keys(seats).sort()).toEqual([...fieldsByKind(documentedKinds).keys()].sort());
});
