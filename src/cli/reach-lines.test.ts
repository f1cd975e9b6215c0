import { createColors } from "picocolors";
import { expect, test } from "vitest";
import { HOST } from "../api/testing/fake-control.ts";
import { reachLines, reachMark } from "./reach-lines.ts";
import { gpus, PlanStage } from "./testing/plan-stage.ts";

const PAIR = `type: service
name: pair
port: 8000
groups:
  - name: router
    replicas: 1
    router: {type: sglang}
    commands: [smg launch --pd-disaggregation --port 8000 --api-key x]
  - name: prefill
    replicas: 1
    commands: [python -m sglang.launch_server --disaggregation-mode prefill --host 0.0.0.0 --port 8000]
    resources: {gpu: "H200:1"}
  - name: decode
    replicas: 1
    commands: [python -m sglang.launch_server --disaggregation-mode decode --host 0.0.0.0 --port 8000]
    resources: {gpu: "H200:1"}
`;

/** A host for a router, and two with an accelerator. */
async function stage(): Promise<PlanStage> {
  const stage = await PlanStage.create();
  await stage.write("pair.yml", PAIR);
  await stage.addHost("cpu-1");
  for (const name of ["gpu-1", "gpu-2"]) await stage.addHost(name, gpus(1, "H200", 141));
  return stage;
}

test("a plan says which host does not reach which where something fits nowhere for that", async () => {
  await using on = await stage();
  for (const other of ["cpu-1", "gpu-1"]) await on.cut(other, "gpu-2", [8_000, 8_998], true);
  const { out } = await on.run("plan", "-f", "pair.yml");
  expect(out).toContain("1 host: cannot be reached by gpu-1 at 10.0.0.3 port 8000: no answer in 1 s (gpu-2)");
});

test("what waits for the way is placed as soon as it is open, without its next turn having come", async () => {
  await using on = await stage();
  for (const other of ["cpu-1", "gpu-1"]) await on.cut(other, "gpu-2", [8_000, 8_998], true);
  await on.apply("pair.yml");
  expect((await on.run("ps", "pair")).out).toContain("host gpu-2: cannot be reached by gpu-1 at 10.0.0.3 port 8000");
  for (const other of ["cpu-1", "gpu-1"]) await on.heal(other);
  expect((await on.run("ps", "pair")).out).toMatch(/pair-decode-3 +starting +gpu-2:8000/);
});

test("what runs goes on when a way is closed, and ps, host list and host show say which", async () => {
  await using on = await stage();
  await on.apply("pair.yml");
  for (const other of ["cpu-1", "gpu-1"]) await on.cut(other, "gpu-2", [8_000, 8_998], true);
  await on.settle();

  const { out: ps } = await on.run("ps", "pair");
  expect(ps.split("\n").flatMap((line) => / {2,}(its probes pass; .*)/.exec(line)?.[1] ?? [])).toEqual([
    "its probes pass; cpu-1 cannot reach gpu-2 at 10.0.0.3 port 8000: no answer in 1 s, for 0s",
    "its probes pass; gpu-1 cannot reach gpu-2 at 10.0.0.3 port 8000: no answer in 1 s, for 0s",
    "its probes pass; gpu-1 cannot reach gpu-2 at 10.0.0.3 port 8000: no answer in 1 s, for 0s",
  ]);
  const { out: list } = await on.run("host", "list");
  expect(list.match(/^\S+ +[cg]pu-\d.*?, .*? {2}/gm)?.map((line) => line.split(/ {2,}/).slice(1, 4).join(" "))).toEqual(
    [
      "cpu-1 default online, out of reach of 1",
      "gpu-1 default online, out of reach of 1",
      "gpu-2 default online, out of reach of 2",
    ],
  );
  expect((await on.run("host", "show", "gpu-2")).out).toContain(`
unreached: cpu-1 and gpu-1 do not reach it at 10.0.0.3 ports 8000, 8998: no answer in 1 s, for 0s
Open these ports between the hosts of its fleet (firewalls, a cloud's rules), or give it the address that they
reach it by (--address): docs/hosts.md, Hosts that cannot reach each other.
`);
  expect((await on.run("host", "show", "gpu-1")).out).toContain(
    "unreached: it does not reach gpu-2 at 10.0.0.3 ports 8000, 8998: no answer in 1 s, for 0s\n",
  );
});

test("a host that many do not reach is told of in as many lines as there are reasons", () => {
  const way = { id: "h", address: "10.0.0.9", ports: [8_000], why: "no answer in 1 s", since: 1_000 };
  const unreached = [
    ...[1, 2, 3, 4, 5, 6, 7].map((i) => ({ ...way, id: `h${i}`, name: `gpu-${i}`, direction: "from" as const })),
    { ...way, id: "h8", name: "gpu-8", direction: "from" as const, why: "a firewall here forbids it" },
    ...[1, 2, 3, 4, 5, 6].map((i) => ({ ...way, id: `h${i}`, name: `gpu-${i}`, direction: "to" as const })),
  ];
  const host = { ...HOST, unreached };
  expect(reachMark(host)).toBe("out of reach of 8");
  expect(reachLines(host, 61_000, createColors(false)).slice(0, -2)).toEqual([
    "unreached: gpu-1, gpu-2, gpu-3, gpu-4, gpu-5 and 2 more do not reach it at 10.0.0.9 port 8000: no answer in 1 s, for 1m",
    "unreached: gpu-8 does not reach it at 10.0.0.9 port 8000: a firewall here forbids it, for 1m",
    ...[1, 2, 3, 4, 5].map(
      (i) => `unreached: it does not reach gpu-${i} at 10.0.0.9 port 8000: no answer in 1 s, for 1m`,
    ),
    "unreached: it does not reach 1 more hosts",
  ]);
});
