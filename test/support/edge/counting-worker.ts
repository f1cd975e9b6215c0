import { AsyncLocalStorage } from "node:async_hooks";
import type { Env } from "../../../src/edge/env.ts";
import type { DurableObjectNamespace, DurableState } from "../../../src/edge/platform.ts";
import worker, { LinkObject as Link, ProjectObject as Project } from "../../../src/worker.ts";
import { COUNTS_PATH, type EdgeCounts } from "./counts.ts";

// The Worker, with everything counted that the platform charges for or bounds: requests between its parts, to the
// database and from outside, alarms, messages of sockets, and rows written to an object's storage. On plain workerd all
// parts live in one isolate, so one set of counts sees them all.

type Part = "worker" | "project" | "link";

const counts: EdgeCounts = { calls: {}, invocations: {}, atOnce: {} };
const underWay: Record<string, number> = {};
const invocation = new AsyncLocalStorage<{ kind: string; subrequests: number; database: number }>();

function count(name: string): void {
  counts.calls[name] = (counts.calls[name] ?? 0) + 1;
}

/** Runs what the platform would run as an invocation of its own. */
function invoked<T>(kind: string, run: () => T): T {
  count(kind);
  counts.invocations[kind] ??= { count: 0, subrequestsMax: 0, databaseMax: 0 };
  counts.invocations[kind].count += 1;
  return invocation.run({ kind, subrequests: 0, database: 0 }, run);
}

/** A request that the running invocation makes and awaits. */
async function subrequest<T>(name: string, run: () => Promise<T>): Promise<T> {
  count(name);
  const by = invocation.getStore();
  const seen = by && counts.invocations[by.kind];
  if (by && seen) {
    by.subrequests += 1;
    if (name === DATABASE) by.database += 1;
    seen.subrequestsMax = Math.max(seen.subrequestsMax, by.subrequests);
    seen.databaseMax = Math.max(seen.databaseMax, by.database);
  }
  underWay[name] = (underWay[name] ?? 0) + 1;
  counts.atOnce[name] = Math.max(counts.atOnce[name] ?? 0, underWay[name]);
  try {
    return await run();
  } finally {
    underWay[name] -= 1;
  }
}

const DATABASE = "database";
const realFetch = globalThis.fetch;
globalThis.fetch = ((...args: Parameters<typeof fetch>) => subrequest(DATABASE, () => realFetch(...args))) as never;

/** @param from whose invocations use it */
function countedEnv(env: Env, from: Part): Env {
  return { ...env, PROJECT: counted(env.PROJECT, from, "project"), LINK: counted(env.LINK, from, "link") };
}

function counted<Stub extends object>(
  namespace: DurableObjectNamespace<Stub>,
  from: Part,
  to: Part,
): DurableObjectNamespace<Stub> {
  return {
    idFromName: (name) => namespace.idFromName(name),
    get: (id) => {
      const stub = namespace.get(id);
      return new Proxy(stub, {
        get: (_, method: string) => {
          type Method = (...args: unknown[]) => Promise<unknown>;
          return (...args: unknown[]) => {
            const what = method === "call" ? `call(${args[1]})` : method;
            const run = () => (stub as Record<string, Method>)[method]!(...args);
            return subrequest(`${from}>${to}.${what}`, run);
          };
        },
      });
    },
  };
}

/** Counts the rows that an object writes: values, and the alarm. */
function watch({ storage }: DurableState, part: Part): void {
  const { kv } = storage;
  for (const name of ["put", "delete"] as const) watchMethod(kv, name, `${part}.write`);
  watchMethod(storage, "setAlarm", `${part}.setAlarm`);
}

function watchMethod(of: object, method: string, name: string): void {
  const real = (of as Record<string, (...args: unknown[]) => unknown>)[method]!.bind(of);
  const value = (...args: unknown[]) => {
    count(name);
    return real(...args);
  };
  Object.defineProperty(of, method, { value });
}

export class ProjectObject extends Project {
  constructor(ctx: DurableState, env: Env) {
    super(ctx, countedEnv(env, "project"));
    watch(ctx, "project");
  }

  override call(...args: Parameters<Project["call"]>) {
    return invoked("project.call", () => super.call(...args));
  }

  override follow(...args: Parameters<Project["follow"]>) {
    return invoked("project.follow", () => super.follow(...args));
  }

  override logs(...args: Parameters<Project["logs"]>) {
    return invoked("project.logs", () => super.logs(...args));
  }

  override poke(...args: Parameters<Project["poke"]>) {
    return invoked("project.poke", () => super.poke(...args));
  }

  override hostHere(...args: Parameters<Project["hostHere"]>) {
    return invoked("project.hostHere", () => super.hostHere(...args));
  }

  override hostGone(...args: Parameters<Project["hostGone"]>) {
    return invoked("project.hostGone", () => super.hostGone(...args));
  }

  override alarm(...args: Parameters<Project["alarm"]>) {
    return invoked("project.alarm", () => super.alarm(...args));
  }
}

export class LinkObject extends Link {
  constructor(ctx: DurableState, env: Env) {
    super(ctx, countedEnv(env, "link"));
    watch(ctx, "link");
  }

  override fetch(request: Request) {
    return invoked("link.fetch", () => super.fetch(request));
  }

  override wake(...args: Parameters<Link["wake"]>) {
    return invoked("link.wake", () => super.wake(...args));
  }

  override syncUnlinked(...args: Parameters<Link["syncUnlinked"]>) {
    return invoked("link.syncUnlinked", () => super.syncUnlinked(...args));
  }

  override alarm() {
    return invoked("link.alarm", () => super.alarm());
  }

  override webSocketMessage(...args: Parameters<Link["webSocketMessage"]>) {
    return invoked("link.message", () => super.webSocketMessage(...args));
  }
}

let countedOnce: Env | null = null;

export default {
  fetch(request: Request, env: Env): Response | Promise<Response> {
    if (new URL(request.url).pathname === COUNTS_PATH) return Response.json(counts);
    countedOnce ??= countedEnv(env, "worker");
    const counting = countedOnce;
    return invoked("worker.fetch", () => worker.fetch(request, counting));
  },

  scheduled(event: unknown, env: Env): Promise<void> {
    countedOnce ??= countedEnv(env, "worker");
    const counting = countedOnce;
    return invoked("worker.scheduled", () => worker.scheduled(event, counting));
  },
};
