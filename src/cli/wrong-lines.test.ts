import picocolors from "picocolors";
import { expect, test } from "vitest";
import type { HostView } from "../control/views/views.ts";
import { wrongCount, wrongLines } from "./wrong-lines.ts";

const plain = picocolors.createColors(false);

/** As far as it is read here. */
function host(name: string, over: Partial<HostView>): HostView {
  return { name, fleet: "rack", problems: [], warnings: [], agentUpdate: null, ...over } as HostView;
}

const LONG = `the disk of /${"a".repeat(200)} is full`;

test("all that is wrong is said once and in full, problems first, with the hosts that it is wrong with", () => {
  const failed = { build: "0b".repeat(32), since: 0, failed: "it ended 3 times" };
  const hosts = [
    host("a", { warnings: [LONG, "no swap"] }),
    host("b", { warnings: [LONG], agentUpdate: failed }),
    host("c", {}),
    host("d", { problems: [{ kind: "nic", id: "mlx5_0", message: "mlx5_0 is\ngone" } as never] }),
    host("e", { agentUpdate: { ...failed, failed: null } }),
  ];
  expect(wrongLines(hosts, plain)).toEqual([
    "problem: d: mlx5_0 is gone",
    `warning: a, b: ${LONG}`,
    "warning: a: no swap",
    "warning: b: build 0b0b0b0b0b0b of the agent does not run there: it ended 3 times. No more hosts of fleet rack update: " +
      "headrace apply -f its file goes on, as does another build.",
  ]);
  expect(hosts.map(wrongCount)).toEqual([2, 2, 0, 1, 0]);
});

test("where much is wrong with many hosts, a screen of it is shown", () => {
  const alike = Array.from({ length: 8 }, (_, n) => host(`gpu-${n}`, { warnings: ["no swap"] }));
  expect(wrongLines(alike, plain)).toEqual(["warning: gpu-0, gpu-1, gpu-2, gpu-3, gpu-4 and 3 more: no swap"]);
  const apart = Array.from({ length: 23 }, (_, n) => host(`gpu-${n}`, { warnings: [`swap ${n}`] }));
  const lines = wrongLines(apart, plain);
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe("and 3 more: headrace host show has all that is wrong with a host");
});
