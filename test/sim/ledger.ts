import { LOST_AFTER_MS } from "../../src/core/limits.ts";
import { type ProjectState, projectState, takeChanges } from "../../src/core/project-state.ts";
import type { Entity, ReplicaEntity } from "../../src/core/state.ts";
import type { CommitBatch } from "../../src/store/types.ts";

/** What the commits of one project add up to, kept apart from every controller. */
export class Ledger {
  readonly project: string;
  readonly state: ProjectState;
  /** Input -> the version of the commit that consumed it. */
  readonly consumed = new Map<string, number>();
  readonly everReady = new Set<string>();
  readonly everJoined = new Set<string>();
  /** Worker -> what of its service was on lost hosts when the worker was told to finish. */
  readonly notWaitedFor = new Map<string, Set<string>>();
  /** Status of each replica as the events of the journal tell it. */
  private readonly statuses = new Map<string, string>();
  lastCommitAt = 0;

  constructor(project: string, entities: Entity[]) {
    this.project = project;
    this.state = projectState(project, 1, entities, 0);
    for (const id of this.state.tables.host.byId.keys()) this.everJoined.add(id);
  }

  /**
   * Takes in a commit that was applied.
   * @param moved called with each edge of a replica's or a job's life
   * @returns false when it was taken in before: the identical batch was sent again
   */
  take(batch: CommitBatch, at: number, moved: (kind: "replica" | "job", from: string, to: string) => void): boolean {
    if (batch.version <= this.state.version) return false;
    this.lastCommitAt = at;
    this.followReplicas(batch, moved);
    this.followJobs(batch, moved);
    takeChanges(this.state, batch.version, batch, new Map(), at);
    for (const { type, replica, host } of batch.events) {
      if (type === "host.joined" && host) this.everJoined.add(host);
      if (type === "replica.quiescing" && replica) this.notWaitedFor.set(replica, this.onLostHosts(replica, batch.at));
    }
    for (const input of batch.inputs) if (!this.consumed.has(input)) this.consumed.set(input, batch.version);
    return true;
  }

  replica(id: string): ReplicaEntity | undefined {
    return this.state.tables.replica.byId.get(id);
  }

  /** The build of the agent that is given out. */
  get agentBuild(): string | null {
    return this.state.tables.project.byId.get("project")?.agentBuild ?? null;
  }

  private onLostHosts(worker: string, at: number): Set<string> {
    const { job: jobs, host: hosts } = this.state.tables;
    const service = this.replica(worker)?.service ?? "";
    const lost = [...jobs.ids("service", service)].filter((id) => {
      const since = hosts.byId.get(jobs.byId.get(id)!.host)?.silentSince ?? null;
      return since !== null && at >= since + LOST_AFTER_MS;
    });
    return new Set(lost.map((id) => jobs.byId.get(id)!.replica));
  }

  private followReplicas(batch: CommitBatch, moved: (kind: "replica", from: string, to: string) => void): void {
    for (const { type, replica } of batch.events) {
      if (!replica || !type.startsWith("replica.") || type === "replica.waiting") continue;
      const to = type.slice("replica.".length);
      moved("replica", this.statuses.get(replica) ?? "pending", to);
      if (to === "ready") this.everReady.add(replica);
      if (to === "gone") this.statuses.delete(replica);
      else this.statuses.set(replica, to);
    }
  }

  private followJobs(batch: CommitBatch, moved: (kind: "job", from: string, to: string) => void): void {
    const { byId } = this.state.tables.job;
    for (const entity of batch.puts) {
      if (entity.kind !== "job") continue;
      const from = byId.get(entity.id)?.status;
      if (from && from !== entity.status) moved("job", from, entity.status);
    }
    for (const { kind, id } of batch.deletes)
      if (kind === "job" && byId.has(id)) moved("job", byId.get(id)!.status, "gone");
  }
}
