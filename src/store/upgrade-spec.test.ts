import { expect, test } from "vitest";
import { decodeEntity, encodeEntity } from "./codec.ts";

/** A revision as the first version of Headrace stored it. */
const stored = {
  service: "llama",
  number: 3,
  spec: {
    type: "service",
    name: "llama",
    port: 8000,
    env: { HF_TOKEN: null, PRICE: "$$5" },
    groups: [
      {
        name: "0",
        count: { min: 1, max: 4 },
        scaling: null,
        role: null,
        router: { type: "smg" },
        resources: {
          cpu: { arch: null, count: { min: 2, max: null } },
          memory: { min: 8, max: null },
          shmSize: null,
          gpu: {
            vendor: null,
            names: [],
            count: { min: 0, max: null },
            memory: null,
            totalMemory: null,
            computeCapability: null,
          },
          disk: { min: 100, max: null },
        },
        commands: ["echo $$ > pid && smg launch --port $HEADRACE_PORT"],
        image: null,
        python: null,
        nvcc: false,
        docker: false,
        privileged: false,
      },
    ],
    probes: [
      {
        type: "http",
        url: "/health",
        method: "post",
        headers: [{ name: "X-Price", value: "$$5" }],
        body: '{"price": "$$5"}',
        timeout: 10,
        interval: 15,
        readyAfter: 1,
        untilReady: false,
      },
    ],
    model: null,
    auth: true,
    entrypoint: null,
    shell: null,
    user: null,
    workingDir: null,
    volumes: [{ instancePath: "/models", path: "/models", optional: true }],
    stopDuration: 300,
    drainTimeout: null,
  },
  sealed: { HF_TOKEN: "abc" },
  pairing: "p1",
  createdAt: 1_700_000_000_000,
  createdBy: "ada",
};

test("a revision of schema 1 is read with what was the service's in each group, and stored anew as schema 3", () => {
  const revision = decodeEntity({ kind: "revision", id: "llama@3", schema: 1, body: JSON.stringify(stored) });
  expect(revision).toMatchObject({
    kind: "revision",
    secrets: {},
    spec: {
      groups: [
        {
          port: 8000,
          probes: [{ url: "/health", headers: [{ name: "X-Price", value: "$$$$5" }], body: '{"price": "$$$$5"}' }],
          env: { HF_TOKEN: null, PRICE: "$$$$5" },
          commands: ["echo $$$$ > pid && smg launch --port $HEADRACE_PORT"],
          volumes: [{ kind: "instance", instancePath: "/models", path: "/models", optional: true }],
          router: { type: "smg", generated: null },
        },
      ],
    },
  });
  const again = encodeEntity(revision);
  expect(again.schema).toBe(3);
  expect(decodeEntity(again)).toEqual(revision);
});
