import { type Env, linkStub, projectStub } from "../../../src/edge/env.ts";
import type { DurableState } from "../../../src/edge/platform.ts";
import worker, { LinkObject as Link, ProjectObject as Project } from "../../../src/worker.ts";
import { RESTARTED_HEADER } from "./restarts.ts";

// The Worker, whose objects can be restarted one by one while all else goes on, as the platform does it when it moves an
// object or deploys the Worker.

function restart(ctx: DurableState): void {
  (ctx as unknown as { abort(reason: string): void }).abort("the platform restarts this object");
}

export class LinkObject extends Link {
  restart(): void {
    restart(this.ctx as DurableState);
  }
}

export class ProjectObject extends Project {
  restart(): void {
    restart(this.ctx as DurableState);
  }
}

export default {
  ...worker,
  async fetch(request: Request, env: Env): Promise<Response> {
    const named = request.headers.get(RESTARTED_HEADER);
    if (named === null) return worker.fetch(request, env);
    const [project = "", host] = named.split("/");
    const stub = host === undefined ? projectStub(env, project) : linkStub(env, { project, host });
    await (stub as unknown as { restart(): Promise<void> }).restart().catch(() => undefined);
    return new Response(null, { status: 204 });
  },
};
