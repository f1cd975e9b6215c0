import type { Input } from "../core/input.ts";
import type { ProjectState } from "../core/project-state.ts";
import { sealedEnvName } from "../core/render.ts";
import { currentRevision } from "../core/revision.ts";
import { parseConfig, passedVariables, type ServiceSpec, type SpecIssue, whyNotApplied } from "../spec/index.ts";
import type { SealedSecret, Store } from "../store/types.ts";
import { canonicalJson } from "../wire/index.ts";
import type { Digest } from "./digest.ts";
import type { Sealer } from "./seal.ts";
import { ControlError } from "./types.ts";
import type { ApplyRequest } from "./views.ts";

export interface PreparedApply {
  input: Extract<Input, { kind: "apply" }>;
  /** The passed-through values, sealed; written in the same commit as the revision. */
  secrets: SealedSecret[];
  /** Fields that were understood and act only when something else is there. */
  notes: SpecIssue[];
}

/**
 * Reads an apply request: the YAML is parsed here again, whoever sent it.
 * @throws ControlError `invalid_config` with every issue of the file, `unsupported` for one that describes no service
 */
export async function prepareApply(
  state: ProjectState,
  actor: string,
  request: ApplyRequest,
  { seal, store, digest }: { seal: Sealer; store: Store; digest: Digest },
): Promise<PreparedApply> {
  const parsed = parseConfig(request.config, request.file);
  if (!parsed.ok) throw new ControlError("invalid_config", `${request.file} is not valid`, parsed.issues);
  if (parsed.type !== "service") {
    throw new ControlError("unsupported", `${request.file} is valid and not applied. ${whyNotApplied(parsed)}`);
  }
  const { spec } = parsed;
  const { project } = state;
  const before = await sealedBefore(state, spec.name, store);
  const sealed: Record<string, string> = {};
  const secrets: SealedSecret[] = [];
  for (const [name, value] of passedValues(spec, request)) {
    const same = before.get(name);
    // The value that is sealed already keeps its version, also when the key has been rotated since.
    if (same && (await seal.matches(project, same.version, value))) {
      sealed[name] = same.version;
      continue;
    }
    const version = await seal.version(project, value);
    sealed[name] = version;
    secrets.push(await seal.seal(project, sealedEnvName(spec.name, name, version), value));
  }
  return {
    input: {
      kind: "apply",
      spec,
      sealed,
      pairing: await pairingOf(spec, sealed, digest),
      expectedRevision: request.expectedRevision ?? null,
      actor,
    },
    secrets,
    notes: parsed.notes,
  };
}

/** The values that the service's current revision has sealed, by variable. */
async function sealedBefore(state: ProjectState, name: string, store: Store): Promise<Map<string, SealedSecret>> {
  const service = state.tables.service.byId.get(name);
  const versions = Object.entries(service ? currentRevision(state, service).sealed : {});
  const variables = new Map(versions.map(([variable, version]) => [sealedEnvName(name, variable, version), variable]));
  const found = variables.size > 0 ? await store.secrets(state.project, [...variables.keys()]) : [];
  return new Map(found.map((secret) => [variables.get(secret.name) as string, secret]));
}

function passedValues(spec: ServiceSpec, request: ApplyRequest): [string, string][] {
  const passed: [string, string][] = [];
  const missing: string[] = [];
  for (const name of passedVariables(spec)) {
    const given = request.env[name];
    if (given === undefined) missing.push(name);
    else passed.push([name, given]);
  }
  if (missing.length > 0) {
    throw new ControlError(
      "invalid_config",
      `${request.file} passes ${missing.join(", ")} through, but no value came with the request: set it in your environment or with -e ${missing[0]}=value`,
    );
  }
  return passed;
}

/**
 * What decides whether a prefill and a decode understand each other: their groups without counts and scaling, with
 * the images and the environment in them. Coarse, and therefore safe.
 */
async function pairingOf(spec: ServiceSpec, sealed: Record<string, string>, digest: Digest): Promise<string> {
  const groups = spec.groups
    .filter((group) => group.router === null)
    .map(({ count: _count, scaling: _scaling, ...group }) => group);
  const hex = await digest(canonicalJson({ groups, sealed }));
  return hex.slice(0, PAIRING_DIGITS);
}

/** 64 bits: two revisions of one service never share it by accident. */
const PAIRING_DIGITS = 16;
