import { describe, expect, it } from "vitest";
import type { ListedWorker } from "../../../src/adapters/types.ts";
import type { DesiredWorker } from "../../../src/wire/index.ts";
import { listedReplicas, mayPassOn, newRouter, noteRouter } from "./router.ts";
import { newJob } from "./runs.ts";
import { desiredJob, VirtualHost } from "./testing.ts";

function worker(name: string, role: DesiredWorker["role"] = "decode", labels = {}): DesiredWorker {
  return { replica: name, url: `http://10.0.0.1:${name.replace(/\D/g, "")}`, role, bootstrapPort: null, labels };
}

function router(workers: DesiredWorker[]) {
  return desiredJob({ job: "r-1.0", role: "router", router: "smg", engine: null, workers });
}

/** A host whose router lists these workers. */
function routing(...workers: DesiredWorker[]): VirtualHost {
  const host = new VirtualHost();
  host.want([router(workers)]);
  host.run(2_000);
  expect(host.router()?.listed).toEqual(workers.map((entry) => entry.replica).sort());
  return host;
}

function listedAs(url: string): ListedWorker {
  return { handle: "h", url, status: "ready", role: "decode", labels: {}, bootstrapPort: null };
}

const [a, b, c, prefill] = [worker("d-1"), worker("d-2"), worker("d-3"), worker("p-4", "prefill")];

describe("the list of a router", () => {
  it("becomes what is desired, and says by which commit", () => {
    const host = routing(a, b);
    expect(host.router()).toMatchObject({ incarnation: "run-1", synced: 1 });
    host.want([router([b, c])]);
    host.run(1_500);
    expect(host.router()).toMatchObject({ listed: ["d-2", "d-3"], synced: 2 });
  });

  it("names no replica for an address that only every object knows", () => {
    const router = newRouter("run-1", 0);
    noteRouter(router, { kind: "listed", job: "r-1.0", incarnation: "run-1", workers: [listedAs("constructor")] }, 0);
    expect(listedReplicas(router)).toEqual([]);
  });

  it("is made again after the router restarted and forgot", () => {
    const host = routing(a, b);
    host.end("r-1.0");
    host.run(500);
    expect(host.router()).toBeUndefined();
    host.run(2_000);
    expect(host.router()).toEqual({
      job: "r-1.0",
      replica: "r-1",
      incarnation: "run-2",
      listed: ["d-1", "d-2"],
      synced: 1,
    });
  });

  it("is read again, not written again, after the agent restarted", () => {
    const host = routing(a, b);
    const writes = host.times("add").length;
    host.restartAgent();
    host.run(5_000);
    expect(host.router()?.listed).toEqual(["d-1", "d-2"]);
    expect(host.times("add")).toHaveLength(writes);
    expect(host.times("delete")).toEqual([]);
  });

  it("loses what somebody else put there, and a registration of another role or set is made anew", () => {
    const host = routing(a, b);
    const listed = host.processes.get("r-1.0")!.listed;
    listed.push({
      handle: "x",
      url: "http://10.9.9.9:1",
      status: "ready",
      role: "decode",
      labels: {},
      bootstrapPort: null,
    });
    const other = { ...b, labels: { pairing_protocol: "new" } };
    host.want([router([{ ...a, role: "prefill" }, other])]);
    host.run(3_000);
    expect(host.processes.get("r-1.0")!.listed.map(({ url, role, labels }) => ({ url, role, labels }))).toEqual([
      { url: a.url, role: "prefill", labels: {} },
      { url: b.url, role: "decode", labels: { pairing_protocol: "new" } },
    ]);
  });

  it("is not fought over with a router that reads our registration in its own way", () => {
    const host = routing(a);
    host.processes.get("r-1.0")!.listed[0]!.role = "worker";
    host.run(20_000);
    expect(host.times("delete")).toEqual([]);
    expect(host.router()?.listed).toEqual(["d-1"]);
  });

  it("waits for a worker that is still draining to vanish before it is offered again", () => {
    const host = routing(a, b);
    const entry = host.processes.get("r-1.0")!.listed[0]!;
    entry.status = "draining";
    host.run(3_000);
    expect(host.router()?.listed).toEqual(["d-2"]);
    expect(host.times("add")).toHaveLength(2);
    const { listed } = host.processes.get("r-1.0")!;
    listed.splice(listed.indexOf(entry), 1);
    host.run(2_000);
    expect(host.router()?.listed).toEqual(["d-1", "d-2"]);
  });

  it("is not acted on while the router answers rubbish, and nothing is claimed about it", () => {
    const host = new VirtualHost();
    host.world.routerAnswers = false;
    host.want([router([a])]);
    host.run(10_000);
    expect(host.times("add")).toEqual([]);
    expect(host.router()).toBeUndefined();
    host.world.routerAnswers = true;
    host.run(1_000);
    expect(host.router()?.listed).toEqual(["d-1"]);
  });

  it("is changed in bounded steps", () => {
    const many = Array.from({ length: 100 }, (_, index) => worker(`d-${index + 1}`));
    const host = new VirtualHost();
    host.want([router(many)]);
    host.run(10_000);
    expect(host.router()?.listed).toHaveLength(100);
    const adds = host.times("add");
    for (const at of adds) expect(adds.filter((other) => other === at).length).toBeLessThanOrEqual(16);
  });

  it("counts a withdrawn offer as settled only when it can come up no more", () => {
    const host = routing(a);
    const process = host.processes.get("r-1.0")!;
    host.want([router([a, b])]);
    host.run(5);
    expect(host.times("add")).toHaveLength(2);
    // SMG lists a worker only when it has checked it: the offer is taken and not listed.
    process.listed = process.listed.filter((entry) => entry.url !== b.url);
    host.want([router([a])]);
    host.run(1_000);
    expect(host.router()).toMatchObject({ synced: 2 });
    host.run(3_000);
    expect(host.router()).toMatchObject({ synced: 3, listed: ["d-1"] });
  });
});

describe("a worker that cannot be reached", () => {
  it("is taken out two seconds after it was last reached, and listed again when it is back", () => {
    const host = routing(a, b);
    host.run(10_000);
    host.world.unreachable.add(a.url);
    host.run(2_100);
    expect(host.router()?.listed).toEqual(["d-2"]);
    host.world.unreachable.clear();
    host.run(2_500);
    expect(host.router()?.listed).toEqual(["d-1", "d-2"]);
  });

  it.each(Array.from({ length: 10 }, (_, index) => index * 100))(
    "is out within two seconds of the cut, which came %d ms into the second",
    (offset) => {
      const host = routing(a, b);
      host.run(8_000 + offset);
      host.world.unreachable.add(a.url);
      const cut = host.now;
      host.run(2_000);
      expect(host.router()?.listed).toEqual(["d-2"]);
      // Nor at the first attempt that fails: that may be one lost packet.
      const [out] = host.times("delete", cut);
      expect(out).toBeGreaterThan(900);
    },
  );

  it("stays when it was reached less than two seconds ago, whatever failed since", () => {
    const host = routing(a, b);
    host.run(1_010);
    host.world.unreachable.add(a.url);
    host.run(900);
    host.world.unreachable.clear();
    host.run(10_000);
    expect(host.times("delete")).toEqual([]);
  });

  it("is not offered before it can be, even where its role has nobody else", () => {
    const host = routing(prefill);
    host.world.unreachable.add(a.url);
    host.want([router([a, prefill])]);
    host.run(60_000);
    // SMG would go on trying, and list whatever listens at that address half an hour later.
    expect(host.times("add")).toHaveLength(1);
    host.world.unreachable.delete(a.url);
    host.run(1_500);
    expect(host.router()?.listed).toEqual(["d-1", "p-4"]);
  });

  it("stays when it is the last listed one of its role", () => {
    const host = routing(a, prefill);
    host.world.unreachable.add(a.url);
    host.world.unreachable.add(prefill.url);
    host.run(60_000);
    expect(host.router()?.listed).toEqual(["d-1", "p-4"]);
  });

  it("is not offered while another of its role can be reached, even to a router that lists nothing", () => {
    const host = routing(a, b);
    host.world.unreachable.add(a.url);
    host.run(4_000);
    host.processes.get("r-1.0")!.listed = [];
    const offered = host.times("add").length;
    host.run(3_000);
    expect(host.router()?.listed).toEqual(["d-2"]);
    expect(host.times("add")).toHaveLength(offered + 1);
  });

  it("leaves the last one in when all go one after the other", () => {
    const host = routing(a, b);
    host.world.unreachable.add(a.url);
    host.run(4_000);
    host.world.unreachable.add(b.url);
    host.run(60_000);
    expect(host.router()?.listed).toEqual(["d-2"]);
  });

  it("is taken out all the same when the control plane takes it out", () => {
    const host = routing(a);
    host.world.unreachable.add(a.url);
    host.want([router([])]);
    host.run(2_000);
    expect(host.router()).toMatchObject({ listed: [], synced: 2 });
  });
});

describe("a worker that accepts connections and does not answer", () => {
  it("is taken out, and listed again as soon as it answers", () => {
    const host = routing(a, b);
    host.world.silent.add(a.url);
    host.run(2_500);
    expect(host.router()?.listed).toEqual(["d-2"]);
    host.world.silent.clear();
    host.run(4_000);
    expect(host.router()?.listed).toEqual(["d-1", "d-2"]);
  });

  it("stays when more than half of its role are silent: they are busy, not frozen", () => {
    const host = routing(a, b, c);
    host.world.silent.add(a.url).add(b.url);
    host.run(60_000);
    expect(host.router()?.listed).toEqual(["d-1", "d-2", "d-3"]);
    expect(host.times("delete")).toEqual([]);
  });

  it("is judged among its own role", () => {
    const host = routing(a, b, prefill);
    host.world.silent.add(prefill.url).add(a.url);
    host.run(10_000);
    expect(host.router()?.listed).toEqual(["d-2", "p-4"]);
  });

  it("is not asked again while its answer is awaited, and keeps being connected to", () => {
    const host = routing(a);
    host.run(10_000);
    expect(host.times("hear").length).toBeLessThanOrEqual(7);
    expect(host.times("reach").length).toBeGreaterThanOrEqual(11);
  });
});

describe("new requests to a router that began again", () => {
  const job = router([a, prefill]);
  const listed = (...entries: Partial<ListedWorker>[]) => ({
    ...newRouter("run-2", 0),
    listed: entries.map((entry) => ({ ...listedAs(a.url), ...entry })),
  });
  const again = { ...newJob("r-1", 0), ends: [0] };
  const both: Partial<ListedWorker>[] = [{}, { role: "prefill" }];

  it("wait until it lists, ready, a worker of each role that it shall have", () => {
    expect(mayPassOn(job, again)).toBe(false);
    expect(mayPassOn(job, { ...again, router: listed({}) })).toBe(false);
    expect(mayPassOn(job, { ...again, router: listed({}, { role: "prefill", status: "pending" }) })).toBe(false);
    expect(mayPassOn(job, { ...again, router: listed(...both) })).toBe(true);
  });

  it("do not wait once it was ready, nor for one that was found running or is no router", () => {
    const host = routing(a);
    expect(mayPassOn(job, newJob("r-1", 0))).toBe(true);
    expect(mayPassOn(desiredJob(), again)).toBe(true);
    expect(mayPassOn(router([]), again)).toBe(true);
    const run = host.memory.jobs["r-1.0"]?.run ?? null;
    expect(mayPassOn(job, { ...again, run: run && { ...run, everReady: true } })).toBe(true);
  });

  it("do not wait for the word that it serves again, but for its own probes: it may hang, or a stranger have its port", () => {
    const host = routing(a);
    const [job] = host.desired?.jobs ?? [];
    const passesOn = () => job !== undefined && mayPassOn(job, host.memory.jobs["r-1.0"]!);
    host.world.probe = (_, check) => check !== "readiness";
    host.run(60_000);
    expect(host.report("r-1.0")?.state).toBe("unready");
    expect(passesOn()).toBe(true);
    for (const failing of ["probe:0", "port"]) {
      host.world.probe = (_, check) => check !== failing;
      host.run(60_000);
      expect([failing, host.report("r-1.0")?.state, passesOn()]).toEqual([failing, "unready", false]);
    }
    host.world.probe = () => true;
    host.run(60_000);
    expect(passesOn()).toBe(true);
  });
});
