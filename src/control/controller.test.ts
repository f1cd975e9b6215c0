import { beforeEach, describe, expect, test } from "vitest";
import { inventoryAtFirst } from "../../test/sim/agent.ts";
import { MemoryStore } from "../../test/sim/memory-store.ts";
import { NO_BUILDS } from "../core/hosts/agent-builds.ts";
import { closedFleet } from "../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../core/project-state.ts";
import type { Entity } from "../core/state.ts";
import type { Store } from "../store/types.ts";
import { systemClock } from "./clock.ts";
import { Controller, type Request } from "./controller.ts";

/** Lets a test hold answers of the database back. */
class Gate {
  private waiting: (() => void)[] | null = null;

  close(): void {
    this.waiting = [];
  }

  open(): void {
    for (const go of this.waiting?.splice(0) ?? []) go();
    this.waiting = null;
  }

  pass(): Promise<void> {
    const { waiting } = this;
    return waiting === null ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
  }
}

const JOIN = {
  input: {
    kind: "host_joined",
    host: "h1",
    name: "h1",
    fleet: "default",
    machine: "m1",
    inventory: inventoryAtFirst({ address: "10.0.0.1", accelerators: 1, containers: false }),
  },
  id: null,
  cause: "join",
  actor: "test",
} satisfies Request;

const FIRST: Entity[] = [NEW_PROJECT, closedFleet("default")];

/** A controller of the project `main` that has read its state. */
async function controllerOn(store: Store): Promise<Controller> {
  const controller = new Controller({
    project: "main",
    store,
    clock: systemClock,
    newId: () => crypto.randomUUID(),
    builds: NO_BUILDS,
    present: () => [],
    listeningSince: () => 0,
    heardUpTo: () => Number.POSITIVE_INFINITY,
    runEffect: () => undefined,
    committed: () => undefined,
    overtaken: () => undefined,
    failed: (error) => {
      throw error;
    },
  });
  await controller.state();
  return controller;
}

describe("inputs that come together", () => {
  test("are decided and written together, though the database answers at once", async () => {
    const store = new MemoryStore();
    await store.createProject("main", 0, FIRST);
    const controller = await controllerOn(store);
    const joined: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i += 1) {
      const { input } = JOIN;
      joined.push(controller.submit({ ...JOIN, input: { ...input, host: `h${i}`, name: `h${i}`, machine: `m${i}` } }));
      // As long as a database in the same process takes to answer, and longer.
      for (let wait = 0; wait < 50; wait += 1) await Promise.resolve();
    }
    await Promise.all(joined);
    const { version, tables } = await controller.state();
    expect(tables.host.byId.size).toBe(20);
    expect(version).toBe(2);
  });
});

describe("a state that is read while a commit is under way", () => {
  let controller: Controller;
  let loads: Gate;
  let commits: Gate;

  beforeEach(async () => {
    const store = new MemoryStore();
    [loads, commits] = [new Gate(), new Gate()];
    await store.createProject("main", 0, FIRST);
    const late = new Proxy(store, {
      get(target, name) {
        if (name === "load")
          return (project: string) => target.load(project).then((read) => loads.pass().then(() => read));
        if (name === "commit") {
          return async (batch: Parameters<MemoryStore["commit"]>[0]) => {
            await commits.pass();
            return target.commit(batch);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    controller = await controllerOn(late);
  });

  const holdsTheHost = async () => {
    const { version, tables } = await controller.state();
    expect(version).toBe(2);
    expect(tables.host.byId.has("h1")).toBe(true);
  };

  test("does not hide the commit when it is answered after it", async () => {
    loads.close();
    const refreshed = controller.refresh();
    await controller.submit(JOIN);
    loads.open();
    await refreshed;
    await holdsTheHost();
  });

  test("does not hide the commit when it is answered before it", async () => {
    commits.close();
    const submitted = controller.submit(JOIN);
    await controller.refresh();
    commits.open();
    await submitted;
    await holdsTheHost();
  });
});
