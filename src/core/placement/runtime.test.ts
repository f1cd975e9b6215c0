import { beforeEach, describe, expect, it } from "vitest";
import { World } from "../../../test/support/core-world.ts";
import { decodeGroup, prefillGroup, routerGroup, serviceSpec, workerGroup } from "../../../test/support/specs.ts";
import type { GroupSpec, ServiceSpec } from "../../spec/types.ts";
import type { FleetAllowance } from "../../spec/types-fleet.ts";
import type { Inventory } from "../../wire/index.ts";
import { closedFleet } from "../hosts/fleets.ts";
import { renderHost } from "../render/render.ts";
import { sealedValuesIn } from "../secrets/sealed-text.ts";
import { allowedRoot } from "./runtime.ts";

const IMAGE = "lmsysorg/sglang:v0.5.10";
const docker: Partial<Inventory> = { runtimes: ["docker", "process"] };

let world: World;
beforeEach(() => {
  world = new World();
});

function apply(over: Partial<GroupSpec> = {}, service: Partial<ServiceSpec> = {}, images: Record<string, string> = {}) {
  const spec = serviceSpec("w", [workerGroup(1, { image: IMAGE, ...over })], service);
  return world.apply(spec, {}, null, {}, images);
}

const launch = () => world.desired("w")[0]?.launch;
const reason = () => world.replicas("w")[0]?.reason;

function allow(allowed: Partial<FleetAllowance>): void {
  const { fleet } = world.state.tables;
  const settings = fleet.byId.get("default");
  if (!settings) throw new Error("no fleet");
  settings.settings = { ...settings.settings, allow: { ...closedFleet("").settings.allow, ...allowed } };
}

describe("where a job with an image runs", () => {
  it("is a container on a host that has an engine", () => {
    world.addHost("a", docker);
    apply();
    expect(launch()).toMatchObject({ runtime: "docker", image: IMAGE, container: { image: IMAGE, privileged: false } });
  });

  it("is a process on a host of a fleet that never had one", () => {
    world.addHost("a");
    apply();
    expect(launch()).toMatchObject({ runtime: "process", image: IMAGE, container: null });
  });

  it("is nowhere on a host without one beside others that have one", () => {
    world.addHost("a");
    world.addHost("b", { ...docker, cpus: 0.5 });
    apply();
    expect(reason()).toContain("host a: has no Docker engine, as other hosts of its fleet do");
  });

  it("is nowhere as a process where the fleet's file forbids them, with the line that does", () => {
    allow({ processes: false });
    world.addHost("a");
    apply();
    const said =
      "its fleet default allows no processes: give the group an image and the host a Docker engine, or take `processes: false` out of `allow` in the fleet's file";
    expect(reason()).toContain(`host a: ${said}`);
    world.addHost("b", docker);
    world.settle();
    expect(launch()?.runtime).toBe("docker");
    world.apply(serviceSpec("plain", [workerGroup(1)]));
    expect(world.replicas("plain")[0]?.reason).toContain(said);
  });

  it("is nowhere while the engine of its host is away, and a container once it is back", () => {
    world.addHost("a", docker);
    const host = world.state.tables.host.byId.get("a");
    if (!host) throw new Error("no host");
    host.inventory = { ...host.inventory, runtimes: ["process"] };
    world.sync("a");
    apply();
    expect(reason()).toContain("its Docker engine cannot be used now");
  });

  it("stays what it was when its host offers something else", () => {
    world.addHost("a");
    apply();
    const host = world.state.tables.host.byId.get("a");
    if (!host) throw new Error("no host");
    host.inventory = { ...host.inventory, ...docker };
    world.settle();
    expect(launch()).toMatchObject({ runtime: "process", container: null });
  });
});

describe("a job without an image", () => {
  it("is a process also where there is an engine", () => {
    world.addHost("a", docker);
    apply({ image: null });
    expect(launch()).toMatchObject({ runtime: "process", image: null, container: null });
  });

  it("is a container of the image that the server has for its group", () => {
    world.addHost("a", docker);
    apply({ image: null }, { registryAuth: { username: "u", password: "p" } }, { worker: "python:3.12" });
    expect(launch()).toMatchObject({ runtime: "docker", image: "python:3.12", shell: "/bin/bash" });
    // The login is for the service's own image.
    expect(launch()?.container?.registryAuth).toBeNull();
  });

  it("does not fit on a host that runs containers only", () => {
    world.addHost("a", { runtimes: ["docker"] });
    apply({ image: null });
    expect(reason()).toContain("runs containers only");
  });
});

describe("what a container may do to its host", () => {
  beforeEach(() => world.addHost("a", docker));
  const volumes = (...paths: string[]): Pick<GroupSpec, "volumes"> => ({
    volumes: paths.map((path) => ({ kind: "instance" as const, instancePath: path, path: "/in", optional: false })),
  });

  it("is nothing unless its fleet allows it, and the reason names the line that would", () => {
    apply({ privileged: true, ...volumes("/models", "/etc/x") });
    expect(reason()).toBe(
      "fits on no host: host a: its fleet default does not allow privileged containers or mounting /models, /etc/x: " +
        "add `privileged: true` and `host_paths: [/models, /etc/x]` to `allow` in the fleet's file",
    );
  });

  it("is what its fleet allows", () => {
    allow({ privileged: true, hostPaths: ["/models"] });
    apply({ privileged: true, ...volumes("/models/llama") });
    expect(launch()?.container).toMatchObject({
      privileged: true,
      volumes: [{ source: "/models/llama", target: "/in", optional: false, within: "/models" }],
    });
  });

  it("is asked of containers alone: a process is kept by its user", () => {
    world = new World();
    world.addHost("a");
    apply({ privileged: true, ...volumes("/models") });
    expect(launch()?.runtime).toBe("process");
  });

  it.each<[string, string[], string | null]>([
    ["/models/a", ["/models"], "/models"],
    ["/models", ["/models/"], "/models/"],
    ["//models/./a", ["/models"], "/models"],
    ["/models-2", ["/models"], null],
    ["/mod", ["/models"], null],
    ["/", ["/models"], null],
    ["/etc", ["/models", "/"], "/"],
    ["/etc", [], null],
  ])("%s of %j", (path, paths, root) => {
    expect(allowedRoot(path, paths)).toBe(root);
  });
});

describe("what a container begins with", () => {
  beforeEach(() => world.addHost("a", docker));
  const command = () => launch()?.container?.command;

  it("is the shell with the commands, the image's own start without any, or the entrypoint with the commands behind", () => {
    apply();
    expect(command()).toEqual({ kind: "shell" });
    world = new World();
    world.addHost("a", docker);
    apply({ commands: [] });
    expect(command()).toEqual({ kind: "image" });
    world = new World();
    world.addHost("a", docker);
    apply({ commands: ["--model", "a b $$HOME"] }, { entrypoint: "python3 -m 'my server'" });
    expect(command()).toEqual({ kind: "argv", argv: ["python3", "-m", "my server", "--model", "a b $HOME"] });
  });

  it("has the user, the folder and the shared memory that the service asks for", () => {
    const { resources } = workerGroup(1);
    apply({ resources: { ...resources, shmSize: 0.5 } }, { user: "1000:1000", workingDir: "/srv" });
    expect(launch()).toMatchObject({ workingDir: "/srv", container: { user: "1000:1000", shmBytes: 512 * 1024 ** 2 } });
  });
});

describe("the login of a private image", () => {
  it("is rendered with names of sealed values only, and as the service has it now", () => {
    world.addHost("a", docker);
    world.input({ kind: "secret_set", name: "PASSWORD", version: "v1", actor: "ann" });
    const group = workerGroup(1, { image: IMAGE, env: { LOGIN: null } });
    const spec = (password: string) =>
      serviceSpec("w", [group], { registryAuth: { username: "${{ env.LOGIN }}", password } });
    const sealed = { LOGIN: "l1" };
    world.apply(spec("${{ secrets.PASSWORD }}"), sealed, null, { PASSWORD: "v1" });
    expect(launch()?.container?.registryAuth).toEqual({
      username: "<env/w/LOGIN/l1>",
      password: "<pinned/w/PASSWORD/v1>",
    });
    const host = world.state.tables.host.byId.get("a");
    if (!host) throw new Error("no host");
    const names = renderHost(world.state, host).flatMap(sealedValuesIn);
    expect(names).toContainEqual({ sealed: "pinned/w/PASSWORD/v1" });

    world.settle();
    expect(world.apply(spec("literal"), sealed)).toMatchObject({ action: "update" });
    expect(launch()?.container?.registryAuth).toMatchObject({ password: "literal" });
  });
});

it("a router of our own making runs in the server's base image beside workers with their own", () => {
  world.addHost("a", docker);
  const groups = [
    routerGroup({ router: { type: "smg", generated: { policy: null, pdDisaggregation: true } }, commands: [] }),
    prefillGroup(1, { image: IMAGE }),
    decodeGroup(1, { image: IMAGE }),
  ];
  world.apply(serviceSpec("pd", groups), {}, null, {}, { router: "python:3.12" });
  expect(
    world
      .desired("pd")
      .map(({ group, launch: { runtime, container } }) => [group, runtime, container?.image, container?.command.kind])
      .sort(),
  ).toEqual([
    ["decode", "docker", IMAGE, "shell"],
    ["prefill", "docker", IMAGE, "shell"],
    ["router", "docker", "python:3.12", "shell"],
  ]);
});
