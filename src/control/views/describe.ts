import { routerAdapter } from "../../adapters/index.ts";
import { Draft } from "../../core/draft.ts";
import { brokenWaysOf } from "../../core/placement/mates.ts";
import { type BrokenPair, type BrokenWay, brokenPairs, describeWay } from "../../core/placement/reach.ts";
import type { ProjectState } from "../../core/project-state.ts";
import { withRestarts } from "../../core/replicas/job-end.ts";
import { describeLeaving } from "../../core/replicas/leaving.ts";
import { reportOf } from "../../core/replicas/observed.ts";
import { usesSecret } from "../../core/secrets/secrets.ts";
import { currentRevision, revisionGroups } from "../../core/services/revision.ts";
import { describeWaiting, replicasOf, routesOf } from "../../core/services/routes.ts";
import type { HostEntity, JobEntity, ReplicaEntity, SecretEntity, ServiceEntity } from "../../core/state.ts";
import type { ServiceEntry } from "../../proxy/types.ts";
import { describeUpdate, installedBuild } from "./describe-agents.ts";
import type { HostDetailView, HostView, ReplicaView, SecretView, ServiceView } from "./views.ts";

/** Path of a service on this server. */
function servicePath(project: string, service: string): string {
  return `/proxy/services/${project}/${service}`;
}

export function describeService(state: ProjectState, service: ServiceEntity): ServiceView {
  const revision = currentRevision(state, service);
  const routes = routesOf(state, service);
  const replicas = replicasOf(state, service.id);
  const ways = brokenWaysOf(new Draft(state), revision);
  return {
    name: service.id,
    status: service.status,
    ready: routes.ready,
    message: describeWaiting(state, service),
    revision: service.revision,
    model: revision.spec.model?.name ?? null,
    url: servicePath(state.project, service.id),
    groups: [...revisionGroups(revision)].map(([name, { resolved }]) => ({
      name,
      role: resolved.role,
      wanted: service.status === "running" ? (service.wanted[name] ?? 0) : 0,
      ready: replicas.filter((replica) => replica.group === name && replica.status === "ready").length,
    })),
    replicas: replicas.map((replica) => describeReplica(state, replica, ways.get(replica.id))),
  };
}

function describeReplica(state: ProjectState, replica: ReplicaEntity, broken: BrokenWay | undefined): ReplicaView {
  const [jobId] = state.tables.job.ids("replica", replica.id);
  const job = jobId === undefined ? undefined : state.tables.job.byId.get(jobId);
  return {
    id: replica.id,
    group: replica.group,
    revision: replica.revision,
    status: replica.status,
    since: replica.since,
    reason: replica.reason,
    host: job ? (state.tables.host.byId.get(job.host)?.name ?? job.host) : null,
    port: job?.port ?? null,
    accelerators: job?.accelerators ?? [],
    createdAt: replica.createdAt,
    unreached: broken ? { message: describeWay(broken), since: broken.since } : null,
    observed: job ? describeReport(state, job, replica.reason) : null,
  };
}

/** @param reason what there is to say of it where its host says nothing */
function describeReport(state: ProjectState, job: JobEntity, reason: string): ReplicaView["observed"] {
  const report = reportOf(state, job);
  if (!report) return null;
  const { state: jobState, attempt, recentEnds } = report;
  return { state: jobState, attempt, recentEnds, message: withRestarts(report.message || reason, report) };
}

export function describeHosts(state: ProjectState): HostView[] {
  const pairs = brokenPairs(state);
  const hosts = [...state.tables.host.byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return hosts.map((host) => describeHost(state, host, pairs.get(host.id)));
}

function describeHost(state: ProjectState, host: HostEntity, pairs: BrokenPair[] = []): HostView {
  const { inventory } = host;
  return {
    id: host.id,
    name: host.name,
    fleet: host.fleet,
    online: state.present.has(host.id),
    silentSince: host.silentSince,
    frozen: host.silentSince !== null && (state.tables.fleet.byId.get(host.fleet)?.frozenSince ?? null) !== null,
    address: inventory.address,
    cpus: inventory.cpus,
    memoryGib: inventory.memoryGib,
    diskGib: inventory.diskGib,
    accelerators: inventory.accelerators.map(({ device: _, ...accelerator }) => accelerator),
    fabric: inventory.fabric,
    disks: inventory.disks,
    modelCache: inventory.modelCache,
    problems: inventory.problems,
    warnings: inventory.warnings,
    unreached: pairs
      .map(({ from, to, ports, why, since }): HostView["unreached"][number] => {
        const { id, name } = from.id === host.id ? to : from;
        const direction = from.id === host.id ? "to" : "from";
        return { direction, id, name, address: to.inventory.address, ports: [...ports], why, since };
      })
      .sort((a, b) => (`${a.id} ${a.direction}` < `${b.id} ${b.direction}` ? -1 : 1)),
    agentVersion: state.observed.get(host.id)?.report.agent.version ?? null,
    agentBuild: installedBuild(state, host.id),
    agentUpdate: describeUpdate(state, host),
    jobs: state.tables.job.ids("host", host.id).size,
    cordons: host.cordons,
  };
}

/** With what runs on it, and what each of that waits for where it is to be moved away. */
export function describeHostDetail(state: ProjectState, host: HostEntity): HostDetailView {
  const { job: jobs, replica: replicas } = state.tables;
  const waiting = new Map(describeLeaving(state, host).map(({ replica, waitsFor }) => [replica, waitsFor]));
  return {
    ...describeHost(state, host, brokenPairs(state).get(host.id)),
    joinedAt: host.joinedAt,
    accelerators: host.inventory.accelerators,
    nics: host.inventory.nics,
    replicas: [...jobs.ids("host", host.id)].sort().map((id) => {
      const { replica, service, group, port, accelerators } = jobs.byId.get(id) as JobEntity;
      const { status } = replicas.byId.get(replica) as ReplicaEntity;
      return { id: replica, service, group, status, port, accelerators, waitsFor: waiting.get(replica) ?? null };
    }),
  };
}

export function describeSecret(state: ProjectState, { id, version, setAt, setBy }: SecretEntity): SecretView {
  const users = [...state.tables.service.byId.values()].filter((service) => usesSecret(state, service, id));
  const services = users
    .map((service) => ({ name: service.id, isCurrent: currentRevision(state, service).secrets[id] === version }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { name: id, setAt, setBy, services };
}

/** What the request path needs of a service. */
export function describeRoutes(state: ProjectState, service: ServiceEntity): ServiceEntry {
  const revision = currentRevision(state, service);
  const { spec } = revision;
  const routes = routesOf(state, service);
  const routers = [...revisionGroups(revision).values()].map(({ resolved }) => routerAdapter(resolved.router));
  return {
    project: state.project,
    service: service.id,
    version: state.version,
    auth: spec.auth,
    router: routes.router,
    noWorker: routers.find((adapter) => adapter !== null)?.noWorker ?? null,
    stripPrefix: spec.stripPrefix,
    model: spec.model,
    targets: routes.targets,
    message: routes.message || "no replica is ready",
  };
}
