import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@libsql/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/control/clock.ts";
import { HeadraceControl } from "../../src/control/control.ts";
import { sha256Hex } from "../../src/control/digest.ts";
import { joinableFleet } from "../../src/control/hosts/admit-host.ts";
import { createSealer } from "../../src/control/seal.ts";
import { TOKENS_PER_PROJECT_MAX } from "../../src/control/tokens/token-room.ts";
import { tokenHash } from "../../src/control/tokens/tokens.ts";
import type { Caller } from "../../src/control/types.ts";
import { openDatabase } from "../../src/node/database.ts";
import { FIRST_PROJECT, firstStart } from "../../src/node/first-start.ts";
import { StoreError } from "../../src/store/errors.ts";
import { createStore } from "../../src/store/libsql.ts";
import { type CommitBatch, type Store, UnclearOutcome } from "../../src/store/types.ts";
import { type DesiredState, desiredHash, type Report } from "../../src/wire/index.ts";
import { INVENTORY, jobReportOf, reportOf } from "../support/reports.ts";

const KEY = new Uint8Array(32).fill(7);
const ADMIN: Caller = { credentialId: "c", project: FIRST_PROJECT, kind: "admin", name: "ann", subject: null };
/** What happens to the next commits, in order: lost on the way there, or on the way back, or known not to be done. */
type Loss = "request" | "answer" | "locked" | "full" | "none";

let folder: string;
let losses: Loss[];
let batches: CommitBatch[];
let warnings: string[];
const opened: { control: HeadraceControl; store: Store; client: Client }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "headrace-control-"));
  losses = [];
  batches = [];
  warnings = [];
});
afterEach(async () => {
  for (const { control, store } of opened.splice(0)) {
    control.close();
    await store.close();
  }
  await rm(folder, { recursive: true });
});

/** One control plane on the database of this test; several may be open at once. */
async function openControl(keys = [KEY]): Promise<HeadraceControl> {
  const client = await openDatabase(folder);
  const store = createStore(client);
  await firstStart(store, Date.now());
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    batches.push(batch);
    const loss = losses.shift() ?? "none";
    if (loss === "locked") throw new StoreError("busy", "the database stayed locked");
    if (loss === "full") throw new StoreError("full", "the disk is full");
    if (loss === "request") throw new UnclearOutcome("lost on the way there");
    const outcome = await commit(batch);
    if (loss === "answer") throw new UnclearOutcome("lost on the way back");
    return outcome;
  };
  const log = (_level: string, message: string) => void warnings.push(message);
  const control = new HeadraceControl({ store, seal: await createSealer(keys), clock: systemClock, log });
  opened.push({ control, store, client });
  return control;
}

const yaml = (count: number, extra = "") => `
type: service
name: web
port: 8000
commands: [python3 -m http.server 8000]
replicas: ${count}
resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
${extra}`;
const apply = (control: HeadraceControl, count: number, key: string, extra = "", env: Record<string, string> = {}) =>
  control.apply(ADMIN, { config: yaml(count, extra), file: "web.yml", env, files: [] }, key);

async function joinHost(control: HeadraceControl): Promise<string> {
  const { token } = await control.createToken(
    ADMIN,
    { kind: "join", name: "j", fleet: "default" },
    crypto.randomUUID(),
  );
  const caller = await control.authenticate(token);
  if (!caller) throw new Error("the join token is not known");
  const { host } = await control.join(caller, {
    name: "h1",
    machine: "m1",
    agentVersion: "0",
    inventory: INVENTORY,
    credentialHash: await tokenHash(crypto.randomUUID()),
  });
  return host;
}

/** The host's link opens, and its first report comes over it. */
async function connectHost(control: HeadraceControl, host: string): Promise<void> {
  const link = { request: () => new Promise<never>(() => {}), receive() {}, close() {}, openStreams: 0 };
  control.linkOpened(FIRST_PROJECT, host, link);
  await control.sync(FIRST_PROJECT, host, reportOf({ seq: 0 }));
}

/** What an agent says of the jobs that it was just told to run. */
function startingJobs(desired: unknown): Report["jobs"] {
  return (desired as DesiredState).jobs.map((job) => jobReportOf(job, { state: "starting" }));
}

describe("a change", () => {
  test("is there after a restart once it was answered", async () => {
    const { version } = await apply(await openControl(), 2, "key-0001");
    const again = await openControl();
    expect((await again.serviceView(FIRST_PROJECT, "web"))?.replicas).toHaveLength(2);
    const { commits } = await again.journal(FIRST_PROJECT, version - 1, 10);
    expect(commits[0]?.events[0]).toEqual({ type: "service.applied", service: "web", message: "revision 1" });
    expect(commits[0]).toMatchObject({ version, cause: "apply", actor: "ann" });
  });

  test("of what is valid and not made yet is refused, and nothing is written", async () => {
    const control = await openControl();
    const { commits } = await control.journal(FIRST_PROJECT, -1, 100);
    const config = "type: fleet\nname: rack-1\nnodes: 2\n";
    const refused = control.apply(ADMIN, { config, file: "fleet.yml", env: {}, files: [] }, "key-0001");
    await expect(refused).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("--fleet rack-1"),
    });
    expect((await control.journal(FIRST_PROJECT, -1, 100)).commits).toEqual(commits);
  });

  test("is answered only once its commit is known to be written", async () => {
    const control = await openControl();
    const store = opened.at(-1)?.store as Store;
    const commit = store.commit;
    const answeredBefore: boolean[] = [];
    let answered = false;
    store.commit = async (batch) => {
      try {
        return await commit(batch);
      } finally {
        answeredBefore.push(answered);
      }
    };
    losses = ["request", "answer"];
    await apply(control, 1, "key-0001").then(() => {
      answered = true;
    });
    expect(answeredBefore).toEqual([false, false, false]);
  });

  for (const fate of ["request", "answer"] as const) {
    test(`whose commit loses its ${fate} is sent again as it was, and is done once`, async () => {
      const control = await openControl();
      losses = [fate, fate, "none"];
      const answer = await apply(control, 1, "key-0001");
      expect(new Set(batches.map((batch) => batch.commitId)).size).toBe(1);
      expect(batches).toHaveLength(3);
      expect(answer).toMatchObject({ revision: 1, action: "create" });
      expect((await control.serviceView(FIRST_PROJECT, "web"))?.replicas).toHaveLength(1);
    });
  }

  test("repeated under its key gets the first answer and changes nothing", async () => {
    const control = await openControl();
    const first = await apply(control, 1, "key-0001");
    await apply(control, 3, "key-0002");
    expect(await apply(control, 1, "key-0001")).toEqual(first);
    expect((await control.serviceView(FIRST_PROJECT, "web"))?.replicas).toHaveLength(3);
    const restarted = await openControl();
    expect(await apply(restarted, 1, "key-0001")).toEqual(first);
    await expect(apply(restarted, 2, "key-0001")).rejects.toMatchObject({ code: "idempotency_mismatch" });
  });

  test("repeated after the sealing key was rotated is still known as the same", async () => {
    const first = await apply(await openControl(), 1, "key-0001", "env: [HF_TOKEN]", { HF_TOKEN: "v" });
    const rotated = await openControl([new Uint8Array(32).fill(8), KEY]);
    expect(await apply(rotated, 1, "key-0001", "env: [HF_TOKEN]", { HF_TOKEN: "v" })).toEqual(first);
    await expect(apply(rotated, 1, "key-0001", "env: [HF_TOKEN]", { HF_TOKEN: "w" })).rejects.toMatchObject({
      code: "idempotency_mismatch",
    });
  });

  test("that changes nothing is remembered with the answer that it got", async () => {
    const control = await openControl();
    await joinHost(control);
    await apply(control, 1, "key-0001");
    await control.stop(ADMIN, "web", "key-0002");
    const first = await control.stop(ADMIN, "web", "key-0003");
    expect(await (await openControl()).stop(ADMIN, "web", "key-0003")).toEqual(first);
  });

  test("sent ten times at once under one key is done once", async () => {
    const control = await openControl();
    const answers = await Promise.all(Array.from({ length: 10 }, () => apply(control, 2, "key-0001")));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect((await control.serviceView(FIRST_PROJECT, "web"))?.replicas).toHaveLength(2);
  });

  test("that is refused leaves nothing behind, and its key may be used again", async () => {
    const control = await openControl();
    await expect(control.stop(ADMIN, "web", "key-0001")).rejects.toMatchObject({ code: "not_found" });
    const written = batches.length;
    await apply(control, 1, "key-0002");
    await expect(control.delete(ADMIN, "web", "key-0003")).rejects.toMatchObject({ code: "conflict" });
    expect(batches.length).toBe(written + 1);
    expect(await control.stop(ADMIN, "web", "key-0001")).toMatchObject({ service: "web" });
  });

  test("is kept in the journal within a bound, and its answer for a day", async () => {
    const control = await openControl();
    const store = opened.at(-1)?.store as Store;
    const trims: unknown[] = [];
    store.trimJournal = async (...trim) => void trims.push(trim);
    store.trimIdempotency = async (before) => void trims.push(Date.now() - before > 23 * 3_600_000);
    for (let i = 0; i < 501; i += 1) await apply(control, (i % 2) + 1, `key-${1_000 + i}`);
    expect(trims).toEqual([[FIRST_PROJECT, 10_000], true]);
  });

  test("waits with others and is written with them in one commit", async () => {
    const control = await openControl();
    await apply(control, 1, "key-0000");
    batches = [];
    // The first commit is lost on the way three times, a third of a second in all; the others come in meanwhile.
    losses = ["request", "request", "request"];
    const answers = await Promise.all([2, 3, 4, 5, 6].map((count) => apply(control, count, `key-000${count}`)));
    expect(new Set(batches.map((batch) => batch.commitId)).size).toBeLessThanOrEqual(3);
    expect(answers.map((answer) => answer.revision).sort()).toEqual([2, 3, 4, 5, 6]);
    expect((await control.serviceView(FIRST_PROJECT, "web"))?.revision).toBe(6);
  });
});

describe("a database that cannot be written", () => {
  test("lets one of those who repeat a failed request at once try again, and the others wait for it", async () => {
    const control = await openControl();
    losses = ["request", "full"];
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => apply(control, 2, "key-0001")));
    // Which of them comes first is not known: each has computed a hash in another thread by then.
    const others = all.filter(({ status }) => status === "fulfilled");
    expect(others).toHaveLength(3);
    const { version } = await apply(control, 2, "key-0001");
    for (const other of others) expect(other).toMatchObject({ value: { revision: 1, version } });
  });

  test("is waited for only so long while another process locks it", async () => {
    const control = await openControl();
    losses = Array.from({ length: 5 }, () => "locked");
    await expect(apply(control, 1, "key-0001")).rejects.toMatchObject({ code: "unavailable" });
    expect(await apply(control, 1, "key-0001")).toMatchObject({ revision: 1 });
  });

  test("is waited for as long as it takes where a batch may have been written", async () => {
    const control = await openControl();
    losses = ["answer", "locked", "locked", "locked", "locked", "locked"];
    expect(await apply(control, 1, "key-0001")).toMatchObject({ revision: 1 });
    expect(new Set(batches.map((batch) => batch.commitId)).size).toBe(1);
  });
});

describe("two controllers on one database", () => {
  test("a request that the other one answers after it was looked for is answered the same", async () => {
    const [one, two] = [await openControl(), await openControl()];
    const { store } = opened.at(-1) as { store: Store };
    const idempotency = store.idempotency.bind(store);
    let elsewhere: unknown;
    store.idempotency = async () => {
      store.idempotency = idempotency;
      elsewhere = await apply(one, 2, "key-0001");
      // The second has the first one's commit by now, and no record of the request that was in it.
      await apply(two, 3, "key-0002");
      return null;
    };
    expect(await apply(two, 2, "key-0001")).toEqual(elsewhere);
    expect((await two.serviceView(FIRST_PROJECT, "web"))?.replicas).toHaveLength(3);
  });

  test("both carry their changes through, none twice", async () => {
    const [one, two] = [await openControl(), await openControl()];
    await apply(one, 1, "key-0001");
    await two.services(FIRST_PROJECT);
    const counts = [2, 3, 4, 5];
    await Promise.all(counts.map((count, i) => apply(i % 2 === 0 ? one : two, count, `key-1${count}00`)));
    const said = warnings.filter((warning) => warning.includes("another server writes"));
    expect(said.length).toBeGreaterThanOrEqual(1);
    expect(said.length).toBeLessThanOrEqual(2);
    const states = await Promise.all(
      [one, two].map(async (control) => {
        await apply(control, 7, `key-last`);
        return (await control.serviceView(FIRST_PROJECT, "web"))?.replicas.map((replica) => replica.id);
      }),
    );
    expect(states[0]).toHaveLength(7);
    expect(new Set(states[0]).size).toBe(7);
    const { commits } = await one.journal(FIRST_PROJECT, 0, 100);
    expect(commits.map((commit) => commit.version)).toEqual(commits.map((_, i) => i + 1));
    const applied = commits.flatMap((commit) => commit.events).filter((event) => event.type === "service.applied");
    expect(applied.length).toBeLessThanOrEqual(1 + counts.length + 1);
  });

  test("one request sent to both under one key is done once", async () => {
    const [one, two] = [await openControl(), await openControl()];
    await Promise.all([one.services(FIRST_PROJECT), two.services(FIRST_PROJECT)]);
    const answers = await Promise.all([apply(one, 2, "key-0001"), apply(two, 2, "key-0001")]);
    expect(answers[0]).toEqual(answers[1]);
    const { commits } = await two.journal(FIRST_PROJECT, 0, 100);
    expect(commits.flatMap((commit) => commit.events).filter((event) => event.type === "service.applied")).toHaveLength(
      1,
    );
  });

  test("a stale one refuses nothing that is allowed as things are now", async () => {
    const [fresh, stale] = [await openControl(), await openControl()];
    await stale.services(FIRST_PROJECT);
    await apply(fresh, 1, "key-0001");
    await expect(stale.stop(ADMIN, "web", "key-0002")).resolves.toMatchObject({ service: "web" });
    // And one that is behind refuses what it has to.
    await expect(fresh.delete(ADMIN, "nothing", "key-0003")).rejects.toThrow("there is no service nothing");
    expect(warnings.filter((warning) => warning.includes("another server writes"))).not.toEqual([]);
  });

  test("a stale one that answers a sync reads first", async () => {
    const [fresh, stale] = [await openControl(), await openControl()];
    const host = await joinHost(fresh);
    await stale.services(FIRST_PROJECT);
    await connectHost(fresh, host);
    await apply(fresh, 1, "key-0001");
    await expect.poll(async () => (await fresh.serviceView(FIRST_PROJECT, "web"))?.replicas[0]?.host).toBe("h1");
    const held = await fresh.sync(FIRST_PROJECT, host, reportOf());
    const answer = await stale.sync(
      FIRST_PROJECT,
      host,
      reportOf({ applied: { version: held.version, hash: "another" }, jobs: startingJobs(held.desired) }),
    );
    expect(answer.version).toBeGreaterThanOrEqual(held.version);
    expect(answer.hash).toBe(held.hash);
  });
});

describe("a sync", () => {
  test("answers with the desired state and opens what was sealed; nothing when the agent holds it", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    await connectHost(control, host);
    await apply(control, 1, "key-0001", "env: [HF_TOKEN]", { HF_TOKEN: "hf-plain-text" });
    await expect.poll(async () => (await control.serviceView(FIRST_PROJECT, "web"))?.replicas[0]?.host).toBe("h1");
    const answer = await control.sync(FIRST_PROJECT, host, reportOf());
    const desired = answer.desired as DesiredState;
    expect(desired.jobs[0]?.launch.env.HF_TOKEN).toBe("hf-plain-text");
    expect(answer.hash).toBe(await desiredHash(desired.jobs, sha256Hex));
    expect(JSON.stringify(batches)).not.toContain("hf-plain-text");
    const applied = { version: answer.version, hash: answer.hash };
    const report = reportOf({ seq: 2, applied, jobs: startingJobs(desired) });
    expect((await control.sync(FIRST_PROJECT, host, report)).desired).toBeNull();
  });

  test("that says nothing new costs no commit", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    await control.sync(FIRST_PROJECT, host, reportOf());
    const written = batches.length;
    for (let seq = 2; seq < 20; seq += 1) await control.sync(FIRST_PROJECT, host, reportOf({ seq }));
    expect(batches.length).toBe(written);
  });

  test("that was overtaken on its way is not taken in", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    await connectHost(control, host);
    await apply(control, 1, "key-0001");
    const status = async () => (await control.serviceView(FIRST_PROJECT, "web"))?.replicas[0]?.status;
    await expect.poll(status).toBe("starting");
    const { desired } = await control.sync(FIRST_PROJECT, host, reportOf({ seq: 1 }));
    const starting = startingJobs(desired);
    const ready = starting.map((job) => ({ ...job, state: "ready" as const }));
    await control.sync(FIRST_PROJECT, host, reportOf({ seq: 3, jobs: ready }));
    expect(await status()).toBe("ready");
    await control.sync(FIRST_PROJECT, host, reportOf({ seq: 2, jobs: starting }));
    expect(await status()).toBe("ready");
  });

  test("of another machine, or of an agent that was taken over, is refused", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    const agent = (over: Partial<Report["agent"]>) => reportOf({ agent: { ...reportOf().agent, ...over } });
    await control.sync(FIRST_PROJECT, host, agent({}));
    await expect(control.sync(FIRST_PROJECT, host, agent({ machine: "m2" }))).rejects.toMatchObject({
      code: "forbidden",
    });
    await control.sync(FIRST_PROJECT, host, agent({ incarnation: "i2" }));
    await expect(control.sync(FIRST_PROJECT, host, agent({}))).rejects.toMatchObject({ code: "forbidden" });
  });

  test("cannot speak for a job of another host", async () => {
    const control = await openControl();
    const [one, two] = [await joinHost(control), await joinHost(control)];
    await connectHost(control, one);
    await apply(control, 1, "key-0001");
    const replica = async () => (await control.serviceView(FIRST_PROJECT, "web"))?.replicas[0];
    await expect.poll(async () => (await replica())?.status).toBe("starting");
    const id = (await replica())?.id ?? "";
    const lie = jobReportOf({ job: `${id}.0`, replica: id });
    await control.sync(FIRST_PROJECT, two, reportOf({ jobs: [lie] }));
    expect((await replica())?.status).toBe("starting");
    await control.sync(FIRST_PROJECT, one, reportOf({ jobs: [lie], applied: { version: 0, hash: "" } }));
    expect((await replica())?.status).toBe("ready");
  });
});

describe("removing a host", () => {
  test("by force forgets it, its jobs and its credential, and replaces what ran there; repeated it answers the same", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    await connectHost(control, host);
    await apply(control, 1, "key-0001");
    const before = await control.serviceView(FIRST_PROJECT, "web");
    expect(before?.replicas).toMatchObject([{ status: "starting", host: "h1" }]);
    await expect(control.removeHost(ADMIN, host, false, "key-0002")).rejects.toMatchObject({ code: "conflict" });

    const removed = await control.removeHost(ADMIN, host, true, "key-0003");
    expect(await control.removeHost(ADMIN, host, true, "key-0003")).toEqual(removed);
    expect(await control.hosts(FIRST_PROJECT)).toEqual([]);
    const after = await control.serviceView(FIRST_PROJECT, "web");
    expect(after?.replicas).toMatchObject([{ status: "pending", reason: "no host has joined yet" }]);
    expect(after?.replicas[0]?.id).not.toBe(before?.replicas[0]?.id);
    const credentials = (await opened[0]?.store.credentials(FIRST_PROJECT)) ?? [];
    expect(credentials.filter((credential) => credential.kind === "host")).toEqual([]);
    expect(control.way(FIRST_PROJECT, { host, replica: "any" })).toBeNull();
    await expect(control.sync(FIRST_PROJECT, host, reportOf({ seq: 2 }))).rejects.toMatchObject({ code: "not_found" });
  });

  test("that says of itself that it has left forgets it, jobs and all; nobody else may say so", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    await connectHost(control, host);
    await apply(control, 1, "key-0001");
    await expect(control.leaveHost({ ...ADMIN, subject: host })).rejects.toMatchObject({ code: "forbidden" });
    await control.leaveHost({ ...ADMIN, kind: "host", subject: host });
    expect(await control.hosts(FIRST_PROJECT)).toEqual([]);
    const credentials = (await opened[0]?.store.credentials(FIRST_PROJECT)) ?? [];
    expect(credentials.filter((credential) => credential.kind === "host")).toEqual([]);
    const after = await control.serviceView(FIRST_PROJECT, "web");
    expect(after?.replicas).toMatchObject([{ status: "pending", reason: "no host has joined yet" }]);
  });

  test("is for admins", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    const member: Caller = { ...ADMIN, kind: "member" };
    await expect(control.removeHost(member, host, true, "key-0001")).rejects.toMatchObject({ code: "forbidden" });
    expect(await control.hosts(FIRST_PROJECT)).toHaveLength(1);
  });
});

describe("joining", () => {
  test("a token joins once", async () => {
    const control = await openControl();
    const { token } = await control.createToken(ADMIN, { kind: "join", name: "j", fleet: "default" }, "key-0001");
    const caller = await control.authenticate(token);
    const request = { name: "h1", machine: "m1", agentVersion: "0", inventory: INVENTORY };
    const [mine, another] = [await tokenHash("mine"), await tokenHash("another")];
    const joined = await control.join(caller!, { ...request, credentialHash: mine });
    expect((await control.authenticate("mine"))?.subject).toBe(joined.host);
    const used = (await control.authenticate(token)) as Caller;
    expect(() => joinableFleet(used, undefined)).toThrow("this join token was used before or has expired");
    // The same request again, whose answer may have been lost, is the same join; another credential is another one.
    expect(await control.join(caller!, { ...request, credentialHash: mine })).toEqual(joined);
    expect(await control.join(caller!, { ...request, name: "h2", credentialHash: mine })).toEqual(joined);
    await expect(control.join(caller!, { ...request, credentialHash: another })).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(await control.authenticate("another")).toBeNull();
    expect(await control.hosts(FIRST_PROJECT)).toHaveLength(1);
  });

  test("a token for another fleet than the host means is refused, and still good for its own", async () => {
    const control = await openControl();
    const { token } = await control.createToken(ADMIN, { kind: "join", name: "j", fleet: "default" }, "key-0001");
    const caller = (await control.authenticate(token)) as Caller;
    const request = { name: "h1", machine: "m1", agentVersion: "0", inventory: INVENTORY };
    const credentialHash = await tokenHash("mine");
    const elsewhere = control.join(caller, { ...request, fleet: "h100", credentialHash });
    const refusal = { code: "conflict", message: expect.stringMatching(/fleet default.*means to join h100/) };
    await expect(elsewhere).rejects.toMatchObject(refusal);
    expect(() => joinableFleet(caller, "h100")).toThrow(expect.objectContaining(refusal));
    expect(joinableFleet(caller, "default")).toBe("default");
    expect(await control.hosts(FIRST_PROJECT)).toEqual([]);
    expect(await control.join(caller, { ...request, fleet: "default", credentialHash })).toMatchObject({
      fleet: "default",
    });
  });

  test("admits one of many that come with it at once, and one alone is left in the project", async () => {
    const control = await openControl();
    const { token } = await control.createToken(ADMIN, { kind: "join", name: "j", fleet: "default" }, "key-0001");
    const join = async (machine: string) => {
      const caller = await control.authenticate(token);
      const about = { name: machine, machine, agentVersion: "0", inventory: INVENTORY };
      return control.join(caller as Caller, { ...about, credentialHash: await tokenHash(machine) });
    };
    const answers = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => join(`m${i}`)));
    expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(join("m-late")).rejects.toMatchObject({ code: "forbidden" });
    expect(await control.hosts(FIRST_PROJECT)).toHaveLength(1);
  });

  test("makes a token one of a thousand at most in its project; those that were revoked or have long been over make room", async () => {
    const control = await openControl();
    const { store } = opened[0] as { store: Store };
    const fill = async (first: number, over: { expiresAt: number | null }) => {
      for (let i = first; i < TOKENS_PER_PROJECT_MAX; i++) {
        const fixed = {
          project: FIRST_PROJECT,
          kind: "member" as const,
          name: "ci",
          subject: null,
          usedAt: null,
          madeBy: null,
        };
        await store.putCredential({ ...fixed, id: `t-${i}`, hash: `h-${i}`, createdAt: 0, ...over });
      }
    };
    const create = (key: string) => control.createToken(ADMIN, { kind: "member", name: "one", fleet: "default" }, key);
    await fill(0, { expiresAt: null });
    await expect(create("key-0001")).rejects.toMatchObject({ code: "too_many" });
    // The first admin's own is one beside the thousand.
    for (const n of [0, 1]) await control.revokeToken(ADMIN, `t-${n}`, `key-of-${n}`);
    await create("key-0002");
    await expect(create("key-0003")).rejects.toMatchObject({ code: "too_many" });
    const some = TOKENS_PER_PROJECT_MAX - 10;
    for (let i = some; i < TOKENS_PER_PROJECT_MAX; i++) await store.deleteCredential(FIRST_PROJECT, `t-${i}`);
    await fill(some, { expiresAt: 1 });
    const { token } = await create("key-0001");
    expect(await control.authenticate(token)).toMatchObject({ kind: "member" });
    expect((await store.credentials(FIRST_PROJECT)).length).toBeLessThan(TOKENS_PER_PROJECT_MAX);
  });

  test("may be for a fleet that is there once its first host joins", async () => {
    const control = await openControl();
    const { token } = await control.createToken(ADMIN, { kind: "join", name: "j", fleet: "rack-1" }, "key-0001");
    expect((await control.fleets(FIRST_PROJECT)).map(({ name }) => name)).toEqual(["default"]);
    const caller = (await control.authenticate(token)) as Caller;
    const joining = { name: "h1", machine: "m1", agentVersion: "0", inventory: INVENTORY };
    await control.join(caller, { ...joining, credentialHash: "0".repeat(64) });
    expect(await control.fleets(FIRST_PROJECT)).toMatchObject([
      { name: "default", hosts: 0 },
      { name: "rack-1", hosts: 1, revision: 0, allow: { privileged: false, hostPaths: [] } },
    ]);
  });
});

describe("a token", () => {
  const ask = (control: HeadraceControl, key: string, name = "ci") =>
    control.createToken(ADMIN, { kind: "member", name, fleet: "default", expiresInS: 60 }, key);

  test("asked for again under the same key is the same token, also at once, elsewhere, and after a rotation", async () => {
    const [one, two] = [await openControl(), await openControl()];
    const [first, same] = await Promise.all([ask(one, "key-0001"), ask(two, "key-0001")]);
    expect(same.token).toBe(first.token);
    const rotated = await openControl([new Uint8Array(32).fill(8), KEY]);
    expect((await ask(rotated, "key-0001")).token).toBe(first.token);
    expect(await rotated.authenticate(first.token)).toMatchObject({ kind: "member", name: "ci" });
    expect((await ask(one, "key-0002")).token).not.toBe(first.token);
  });

  test("is not given to another request, nor by a server without the key it was made with", async () => {
    await ask(await openControl(), "key-0001");
    await expect(ask(await openControl(), "key-0001", "cd")).rejects.toMatchObject({ code: "idempotency_mismatch" });
    const stranger = await openControl([new Uint8Array(32).fill(9)]);
    await expect(ask(stranger, "key-0001")).rejects.toMatchObject({ code: "idempotency_mismatch" });
  });
});

describe("following", () => {
  test("yields every commit once and in order, also those made while it was reading", async () => {
    const control = await openControl();
    const abort = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const commit of control.follow(FIRST_PROJECT, 0, abort.signal)) {
        seen.push(commit.version);
        if (seen.length === 4) abort.abort();
      }
    })();
    for (const [i, count] of [1, 2, 3].entries()) await apply(control, count, `key-000${i}`);
    await following;
    expect(seen).toEqual([1, 2, 3, 4]);
  });
});

describe("a full database", () => {
  /** Pages that the file may have: with 1 no more than it has. */
  const allowPages = (pages: number) => opened.at(-1)?.client.execute(`PRAGMA max_page_count = ${pages}`);
  /** Does it again and again until there is no room for it. @returns the number of the time that failed, and why */
  const untilFull = async (change: (n: number) => Promise<unknown>) => {
    await allowPages(1);
    for (let n = 10; n < 500; n += 1) {
      const error = await change(n).then(
        () => null,
        (failure: unknown) => failure,
      );
      if (error) return { n, error };
    }
    throw new Error("the database never became full");
  };

  test("refuses a change with the reason, changes nothing, and takes it once there is room", async () => {
    const control = await openControl();
    // There may be no room for even one more: what is there then is this.
    await apply(control, 9, "filling-9");
    const { n, error } = await untilFull((n) => apply(control, n, `filling-${n}`));
    expect(error).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("the database is full, so nothing was changed"),
    });
    const wanted = async () => (await control.serviceView(FIRST_PROJECT, "web"))?.groups[0]?.wanted;
    expect(await wanted()).toBe(n - 1);
    await expect(apply(control, n, `filling-${n}`)).rejects.toMatchObject({ code: "unavailable" });
    await allowPages(1_000_000);
    await apply(control, n, `filling-${n}`);
    expect(await wanted()).toBe(n);
  });

  test("loses nothing that hosts say meanwhile, and who is connected stays known", async () => {
    const control = await openControl();
    const host = await joinHost(control);
    await connectHost(control, host);
    await apply(control, 1, "key-0001");
    const { desired, version, hash } = await control.sync(FIRST_PROJECT, host, reportOf());
    const [job] = startingJobs(desired);
    if (!job) throw new Error("the host was given no job");
    const say = (state: "ready" | "unready", seq: number) =>
      control.sync(FIRST_PROJECT, host, reportOf({ seq, jobs: [{ ...job, state }], applied: { version, hash } }));
    const stateOf = (n: number) => (n % 2 === 0 ? "ready" : "unready");
    const { n } = await untilFull((n) => say(stateOf(n), n));
    await expect(say(stateOf(n), n + 1)).rejects.toMatchObject({ code: "unavailable" });
    await allowPages(1_000_000);
    await say(stateOf(n), n + 2);
    const view = await control.serviceView(FIRST_PROJECT, "web");
    expect(view?.replicas[0]?.status).toBe(stateOf(n) === "ready" ? "ready" : "suspect");
    expect((await control.hosts(FIRST_PROJECT))[0]?.online).toBe(true);
  });
});
