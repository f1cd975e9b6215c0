import * as z from "zod";
import { quote } from "../quote.ts";
import { bad, good, type Result } from "../result.ts";
import type { InstanceRef } from "../types.ts";
import { by, mapping, optional, refused, someOf, textOf } from "./fields.ts";
import { entityRef } from "./references.ts";

const noNumbers =
  "Hosts have names here and no numbers; write the host's `name`, which `headrace host list` shows, instead of `fleet` and `instance`";

const instanceMapping = mapping("instance", {
  name: optional(textOf(readHostName), null, {
    description: "The host's name, as `headrace host list` shows it",
    examples: ["gpu-1"],
  }),
  hostname: optional(textOf(readHostName), null, {
    description: "The host's own name or address",
    examples: ["gpu-1.example.com"],
  }),
  fleet: optional(entityRef, null, {
    description: "The fleet that `instance` counts in",
    examples: ["gpu-hosts"],
    standing: { kind: "refused", why: noNumbers },
  }),
  instance: refused(noNumbers, { description: "The number of a host in its fleet", examples: [0] }),
}).transform(
  by(({ name, hostname, fleet }): Result<InstanceRef> => {
    if (fleet !== null)
      return bad("`fleet` says nothing beside the name of a host, which is one of its project; remove it.");
    if (name !== null && hostname !== null) return bad("`name` and `hostname` are both given; write one of them.");
    if (name !== null) return good({ name });
    if (hostname !== null) return good({ hostname });
    return bad("This names no host; write its `name` or its `hostname`.");
  }),
);

/** Hosts that exist already and alone may be used. */
export const instances = optional(
  someOf(z.union([textOf(readHostName).transform((name): InstanceRef => ({ name })), instanceMapping])),
  null,
  { description: "Hosts that may be used, by name; any when left out", examples: [["gpu-1", "gpu-2"]] },
);

/** The names that hosts join under, and addresses of IP. */
function readHostName(written: string): Result<string> {
  if (/^[a-zA-Z0-9][a-zA-Z0-9.:-]{0,252}$/.test(written)) return good(written);
  return bad(`${quote(written)} is no name of a host; write it as \`headrace host list\` shows it.`);
}
