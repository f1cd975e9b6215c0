import { describe, expect, test } from "vitest";
import * as z from "zod";
import { plainInventory } from "../../test/support/inventories.ts";
import { NO_CORDONS } from "../core/hosts/cordons.ts";
import { closedFleet } from "../core/hosts/fleets.ts";
import type { Entity } from "../core/state.ts";
import { decodeBody, decodeEntity, encodeEntity, type Shape } from "./codec.ts";

/** One of each kind, with something in every field that can be empty. */
const ENTITIES: { [K in Entity["kind"]]: Extract<Entity, { kind: K }> } = {
  service: {
    kind: "service",
    id: "llama",
    status: "running",
    revision: 3,
    wanted: { prefill: 1, decode: 2 },
    backoff: { decode: { failures: 2, notBefore: 1_700_000_000_000, reason: "exit code 1" } },
    firstReadyAt: 1_700_000_000_000,
  },
  revision: {
    kind: "revision",
    id: "llama@3",
    service: "llama",
    number: 3,
    spec: {
      type: "service",
      name: "llama",
      groups: [
        {
          name: "prefill",
          count: { min: 1, max: 4 },
          scaling: { metric: "rps", target: 3, window: 60, scaleUpDelay: 300, scaleDownDelay: 600 },
          role: "prefill",
          nodes: 2,
          router: { type: "smg", generated: { policy: "cache_aware", pdDisaggregation: true } },
          resources: {
            cpu: { arch: "x86", count: { min: 2, max: null } },
            memory: { min: 8, max: 64 },
            shmSize: 0.5,
            gpu: {
              vendor: "nvidia",
              names: ["H100"],
              count: { min: 1, max: 1 },
              memory: { min: 80, max: null },
              totalMemory: { min: 80, max: null },
              computeCapability: [9, 0],
            },
            disk: { min: 100, max: null },
          },
          commands: ["python -m sglang.launch_server --disaggregation-mode prefill"],
          image: "lmsysorg/sglang:latest",
          python: "3.12",
          nvcc: true,
          docker: false,
          privileged: true,
          port: 8000,
          env: { HF_TOKEN: null, MODE: "fast" },
          probes: [
            {
              type: "http",
              url: "/health",
              method: "get",
              headers: [{ name: "x-probe", value: "1" }],
              body: "{}",
              timeout: 10,
              interval: 15,
              readyAfter: 1,
              untilReady: false,
            },
          ],
          volumes: [
            { kind: "instance", instancePath: "/models", path: "/models", optional: true },
            { kind: "network", names: ["data"], path: "/data" },
          ],
          fleets: [{ project: "other", name: "gpus" }],
          spotPolicy: "auto",
          reservation: "r-1",
        },
      ],
      model: { name: "llama", prefix: "/v1" },
      auth: true,
      entrypoint: "/bin/sh",
      shell: "bash",
      user: "nobody",
      workingDir: "/srv",
      registryAuth: { username: "ada", password: "${{ secrets.PASSWORD }}" },
      files: [{ localPath: "app", path: "/app" }],
      priority: 50,
      gateway: { project: null, name: "front" },
      https: "auto",
      stripPrefix: false,
      rateLimits: [{ prefix: "/v1", key: { type: "header", header: "x-user" }, rps: 0.5, burst: 3 }],
      stopDuration: 300,
      drainTimeout: 60,
      rollout: {
        maxSurge: { percent: 25 },
        maxUnavailable: { replicas: 1 },
        canary: { share: { percent: 10 }, holdS: 600 },
      },
      profile: {
        backends: ["aws"],
        regions: ["eu-west-1"],
        availabilityZones: ["eu-west-1a"],
        instanceTypes: ["p5.48xlarge"],
        retry: { onEvents: ["no-capacity"], durationS: 3_600 },
        maxDurationS: 86_400,
        maxPrice: 12.5,
        creationPolicy: "reuse",
        idleDurationS: null,
        utilizationPolicy: { minGpuUtilization: 30, timeWindowS: 600 },
        startupOrder: "master-first",
        stopCriteria: "master-done",
        instances: [{ name: "a" }, { hostname: "b" }],
        tags: { team: "search" },
        backendOptions: [{ type: "vastai" }],
      },
    },
    sealed: { HF_TOKEN: "abc" },
    secrets: { API_KEY: "def" },
    images: { router: "python:3.12" },
    files: [{ path: "app", sha256: "0f".repeat(32), bytes: 10 }],
    pairing: "p1",
    createdAt: 1_700_000_000_000,
    createdBy: "ada",
  },
  replica: {
    kind: "replica",
    id: "llama-decode-7",
    service: "llama",
    group: "decode",
    revision: 3,
    status: "quiescing",
    since: 1_700_000_000_000,
    reason: "scaled down",
    deadline: 1_700_000_300_000,
    unlistedIn: 12,
    createdAt: 1_700_000_000_000,
    wasReady: true,
  },
  job: {
    kind: "job",
    id: "llama-decode-7.0",
    replica: "llama-decode-7",
    service: "llama",
    group: "decode",
    rank: 0,
    host: "h1",
    status: "running",
    since: 1_700_000_000_000,
    runtime: "docker",
    created: 9,
    port: 8000,
    ports: [{ name: "bootstrap", port: 8998 }],
    accelerators: [0, 1],
    addresses: { "groups[0].replicas[0]": "10.0.0.1" },
  },
  host: {
    kind: "host",
    id: "h1",
    name: "gpu-1",
    fleet: "default",
    machine: "m-1",
    inventory: plainInventory({
      address: "10.0.0.1",
      memoryGib: 512.5,
      accelerators: [{ index: 0, vendor: "nvidia", name: "H100", memoryGib: 80 }],
      warnings: ["no cgroup"],
    }),
    silentSince: 1_700_000_000_000,
    joinedAt: 1_700_000_000_000,
    offeredContainers: true,
    cordons: {
      operator: { since: 1_700_000_000_000, by: "ada", reason: "new disk", drain: true },
      health: { since: 1_700_000_000_000, reason: "accelerator 3 is gone" },
    },
    update: { build: "0f".repeat(32), order: 12, since: 1_700_000_000_000, cameAt: 1_700_000_000_000, failed: "no" },
  },
  fleet: {
    kind: "fleet",
    id: "default",
    settings: {
      placement: "any",
      blocks: "auto",
      overcommit: false,
      allow: { privileged: true, hostPaths: ["/mnt/models"], processes: false },
      agentVersion: "hold",
    },
    hosts: {
      kind: "ssh",
      env: { HTTPS_PROXY: "http://proxy:3128", TOKEN: null },
      network: "10.0.0.0/24",
      hosts: [
        {
          hostname: "gpu-1",
          port: 2222,
          user: "ubuntu",
          identityFile: "~/.ssh/id",
          proxyJump: { hostname: "jump", port: null, user: "j", identityFile: "k" },
          internalIp: "10.0.0.1",
          blocks: 8,
        },
      ],
    },
    revision: 2,
    frozenSince: 1_700_000_000_000,
    thawedAt: 1_700_000_000_000,
  },
  hold: {
    kind: "hold",
    id: "chat-decode-3.0/chat-router-1",
    service: "chat",
    worker: "chat-decode-3",
    router: "chat-router-1",
    host: "gpu-1",
    address: "10.0.0.1",
    ports: [8000],
    since: 12,
  },
  secret: { kind: "secret", id: "HF_TOKEN", version: "def", setAt: 1_700_000_000_000, setBy: "ada" },
  project: { kind: "project", id: "project", nextSerial: 8, agentBuild: "0b".repeat(32) },
};

describe("encode and decode", () => {
  test.each(Object.values(ENTITIES))("a $kind reads back as it was", (entity) => {
    const row = encodeEntity(entity);
    expect(row).toMatchObject({ kind: entity.kind, id: entity.id });
    expect(decodeEntity(row)).toEqual(entity);
  });

  test("what could not be read back is not written, and its value is not shown", () => {
    const entity = { ...ENTITIES.fleet, secret: "hunter2", revision: "yes" } as unknown as Entity;
    expect(() => encodeEntity(entity)).toThrowError(
      expect.objectContaining({
        code: "refused",
        message: expect.stringMatching(/^fleet default cannot be stored: revision: .*Unrecognized key: "secret"\.$/),
      }),
    );
    expect(() => encodeEntity(entity)).not.toThrowError(/hunter2/);
  });
});

describe("what this version cannot read is said, with what to do", () => {
  const row = {
    kind: "fleet",
    id: "default",
    schema: 6,
    body: '{"settings":{},"hosts":{"kind":"joined"},"revision":0,"frozenSince":null,"thawedAt":null}',
  };
  test.each([
    ["an unknown kind", { ...row, kind: "gateway" }, /^default is stored as a "gateway".* newer Headrace/],
    [
      "a kind that every object has",
      { ...row, kind: "constructor" },
      /"constructor", which this version does not know/,
    ],
    ["a newer schema", { ...row, schema: 7 }, /^fleet default is stored with schema 7, this version reads up to 6\./],
    ["a schema below the first", { ...row, schema: 0 }, /schema 0/],
    ["a body that is not JSON", { ...row, body: "{" }, /^fleet default \(schema 6\) is damaged: it is not JSON\./],
    ["a field of another type", { ...row, body: '{"revision":"3"}' }, /damaged: .*revision: /],
    ["a field that is missing", { ...row, body: '{"settings":{}}' }, /damaged: settings.placement: /],
    ["a body that is no object", { ...row, body: "null" }, /damaged: the body: /],
  ])("%s", (_, damaged, message) => {
    expect(() => decodeEntity(damaged)).toThrowError(
      expect.objectContaining({ name: "StoreError", code: "unreadable", message: expect.stringMatching(message) }),
    );
  });
});

describe("a body of an older schema", () => {
  // Schema 1 had seconds, 2 has milliseconds, 3 a flag.
  const shape: Shape<{ waitMs: number; eager: boolean }> = {
    upgrades: [
      (body) => ({ waitMs: (body as { wait: number }).wait * 1000 }),
      (body) => ({ ...(body as { waitMs: number }), eager: false }),
    ],
    body: z.strictObject({ waitMs: z.int(), eager: z.boolean() }),
  };
  const row = { kind: "thing", id: "t" };

  test.each([
    [1, '{"wait":2}'],
    [2, '{"waitMs":2000}'],
    [3, '{"waitMs":2000,"eager":false}'],
  ])("of schema %i is brought to the newest, step by step", (schema, body) => {
    expect(decodeBody(shape, { ...row, schema, body })).toEqual({ waitMs: 2000, eager: false });
  });
});

test("a service and a job of the first version are read with what was not known of them then", () => {
  const { kind, id, firstReadyAt: _, ...service } = ENTITIES.service;
  const { failures, notBefore } = service.backoff.decode!;
  const body = JSON.stringify({ ...service, backoff: { decode: { failures, notBefore } } });
  const { kind: jobKind, id: jobId, addresses: __, runtime: ___, ...job } = ENTITIES.job;
  expect(decodeEntity({ kind, id, schema: 1, body })).toEqual({
    ...ENTITIES.service,
    backoff: { decode: { failures, notBefore, reason: "" } },
    firstReadyAt: null,
  });
  expect(decodeEntity({ kind: jobKind, id: jobId, schema: 1, body: JSON.stringify(job) })).toEqual({
    ...ENTITIES.job,
    addresses: {},
    runtime: "process",
  });
});

test("a host and a fleet of before there were cordons and files of fleets are read as open and closed", () => {
  const { kind, id, cordons: _, offeredContainers: __, update: ___, ...host } = ENTITIES.host;
  expect(decodeEntity({ kind, id, schema: 1, body: JSON.stringify(host) })).toEqual({
    ...ENTITIES.host,
    cordons: NO_CORDONS,
    offeredContainers: false,
    update: null,
  });
  const fleet = { placement: "any", overcommit: true, frozenSince: null, thawedAt: null };
  expect(decodeEntity({ kind: "fleet", id: "rack", schema: 3, body: JSON.stringify(fleet) })).toEqual(
    closedFleet("rack"),
  );
});

test("ports that were kept from others by host alone are read as of no address", () => {
  const { kind, id, address: _, ...hold } = ENTITIES.hold;
  expect(decodeEntity({ kind, id, schema: 1, body: JSON.stringify(hold) })).toEqual({ ...ENTITIES.hold, address: "" });
});

test("a fleet of before blocks meant anything is shared as it was, whatever its file said of them", () => {
  const { kind, id, ...body } = ENTITIES.fleet;
  const { settings, hosts } = body as { settings: { allow: object }; hosts: { hosts: object[] } };
  const allow = { privileged: true, hostPaths: ["/mnt/models"] };
  const before = { ...body, settings: { ...settings, blocks: 1, allow } };
  expect(decodeEntity({ kind, id, schema: 5, body: JSON.stringify(before) })).toMatchObject({
    settings: { ...settings, blocks: "auto", allow: { ...allow, processes: true } },
    hosts: { hosts: hosts.hosts.map((host) => ({ ...host, blocks: null })) },
  });
  expect(() => decodeEntity({ kind, id, schema: 4, body: "null" })).toThrowError(/damaged: /);
});
