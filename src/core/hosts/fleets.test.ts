import { beforeEach, describe, expect, test } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { serviceSpec, withGpus, workerGroup } from "../../../test/support/specs.ts";
import { parseConfig } from "../../spec/index.ts";
import type { FleetSpec } from "../../spec/types-fleet.ts";
import type { Input } from "../input.ts";
import { FLEETS_PER_PROJECT_MAX } from "../limits.ts";
import { closedFleet } from "./fleets.ts";

let world: World;
beforeEach(() => {
  world = new World();
});

function fleetSpec(text: string): FleetSpec {
  const parsed = parseConfig(`type: fleet\nname: rack-1\n${text}`, "fleet.yml");
  if (!parsed.ok || parsed.type !== "fleet") throw new Error(JSON.stringify(parsed));
  return parsed.spec;
}
function apply(text: string, expectedRevision: number | null = null) {
  const { name, hosts, type: _, ...settings } = fleetSpec(text);
  if (hosts.kind === "cloud") throw new Error("rented hosts are not applied");
  return world.input({ kind: "fleet_applied", fleet: name, settings, hosts, expectedRevision } satisfies Input);
}
const fleet = () => world.state.tables.fleet.byId.get("rack-1");
const messages = () => world.events.filter(({ type }) => type.startsWith("fleet.")).map(({ message }) => message);

describe("a fleet", () => {
  test("without a file is one whose file says nothing", () => {
    const { name: _, hosts, type: __, ...settings } = fleetSpec("");
    expect(closedFleet("rack-1")).toMatchObject({ settings, hosts });
  });

  test("is there once a host joins it, with everything closed", () => {
    world.addHost("a", {}, "rack-1");
    world.addHost("b", {}, "rack-1");
    expect(fleet()).toEqual(closedFleet("rack-1"));
    expect(messages()).toEqual(["fleet rack-1 is there, since a host joins it"]);
  });

  test("is made, changed and left as it is by its file", () => {
    expect(apply("allow: {privileged: true}")).toEqual({ kind: "applied", revision: 1, action: "create" });
    expect(fleet()?.settings.allow).toEqual({ privileged: true, hostPaths: [], processes: true });
    const text = "overcommit: false\nallow: {host_paths: [/mnt/models, /opt]}";
    expect(apply(text)).toEqual({ kind: "applied", revision: 2, action: "update" });
    const { version } = world.state;
    expect(apply(text)).toEqual({ kind: "applied", revision: 2, action: "none" });
    expect(world.state.version).toBe(version);
    expect(messages()).toEqual([
      "fleet rack-1: is there",
      "fleet rack-1: overcommit true -> false, allow.privileged true -> false, allow.host_paths none -> /mnt/models /opt",
    ]);
  });

  test("of before its file keeps its hosts, and whether it is frozen", () => {
    world.addHost("a", {}, "rack-1");
    world.state.tables.fleet.put({ ...closedFleet("rack-1"), frozenSince: 7 });
    apply("allow: {privileged: yes}");
    expect(fleet()).toMatchObject({ revision: 1, frozenSince: 7 });
  });

  test("keeps the hosts that its file names, and tells what changed without values of its variables", () => {
    const ssh = (hosts: string, env = "") => `${env}ssh_config:\n  user: u\n  identity_file: k\n  hosts: ${hosts}\n`;
    apply(ssh("[h1, h2]"));
    expect(fleet()?.hosts).toMatchObject({ kind: "ssh", hosts: [{ hostname: "h1", user: "u" }, { hostname: "h2" }] });
    apply(ssh("[h1, {hostname: h3, port: 2222}]", "env: {TOKEN: hunter2}\n"));
    expect(messages()[1]).toBe(
      "fleet rack-1: ssh_config.hosts.h2 u -> none, env 0 variables -> 1 variables, ssh_config.hosts.h3 none -> u, port 2222",
    );
    expect(JSON.stringify(world.events)).not.toContain("hunter2");
  });

  test("planned on another revision is refused", () => {
    apply("", 0);
    expect(apply("overcommit: no", 0)).toMatchObject({ kind: "refused", code: "stale_plan" });
    expect(apply("overcommit: no", 1)).toMatchObject({ kind: "applied", revision: 2 });
  });

  test("that gives room is used at once", () => {
    apply("overcommit: no");
    world.addHost("a", { cpus: 1 }, "rack-1");
    world.apply(serviceSpec("w", [workerGroup(2)]));
    expect(world.summary("w")).toEqual(["worker:pending", "worker:starting"]);
    apply("overcommit: yes");
    expect(world.summary("w")).toEqual(["worker:starting", "worker:starting"]);
  });

  test("is deleted once no host is in it", () => {
    world.addHost("a", {}, "rack-1");
    const remove = () => world.input({ kind: "fleet_deleted", fleet: "rack-1" });
    expect(remove()).toMatchObject({ kind: "refused", code: "conflict", message: expect.stringContaining("1 host") });
    world.input({ kind: "host_removed", host: "a", force: false });
    expect(remove()).toEqual({ kind: "done" });
    expect(fleet()).toBeUndefined();
    expect(remove()).toMatchObject({ kind: "refused", code: "not_found" });
  });

  test("more than a project may have is refused, also to a host that would open it", () => {
    for (let n = 1; n < FLEETS_PER_PROJECT_MAX; n += 1) world.state.tables.fleet.put(closedFleet(`f-${n}`));
    expect(apply("")).toMatchObject({ kind: "refused", code: "too_many" });
    world.addHost("a");
    const { inventory } = world.state.tables.host.byId.get("a")!;
    const join = { kind: "host_joined", host: "b", name: "b", fleet: "rack-1", machine: "m", inventory } as const;
    expect(world.input(join)).toMatchObject({ kind: "refused", code: "too_many" });
    world.state.tables.fleet.delete("f-1");
    expect(world.input(join)).toEqual({ kind: "done" });
  });

  test("gives its variables to the jobs of its hosts, below their service's own and what they learn of themselves", () => {
    const text = (env: string) => `${env}ssh_config: {user: u, identity_file: k, hosts: [h1]}\n`;
    apply(text("env: {PROXY: 'http://proxy:3128', MODE: fleet, HEADRACE_PORT: '1', RAW: 'a$$b'}\n"));
    world.addHost("a", {}, "rack-1");
    world.apply(serviceSpec("w", [workerGroup(1, { env: { MODE: "service" } })]));
    const [job] = world.desired("w");
    expect(job?.launch.env).toMatchObject({ PROXY: "http://proxy:3128", MODE: "service", RAW: "a$b" });
    expect(job?.launch.env.HEADRACE_PORT).toBe(String(job?.port));
    world.addHost("b", { accelerators: [{ index: 0, vendor: "amd", name: "MI300X", memoryGib: 192 }] });
    world.apply(serviceSpec("elsewhere", [workerGroup(1, withGpus(1, "MI300X"))]));
    expect(world.desired("elsewhere")[0]?.launch.env).not.toHaveProperty("PROXY");
  });
});
