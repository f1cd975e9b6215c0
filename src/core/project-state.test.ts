import { expect, test } from "vitest";
import { projectState, Table } from "./project-state.ts";
import type { ServiceEntity } from "./state.ts";

const service = (id: string): ServiceEntity => ({
  kind: "service",
  id,
  status: "running",
  revision: 1,
  wanted: {},
  backoff: {},
});

test("of a state that was just loaded everything is due, since time has passed unseen", () => {
  const state = projectState("p", 7, [service("one"), service("two")], 1_000);
  expect([...state.due]).toEqual([
    ["one", 0],
    ["two", 0],
  ]);
  expect(state.version).toBe(7);
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
