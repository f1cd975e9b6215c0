import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CommitBatch, REVOKED, type Store, UnclearOutcome } from "../../src/store/types.ts";
import { commitOf, credential, fleet, replica, revision, sorted } from "./store-samples.ts";

/** What is lost of the next write: its way to the database, or the answer on its way back. */
export type Loss = "request" | "answer";

/** One database, empty but for its tables, and ways to reach it. */
export interface StoreUnderTest {
  /** A writer of its own, as another process would be. */
  open(): Promise<Store>;
  /** Like `open`; the writes that `losses` still names, in order, are lost. */
  openLossy(losses: Loss[]): Promise<Store>;
  dispose(): Promise<void>;
}

const AT = 1_700_000_000_000;

/** What every Store does. Each test is named by the promise it holds. */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let database: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      database = await make();
      store = await database.open();
      await store.createProject("main", AT, [fleet("default")]);
    });

    afterEach(async () => {
      await store.close();
      await database.dispose();
    });

    describe("files", () => {
      const DAY = 24 * 3_600_000;
      const name = (digit: string) => digit.repeat(64);
      const ROOM = { bytesMax: 1_000, filesMax: 100 };
      const room = (bytesMax: number) => ({ ...ROOM, bytesMax });
      const file = (digit: string, bytes: number) => ({ sha256: name(digit), body: new Uint8Array(bytes).fill(7) });

      test("what was kept is read back byte for byte, in its own project only", async () => {
        await store.createProject("other", AT, []);
        const every = { sha256: name("a"), body: Uint8Array.from({ length: 256 }, (_, byte) => byte) };
        expect(await store.putFile("main", every, AT, ROOM)).toBe(true);
        expect(await store.file("main", name("a"))).toEqual(every);
        expect(await store.file("main", name("b"))).toBeNull();
        expect(await store.file("other", name("a"))).toBeNull();
        expect(await store.useFiles("main", [name("a"), name("b")], AT)).toEqual([{ sha256: name("a"), bytes: 256 }]);
        expect(await store.useFiles("other", [name("a")], AT)).toEqual([]);
      });

      test("a project keeps so many bytes and no more; the same file again takes no more room", async () => {
        expect(await store.putFile("main", file("a", 60), AT, room(100))).toBe(true);
        expect(await store.putFile("main", file("b", 41), AT, room(100))).toBe(false);
        expect(await store.file("main", name("b"))).toBeNull();
        expect(await store.putFile("main", file("a", 60), AT, room(100))).toBe(true);
        expect(await store.putFile("main", file("c", 40), AT, room(100))).toBe(true);
      });

      test("and so many files, however small; another project's do not count", async () => {
        await store.createProject("other", AT, []);
        const two = { ...ROOM, filesMax: 2 };
        for (const digit of ["a", "b", "a"]) expect(await store.putFile("main", file(digit, 0), AT, two)).toBe(true);
        expect(await store.putFile("main", file("c", 0), AT, two)).toBe(false);
        expect(await store.putFile("other", file("c", 0), AT, two)).toBe(true);
        await store.trimFiles("main", AT + 1);
        expect(await store.putFile("main", file("c", 0), AT, two)).toBe(true);
        expect(await store.file("other", name("c"))).not.toBeNull();
      });

      test("what nothing has used for long is dropped, but for what a revision names", async () => {
        for (const digit of ["a", "b", "c"]) await store.putFile("main", file(digit, 10), AT, ROOM);
        await store.useFiles("main", [name("b")], AT + DAY);
        const names = { ...revision("web"), files: [{ path: "app", sha256: name("c"), bytes: 10 }] };
        await store.commit(commitOf("main", 2, "c2", { puts: [names] }));
        await store.trimFiles("main", AT + DAY);
        expect(await store.file("main", name("a"))).toBeNull();
        expect(await store.file("main", name("b"))).not.toBeNull();
        expect(await store.file("main", name("c"))).not.toBeNull();
        // Its room is free, and it can come back with what it held.
        expect(await store.useFiles("main", [name("a")], AT)).toEqual([]);
        expect(await store.putFile("main", file("a", 10), AT, room(30))).toBe(true);
        expect(await store.file("main", name("a"))).toEqual(file("a", 10));
      });
    });

    describe("projects", () => {
      test("a project begins at version 1 with the entities given, told in the journal", async () => {
        expect(await store.load("main")).toEqual({ version: 1, wakeAt: null, entities: [fleet("default")] });
        const { oldest, rows } = await store.journal("main", 0, 10);
        expect(oldest).toBe(1);
        expect(rows.map(({ version, at, cause }) => ({ version, at, cause }))).toEqual([
          { version: 1, at: AT, cause: "create" },
        ]);
      });

      test("a project that is not there loads as null", async () => {
        expect(await store.load("other")).toBeNull();
      });

      test("a project is created once, and a second attempt changes nothing", async () => {
        const other = await database.open();
        const outcomes = await Promise.all([
          store.createProject("new", AT, [fleet("first")]),
          other.createProject("new", AT, [fleet("first")]),
        ]);
        expect(outcomes.toSorted()).toEqual(["created", "exists"]);
        expect(await store.createProject("main", AT, [fleet("another")])).toBe("exists");
        expect((await store.load("main"))?.entities).toEqual([fleet("default")]);
        await other.close();
      });

      test("the list of projects says when each wants to be woken", async () => {
        await store.createProject("new", AT, []);
        await store.commit(commitOf("main", 2, "a", { wakeAt: AT + 5_000 }));
        const listed = await store.projects();
        expect(listed.toSorted((a, b) => (a.project < b.project ? -1 : 1))).toEqual([
          { project: "main", wakeAt: AT + 5_000 },
          { project: "new", wakeAt: null },
        ]);
      });

      test("of the projects in which something was due each is named in time, however few are asked for", async () => {
        for (const project of ["late", "later", "idle"]) await store.createProject(project, AT, []);
        await store.commit(commitOf("main", 2, "a", { wakeAt: AT }));
        await store.commit(commitOf("late", 2, "b", { wakeAt: AT + 2 }));
        await store.commit(commitOf("later", 2, "c", { wakeAt: AT + 1 }));
        expect((await store.overdue(AT + 2, 10)).toSorted()).toEqual(["later", "main"]);
        const named = new Set<string>();
        for (let asked = 0; asked < 100 && named.size < 3; asked += 1) {
          const overdue = await store.overdue(AT + 3, 1);
          expect(overdue).toHaveLength(1);
          for (const project of overdue) named.add(project);
        }
        expect([...named].toSorted()).toEqual(["late", "later", "main"]);
      });
    });

    describe("commits", () => {
      test("puts replace, deletes remove, and the rest stays", async () => {
        await store.commit(commitOf("main", 2, "a", { puts: [replica(1), replica(2), replica(3)], wakeAt: AT }));
        const second = commitOf("main", 3, "b", {
          puts: [{ ...replica(2), status: "ready", wasReady: true }],
          deletes: [
            { kind: "replica", id: replica(1).id },
            { kind: "replica", id: "never-was-0" },
          ],
        });
        expect(await store.commit(second)).toEqual({ kind: "committed" });
        const loaded = await store.load("main");
        expect(loaded?.version).toBe(3);
        expect(loaded?.wakeAt).toBeNull();
        expect(sorted(loaded?.entities ?? [])).toEqual(
          sorted([fleet("default"), { ...replica(2), status: "ready", wasReady: true }, replica(3)]),
        );
      });

      test("a delete takes the entity of that kind only", async () => {
        await store.commit(commitOf("main", 2, "a", { puts: [{ ...replica(1), id: "default" }] }));
        await store.commit(commitOf("main", 3, "b", { deletes: [{ kind: "replica", id: "default" }] }));
        expect((await store.load("main"))?.entities).toEqual([fleet("default")]);
      });

      test("ten thousand entities are written as one commit and load again", async () => {
        const puts = Array.from({ length: 10_000 }, (_, serial) => replica(serial));
        await store.commit(commitOf("main", 2, "a", { puts }));
        const loaded = await store.load("main");
        expect(sorted(loaded?.entities ?? [])).toEqual(sorted([fleet("default"), ...puts]));
      });

      test("of many writers of one version exactly one wins, and the others learn whose it is", async () => {
        const writers = await Promise.all(Array.from({ length: 8 }, () => database.open()));
        const outcomes = await Promise.all(
          writers.map((writer, n) => writer.commit(commitOf("main", 2, `of-${n}`, { puts: [replica(n)] }))),
        );
        const won = outcomes.flatMap((outcome, n) => (outcome.kind === "committed" ? [n] : []));
        expect(won).toHaveLength(1);
        expect(outcomes.filter((_, n) => n !== won[0])).toEqual(
          Array.from({ length: 7 }, () => ({ kind: "conflict", commitId: `of-${won[0]}` })),
        );
        expect((await store.load("main"))?.entities).toEqual(expect.arrayContaining([replica(won[0]!)]));
        expect((await store.load("main"))?.entities).toHaveLength(2);
        await Promise.all(writers.map((writer) => writer.close()));
      });

      test("the identical batch sent again is committed once", async () => {
        const batch = commitOf("main", 2, "a", { puts: [replica(1)], inputs: ["input-1"] });
        expect(await store.commit(batch)).toEqual({ kind: "committed" });
        await store.commit(commitOf("main", 3, "b", { deletes: [{ kind: "replica", id: replica(1).id }] }));
        // Another commit has come in between: sending the first again must not bring back what it put.
        expect(await store.commit(batch)).toEqual({ kind: "committed" });
        const loaded = await store.load("main");
        expect(loaded).toEqual({ version: 3, wakeAt: null, entities: [fleet("default")] });
        expect(await store.inputsSince("main", 0)).toEqual(["input-1"]);
      });

      test("a commit without its predecessor is refused, so versions have no gaps", async () => {
        await expect(store.commit(commitOf("main", 3, "a", { puts: [replica(1)] }))).rejects.toMatchObject({
          name: "StoreError",
          code: "refused",
          message: "Commit 3 of project main would leave a gap: the newest is 1.",
        });
        expect(await store.load("main")).toEqual({ version: 1, wakeAt: null, entities: [fleet("default")] });
      });

      test("a commit of a project that is not there is refused", async () => {
        await expect(store.commit(commitOf("nobody", 2, "a"))).rejects.toMatchObject({
          code: "refused",
          message: "There is no project nobody.",
        });
      });

      test("a version whose journal row is gone is still taken", async () => {
        for (let version = 2; version <= 6; version++) await store.commit(commitOf("main", version, `c${version}`));
        await store.trimJournal("main", 1);
        expect(await store.commit(commitOf("main", 3, "late", { puts: [replica(1)] }))).toEqual({
          kind: "conflict",
          commitId: "",
        });
        expect(await store.commit(commitOf("main", 7, "next"))).toEqual({ kind: "committed" });
      });

      test.each([
        ["put twice", { puts: [replica(1), replica(1)] }],
        ["put and deleted", { puts: [replica(1)], deletes: [{ kind: "replica" as const, id: replica(1).id }] }],
        ["due at no instant", { wakeAt: Number.POSITIVE_INFINITY }],
      ])("a batch that contradicts itself is refused: %s", async (_, rest) => {
        await expect(store.commit(commitOf("main", 2, "a", rest))).rejects.toMatchObject({ code: "refused" });
        expect((await store.load("main"))?.version).toBe(1);
      });
    });

    describe("a commit that fails leaves nothing", () => {
      const whole = commitOf("main", 2, "mine", {
        puts: [replica(1)],
        deletes: [{ kind: "fleet", id: "default" }],
        wakeAt: AT + 1,
        inputs: ["input-1"],
        secrets: [{ name: "env/llama/1/HF_TOKEN", version: "v", keyId: "k", sealed: "s" }],
        idempotency: [{ key: "key-1", requestHash: "h", answer: "{}", at: AT }],
      });

      const expectUntouched = async (version: number) => {
        expect(await store.load("main")).toEqual({ version, wakeAt: null, entities: [fleet("default")] });
        expect(await store.secrets("main", ["env/llama/1/HF_TOKEN"])).toEqual([]);
        expect(await store.idempotency("main", "key-1")).toBeNull();
        expect(await store.inputsSince("main", 0)).toEqual([]);
      };

      test("on a conflict: neither entities, secrets, answers nor wake-up", async () => {
        await store.commit(commitOf("main", 2, "theirs"));
        expect(await store.commit(whole)).toEqual({ kind: "conflict", commitId: "theirs" });
        await expectUntouched(2);
      });

      test("a request answered once is not done again under another commit", async () => {
        const answered = { key: "key-2", requestHash: "h", answer: '{"n":1}', at: AT };
        await store.commit(commitOf("main", 2, "a", { idempotency: [answered] }));
        const again = { ...whole, version: 3, idempotency: [...whole.idempotency, { ...answered, answer: '{"n":2}' }] };
        await expect(store.commit(again)).rejects.toMatchObject({ name: "StoreError", code: "refused" });
        await expectUntouched(2);
        expect(await store.idempotency("main", "key-2")).toEqual(answered);
      });

      test("a request lost on its way: unclear, and sending it again commits it", async () => {
        const lossy = await database.openLossy(["request"]);
        await expect(lossy.commit(whole)).rejects.toBeInstanceOf(UnclearOutcome);
        await expectUntouched(1);
        expect(await lossy.commit(whole)).toEqual({ kind: "committed" });
        expect((await store.load("main"))?.entities).toEqual([replica(1)]);
        await lossy.close();
      });

      test("an answer lost on its way: unclear, and sending it again finds it committed", async () => {
        const lossy = await database.openLossy(["answer", "answer"]);
        await expect(lossy.commit(whole)).rejects.toBeInstanceOf(UnclearOutcome);
        await expect(lossy.commit(whole)).rejects.toBeInstanceOf(UnclearOutcome);
        expect(await lossy.commit(whole)).toEqual({ kind: "committed" });
        expect(await store.load("main")).toEqual({ version: 2, wakeAt: AT + 1, entities: [replica(1)] });
        expect(await store.inputsSince("main", 0)).toEqual(["input-1"]);
        await lossy.close();
      });

      test("a request lost while another took the version: sending it again is a conflict", async () => {
        const lossy = await database.openLossy(["request"]);
        await expect(lossy.commit(whole)).rejects.toBeInstanceOf(UnclearOutcome);
        await store.commit(commitOf("main", 2, "theirs"));
        expect(await lossy.commit(whole)).toEqual({ kind: "conflict", commitId: "theirs" });
        await expectUntouched(2);
        await lossy.close();
      });
    });

    describe("the journal", () => {
      beforeEach(async () => {
        for (let version = 2; version <= 6; version++) {
          const events = [{ type: "replica.ready", replica: `r${version}`, message: `r${version} is ready` }];
          await store.commit(commitOf("main", version, `c${version}`, { inputs: [`i${version}`], events }));
        }
      });

      test("is read in pages, oldest first, with all that a commit said", async () => {
        const first = await store.journal("main", 1, 2);
        expect(first.rows.map((row) => row.version)).toEqual([2, 3]);
        expect(first.rows[0]).toEqual({
          version: 2,
          at: AT + 2,
          cause: "test",
          actor: "controller",
          inputs: ["i2"],
          events: [{ type: "replica.ready", replica: "r2", message: "r2 is ready" }],
        });
        expect((await store.journal("main", 3, 100)).rows.map((row) => row.version)).toEqual([4, 5, 6]);
        expect((await store.journal("main", 6, 100)).rows).toEqual([]);
        expect(await store.journal("nobody", 0, 100)).toEqual({ oldest: 0, rows: [] });
      });

      test("names the inputs that were consumed after a version", async () => {
        expect(await store.inputsSince("main", 4)).toEqual(["i5", "i6"]);
        expect(await store.inputsSince("main", 6)).toEqual([]);
      });

      test("keeps the newest when trimmed, says where it begins, and never loses the last", async () => {
        await store.trimJournal("main", 2);
        expect(await store.journal("main", 0, 100)).toMatchObject({
          oldest: 5,
          rows: [{ version: 5 }, { version: 6 }],
        });
        await store.trimJournal("main", 0);
        expect(await store.journal("main", 0, 100)).toMatchObject({ oldest: 6, rows: [{ version: 6 }] });
        expect(await store.commit(commitOf("main", 7, "c7"))).toEqual({ kind: "committed" });
      });

      test("refuses to say what was consumed where its rows are gone", async () => {
        await store.trimJournal("main", 2);
        expect(await store.inputsSince("main", 4)).toEqual(["i5", "i6"]);
        await expect(store.inputsSince("main", 3)).rejects.toMatchObject({ name: "StoreError", code: "refused" });
      });
    });

    describe("sealed values and kept answers", () => {
      const sealed = (name: string, version: string) => ({ name, version, keyId: "k", sealed: `box of ${version}` });

      test("secrets come and go with their commit", async () => {
        await store.commit(commitOf("main", 2, "a", { secrets: [sealed("one", "1"), sealed("two", "1")] }));
        await store.commit(commitOf("main", 3, "b", { secrets: [sealed("one", "2")], deletedSecrets: ["two", "no"] }));
        expect(await store.secrets("main", ["one", "two", "no"])).toEqual([sealed("one", "2")]);
        expect(await store.secrets("main", [])).toEqual([]);
      });

      test("answers are kept until they are trimmed by age", async () => {
        const answer = (key: string, at: number) => ({ key, requestHash: "h", answer: '{"a":"é\\u0000"}', at });
        await store.commit(commitOf("main", 2, "a", { idempotency: [answer("old", AT), answer("new", AT + 10)] }));
        expect(await store.idempotency("main", "old")).toEqual(answer("old", AT));
        await store.trimIdempotency(AT + 10);
        expect(await store.idempotency("main", "old")).toBeNull();
        expect(await store.idempotency("main", "new")).toEqual(answer("new", AT + 10));
      });
    });

    describe("credentials", () => {
      const join = credential("main", "j1", { kind: "join", subject: "default", expiresAt: AT + 1_000 });
      const host = (id: string) => credential("main", id, { kind: "host", subject: id, madeBy: "rack" });

      test("are found by their hash, listed by project and deleted", async () => {
        const admin = credential("main", "c1", { kind: "admin", expiresAt: AT + 9, madeBy: "ada" });
        await store.putCredential(admin);
        await store.putCredential(credential("main", "c2"));
        expect(await store.credential(admin.hash)).toEqual(admin);
        expect(await store.credential("hash of nothing")).toBeNull();
        expect((await store.credentials("main")).map(({ id }) => id).toSorted()).toEqual(["c1", "c2"]);
        expect(await store.deleteCredential("main", "c1")).toBe(true);
        expect(await store.deleteCredential("main", "c1")).toBe(false);
        expect(await store.credential(admin.hash)).toBeNull();
      });

      test("put again under the same id, the first one stays as it is by now", async () => {
        const first = credential("main", "c1");
        await store.putCredential(first);
        await store.commit(commitOf("main", 2, "a", { revokedTokens: ["c1"] }));
        const second = credential("main", "c1", { hash: "another hash" });
        await store.putCredential(second);
        expect(await store.commit(commitOf("main", 3, "b", { credentials: [first] }))).toEqual({ kind: "committed" });
        expect(await store.commit(commitOf("main", 4, "c", { credentials: [second] }))).toEqual({ kind: "committed" });
        expect(await store.credentials("main")).toEqual([{ ...first, expiresAt: REVOKED }]);
      });

      test("are made by a commit, all of them or none", async () => {
        await store.createProject("second", AT, []);
        const made = [join, credential("main", "c1", { expiresAt: AT + 9, madeBy: "ada" })];
        const making = (version: number, id: string, credentials = made) =>
          commitOf("main", version, id, { credentials, puts: [replica(1)] });
        expect(await store.commit(making(2, "a"))).toEqual({ kind: "committed" });
        expect(await store.commit(making(2, "a"))).toEqual({ kind: "committed" });
        expect(sorted(await store.credentials("main"))).toEqual(made);
        expect(await store.redeemJoin("j1", AT, host("h1"))).toBe(true);

        const late = credential("main", "c2");
        expect(await store.commit(making(2, "b", [late]))).toEqual({ kind: "conflict", commitId: "a" });
        const twin = credential("main", "c3", { hash: join.hash });
        for (const wrong of [twin, credential("second", "c4")]) {
          const refused = store.commit(making(3, "c", [late, wrong]));
          await expect(refused).rejects.toMatchObject({ name: "StoreError", code: "refused" });
        }
        expect(await store.credential(late.hash)).toBeNull();
        expect(await store.credentials("second")).toEqual([]);
      });

      test("two never share a hash, not even in two projects", async () => {
        await store.createProject("second", AT, []);
        await store.putCredential(credential("main", "c1"));
        const twin = credential("second", "c2", { hash: credential("main", "c1").hash });
        await expect(store.putCredential(twin)).rejects.toMatchObject({ name: "StoreError", code: "refused" });
        expect(await store.credentials("second")).toEqual([]);
      });

      test("a join token is redeemed once when many hosts use it at the same time", async () => {
        await store.putCredential(join);
        const writers = await Promise.all(Array.from({ length: 8 }, () => database.open()));
        const answers = await Promise.all(writers.map((writer, n) => writer.redeemJoin("j1", AT, host(`h${n}`))));
        expect(answers.filter(Boolean)).toHaveLength(1);
        const winner = `h${answers.indexOf(true)}`;
        const kept = await store.credentials("main");
        expect(kept.filter(({ kind }) => kind === "host")).toEqual([host(winner)]);
        expect(kept.find(({ id }) => id === "j1")?.usedAt).toBe(AT);
        await Promise.all(writers.map((writer) => writer.close()));
      });

      test("a host whose answer was lost may ask again and is told yes", async () => {
        await store.putCredential(join);
        const lossy = await database.openLossy(["answer"]);
        await expect(lossy.redeemJoin("j1", AT, host("h1"))).rejects.toBeInstanceOf(UnclearOutcome);
        expect(await lossy.redeemJoin("j1", AT + 1, host("h1"))).toBe(true);
        expect(await lossy.redeemJoin("j1", AT + 2, host("h2"))).toBe(false);
        // The same name is not enough: whoever holds the used token would get into the host's place.
        expect(await lossy.redeemJoin("j1", AT + 3, { ...host("h1"), hash: "another hash" })).toBe(false);
        expect(await lossy.credential(host("h1").hash)).toEqual(host("h1"));
        await lossy.close();
      });

      test("a join token that is unknown, expired, of another kind or of another project redeems nothing", async () => {
        await store.createProject("second", AT, []);
        await store.putCredential(join);
        await store.putCredential(credential("main", "m1"));
        expect(await store.redeemJoin("unknown", AT, host("h1"))).toBe(false);
        expect(await store.redeemJoin("j1", AT + 1_000, host("h1"))).toBe(false);
        expect(await store.redeemJoin("m1", AT, host("h1"))).toBe(false);
        expect(await store.redeemJoin("j1", AT, { ...host("h1"), project: "second" })).toBe(false);
        expect((await store.credentials("main")).map(({ id }) => id).toSorted()).toEqual(["j1", "m1"]);
        expect(await store.credentials("second")).toEqual([]);
      });

      test("a host's goes with the host, in the same commit, and its join token does not bring it back", async () => {
        await store.createProject("second", AT, []);
        const other = { ...join, id: "j2", hash: "hash of j2" };
        const twin = { ...host("h1"), project: "second", hash: "hash in second" };
        for (const each of [join, other, twin, credential("main", "h1-of-a-person")]) await store.putCredential(each);
        expect(await store.redeemJoin("j1", AT, host("h1"))).toBe(true);
        expect(await store.redeemJoin("j2", AT, host("h2"))).toBe(true);
        const removal = commitOf("main", 2, "a", { deletes: [{ kind: "host", id: "h1" }] });
        expect(await store.commit(removal)).toEqual({ kind: "committed" });

        expect(await store.credential(host("h1").hash)).toBeNull();
        expect(await store.redeemJoin("j1", AT, host("h1"))).toBe(false);
        expect(await store.credential(host("h1").hash)).toBeNull();
        // The token stays used up, and nobody else loses anything.
        const left = await store.credentials("main");
        expect(left.map(({ id }) => id).toSorted()).toEqual(["h1-of-a-person", "h2", "j1", "j2"]);
        expect(left.find(({ id }) => id === "j1")?.usedAt).toBe(AT);
        expect(await store.redeemJoin("j2", AT, host("h2"))).toBe(true);
        expect(await store.credential(twin.hash)).toEqual(twin);
      });

      test("a commit that relies on a host's is refused as a whole once that is gone, and as a conflict before", async () => {
        await store.putCredential(join);
        await store.putCredential(credential("main", "m1"));
        expect(await store.redeemJoin("j1", AT, host("h1"))).toBe(true);
        const reliesOn = [host("h1").hash];
        const relying = (version: number, id: string) =>
          commitOf("main", version, id, { puts: [replica(1)], reliesOn });
        expect(await store.commit(relying(2, "a"))).toEqual({ kind: "committed" });
        await store.commit(commitOf("main", 3, "b", { deletes: [{ kind: "host", id: "h1" }] }));
        expect(await store.commit(relying(2, "a"))).toEqual({ kind: "committed" });
        expect(await store.commit(relying(3, "c"))).toEqual({ kind: "conflict", commitId: "b" });
        const puts = [replica(2)];
        for (const hashes of [reliesOn, [credential("main", "m1").hash]]) {
          const refused = store.commit(commitOf("main", 4, "d", { puts, reliesOn: hashes }));
          await expect(refused).rejects.toMatchObject({ name: "StoreError", code: "refused" });
        }
        expect(await store.load("main")).toMatchObject({ version: 3, entities: [fleet("default"), replica(1)] });
        expect(await store.commit(commitOf("main", 4, "e", { puts }))).toEqual({ kind: "committed" });
      });

      test("a host's stays when the commit that would have removed it fails", async () => {
        await store.putCredential(join);
        expect(await store.redeemJoin("j1", AT, host("h1"))).toBe(true);
        await store.commit(commitOf("main", 2, "a"));
        const removal = commitOf("main", 2, "b", { deletes: [{ kind: "host", id: "h1" }] });
        expect(await store.commit(removal)).toEqual({ kind: "conflict", commitId: "a" });
        expect(await store.credential(host("h1").hash)).toEqual(host("h1"));
      });

      test("a token that a commit revokes is over from then on", async () => {
        await store.createProject("second", AT, []);
        const m1 = credential("main", "m1");
        for (const each of [join, m1, credential("main", "m2"), credential("second", "m1")])
          await store.putCredential(each);
        const revoking = (version: number, id: string) =>
          commitOf("main", version, id, { revokedTokens: ["m1", "j1"] });
        expect(await store.commit(revoking(2, "a"))).toEqual({ kind: "committed" });
        expect(await store.credential(m1.hash)).toEqual({ ...m1, expiresAt: REVOKED });
        for (const other of [credential("main", "m2"), credential("second", "m1")])
          expect(await store.credential(other.hash)).toEqual(other);
        // Neither by a clock that is years behind.
        for (const at of [AT, 1]) expect(await store.redeemJoin("j1", at, host("h1"))).toBe(false);
        expect((await store.credentials("main")).filter(({ kind }) => kind === "host")).toEqual([]);
        // Once more is no failure.
        expect(await store.commit(revoking(3, "b"))).toEqual({ kind: "committed" });
      });

      test("no token is revoked by a commit that fails, and what is unknown, another project's or a host's by none", async () => {
        await store.createProject("second", AT, []);
        const others = [credential("main", "m1"), credential("second", "m2")];
        for (const each of [join, ...others]) await store.putCredential(each);
        expect(await store.redeemJoin("j1", AT, host("h1"))).toBe(true);
        const revokedTokens = ["unknown", "m2", "h1"];
        expect(await store.commit(commitOf("main", 2, "a", { revokedTokens }))).toEqual({ kind: "committed" });
        const late = commitOf("main", 2, "b", { revokedTokens: ["m1"] });
        expect(await store.commit(late)).toEqual({ kind: "conflict", commitId: "a" });
        for (const each of [...others, host("h1")]) expect(await store.credential(each.hash)).toEqual(each);
      });

      test("of admin tokens that end each other at the same time the last stays, and its commit leaves nothing", async () => {
        await store.createProject("second", AT, []);
        const admin = (id: string, expiresAt: number | null = null) =>
          credential("main", id, { kind: "admin", expiresAt });
        // Neither one that is over nor one of another project counts.
        const others = [admin("over", AT), credential("second", "a9", { kind: "admin" }), credential("main", "m1")];
        const ids = ["a1", "a2", "a3", "a4"];
        for (const each of [...others, ...ids.map((id) => admin(id))]) await store.putCredential(each);
        const writers = await Promise.all(ids.map(() => database.open()));
        const revoke = async (writer: Store, id: string) => {
          for (let version = 2; ; version += 1) {
            const batch = { at: AT, revokedTokens: [id], puts: [replica(Number(id.slice(1)))] };
            const { kind } = await writer.commit(commitOf("main", version, id, batch));
            if (kind === "committed") return;
          }
        };
        const ended = await Promise.allSettled(writers.map((writer, n) => revoke(writer, ids[n] as string)));
        const refused = ended.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
        expect(refused).toMatchObject([{ name: "StoreError", code: "refused" }]);
        const last = ids[ended.findIndex(({ status }) => status === "rejected")] as string;
        const admins = (await store.credentials("main")).filter(({ kind }) => kind === "admin");
        expect(admins.filter(({ expiresAt }) => expiresAt === null)).toEqual([admin(last)]);
        const { version, entities } = (await store.load("main")) ?? {};
        expect([version, entities?.filter(({ kind }) => kind === "replica")]).toMatchObject([4, { length: 3 }]);

        // One that is over already is no loss, one that is about to be counts until then, and so does one that is made.
        const next = (n: number, id: string, rest: Partial<CommitBatch>) =>
          store.commit(commitOf("main", n, `next ${id}`, { at: AT, revokedTokens: [id], ...rest }));
        expect(await next(5, "over", {})).toEqual({ kind: "committed" });
        await store.putCredential(admin("soon", AT + 1));
        await expect(next(6, last, { at: AT + 1 })).rejects.toMatchObject({ code: "refused" });
        await expect(next(6, last, { revokedTokens: [last, "soon"] })).rejects.toMatchObject({ code: "refused" });
        expect(await next(6, last, {})).toEqual({ kind: "committed" });
        expect(await next(7, "soon", { credentials: [admin("new")] })).toEqual({ kind: "committed" });
        await Promise.all(writers.map((writer) => writer.close()));
      });

      test("where the host's credential cannot be stored the join token stays unused", async () => {
        await store.putCredential(join);
        await store.putCredential(credential("main", "c1"));
        const twin = { ...host("h1"), hash: credential("main", "c1").hash };
        await expect(store.redeemJoin("j1", AT, twin)).rejects.toMatchObject({ name: "StoreError", code: "refused" });
        expect((await store.credential(join.hash))?.usedAt).toBeNull();
      });
    });

    test("two projects with the same names never meet", async () => {
      await store.createProject("second", AT, [fleet("default")]);
      const secret = { name: "s", version: "1", keyId: "k", sealed: "of main" };
      const answer = { key: "key-1", requestHash: "h", answer: '"of main"', at: AT };
      await store.putCredential(credential("main", "c1"));
      await store.putCredential(credential("second", "c1"));
      await store.commit(commitOf("main", 2, "a", { puts: [replica(1)], secrets: [secret], idempotency: [answer] }));
      const theirs = commitOf("second", 2, "a", {
        puts: [{ ...replica(1), reason: "of second" }],
        deletes: [{ kind: "fleet", id: "default" }],
        secrets: [{ ...secret, sealed: "of second" }],
        idempotency: [{ ...answer, answer: '"of second"' }],
        inputs: ["of second"],
      });
      expect(await store.commit(theirs)).toEqual({ kind: "committed" });
      await store.commit(commitOf("second", 3, "b", { deletedSecrets: ["s"], wakeAt: AT }));
      await store.trimJournal("second", 1);
      await store.deleteCredential("second", "c1");

      expect(await store.load("main")).toEqual({ version: 2, wakeAt: null, entities: [fleet("default"), replica(1)] });
      expect(await store.load("second")).toMatchObject({ version: 3, entities: [{ reason: "of second" }] });
      expect(await store.secrets("main", ["s"])).toEqual([secret]);
      expect(await store.secrets("second", ["s"])).toEqual([]);
      expect(await store.idempotency("main", "key-1")).toEqual(answer);
      expect(await store.idempotency("second", "key-1")).toMatchObject({ answer: '"of second"' });
      expect((await store.journal("main", 0, 10)).rows).toHaveLength(2);
      expect(await store.inputsSince("main", 0)).toEqual([]);
      expect((await store.credentials("main")).map(({ id }) => id)).toEqual(["c1"]);
    });

    test("what was closed can be opened again and still knows everything", async () => {
      await store.commit(commitOf("main", 2, "a", { puts: [replica(1)] }));
      await store.close();
      store = await database.open();
      expect(await store.load("main")).toMatchObject({ version: 2, entities: [fleet("default"), replica(1)] });
    });
  });
}
