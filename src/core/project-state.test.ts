import { expect, test } from "vitest";
import { projectState, Table, takeChanges, takeOver } from "./project-state.ts";
import type { ReplicaEntity, ServiceEntity } from "./state.ts";

const service = (id: string): ServiceEntity => ({
  kind: "service",
  id,
  status: "running",
  revision: 1,
  wanted: {},
  backoff: {},
  firstReadyAt: null,
});

test("of a state that was just loaded everything is due, since time has passed unseen", () => {
  const state = projectState("p", 7, [service("one"), service("two")], 1_000);
  expect([...state.due]).toEqual([
    ["one", 0],
    ["two", 0],
  ]);
  expect(state.version).toBe(7);
});

const unlisting = (id: string): ReplicaEntity => ({
  kind: "replica",
  id,
  service: "one",
  group: "worker",
  revision: 1,
  status: "unlisting",
  since: 1,
  reason: "",
  wasReady: true,
  deadline: 100_000,
  unlistedIn: 2,
  createdAt: 0,
});

test("routes without a replica count from when they were taken in first, until it is unlisted", () => {
  const state = projectState("p", 1, [], 0);
  takeChanges(state, 2, { puts: [unlisting("r")], deletes: [] }, new Map(), 1_000);
  takeChanges(state, 3, { puts: [unlisting("r")], deletes: [] }, new Map(), 2_000);
  expect([...state.unroutedAt]).toEqual([["r", 1_000]]);
  takeChanges(state, 4, { puts: [{ ...unlisting("r"), status: "quiescing" }], deletes: [] }, new Map(), 3_000);
  expect([...state.unroutedAt]).toEqual([]);
});

test("a state that is read again keeps when routes were taken in; what another controller unlisted counts from now", () => {
  const before = projectState("p", 7, [], 0);
  before.unroutedAt.set("ours", 500);
  before.unroutedAt.set("gone", 600);
  const state = projectState("p", 8, [unlisting("ours"), unlisting("theirs")], 0);
  takeOver(state, before, 1_000);
  expect([...state.unroutedAt]).toEqual([
    ["ours", 500],
    ["theirs", 1_000],
  ]);
});

test("an index follows what is put and deleted, and keeps nothing of what is gone", () => {
  const table = new Table<{ id: string; of: string }>({ of: (entity) => entity.of });
  table.put({ id: "1", of: "a" });
  table.put({ id: "2", of: "a" });
  table.put({ id: "2", of: "b" });
  expect([...table.ids("of", "a")]).toEqual(["1"]);
  expect([...table.ids("of", "b")]).toEqual(["2"]);
  table.delete("2");
  table.delete("2");
  expect([...table.ids("of", "b")]).toEqual([]);
  expect([...table.byId.keys()]).toEqual(["1"]);
});

test("what is made of entities is made anew when one of them changes, comes or goes, and only then", () => {
  const table = new Table<{ id: string; of: string; says: string }>({ of: (entity) => entity.of });
  let made = 0;
  const say = (ids: ReadonlySet<string>, ending: string) => {
    made += 1;
    return [...ids].map((id) => table.byId.get(id)?.says + ending);
  };
  const said = (of: string) => table.made("of", of, say, ".");
  table.put({ id: "1", of: "a", says: "one" });
  expect([said("a"), said("a"), made]).toEqual([["one."], ["one."], 1]);
  table.put({ id: "2", of: "b", says: "other" });
  expect([said("a"), made]).toEqual([["one."], 1]);
  table.put({ id: "1", of: "a", says: "uno" });
  expect(said("a")).toEqual(["uno."]);
  table.put({ id: "2", of: "a", says: "other" });
  expect([said("a"), said("b")]).toEqual([["uno.", "other."], []]);
  table.delete("1");
  expect(said("a")).toEqual(["other."]);
  table.delete("2");
  expect(said("a")).toEqual([]);
});
