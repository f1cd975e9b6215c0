import { beforeEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../test/sim/memory-store.ts";
import { INVENTORY, reportOf } from "../../test/support/reports.ts";
import { NO_CORDONS } from "../core/hosts/cordons.ts";
import { closedFleet } from "../core/hosts/fleets.ts";
import { NEW_PROJECT } from "../core/project-state.ts";
import { pinnedSecretName, sealedEnvName, secretName } from "../core/secrets/sealed-names.ts";
import type { CommitBatch } from "../store/types.ts";
import type { DesiredJob, DesiredState } from "../wire/index.ts";
import { systemClock } from "./clock.ts";
import { HeadraceControl } from "./control.ts";
import { createSealer } from "./seal.ts";
import type { Caller } from "./types.ts";

const [OLD_KEY, NEW_KEY] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)];
const caller = (project: string, kind: Caller["kind"] = "admin"): Caller => ({
  credentialId: "c",
  project,
  kind,
  name: "ann",
  subject: null,
});
const ANN = caller("main");

let store: MemoryStore;
let batches: CommitBatch[];
let control: HeadraceControl;
let keys: number;
const nextKey = () => `key-${String(++keys).padStart(4, "0")}`;

beforeEach(async () => {
  store = new MemoryStore();
  batches = [];
  keys = 0;
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    batches.push(batch);
    return commit(batch);
  };
  for (const project of ["main", "other"]) {
    await store.createProject(project, 0, [
      NEW_PROJECT,
      closedFleet("default"),
      {
        kind: "host",
        id: "h1",
        name: "h1",
        fleet: "default",
        machine: reportOf().agent.machine,
        inventory: INVENTORY,
        silentSince: null,
        joinedAt: 0,
        offeredContainers: false,
        cordons: NO_CORDONS,
        update: null,
      },
    ]);
  }
  control = await open();
});

async function open(sealingKeys = [OLD_KEY]): Promise<HeadraceControl> {
  return new HeadraceControl({
    store,
    seal: await createSealer(sealingKeys),
    clock: systemClock,
    log: () => undefined,
  });
}

const yaml = (env: string, count = 1) => `
type: service
name: web
port: 8000
commands: [python3 -m http.server $HEADRACE_PORT]
replicas: ${count}
resources: {cpu: 1.., memory: 100MB.., disk: 100MB..}
env: ${env}
`;
const WITH_TOKEN = '{HF_TOKEN: "${{ secrets.TOKEN }}", URL: "https://x:${{ secrets.TOKEN }}@y"}';
const apply = (env: string, { who = ANN, count = 1, at = control, values = {} } = {}) =>
  at.apply(who, { config: yaml(env, count), file: "web.yml", env: values, files: [] }, nextKey());
const set = (value: string, { who = ANN, at = control } = {}) => at.setSecret(who, "TOKEN", value, nextKey());
const last = () => batches.at(-1) as CommitBatch;

let seq = 0;
/** What the host is told to run. */
async function desired(at = control): Promise<DesiredJob[]> {
  seq += 1;
  const { desired } = await at.sync("main", "h1", reportOf({ seq }));
  return (desired as DesiredState | null)?.jobs ?? [];
}

/** The host is there, and so jobs are placed on it. */
async function connect(): Promise<void> {
  const link = { request: () => new Promise<never>(() => {}), receive() {}, close() {}, openStreams: 0 };
  control.linkOpened("main", "h1", link);
  await desired();
}

async function untilStopped(): Promise<void> {
  await control.stop(ANN, "web", nextKey());
  await expect.poll(async () => (await control.serviceView("main", "web"))?.status).toBe("stopped");
}

describe("a secret", () => {
  test("is written sealed with the commit that answers for it, and shown without its value", async () => {
    const { version } = await set("plain-1");
    expect(last()).toMatchObject({ version, cause: "set secret", actor: "ann" });
    expect(last().puts).toMatchObject([{ kind: "secret", id: "TOKEN" }]);
    expect(last().secrets.map(({ name }) => name)).toEqual([secretName("TOKEN")]);
    const shown = await control.secrets("main");
    expect(shown).toEqual([{ name: "TOKEN", setAt: expect.any(Number), setBy: "ann", services: [] }]);
    expect(JSON.stringify([batches, shown, await control.journal("main", 0, 10)])).not.toContain("plain-1");
  });

  test("is set once for each idempotency key, which another value cannot take", async () => {
    const first = await control.setSecret(ANN, "TOKEN", "plain-1", "key-of-set");
    expect(await control.setSecret(ANN, "TOKEN", "plain-1", "key-of-set")).toEqual(first);
    const another = control.setSecret(ANN, "TOKEN", "plain-2", "key-of-set");
    await expect(another).rejects.toMatchObject({ code: "idempotency_mismatch" });
    expect(batches).toHaveLength(1);
  });

  test("is an admin's to set and delete", async () => {
    const member = caller("main", "member");
    await expect(set("plain-1", { who: member })).rejects.toMatchObject({ code: "forbidden" });
    await expect(control.deleteSecret(member, "TOKEN", nextKey())).rejects.toMatchObject({ code: "forbidden" });
    expect(batches).toEqual([]);
  });

  test("of another project cannot be named, listed or deleted", async () => {
    const neighbour = caller("other");
    await set("of-the-neighbour", { who: neighbour });
    expect(await control.secrets("main")).toEqual([]);
    await expect(control.deleteSecret(ANN, "TOKEN", nextKey())).rejects.toMatchObject({ code: "not_found" });
    await expect(apply(WITH_TOKEN)).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringContaining("headrace secret set TOKEN"),
    });
    await expect(apply(WITH_TOKEN, { who: neighbour })).resolves.toMatchObject({ action: "create" });
    expect(last().secrets.map(({ name }) => name)).toHaveLength(1);
  });

  test("has the same version when it is set to the same value under a new key", async () => {
    await set("plain-1");
    await apply(WITH_TOKEN);
    const rotated = await open([NEW_KEY, OLD_KEY]);
    await set("plain-1", { at: rotated });
    expect((await apply(WITH_TOKEN, { at: rotated })).action).toBe("none");
    const onlyNew = await open([NEW_KEY]);
    expect((await apply(WITH_TOKEN, { at: onlyNew })).action).toBe("none");
    await set("plain-2", { at: rotated });
    const plan = await rotated.plan(ANN, { config: yaml(WITH_TOKEN), file: "web.yml", env: {}, files: [] });
    expect(plan.changes.map(({ label, to }) => `${label} ${to}`)).toEqual([
      "env.HF_TOKEN (the secret TOKEN has another value)",
      "env.URL (the secret TOKEN has another value)",
    ]);
  });
});

describe("a job whose environment names a secret", () => {
  beforeEach(connect);

  test("gets the value, and keeps it while the secret has another one", async () => {
    await set("plain-1");
    await apply(WITH_TOKEN);
    const env = async () => (await desired())[0]?.launch.env;
    expect(await env()).toMatchObject({ HF_TOKEN: "plain-1", URL: "https://x:plain-1@y" });
    await set("plain-2");
    expect(await env()).toMatchObject({ HF_TOKEN: "plain-1" });
    expect((await control.secrets("main"))[0]?.services).toEqual([{ name: "web", isCurrent: false }]);
    // The value that was seen by whoever applied is the one that is kept also by a larger group.
    await set("plain-1");
    await apply(WITH_TOKEN, { count: 2 });
    expect((await desired()).map(({ launch }) => launch.env.HF_TOKEN)).toEqual(["plain-1", "plain-1"]);
    expect((await control.secrets("main"))[0]?.services).toEqual([{ name: "web", isCurrent: true }]);
    expect(JSON.stringify(batches)).not.toMatch(/plain-[12]/);
  });

  test("is not sent to its host when a sealed value is gone from the database", async () => {
    await set("plain-1");
    await apply(WITH_TOKEN);
    const [copy] = last().secrets;
    const secrets = store.secrets.bind(store);
    store.secrets = async (project, names) =>
      secrets(
        project,
        names.filter((name) => name !== copy?.name),
      );
    await expect(desired(await open())).rejects.toThrow(`${copy?.name}`);
  });
});

test("what whoever applies adds: variables, arguments and a profile", async () => {
  await connect();
  const request = {
    config: yaml("{MODE: fast}").replace(/^commands: .*$/m, () => "commands: ['serve ${{ run.args }}']"),
    file: "web.yml",
    env: { MODE: "slow", NEW: "1" },
    files: [],
    overrides: ["MODE", "NEW"],
    args: ["--bind", "a b"],
    profiles: { text: "profiles: [{name: fast, tags: {team: x}}]", file: "profiles.yml", name: "fast" },
  };
  await control.apply(ANN, request, "key-of-apply");
  const [job] = await desired();
  expect(job?.launch).toMatchObject({
    env: { MODE: "slow", NEW: "1" },
    script: expect.stringContaining("--bind 'a b'"),
  });
  expect(last().puts.find(({ kind }) => kind === "revision")).toMatchObject({
    spec: { profile: { tags: { team: "x" } } },
  });
  expect(JSON.stringify(batches)).not.toContain("slow");
  for (const other of [{ overrides: ["NEW"] }, { args: [] }, { profiles: { ...request.profiles, name: null } }]) {
    const again = control.apply(ANN, { ...request, ...other }, "key-of-apply");
    await expect(again).rejects.toMatchObject({ code: "idempotency_mismatch" });
  }
  const unknown = { ...request, profiles: { ...request.profiles, name: "slow" } };
  await expect(control.apply(ANN, unknown, nextKey())).rejects.toMatchObject({ code: "invalid_config" });
});

describe("copies of sealed values", () => {
  const versionOf = (name: string) => last().secrets.find((secret) => secret.name.includes(`/${name}/`))?.version ?? "";

  test("go with their service, and the secret itself stays", async () => {
    await set("plain-1");
    await apply(WITH_TOKEN);
    const copy = pinnedSecretName("web", "TOKEN", versionOf("TOKEN"));
    await untilStopped();
    await control.delete(ANN, "web", nextKey());
    expect(last().deletedSecrets).toEqual([copy]);
    expect(await store.secrets("main", [copy, secretName("TOKEN")])).toMatchObject([{ name: secretName("TOKEN") }]);
    await control.deleteSecret(ANN, "TOKEN", nextKey());
    expect(await store.secrets("main", [secretName("TOKEN")])).toEqual([]);
  });

  test("are there for an apply although what had them before was deleted while it was prepared", async () => {
    const passed = { values: { HF_TOKEN: "passed" } };
    await apply("[HF_TOKEN]", passed);
    const name = sealedEnvName("web", "HF_TOKEN", versionOf("HF_TOKEN"));
    await untilStopped();
    // The deletion is carried out once the apply has read what the stopped service has.
    const secrets = store.secrets.bind(store);
    store.secrets = async (project, names) => {
      const found = await secrets(project, names);
      store.secrets = secrets;
      await control.delete(ANN, "web", nextKey());
      return found;
    };
    await apply("[HF_TOKEN]", passed);
    expect(await store.secrets("main", [name])).toHaveLength(1);
  });
});

test("a control that another one has overtaken applies the value as it is now", async () => {
  await set("plain-1");
  const stale = await open();
  await stale.secrets("main");
  // The value is read from the database as it is now, and the state as it was, which refuses the two together.
  await set("plain-2");
  const [secret] = last().puts;
  await apply(WITH_TOKEN, { at: stale });
  const revision = last().puts.find(({ kind }) => kind === "revision");
  expect(revision).toMatchObject({ secrets: { TOKEN: secret?.kind === "secret" && secret.version } });
});
