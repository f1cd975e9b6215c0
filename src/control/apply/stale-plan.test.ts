import { beforeEach, expect, test } from "vitest";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { HandClock } from "../../../test/support/hand-clock.ts";
import { closedFleet } from "../../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../../core/project-state.ts";
import { HeadraceControl } from "../control.ts";
import { createSealer } from "../seal.ts";
import type { Caller, ControlError } from "../types.ts";

let control: HeadraceControl;
let serial = 0;

beforeEach(async () => {
  const store = new MemoryStore();
  const clock = new HandClock(Date.UTC(2026, 10, 21, 3, 7));
  await store.createProject("main", clock.now(), [NEW_PROJECT, closedFleet("default")]);
  const seal = await createSealer([new Uint8Array(32).fill(7)]);
  control = new HeadraceControl({ store, seal, clock, log: () => {} });
});

const caller = (name: string): Caller => ({ credentialId: name, project: "main", kind: "member", name, subject: null });
const file = (replicas: number, name = "web") =>
  `type: service\nname: ${name}\nport: 8000\ncommands: [serve]\nreplicas: ${replicas}\n`;

function key(): string {
  serial += 1;
  return `key-${String(serial).padStart(8, "0")}`;
}

function apply(who: string, config: string, expectedRevision?: number) {
  const request = {
    config,
    file: "web.yml",
    env: {},
    files: [],
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
  return control.apply(caller(who), request, key());
}

async function refusalOf(asked: Promise<unknown>): Promise<ControlError> {
  return asked.then(
    () => expect.unreachable("it was not refused"),
    (error: ControlError) => error,
  );
}

test("a stale apply names who changed the service since, and what, and nothing else", async () => {
  await apply("ann", file(1));
  await apply("cid", file(1, "other"));
  await apply("ben", file(2));
  await apply("cid", `${file(2)}auth: no\n`);
  const refusal = await refusalOf(apply("ann", file(5), 1));
  expect(refusal.code).toBe("stale_plan");
  expect(refusal.message.split("\n")).toEqual([
    "service web is at revision 3, and this was planned on revision 1: somebody else changed it. Plan again.",
    "  ben, 2026-11-21T03:07:00Z: revision 2: replicas 1 -> 2",
    "  cid, 2026-11-21T03:07:00Z: revision 3: auth true -> false",
  ]);
  expect((await control.serviceView("main", "web"))?.revision).toBe(3);
});

test("so does a plan that is asked for on another revision, and one made before the service existed", async () => {
  await apply("ben", file(1));
  const request = { config: file(2), file: "web.yml", env: {}, files: [], expectedRevision: 0 };
  const refusal = await refusalOf(control.plan(caller("ann"), request));
  expect(refusal.message).toBe(
    "service web is at revision 1, and this was planned before it existed: somebody else changed it. Plan again.\n" +
      "  ben, 2026-11-21T03:07:00Z: revision 1",
  );
});

test("the newest few stand for many", async () => {
  for (let replicas = 1; replicas <= 10; replicas += 1) await apply("ben", file(replicas));
  const { message } = await refusalOf(apply("ann", file(20), 2));
  expect(message.split("\n").slice(1)).toEqual(
    [6, 7, 8, 9, 10].map((n) => `  ben, 2026-11-21T03:07:00Z: revision ${n}: replicas ${n - 1} -> ${n}`),
  );
});

test("an apply on the revision that it was planned on goes through", async () => {
  await apply("ann", file(1));
  expect(await apply("ann", file(2), 1)).toMatchObject({ revision: 2, action: "update" });
});
