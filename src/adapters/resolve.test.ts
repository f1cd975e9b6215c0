import { describe, expect, it } from "vitest";
import { groupSpec, serviceSpec } from "../../test/support/specs.ts";
import type { GroupSpec, ProbeSpec, ServiceSpec } from "../spec/types.ts";
import { resolveGroup } from "./index.ts";
import type { PortClaim } from "./types.ts";

function group(commands: string[], changes: Partial<GroupSpec> = {}): GroupSpec {
  return groupSpec("0", commands, changes);
}

function service(groups: GroupSpec[], changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return serviceSpec("s", groups, { model: null, stopDuration: null, ...changes });
}

const fixed = (name: PortClaim["name"], port: number): PortClaim => ({ name, port, env: null });

const smgLine = `
  smg launch \\
    --host 0.0.0.0 \\
    --port 8000 \\
    --pd-disaggregation \\
    --prefill-policy cache_aware
`;
const prefillLine = `
  python -m sglang.launch_server \\
    --model-path $MODEL_ID \\
    --disaggregation-mode prefill \\
    --disaggregation-transfer-backend nixl \\
    --host 0.0.0.0 \\
    --port 8000 \\
    --disaggregation-bootstrap-port 8998
`;
const router = group(["pip install smg", smgLine], { router: { type: "smg", generated: null } });
const prefill = group([prefillLine]);
const decode = group([
  "python3 -m sglang.launch_server --model-path $M --disaggregation-mode=decode --host 0.0.0.0 --port=8000",
]);

describe("a service of a router, a prefill and a decode group", () => {
  const spec = service([router, prefill, decode], { model: { name: "m", prefix: "/v1/" } });

  it("has its roles, engines and ports read from the commands", () => {
    expect(
      spec.groups
        .map((one) => resolveGroup(spec, one))
        .map(({ role, engine, router, ports }) => [role, engine, router, ports]),
    ).toEqual([
      ["router", null, "smg", [fixed("service", 8000), fixed("metrics", 29_000)]],
      ["prefill", "sglang", null, [fixed("service", 8000), fixed("bootstrap", 8998)]],
      ["decode", "sglang", null, [fixed("service", 8000)]],
    ]);
  });

  it("asks only the router for a chat, and the workers what their engine answers alone", () => {
    const [ofRouter, ofPrefill, ofDecode] = spec.groups.map((one) => resolveGroup(spec, one).probes);
    expect(ofRouter).toMatchObject([
      { url: "/v1/chat/completions", method: "post", timeout: 30, interval: 15, readyAfter: 1 },
    ]);
    expect(JSON.parse(ofRouter?.[0]?.body ?? "")).toMatchObject({ model: "m", max_tokens: 1 });
    expect(ofPrefill).toMatchObject([{ url: "/health", method: "get" }]);
    expect(ofPrefill?.[0]?.timeout).toBeGreaterThan(20);
    expect(ofDecode).toEqual(ofPrefill);
  });

  it("keeps the probes that are written, for every group, none included", () => {
    const own: ProbeSpec = { ...(resolveGroup(spec, prefill).probes[0] as ProbeSpec), url: "/mine" };
    for (const one of spec.groups) {
      expect(resolveGroup(spec, { ...one, probes: [own] }).probes).toEqual([own]);
      expect(resolveGroup(spec, { ...one, probes: [] }).probes).toEqual([]);
    }
  });

  it("asks a router without a model whether it lives", () => {
    expect(resolveGroup({ ...spec, model: null }, router).probes).toMatchObject([{ url: "/health", method: "get" }]);
  });
});

describe("a worker that faces requests itself", () => {
  it("is asked for a chat when there is a model, else by its engine's probe", () => {
    const line = group(["sglang serve --model-path m --port 8000"]);
    const spec = service([line], { model: { name: "m", prefix: "/v1" } });
    expect(resolveGroup(spec, line)).toMatchObject({ role: "worker", engine: "sglang", probes: [{ method: "post" }] });
    expect(resolveGroup({ ...spec, model: null }, line).probes).toMatchObject([{ url: "/health" }]);
  });

  it("is ready at once when nothing is known of it", () => {
    const line = group(["python -m http.server 8000"]);
    expect(resolveGroup(service([line]), line)).toEqual({
      commands: line.commands,
      role: "worker",
      engine: null,
      router: null,
      ports: [fixed("service", 8000)],
      probes: [],
      warnings: [],
    });
  });
});

describe("ports", () => {
  const sglangPorts: [string, PortClaim[]][] = [
    ["--port $HEADRACE_PORT", [{ name: "service", port: 8000, env: "HEADRACE_PORT" }]],
    [`--port="\${HEADRACE_PORT:-8000}"`, [{ name: "service", port: 8000, env: "HEADRACE_PORT" }]],
    ["--port 7000 --port 8000", [fixed("service", 8000)]],
    ["--port $PORT", [fixed("service", 8000)]],
    ["--port 8000 --disaggregation-mode prefill", [fixed("service", 8000), fixed("bootstrap", 8998)]],
    [
      "--port 8000 --disaggregation-mode prefill --disaggregation-bootstrap-port $HEADRACE_BOOTSTRAP_PORT",
      [fixed("service", 8000), { name: "bootstrap", port: 8998, env: "HEADRACE_BOOTSTRAP_PORT" }],
    ],
    [
      "--port 8000 --disaggregation-mode $MODE --disaggregation-bootstrap-port 9100",
      [fixed("service", 8000), fixed("bootstrap", 9100)],
    ],
  ];
  it.each(sglangPorts)("of SGLang with %s", (flags, ports) => {
    const env = { PORT: "8000", MODE: "prefill", HF_TOKEN: null };
    const line = group([`python -m sglang.launch_server --model-path m ${flags}`], { env });
    const resolved = resolveGroup(service([line]), line);
    expect(resolved.ports).toEqual(ports);
    expect(resolved.warnings).toEqual([]);
  });

  it("of SMG with a movable metrics port", () => {
    const line = group(["smg launch --port $HEADRACE_PORT --prometheus-port $HEADRACE_METRICS_PORT --api-key k"], {
      router: { type: "smg", generated: null },
    });
    expect(resolveGroup(service([line]), line)).toMatchObject({
      ports: [
        { name: "service", port: 8000, env: "HEADRACE_PORT" },
        { name: "metrics", port: 29_000, env: "HEADRACE_METRICS_PORT" },
      ],
      warnings: [],
    });
  });

  it("are the service's, movable when the commands of an unknown program use the variable", () => {
    const line = group(["python -m http.server $HEADRACE_PORT"]);
    expect(resolveGroup(service([line]), line).ports).toEqual([{ name: "service", port: 8000, env: "HEADRACE_PORT" }]);
  });

  it("are not movable when another command mentions the variable but the launch line has a number", () => {
    const line = group(["echo $HEADRACE_PORT", "python -m sglang.launch_server --port 8000"]);
    expect(resolveGroup(service([line]), line).ports).toEqual([fixed("service", 8000)]);
  });
});

describe("launch lines as people write them", () => {
  const lines: [string, string[]][] = [
    [
      "several commands in one",
      ["pip install x && cd /srv; exec python3 -m sglang.launch_server --disaggregation-mode prefill"],
    ],
    [
      "an environment prefix",
      ["CUDA_VISIBLE_DEVICES=0,1 A='x y' python -m sglang.launch_server --disaggregation-mode prefill"],
    ],
    [
      "a path and wrappers",
      ["numactl --cpunodebind=0 nohup /opt/venv/bin/python -u -m sglang.launch_server --disaggregation-mode 'prefill'"],
    ],
    ["another shell", [`bash -lc "sglang serve --disaggregation-mode prefill"`]],
    ["a path to the program", ["/opt/venv/bin/sglang serve --disaggregation-mode prefill"]],
    ["the background", ["python -m sglang.launch_server --disaggregation-mode prefill > log 2>&1 &", "wait"]],
    [
      "a comment between",
      [
        "# decode once: --disaggregation-mode decode\npython -m sglang.launch_server \\\n  --disaggregation-mode prefill # not decode",
      ],
    ],
  ];
  it.each(lines)("reads the role through %s", (_name, commands) => {
    const line = group(commands);
    expect(resolveGroup(service([line]), line)).toMatchObject({ role: "prefill", engine: "sglang" });
  });

  it("takes the role that is written over the one that is read, and warns", () => {
    const line = group(["python -m sglang.launch_server --port 8000 --disaggregation-mode prefill"], {
      role: "decode",
    });
    const resolved = resolveGroup(service([line]), line);
    expect(resolved.role).toBe("decode");
    expect(resolved.ports).toEqual([fixed("service", 8000)]);
    expect(resolved.warnings).toEqual([
      expect.stringContaining("the role is decode, but the commands start a prefill"),
    ]);
  });
});

describe("warnings", () => {
  const warnings: [string, string][] = [
    ["--port 9000", "`--port 9000` is given, but probes and requests go to the service's port 8000"],
    ["", "without `--port` SGLang listens on 30000"],
    ["--port 8000 --disaggregation-mode $ROLE", "`--disaggregation-mode $ROLE` cannot be read here"],
  ];
  it.each(warnings)("of SGLang with %j", (flags, warning) => {
    const line = group([`python -m sglang.launch_server ${flags}`]);
    expect(resolveGroup(service([line]), line).warnings).toEqual([expect.stringContaining(warning)]);
  });

  it("of a worker that its router cannot reach", () => {
    const line = group(["python -m sglang.launch_server --port 8000"]);
    expect(resolveGroup(service([router, line]), line).warnings).toEqual([expect.stringContaining("`--host 0.0.0.0`")]);
  });

  it("of a router whose worker list is open to everyone", () => {
    expect(resolveGroup(service([router]), router).warnings).toEqual([
      expect.stringContaining("`--control-plane-api-keys headrace:headrace:admin:$HEADRACE_ROUTER_KEY`"),
    ]);
  });
});

describe("a router that was declared without commands", () => {
  const made = (generated: NonNullable<NonNullable<GroupSpec["router"]>["generated"]>) => {
    const one = group([], { router: { type: "smg", generated } });
    return resolveGroup(service([one, prefill, decode]), one);
  };

  it("is launched where its host is reached, on ports that may move, and behind its own key", () => {
    const { commands, ports, role, warnings } = made({ policy: "round_robin", pdDisaggregation: true });
    expect(commands).toEqual([
      "command -v smg >/dev/null || pip install smg==1.13.0",
      "smg launch --pd-disaggregation --policy round_robin --host $HEADRACE_ADDRESS --port $HEADRACE_PORT " +
        "--prometheus-host $HEADRACE_ADDRESS --prometheus-port $HEADRACE_METRICS_PORT " +
        "--control-plane-api-keys headrace:headrace:admin:$HEADRACE_ROUTER_KEY --log-level warn",
    ]);
    expect({ ports, role, warnings }).toEqual({
      role: "router",
      ports: [
        { name: "service", port: 8000, env: "HEADRACE_PORT" },
        { name: "metrics", port: 29_000, env: "HEADRACE_METRICS_PORT" },
      ],
      warnings: [],
    });
  });

  it("chooses by SMG's own policy where none is given", () => {
    const [, line] = made({ policy: null, pdDisaggregation: false }).commands;
    expect(line).not.toContain("--policy");
    expect(line).not.toContain("--pd-disaggregation");
  });
});

describe("a flag that is a variable of the service's own", () => {
  const bootstrapOf = (value: string) => {
    const line = group(
      ["python -m sglang.launch_server --disaggregation-mode prefill --disaggregation-bootstrap-port $B"],
      {
        env: { B: value },
      },
    );
    return resolveGroup(service([line]), line).ports.find(({ name }) => name === "bootstrap")?.port;
  };

  it("has its value, unless that is filled in only when it is started", () => {
    expect(bootstrapOf("9001")).toBe(9001);
    expect(bootstrapOf("90${{ secrets.DIGITS }}")).toBe(8998);
  });
});
