import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import type { DesiredJob } from "./desired.ts";
import { desiredHash } from "./hash.ts";

const hash = (jobs: DesiredJob[]) => desiredHash(jobs, async (text) => createHash("sha256").update(text).digest("hex"));

const job: DesiredJob = {
  job: "w-1.0",
  replica: "w-1",
  service: "svc",
  group: "worker",
  role: "worker",
  created: 1,
  phase: { kind: "quiesce", withinMs: 1_000 },
  launch: {
    runtime: "process",
    image: null,
    shell: "sh",
    script: "true",
    env: { A: "1", B: "2" },
    workingDir: null,
    files: [],
    container: null,
  },
  port: 8000,
  ports: [8000],
  accelerators: [],
  engine: null,
  router: null,
  probes: [],
  behindRouter: false,
  workers: [],
};

it("is the same for the same content, in whatever order its keys were written", async () => {
  const reordered = Object.fromEntries(Object.entries(job).reverse()) as DesiredJob;
  reordered.launch = { ...job.launch, env: { B: "2", A: "1" } };
  expect(await hash([reordered])).toBe(await hash([job]));
});

it("differs when a value or the order of jobs does", async () => {
  const other = { ...job, job: "w-2.0" };
  const hashes = await Promise.all([[], [job], [{ ...job, port: 8001 }], [job, other], [other, job]].map(hash));
  expect(new Set(hashes).size).toBe(hashes.length);
});

it("is SHA-256 of canonical JSON: fixed, since two machines compare it", async () => {
  expect(await hash([])).toBe("4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945");
});
