import { joinCommands, ROUTER_KEY } from "../../adapters/index.ts";
import { interpolate, type Reference, writeReference } from "../../spec/grammar/interpolation.ts";
import type { GroupSpec, ProbeSpec, ServiceSpec } from "../../spec/types.ts";
import type { JobPhase } from "../../wire/index.ts";
import { STOP_GRACE_MS } from "../limits.ts";
import { ENV_OF } from "../placement/fit.ts";
import type { ProjectState } from "../project-state.ts";
import { desiredWorkers } from "../replicas/listing.ts";
import { pinnedSecretName, sealedEnvName } from "../secrets/sealed-names.ts";
import {
  type SealedContainer,
  type SealedJob,
  type SealedProbe,
  type SealedText,
  sealedText,
} from "../secrets/sealed-text.ts";
import {
  currentRevision,
  groupOfReplica,
  hasRouter,
  type RevisionGroup,
  revisionGroups,
  revisionOf,
} from "../services/revision.ts";
import type { FleetEntity, HostEntity, JobEntity, ReplicaEntity, RevisionEntity } from "../state.ts";
import { addressKey } from "./addresses.ts";
import { renderContainer } from "./render-container.ts";

/** The jobs of a host as its agent is told them, sorted by id so that the same state renders the same. */
export function renderHost(state: ProjectState, host: HostEntity): SealedJob[] {
  return [...state.tables.job.ids("host", host.id)]
    .sort()
    .map((id) => renderJob(state, host, state.tables.job.byId.get(id) as JobEntity));
}

function renderJob(state: ProjectState, host: HostEntity, job: JobEntity): SealedJob {
  const replica = state.tables.replica.byId.get(job.replica) as ReplicaEntity;
  const revision = revisionOf(state, replica);
  const revisionGroup = groupOfReplica(state, replica);
  const { spec: group, resolved, image } = revisionGroup;
  const commands = resolved.commands.map((command) => withAddresses(command, job));
  const variable = variableOf(revision, group);
  const fleet = state.tables.fleet.byId.get(host.fleet);
  const env: Record<string, SealedText> = {
    ...fleetEnvironment(fleet),
    ...jobEnvironment(state.project, revision.spec, group, host, job),
  };
  if (resolved.router) env[ROUTER_KEY] = [{ derived: `router/${job.service}` }];
  for (const name of Object.keys(group.env)) env[name] = variable(name);
  return {
    job: job.id,
    replica: job.replica,
    service: job.service,
    group: job.group,
    role: resolved.role,
    created: job.created,
    phase: phaseOf(job, replica),
    launch: {
      runtime: job.runtime,
      image,
      shell: shellOf(revision.spec, group),
      script: joinCommands(commands),
      env,
      workingDir: revision.spec.workingDir,
      files: revision.files,
      container:
        job.runtime === "docker"
          ? renderContainer(revision.spec, revisionGroup, commands, fleet, registryLogin(state, replica, revisionGroup))
          : null,
    },
    port: job.port,
    ports: job.ports.map((claim) => claim.port),
    accelerators: job.accelerators,
    engine: resolved.engine,
    router: resolved.router,
    probes: resolved.probes.map((probe) => wireProbe(probe, variable)),
    behindRouter: resolved.role !== "router" && hasRouter(revision),
    workers: resolved.role === "router" ? desiredWorkers(state, job.service) : [],
  };
}

/** A command as a job gets it: with the addresses that the job was started with. */
function withAddresses(command: string, { addresses }: JobEntity): string {
  return interpolate(command, (reference) => {
    const address = reference.kind === "address" ? addresses[addressKey(reference)] : undefined;
    return address ?? writeReference(reference);
  });
}

/**
 * The variables of a group's own `env`, by name: what is passed through and what is a secret stays sealed. What a
 * revision has no version of has a name under which nothing is sealed, and is not taken for empty.
 */
function variableOf({ service, sealed, secrets }: RevisionEntity, { env }: GroupSpec): (name: string) => SealedText {
  return (name) => {
    const value = Object.hasOwn(env, name) ? env[name] : null;
    if (typeof value !== "string") return [{ sealed: sealedEnvName(service, name, sealed[name] ?? "") }];
    return sealedText(value, (reference) => secretOf({ service, secrets }, reference) ?? writeReference(reference));
  };
}

/** What a reference to a secret stands for; null for another one. */
function secretOf({ service, secrets }: Pick<RevisionEntity, "service" | "secrets">, reference: Reference) {
  if (!isOf("secrets", reference)) return null;
  return [{ sealed: pinnedSecretName(service, reference.key, secrets[reference.key] ?? "") }];
}

/** As the service has it now: a login that was changed is for the next pull, whatever revision pulls. */
function registryLogin(
  state: ProjectState,
  replica: ReplicaEntity,
  { spec }: RevisionGroup,
): SealedContainer["registryAuth"] {
  const service = state.tables.service.byId.get(replica.service);
  const revision = service ? currentRevision(state, service) : revisionOf(state, replica);
  const login = revision.spec.registryAuth;
  if (login === null) return null;
  const group = revisionGroups(revision).get(replica.group)?.spec ?? spec;
  const variable = variableOf(revision, group);
  const text = (template: string) =>
    sealedText(template, (reference) =>
      isOf("env", reference) ? variable(reference.key) : (secretOf(revision, reference) ?? writeReference(reference)),
    );
  return { username: text(login.username), password: text(login.password) };
}

function isOf(namespace: string, reference: Reference): reference is Extract<Reference, { kind: "name" }> {
  return reference.kind === "name" && reference.namespace === namespace;
}

/** Spans are differences of committed instants, so that they stay the same however often they are rendered. */
function phaseOf(job: JobEntity, replica: ReplicaEntity): JobPhase {
  if (job.status === "assigned" || job.status === "running") return { kind: "run" };
  const withinMs = Math.max((replica.deadline ?? 0) - job.since, STOP_GRACE_MS);
  return { kind: job.status === "quiescing" ? "quiesce" : "stop", withinMs };
}

/**
 * What a job learns about itself: the variables of dstack that concern one node, each with a twin of our own, and what
 * dstack does not tell. The service's own `env` overrides them.
 */
function jobEnvironment(
  project: string,
  spec: ServiceSpec,
  group: GroupSpec,
  host: HostEntity,
  job: JobEntity,
): Record<string, string> {
  const gpus = String(job.accelerators.length);
  const shared = {
    RUN_NAME: spec.name,
    // What it is called as long as it is applied anew, wherever it runs; dstack's is a UUID.
    RUN_ID: `${project}.${spec.name}`,
    JOB_ID: job.id,
    ...(spec.workingDir === null ? {} : { WORKING_DIR: spec.workingDir }),
    NODES_NUM: "1",
    NODE_RANK: String(job.rank),
    NODES_IPS: host.inventory.address,
    MASTER_NODE_IP: host.inventory.address,
    GPUS_PER_NODE: gpus,
    GPUS_NUM: gpus,
  };
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(shared)) {
    env[`DSTACK_${name}`] = value;
    env[`HEADRACE_${name}`] = value;
  }
  env.HEADRACE_PROJECT = project;
  env.HEADRACE_SERVICE = spec.name;
  env.HEADRACE_GROUP = group.name;
  env.HEADRACE_REPLICA = job.replica;
  env.HEADRACE_ADDRESS = host.inventory.address;
  env.HEADRACE_PORT = String(job.port);
  for (const claim of job.ports) {
    const name = ENV_OF[claim.name];
    if (name) env[name] = String(claim.port);
  }
  return env;
}

/** What a fleet's file gives to all jobs of its hosts. Its values refer to nothing, and each of them is there. */
function fleetEnvironment(fleet: FleetEntity | undefined): Record<string, string> {
  const env = fleet?.hosts.kind === "ssh" ? fleet.hosts.env : {};
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === null ? [] : [[name, interpolate(value, writeReference)]],
    ),
  );
}

function shellOf(spec: ServiceSpec, group: GroupSpec): string {
  if (spec.shell === "sh") return "/bin/sh";
  if (spec.shell === "bash") return "/bin/bash";
  return spec.shell ?? (group.image ? "/bin/sh" : "/bin/bash");
}

function wireProbe(probe: ProbeSpec, variable: (name: string) => SealedText): SealedProbe {
  const text = (template: string) =>
    sealedText(template, (reference) => (isOf("env", reference) ? variable(reference.key) : writeReference(reference)));
  return {
    method: probe.method.toUpperCase(),
    path: text(probe.url),
    headers: probe.headers.map(({ name, value }) => ({ name, value: text(value) })),
    body: probe.body === null ? null : text(probe.body),
    timeoutMs: probe.timeout * 1_000,
    intervalMs: probe.interval * 1_000,
    readyAfter: probe.readyAfter,
    untilReady: probe.untilReady,
  };
}
