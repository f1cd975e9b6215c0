import { beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../../test/sim/memory-store.ts";
import { NEW_PROJECT } from "../../core/project-state.ts";
import type { Credential, Store } from "../../store/types.ts";
import { systemClock } from "../clock.ts";
import { HeadraceControl } from "../control.ts";
import { createSealer } from "../seal.ts";
import type { Caller } from "../types.ts";
import { callerOf } from "./callers.ts";
import { makeToken, tokenHash } from "./tokens.ts";

let store: MemoryStore;
let now: number;
/** Projects of which a token was revoked here, in order. */
let told: string[];
let control: HeadraceControl;
let keys: number;
const nextKey = () => `key-${String(++keys).padStart(4, "0")}`;

beforeEach(async () => {
  store = new MemoryStore();
  [now, told, keys] = [1_000, [], 0];
  for (const project of ["main", "other"]) await store.createProject(project, 0, [NEW_PROJECT]);
  control = await controlOn(store);
});

async function controlOn(store: Store): Promise<HeadraceControl> {
  return new HeadraceControl({
    store,
    seal: await createSealer([new Uint8Array(32).fill(7)]),
    clock: { ...systemClock, now: () => now },
    log: () => undefined,
    tokenRevoked: (project) => void told.push(project),
  });
}

/** A credential with this id. @returns its token and who has it */
async function given(
  id: string,
  kind: Caller["kind"],
  over: Partial<Pick<Credential, "project" | "name" | "subject" | "expiresAt" | "usedAt" | "madeBy">> = {},
): Promise<{ token: string; caller: Caller }> {
  const token = makeToken(kind);
  const { project = "main", name = id, subject = null, expiresAt = null, usedAt = null, madeBy = null } = over;
  const hash = await tokenHash(token);
  await store.putCredential({ id, project, kind, name, hash, subject, createdAt: now, expiresAt, usedAt, madeBy });
  return { token, caller: { credentialId: id, project, kind, name, subject } };
}

describe("the list of tokens", () => {
  test("says what each is and who asks, the oldest first, and nothing that a token could be made of", async () => {
    const { caller: ann } = await given("a2", "admin", { name: "ann" });
    now = 2_000;
    await given("j1", "join", { name: "rack", subject: "h100", expiresAt: 9_000 });
    await given("j2", "join", { subject: "default", expiresAt: 9_000, usedAt: 2_500 });
    await given("m1", "member", { name: "ci", expiresAt: 3_000, madeBy: "ann" });
    await given("h1", "host", { subject: "h1" });
    await given("theirs", "admin", { project: "other" });
    now = 3_000;
    const unused = { fleet: null, usedAt: null, madeBy: null, own: false };
    expect(await control.tokens(ann)).toEqual([
      {
        ...unused,
        id: "a2",
        name: "ann",
        kind: "admin",
        createdAt: 1_000,
        expiresAt: null,
        state: "usable",
        own: true,
      },
      {
        ...unused,
        id: "j1",
        name: "rack",
        kind: "join",
        fleet: "h100",
        createdAt: 2_000,
        expiresAt: 9_000,
        state: "usable",
      },
      {
        ...unused,
        id: "j2",
        name: "j2",
        kind: "join",
        fleet: "default",
        createdAt: 2_000,
        expiresAt: 9_000,
        usedAt: 2_500,
        ...{ state: "used", own: false },
      },
      {
        ...unused,
        id: "m1",
        name: "ci",
        kind: "member",
        createdAt: 2_000,
        madeBy: "ann",
        expiresAt: 3_000,
        state: "expired",
      },
    ]);
  });

  test("is for admins", async () => {
    const { caller } = await given("m1", "member");
    await expect(control.tokens(caller)).rejects.toMatchObject({ code: "forbidden" });
  });
});

describe("a token that is revoked", () => {
  test.each(["admin", "member", "join"] as const)("is nobody's from then on: %s", async (kind) => {
    const { caller: ann } = await given("a1", "admin");
    const { token } = await given("t1", kind, { name: "ci", subject: "default" });
    expect(await control.authenticate(token)).toMatchObject({ credentialId: "t1" });
    const answer = await control.revokeToken(ann, "t1", nextKey());
    expect(answer).toEqual({ token: "t1", name: "ci", kind, own: false });
    expect(await control.authenticate(token)).toBeNull();
    expect(await control.authorize("main", token)).toBe(false);
    // Nor at a server whose clock is behind this one's.
    expect(await callerOf(token, store, 1)).toBeNull();
    expect(told).toEqual(["main"]);
    expect((await control.tokens(ann)).find(({ id }) => id === "t1")).toMatchObject({
      expiresAt: null,
      state: "revoked",
    });
  });

  test("may be the caller's own, where another admin's can be used", async () => {
    const [{ caller: ann, token }, { caller: bob }] = [await given("a1", "admin"), await given("a2", "admin")];
    expect(await control.revokeToken(ann, "a1", nextKey())).toMatchObject({ own: true });
    expect(await control.authenticate(token)).toBeNull();
    expect((await control.tokens(bob)).filter(({ state }) => state === "usable").map(({ id }) => id)).toEqual(["a2"]);
  });

  test("is not made again by a repetition of the request that made it", async () => {
    const { caller: ann } = await given("a1", "admin");
    const create = (name = "ci") =>
      control.createToken(ann, { kind: "member", name, fleet: "default", expiresInS: 60 }, "key-of-it");
    const { id, token } = await create();
    await control.revokeToken(ann, id, nextKey());
    now += 1;
    await expect(create()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("make another"),
    });
    await expect(create("cd")).rejects.toMatchObject({ code: "idempotency_mismatch" });
    expect(await control.authenticate(token)).toBeNull();
  });

  test("is shown for a day to who repeats the request that made it, and is not made again later", async () => {
    const { caller: ann } = await given("a1", "admin");
    const create = () => control.createToken(ann, { kind: "member", name: "ci", fleet: "default" }, "key-of-it");
    const { token } = await create();
    now += 24 * 3_600_000 - 1;
    expect(await create()).toMatchObject({ token, expiresAt: null });
    now += 1;
    await expect(create()).rejects.toMatchObject({ code: "conflict" });
    await store.trimIdempotency(now);
    const before = await store.load("main");
    await expect(create()).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("cannot be shown any more"),
    });
    expect(await store.load("main")).toEqual(before);
  });

  test("is not brought back by the same request at another server, which was about to write when it was revoked", async () => {
    const { caller: ann } = await given("a1", "admin");
    const create = (at: HeadraceControl) =>
      at.createToken(ann, { kind: "member", name: "ci", fleet: "default" }, "key-of-it");
    const [writing, revoked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = await controlOn(
      new Proxy<Store>(store, {
        get: (target, name) => {
          const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
          return async (...args: unknown[]) => {
            if (name === "putCredential" || name === "commit") {
              writing.resolve();
              await revoked.promise;
            }
            return method.apply(target, args);
          };
        },
      }),
    );
    const repeated = create(slow).catch((error: Error) => error);
    await writing.promise;
    const { id, token } = await create(control);
    await control.revokeToken(ann, id, nextKey());
    revoked.resolve();
    expect(await repeated).toMatchObject({ code: "conflict", message: expect.stringContaining("make another") });
    expect(await control.authenticate(token)).toBeNull();
  });

  test("under the same key again is the same answer, and nothing else happens under it", async () => {
    const { caller: ann } = await given("a1", "admin");
    const { token } = await given("m1", "member");
    await given("m2", "member");
    const first = await control.revokeToken(ann, "m1", "key-0001");
    now += 1_000;
    expect(await control.revokeToken(ann, "m1", "key-0001")).toEqual(first);
    await expect(control.revokeToken(ann, "m2", "key-0001")).rejects.toMatchObject({ code: "idempotency_mismatch" });
    expect((await control.tokens(ann)).map(({ id, state }) => [id, state])).toEqual([
      ["a1", "usable"],
      ["m1", "revoked"],
      ["m2", "usable"],
    ]);
    // Under another key there is nothing left to do, and that is no failure.
    expect(await control.revokeToken(ann, "m1", "key-0002")).toEqual(first);
    expect(await control.authenticate(token)).toBeNull();
  });
});

describe("the journal", () => {
  test("tells who made and revoked a token, and holds nothing that it could be made of", async () => {
    const [{ caller: ann }, { caller: bob }] = [await given("a1", "admin"), await given("a2", "admin")];
    const { id, token } = await control.createToken(ann, { kind: "join", name: "rack", fleet: "h100" }, "key-of-it");
    await control.createToken(ann, { kind: "join", name: "rack", fleet: "h100" }, "key-of-it");
    await control.revokeToken(bob, id, nextKey());
    const { commits } = await control.journal("main", 1, 10);
    expect(commits.map(({ cause, actor, events }) => [cause, actor, events])).toEqual([
      ["make token", "a1", [{ type: "token.made", message: `token rack (join, fleet h100, id ${id}) was made by a1` }]],
      [
        "revoke token",
        "a2",
        [{ type: "token.revoked", message: `token rack (join, fleet h100, id ${id}) was revoked by a2` }],
      ],
    ]);
    expect(await control.tokens(ann)).toMatchObject([{ id: "a1" }, { id: "a2" }, { id, madeBy: "a1" }]);
    const kept = [commits, await store.idempotency("main", "key-of-it"), await store.load("main")];
    for (const text of [token, await tokenHash(token)]) expect(JSON.stringify(kept)).not.toContain(text);
  });

  test("has nothing of what was refused", async () => {
    const { caller: ann } = await given("a1", "admin");
    await expect(control.revokeToken(ann, "a1", nextKey())).rejects.toMatchObject({ code: "conflict" });
    expect(await store.load("main")).toMatchObject({ version: 1 });
  });
});

describe("it is refused to revoke", () => {
  test("anything for who is no admin", async () => {
    await given("a1", "admin");
    const { caller, token } = await given("m1", "member");
    await expect(control.revokeToken(caller, "m1", nextKey())).rejects.toMatchObject({ code: "forbidden" });
    expect(await control.authenticate(token)).not.toBeNull();
    expect(told).toEqual([]);
  });

  test("the last admin's that can be used, whatever has expired beside it, with what to do", async () => {
    const { caller: ann, token } = await given("a1", "admin", { name: "first admin" });
    await given("a2", "admin", { expiresAt: now });
    await given("a3", "admin", { project: "other" });
    await given("m1", "member");
    const refused = control.revokeToken(ann, "a1", "key-0001");
    await expect(refused).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(
        /^first admin is the last admin token .* make another first \(headrace token create\)/,
      ),
    });
    expect(await control.authenticate(token)).not.toBeNull();
    // The refusal is not kept: once there is another, the same request is carried out.
    await given("a4", "admin");
    expect(await control.revokeToken(ann, "a1", "key-0001")).toMatchObject({ own: true });
  });

  test.each(["one server", "two servers"])("all admins' at the same moment, at %s: one stays", async (servers) => {
    const admins = [await given("a1", "admin"), await given("a2", "admin"), await given("a3", "admin")];
    const other = servers === "two servers" ? await controlOn(store) : control;
    const ended = await Promise.allSettled(
      admins.map(({ caller }, n) => (n === 1 ? other : control).revokeToken(caller, caller.credentialId, nextKey())),
    );
    const refused = ended.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    expect(refused).toMatchObject([{ code: "conflict", message: expect.stringContaining("is the last admin token") }]);
    const usable = (await store.credentials("main")).filter(({ expiresAt }) => expiresAt === null);
    expect(usable).toHaveLength(1);
    // What else came in at that moment is carried out all the same.
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  });

  test("what is not there, or another project's", async () => {
    const { caller: ann } = await given("a1", "admin");
    const { token } = await given("theirs", "member", { project: "other" });
    for (const id of ["nothing", "theirs"]) {
      await expect(control.revokeToken(ann, id, nextKey())).rejects.toMatchObject({
        code: "not_found",
        message: `there is no token ${id}: see headrace token list`,
      });
    }
    expect(await control.authenticate(token)).not.toBeNull();
  });

  test("a host's own credential", async () => {
    const { caller: ann } = await given("a1", "admin");
    const { token } = await given("box-1", "host", { subject: "box-1" });
    await expect(control.revokeToken(ann, "box-1", nextKey())).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("headrace host remove"),
    });
    expect(await control.authenticate(token)).not.toBeNull();
  });
});
