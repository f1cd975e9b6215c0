import * as z from "zod";
import type { RouterSpec } from "../types.ts";
import { flag, mapping, optional, type Standing } from "./fields.ts";

/** The name of the group that is made of a router declared outside a group. */
export const ROUTER_GROUP = "router";

const smgOrSglang = "`smg` (or its older name `sglang`)";

/** Of a group: it runs the router, as its commands say. */
export const groupRouter = mapping("router", {
  type: optional(z.enum(["smg", "sglang", "dynamo"]), "smg", {
    description: `The program that spreads requests: ${smgOrSglang} or \`dynamo\``,
    examples: ["smg"],
  }),
}).transform(({ type }): RouterSpec => ({ type: type === "sglang" ? "smg" : type, generated: null }));

export const olderRouter: Standing = {
  kind: "extended",
  how: "files from before 0.21 have it, which newer dstack refuses; a router group is made of it",
};

/** Declared outside a group, as in older files: Headrace makes the group and its launch line. */
export const outerRouter = mapping("outer router", {
  type: optional(z.enum(["smg", "sglang"]), "smg", {
    description: `The program that spreads requests: ${smgOrSglang}; a \`dynamo\` router is a group with commands of its own`,
    examples: ["sglang"],
  }),
  policy: optional(z.enum(["cache_aware", "power_of_two", "random", "round_robin"]), null, {
    description: "How it chooses a worker; the router's own default when left out",
    examples: ["cache_aware"],
    standing: olderRouter,
  }),
  pd_disaggregation: optional(flag, false, {
    description: "Whether the groups are prefill and decode workers",
    examples: [true],
    standing: olderRouter,
  }),
}).transform(
  ({ policy, pd_disaggregation }): RouterSpec => ({
    type: "smg",
    generated: { policy, pdDisaggregation: pd_disaggregation },
  }),
);
