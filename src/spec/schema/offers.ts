import * as z from "zod";
import { backendNames } from "../grammar/backends.ts";
import { readIdleDuration } from "../grammar/duration.ts";
import { readPositive } from "../grammar/number.ts";
import { readTagKey, readTagValue } from "../grammar/tags.ts";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import { optional, scalarOf, someOf, switchOf, text, textOf } from "./fields.ts";

/** The standing of a field that only matters where hosts are rented. */
export const withCloudFleets = { kind: "later", when: "cloud fleets exist" } as const;

/** Names as clouds give them: regions, zones, types of hosts, reservations. */
export const cloudName = textOf(readCloudName);

/** What one cloud alone understands is kept as it is written. */
const backendOption = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(text)]))
  .superRefine(({ type }, context) => {
    if (type === "vastai") return;
    const message =
      type === undefined
        ? "`type` is missing: the cloud that the options are for; write `type: vastai`, the only one that has any."
        : `${quote(String(type))} has no options of its own; only \`vastai\` has any.`;
    context.addIssue({ code: "custom", path: type === undefined ? [] : ["type"], message });
  });

const backendOptions = z.array(backendOption).superRefine((list, context) => {
  for (const index of list.keys()) {
    if (index === 0) continue;
    const message = "There are options for this cloud already; write them as one item of the list.";
    context.addIssue({ code: "custom", path: [index], message });
  }
});

/** Labels of what is made at a cloud. */
export const tags = optional(
  z.record(z.string(), textOf(readTagValue)).superRefine((map, context) => {
    for (const key of Object.keys(map)) {
      const read = readTagKey(key);
      if (!read.ok) context.addIssue({ code: "custom", path: [key], message: read.problem });
    }
  }),
  {},
  {
    description: "Labels that clouds put on what is made for it",
    examples: [{ team: "search" }],
    standing: { kind: "later", when: "clouds are called; until then tags are kept and shown" },
  },
);

/** Seconds, or null for ever. */
export function idleDuration(fallbackS: number) {
  return optional(switchOf(readIdleDuration), "default", {
    description: "How long an unused cloud host stays",
    examples: ["1h", "off"],
    standing: withCloudFleets,
  }).transform((value) => (value === "off" ? null : value === "default" ? fallbackS : value));
}

/** What says which hosts of which clouds will do: the part that services, profiles and cloud fleets have in common. */
export const offerFields = {
  backends: optional(someOf(z.enum(backendNames)), null, {
    description: "Clouds that may be used; any when left out",
    examples: [["aws", "gcp"]],
    standing: withCloudFleets,
  }),
  regions: optional(someOf(cloudName), null, {
    description: "Regions that may be used; any when left out",
    examples: [["eu-west-1"]],
    standing: withCloudFleets,
  }),
  availability_zones: optional(someOf(cloudName), null, {
    description: "Availability zones that may be used; any when left out",
    examples: [["eu-west-1a"]],
    standing: withCloudFleets,
  }),
  instance_types: optional(someOf(cloudName), null, {
    description: "Types of cloud hosts that may be used; any when left out",
    examples: [["p5.48xlarge"]],
    standing: withCloudFleets,
  }),
  reservation: optional(cloudName, null, {
    description: "Capacity reserved at the cloud that shall be used",
    examples: ["cr-0123456789abcdef0"],
    standing: withCloudFleets,
  }),
  spot_policy: optional(z.enum(["spot", "on-demand", "auto"]), null, {
    description: "Whether spot hosts, which the cloud may take back, will do: spot, on-demand or auto (both)",
    examples: ["auto"],
    standing: withCloudFleets,
  }),
  max_price: optional(scalarOf(readPositive), null, {
    description: "Dollars per hour that one host may cost at most",
    examples: [2.5],
    standing: withCloudFleets,
  }),
  backend_options: optional(backendOptions, [], {
    description: "What only one cloud knows, with that cloud as `type`",
    examples: [[{ type: "vastai" }]],
    standing: withCloudFleets,
  }),
  tags,
};

function readCloudName(written: string): Result<string> {
  if (/^[\x21-\x7e]{1,256}$/.test(written)) return good(written);
  return bad(`${quote(written)} cannot be a name at a cloud; write it without spaces, as the cloud gives it.`);
}
