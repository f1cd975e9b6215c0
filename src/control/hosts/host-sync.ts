import { orderFor } from "../../core/hosts/agent-updates.ts";
import { peersFor } from "../../core/hosts/peer-list.ts";
import type { ProjectState } from "../../core/project-state.ts";
import { renderHost } from "../../core/render/render.ts";
import { opened, type SealedValue, sealedValuesIn } from "../../core/secrets/sealed-text.ts";
import type { HostEntity } from "../../core/state.ts";
import type { Store } from "../../store/types.ts";
import { type DesiredState, desiredHash, type PeerList, type Report, type SyncAnswer } from "../../wire/index.ts";
import { toHex } from "../bytes.ts";
import type { Digest } from "../digest.ts";
import type { Project } from "../project.ts";
import type { Sealer } from "../seal.ts";
import { ControlError } from "../types.ts";
import { nextSyncMs } from "./next-sync.ts";

/** A rendering starts again when a commit took sealed values away meanwhile: more than once in a row by chance is rare. */
const RENDER_TRIES_MAX = 3;
/** Agents that were superseded on a credential and are remembered. */
const SUPERSEDED_MAX = 16;

interface Heard {
  incarnation: string;
  seq: number;
  /** The report without its number: an equal one changes nothing. */
  content: string;
  superseded: string[];
}

/** What a host shall run, in short. The jobs themselves are large and hold secrets: they are rendered for who lacks them. */
interface Named {
  hash: string;
  jobs: number;
}

/** The syncs of one project's hosts. */
export class HostSync {
  private readonly project: Project;
  private readonly store: Store;
  private readonly seal: Sealer;
  private readonly digest: Digest;
  private readonly heard = new Map<string, Heard>();
  private readonly named = new Map<string, Promise<Named>>();

  constructor(project: Project, store: Store, seal: Sealer, digest: Digest) {
    this.project = project;
    this.store = store;
    this.seal = seal;
    this.digest = digest;
    project.onHostChanged((host) => {
      if (host === null) this.named.clear();
      else this.named.delete(host);
    });
    // Hosts come and go, and a report is kilobytes.
    project.onHostRemoved((host) => {
      this.heard.delete(host);
      this.named.delete(host);
    });
  }

  /**
   * Takes a report in that came over a link, and answers with what the host shall run.
   * @throws ControlError `forbidden` when the report comes from another machine than the one that joined, or from an
   *   agent that another one on the same credential has superseded
   * @param waitedMs how long it waited for its turn
   */
  async sync(id: string, report: Report, waitedMs = 0): Promise<SyncAnswer> {
    await this.takeIn(id, report, () => {});
    return this.answer(id, report, (jobs) => nextSyncMs(true, jobs, waitedMs));
  }

  /** Like `sync`, for a report that came by a request of its own: that it came is how the host is known to be there. */
  async syncUnlinked(id: string, report: Report, waitedMs = 0): Promise<SyncAnswer> {
    const { presence } = this.project;
    await this.takeIn(id, report, () => presence.asked(id));
    const answer = await this.answer(id, report, (jobs) => nextSyncMs(false, jobs, waitedMs));
    presence.promised(id, answer.nextSyncInMs);
    return answer;
  }

  /**
   * For a report that was passed on from where the host's link ends, which knows by itself whether the host is there.
   * @param linked whether it came over a link
   */
  async syncRelayed(id: string, report: Report, linked: boolean): Promise<SyncAnswer> {
    await this.takeIn(id, report, () => {});
    return this.answer(id, report, (jobs) => nextSyncMs(linked, jobs, 0));
  }

  /** @param accepted called when the host may report, before anything is decided about what it says */
  private async takeIn(id: string, report: Report, accepted: () => void): Promise<void> {
    const { controller, presence } = this.project;
    // An agent that holds a newer version than this controller has heard from another controller: read first.
    await controller.catchUp(report.applied.version);
    // One that holds none cannot show that this controller was overtaken, and would start whatever it is told.
    if (report.applied.version === 0 && (await this.runsAnything(id))) await controller.refresh();
    const host = (await controller.state()).tables.host.byId.get(id) ?? (await this.lookedFor(id));
    const state = await controller.state();
    const isNew = this.isNew(host, report);
    accepted();
    // The same words are news to a state that counts the host as silent, or is about to, or that never took them in.
    const isSilent = host.silentSince !== null || presence.isCalledSilent(id);
    if (!isNew && !isSilent && state.observed.has(id)) return;
    try {
      await controller.report(id, report);
      presence.reported(id);
      this.project.heardOf(id);
    } catch (error) {
      // It was not taken in, so it is news when it comes again.
      const heard = this.heard.get(id);
      if (heard) heard.content = "";
      throw error;
    }
  }

  /**
   * A host that is let in and not known here has joined by another server, or was removed by another one. In the second
   * case its link ends; no other is opened for it.
   * @throws ControlError `not_found`
   */
  private async lookedFor(id: string): Promise<HostEntity> {
    const { controller } = this.project;
    await controller.refresh();
    const host = (await controller.state()).tables.host.byId.get(id);
    if (host) return host;
    await this.project.hostRemoved(id);
    throw new ControlError("not_found", `there is no host ${id} in project ${this.project.name}`);
  }

  private async runsAnything(id: string): Promise<boolean> {
    return (await this.project.controller.state()).tables.job.ids("host", id).size > 0;
  }

  /** Whether it says anything that its host has not said before. @throws ControlError `forbidden` */
  private isNew(host: HostEntity, report: Report): boolean {
    if (report.agent.machine !== host.machine) {
      throw new ControlError(
        "forbidden",
        `host ${host.name} joined from another machine; join this one with a token of its own (headrace host join)`,
      );
    }
    const last = this.heard.get(host.id);
    const { incarnation } = report.agent;
    if (last && last.incarnation !== incarnation && last.superseded.includes(incarnation)) {
      throw new ControlError("forbidden", `another agent took over host ${host.name}; run one agent on a host`);
    }
    const { seq, ...content } = report;
    const text = JSON.stringify(content);
    if (last?.incarnation === incarnation && (seq <= last.seq || text === last.content)) {
      last.seq = Math.max(last.seq, seq);
      return false;
    }
    const superseded = last ? [...last.superseded] : [];
    if (last && last.incarnation !== incarnation) superseded.push(last.incarnation);
    this.heard.set(host.id, { incarnation, seq, content: text, superseded: superseded.slice(-SUPERSEDED_MAX) });
    return true;
  }

  /** @param nextMs when a host with so many jobs is to come back */
  private async answer(id: string, report: Report, nextMs: (jobs: number) => number): Promise<SyncAnswer> {
    // The version is read before the content, so that the content is never older than the version that goes with it.
    const state = await this.project.controller.state();
    const { version } = state;
    const host = state.tables.host.byId.get(id);
    if (!host) throw new ControlError("not_found", `there is no host ${id} in project ${this.project.name}`);
    const peers = newPeers(state, host, report);
    const known = await this.named.get(id);
    if (known?.hash === report.applied.hash) {
      return {
        version,
        hash: known.hash,
        desired: null,
        ...updateOf(state, host),
        nextSyncInMs: nextMs(known.jobs),
        peers,
      };
    }
    const rendering = this.render(host);
    // Noted at once, so that a change that comes while it is being rendered takes it out again.
    const named = rendering.then(({ jobs, hash }) => ({ hash, jobs: jobs.length }));
    this.named.set(id, named);
    named.catch(() => this.named.delete(id));
    const { jobs, hash } = await rendering;
    const desired: DesiredState = { project: this.project.name, host: id, version, jobs };
    return {
      version,
      hash,
      desired: hash === report.applied.hash ? null : desired,
      ...updateOf(state, host),
      nextSyncInMs: nextMs(jobs.length),
      peers,
    };
  }

  private async render(
    host: HostEntity,
    triesLeft = RENDER_TRIES_MAX,
  ): Promise<Pick<DesiredState, "jobs"> & { hash: string }> {
    const { controller } = this.project;
    const state = await controller.state();
    const { version } = state;
    const sealed = renderHost(state, host);
    const values = await this.open(sealed.flatMap(sealedValuesIn));
    const missing: string[] = [];
    const jobs = sealed.map((job) =>
      opened(job, (value) => {
        const plain = values.get(keyOf(value));
        if (plain === undefined) missing.push(keyOf(value));
        return plain ?? "";
      }),
    );
    if (missing.length === 0) return { jobs, hash: await desiredHash(jobs, this.digest) };
    // What is not there any more went with a commit since; a job must not start with nothing in its place.
    const isOutdated = (await controller.state()).version !== version;
    if (isOutdated && triesLeft > 1) return this.render(host, triesLeft - 1);
    throw new Error(`the sealed values ${missing.join(", ")} of project ${this.project.name} are not in the database`);
  }

  /** The plain values. Sealed ones that are not in the database are left out. */
  private async open(values: SealedValue[]): Promise<Map<string, string>> {
    const plain = new Map<string, string>();
    const names = new Set<string>();
    for (const value of values) {
      if ("sealed" in value) names.add(value.sealed);
      else if (!plain.has(keyOf(value))) plain.set(keyOf(value), await this.derived(value.derived));
    }
    for (const secret of names.size > 0 ? await this.store.secrets(this.project.name, [...names]) : []) {
      plain.set(keyOf({ sealed: secret.name }), await this.seal.open(this.project.name, secret));
    }
    return plain;
  }

  /**
   * With the oldest of the keys: a process that runs goes on with the value it was started with, so that a rotation must
   * not change it as long as the old key is there.
   */
  private async derived(name: string): Promise<string> {
    const values = await this.seal.derive(this.project.name, name);
    return toHex(values.at(-1) as Uint8Array);
  }
}

/** The build that the host is to run in place of its own, if it is told to. */
function updateOf(state: ProjectState, host: HostEntity): Pick<SyncAnswer, "agent"> {
  const told = orderFor(state, host);
  return told === null ? {} : { agent: { build: told.build, order: told.order, from: state.agentBuilds.from } };
}

/** By host: what its list was made of when it was found to have the right one. */
const peersHeld = new WeakMap<HostEntity, string>();

/**
 * The hosts that it shall try; null where it has the list already, and for an agent that knows of none. A list takes a
 * tenth of a millisecond to make, so it is not made again for each of the syncs at which nothing it is made of changed.
 */
function newPeers(state: ProjectState, host: HostEntity, { peers: said }: Report): PeerList | null {
  if (said === null) return null;
  const { host: hosts, job: jobs, service: services } = state.tables;
  const counts = [hosts, jobs, services, state.present].map(({ changes }) => changes);
  const made = `${counts} ${said.tag} ${said.round} ${said.unreached.map((peer) => peer.host)}`;
  if (peersHeld.get(host) === made) return null;
  const peers = peersFor(state, host, said);
  if (peers.tag !== said.tag) return peers;
  peersHeld.set(host, made);
  return null;
}

function keyOf(value: SealedValue): string {
  return "sealed" in value ? value.sealed : `derived ${value.derived}`;
}
