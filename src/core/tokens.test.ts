import { expect, test } from "vitest";
import { World } from "../../test/support/core-world.ts";

test("the journal tells who made and revoked a token, and nothing else comes of it", () => {
  const world = new World();
  const entities = () => Object.values(world.state.tables).flatMap(({ byId }) => [...byId.values()]);
  const before = entities();
  const ci = { id: "5f0c", name: "ci", kind: "member", fleet: null } as const;
  const rack = { id: "91d3", name: "rack 4", kind: "join", fleet: "h100" } as const;
  expect(world.input({ kind: "token_made", token: ci, actor: "ann" })).toEqual({ kind: "done" });
  expect(world.input({ kind: "token_made", token: rack, actor: "ann" })).toEqual({ kind: "done" });
  expect(world.input({ kind: "token_revoked", token: ci, actor: "bob" })).toEqual({ kind: "done" });
  expect(world.events).toEqual([
    { type: "token.made", message: "token ci (member, id 5f0c) was made by ann" },
    { type: "token.made", message: "token rack 4 (join, fleet h100, id 91d3) was made by ann" },
    { type: "token.revoked", message: "token ci (member, id 5f0c) was revoked by bob" },
  ]);
  expect(entities()).toEqual(before);
});
