import { type ImageSettings, imagesFor } from "../../adapters/index.ts";
import type { Input } from "../../core/input.ts";
import type { ProjectState } from "../../core/project-state.ts";
import { pinnedSecretName, sealedEnvName, secretName } from "../../core/secrets/sealed-names.ts";
import { currentRevision } from "../../core/services/revision.ts";
import { passedVariables, type ServiceSpec, type SpecIssue, usedSecrets, whyNotApplied } from "../../spec/index.ts";
import type { SealedSecret, Store } from "../../store/types.ts";
import { canonicalJson, type DeliveredFile } from "../../wire/index.ts";
import type { Digest } from "../digest.ts";
import type { Sealer } from "../seal.ts";
import { ControlError } from "../types.ts";
import type { ApplyRequest } from "../views/views.ts";
import { readConfig } from "./read-config.ts";

export interface PreparedApply {
  input: Extract<Input, { kind: "apply" }>;
  /** The passed-through values and the revision's copies of secrets, sealed; written in the same commit as the revision. */
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
  { seal, store, digest, images: settings }: { seal: Sealer; store: Store; digest: Digest; images: ImageSettings },
): Promise<PreparedApply> {
  const parsed = await readConfig(request.config, request.file, {
    args: request.args ?? [],
    env: request.overrides ?? [],
    ...(request.profiles === undefined ? {} : { profiles: request.profiles }),
  });
  if (!parsed.ok) throw new ControlError("invalid_config", `${request.file} is not valid`, parsed.issues);
  if (parsed.type !== "service") {
    const why = whyNotApplied(parsed);
    if (why !== null) throw new ControlError("unsupported", `${request.file} is valid and not applied. ${why}`);
    const elsewhere = `/api/projects/${state.project}/${parsed.type}s`;
    throw new ControlError("unsupported", `${request.file} describes a ${parsed.type}: send it to ${elsewhere}`);
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
      // Written again all the same: what has it now may be deleted before this is carried out.
      secrets.push(same);
      continue;
    }
    const version = await seal.version(project, value);
    sealed[name] = version;
    secrets.push(await seal.seal(project, sealedEnvName(spec.name, name, version), value));
  }
  const images = imagesFor(spec.groups, settings);
  const pinned = await pinSecrets(spec, project, store, seal);
  secrets.push(...pinned.copies);
  const files = deliveredFiles(spec, request);
  return {
    input: {
      kind: "apply",
      spec,
      sealed,
      files,
      secrets: pinned.versions,
      images,
      pairing: await pairingOf(spec, { sealed, secrets: pinned.versions, images, files }, digest),
      expectedRevision: request.expectedRevision ?? null,
      actor,
    },
    secrets,
    notes: parsed.notes,
  };
}

/** @throws ControlError `invalid_config` when a file that the spec names did not come along */
function deliveredFiles(spec: ServiceSpec, request: ApplyRequest): DeliveredFile[] {
  return spec.files.map(({ localPath, path }) => {
    const sent = request.files.find((file) => file.localPath === localPath);
    if (sent) return { path, sha256: sent.sha256, bytes: sent.bytes };
    throw new ControlError(
      "invalid_config",
      `${request.file} names ${localPath} under files, but it did not come with the request; apply with the command line, or upload it and name it under "files" of the request`,
    );
  });
}

/** The values that the service's current revision has sealed, by variable. */
async function sealedBefore(state: ProjectState, name: string, store: Store): Promise<Map<string, SealedSecret>> {
  const service = state.tables.service.byId.get(name);
  const versions = Object.entries(service ? currentRevision(state, service).sealed : {});
  const variables = new Map(versions.map(([variable, version]) => [sealedEnvName(name, variable, version), variable]));
  const found = variables.size > 0 ? await store.secrets(state.project, [...variables.keys()]) : [];
  return new Map(found.map((secret) => [variables.get(secret.name) as string, secret]));
}

/**
 * The versions of the secrets that a spec names, and copies of their values that are the service's own. One that the
 * project does not have is left out: whether it has it is decided when the apply is carried out.
 */
async function pinSecrets(
  spec: ServiceSpec,
  project: string,
  store: Store,
  seal: Sealer,
): Promise<{ versions: Record<string, string>; copies: SealedSecret[] }> {
  const used = new Map([...usedSecrets(spec).keys()].map((secret) => [secretName(secret), secret]));
  const versions: Record<string, string> = {};
  const copies: SealedSecret[] = [];
  for (const found of used.size > 0 ? await store.secrets(project, [...used.keys()]) : []) {
    const secret = used.get(found.name) as string;
    const { version } = found;
    versions[secret] = version;
    const copy = await seal.seal(
      project,
      pinnedSecretName(spec.name, secret, version),
      await seal.open(project, found),
    );
    copies.push({ ...copy, version });
  }
  return { versions, copies };
}

function passedValues(spec: ServiceSpec, request: ApplyRequest): [string, string][] {
  const passed: [string, string][] = [];
  const missing: string[] = [];
  for (const name of passedVariables(spec)) {
    const given = Object.hasOwn(request.env, name) ? request.env[name] : undefined;
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
 * the images and the environment in them, and what travels with them. Coarse, and therefore safe.
 */
async function pairingOf(
  spec: ServiceSpec,
  versions: Pick<PreparedApply["input"], "sealed" | "secrets" | "images" | "files">,
  digest: Digest,
): Promise<string> {
  const groups = spec.groups
    .filter((group) => group.router === null)
    .map(({ count: _count, scaling: _scaling, ...group }) => group);
  const hex = await digest(canonicalJson({ groups, ...versions }));
  return hex.slice(0, PAIRING_DIGITS);
}

/** 64 bits: two revisions of one service never share it by accident. */
const PAIRING_DIGITS = 16;
