import { DurableObject } from "cloudflare:workers";
import { edgeLog } from "./edge-log.ts";
import { type Env, type HostName, sealerOf, storeOf } from "./env.ts";
import { jsonLines } from "./json-lines.ts";
import { outcomeOf } from "./outcome.ts";
import { ProjectLife } from "./project-life.ts";
import { relayed } from "./relayed.ts";
import type { ProjectCall, ProjectStub } from "./stubs.ts";

/** Where a project's one controller lives: the object of that name. */
export class ProjectObject extends DurableObject<Env> implements ProjectStub {
  #life: Promise<ProjectLife> | null = null;

  async call(project: string, method: ProjectCall, args: unknown[]) {
    const life = await this.#alive(project);
    return outcomeOf(life.call(method, args));
  }

  async follow(project: string, after: number): Promise<ReadableStream<Uint8Array>> {
    const life = await this.#alive(project);
    return jsonLines((signal) => life.control.follow(project, after, signal));
  }

  async logs(project: string, service: string, options: { replica?: string; tailLines: number; follow: boolean }) {
    const life = await this.#alive(project);
    const left = new AbortController();
    const logs = life.control.logs(project, service, options, left.signal);
    return outcomeOf(logs.then((stream) => relayed(stream, (reason) => left.abort(reason))));
  }

  async hostHere({ project, host }: HostName, linked: boolean): Promise<void> {
    (await this.#alive(project)).hostHere(host, linked);
  }

  async hostGone({ project, host }: HostName, linked: boolean, silentMs: number): Promise<void> {
    (await this.#alive(project)).hostGone(host, linked, silentMs);
  }

  async poke(project: string): Promise<void> {
    await (await this.#alive(project)).due();
  }

  async alarm(info?: { scheduledTime?: number }): Promise<void> {
    const project = this.ctx.storage.kv.get<string>("project");
    if (project === undefined) return;
    await (await this.#alive(project)).rang(info?.scheduledTime);
  }

  #alive(project: string): Promise<ProjectLife> {
    this.#life ??= this.#begin(project).catch((error) => {
      // A setting that is wrong now may be right at the next try.
      this.#life = null;
      throw error;
    });
    return this.#life;
  }

  async #begin(project: string): Promise<ProjectLife> {
    const { storage } = this.ctx;
    const seal = await sealerOf(this.env);
    return new ProjectLife({ project, env: this.env, storage, store: storeOf(this.env), seal, log: edgeLog });
  }
}
