import { MAX_REPLICAS } from "../limits.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { Blocks, CloudHosts } from "../types-fleet.ts";
import { readInteger } from "./number.ts";
import { readRange } from "./range.ts";

type Nodes = CloudHosts["nodes"];

/** `n`, `a..b` or `a..`: the lower end is also how many there are at first. */
export function readNodes(written: string | number): Result<Nodes> {
  const range = readRange(written, readNodeCount);
  return range.ok ? good({ min: range.value.min, target: range.value.min, max: range.value.max }) : range;
}

export function readNodeCount(written: string | number): Result<number> {
  return readInteger(written, `a fleet has 0 to ${MAX_REPLICAS} nodes, for example \`2\` or \`0..4\``, 0, MAX_REPLICAS);
}

/** @param target null = the lower end */
export function orderedNodes(min: number, target: number | null, max: number | null): Result<Nodes> {
  const nodes = { min, target: target ?? min, max };
  if (nodes.target < min)
    return bad(
      `\`target\` ${quote(nodes.target)} is below \`min\` ${quote(min)}; it lies between \`min\` and \`max\`.`,
    );
  if (max !== null && nodes.target > max) {
    const which = target === null ? "min" : "target";
    return bad(
      `\`${which}\` ${quote(nodes.target)} is above \`max\` ${quote(max)}; the order is \`min\`, \`target\`, \`max\`.`,
    );
  }
  return good(nodes);
}

/** Accelerators of one host are never more than this. */
const MAX_BLOCKS = 64;

export function readBlocks(written: string | number): Result<Blocks> {
  if (written === "auto") return good("auto");
  return readInteger(written, `write a number from 1 to ${MAX_BLOCKS}, or \`auto\``, 1, MAX_BLOCKS);
}
