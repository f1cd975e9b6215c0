import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Accelerator } from "../../wire/index.ts";
import { chooseBlock } from "./accelerators.ts";

interface Place {
  numa?: number | null;
  nics?: string[];
  distance?: "pix" | "node";
  name?: string;
}

function accelerator(index: number, place: Place = {}): Accelerator {
  const { numa = 0, nics = [`nic${index}`], distance = "pix", name = "H100" } = place;
  const bus = `0000:${index.toString(16).padStart(2, "0")}:00.0`;
  const device = { bus, numa, driver: null, uuid: null, nodes: [], near: { distance, nics } };
  return { index, vendor: "nvidia", name, memoryGib: 80, device };
}

/** Two nodes of four accelerators, two of which share a switch with its NICs. */
const HOST = Array.from({ length: 8 }, (_, index) =>
  accelerator(index, { numa: index < 4 ? 0 : 1, nics: [`a${index >> 1}`, `b${index >> 1}`] }),
);

/** The indices of a block of `count` of those of the host that are free. */
const block = (count: number, ...free: number[]) =>
  chooseBlock(free.length === 0 ? HOST : HOST.filter(({ index }) => free.includes(index)), count).map(
    ({ index }) => index,
  );

describe("a block of a host's accelerators", () => {
  test("is on one node and under one switch where that can be", () => {
    expect(block(2)).toEqual([0, 1]);
    expect(block(2, 1, 2, 3)).toEqual([2, 3]);
    expect(block(4)).toEqual([0, 1, 2, 3]);
    expect(block(4, 1, 2, 3, 4, 5, 6, 7)).toEqual([4, 5, 6, 7]);
  });

  test("takes from what is broken up already, so that larger ones find room", () => {
    expect(block(1, 0, 1, 2, 3, 5, 6, 7)).toEqual([5]);
    expect(block(1, 0, 1, 3)).toEqual([3]);
    expect(block(2, 0, 1, 2, 3, 6, 7)).toEqual([6, 7]);
  });

  test("takes whole nodes first where one is not enough", () => {
    expect(block(5, 0, 1, 2, 4, 5, 6, 7)).toEqual([2, 4, 5, 6, 7]);
    expect(block(8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test("leaves those without a NIC of their own to the last", () => {
    const far = [accelerator(0, { nics: ["nic1", "nic2"], distance: "node" }), accelerator(1), accelerator(2)];
    expect(chooseBlock(far, 2).map(({ index }) => index)).toEqual([1, 2]);
  });

  test("is of one model where that can be, whatever nodes it takes", () => {
    const mixed = [0, 1, 2, 3].map((index) =>
      accelerator(index, { name: index % 2 === 0 ? "H100" : "H200", numa: index >> 1 }),
    );
    expect(chooseBlock(mixed, 2).map(({ index }) => index)).toEqual([0, 2]);
    expect(chooseBlock(mixed, 3).map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  test("is the lowest of accelerators of which nothing is known", () => {
    const declared = [3, 1, 2, 0].map(
      (index): Accelerator => ({ index, vendor: "amd", name: "MI300X", memoryGib: 192 }),
    );
    expect(chooseBlock(declared, 2).map(({ index }) => index)).toEqual([0, 1]);
  });
});

const host = fc
  .array(
    fc.record({
      numa: fc.constantFrom(null, 0, 1, 2),
      nics: fc.constantFrom("a", "b", "c", "a b").map((names) => names.split(" ")),
      distance: fc.constantFrom("pix" as const, "node" as const),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((places) => places.map((place, index) => accelerator(index, place)));

test("a block has as many as asked for, each once, on no more nodes than needed, in whatever order they come", () => {
  fc.assert(
    fc.property(host, fc.nat(), fc.nat(), (free, some, seed) => {
      const count = 1 + (some % free.length);
      const chosen = chooseBlock(free, count);
      expect(new Set(chosen).size).toBe(count);
      expect(chosen.every((one) => free.includes(one))).toBe(true);
      expect(nodesOf(chosen).length).toBe(fewestNodes(free, count));
      const turned = [...free.slice(seed % free.length), ...free.slice(0, seed % free.length)];
      expect(chooseBlock(turned, count)).toEqual(chosen);
    }),
  );
});

const nodesOf = (some: Accelerator[]) => [...Map.groupBy(some, ({ device }) => device?.numa).values()];

function fewestNodes(free: Accelerator[], count: number): number {
  const sizes = nodesOf(free).map((node) => node.length);
  sizes.sort((a, b) => b - a);
  const sumOf = (nodes: number) => sizes.slice(0, nodes).reduce((sum, size) => sum + size, 0);
  return sizes.findIndex((_, at) => sumOf(at + 1) >= count) + 1;
}
