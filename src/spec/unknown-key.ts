import { quote } from "./quote.ts";
import { service } from "./schema/service.ts";
import { placeAt } from "./schema/walk.ts";
import { nearest } from "./suggest.ts";

/** Keys of other tools and older versions, with where their meaning went. */
const elsewhere: Record<string, Record<string, string>> = {
  router: {
    policy: "is set on the router's own command line; remove it and write `--policy` into the group's commands",
    pd_disaggregation:
      "is set on the router's own command line; remove it and write `--pd-disaggregation` into the group's commands",
  },
  service: {
    count: "belongs to a group; for the service as a whole write `replicas`",
    role: "belongs to a group; write it into one of `groups`",
  },
};

const serviceKeys = placeAt(service, []).mappings.flatMap(({ keys }) => keys);

/**
 * Why a key is refused and what to write instead.
 *
 * @param mappings the mappings that may stand where the key was found
 */
export function explainUnknownKey(key: string, mappings: readonly { kind: string; keys: string[] }[]): string {
  for (const { kind } of mappings) {
    const moved = elsewhere[kind];
    if (moved !== undefined && Object.hasOwn(moved, key)) return `${quote(key)} ${moved[key]}.`;
    if (kind === "group" && serviceKeys.includes(key)) {
      return `${quote(key)} belongs to the service, not to a group; move it to the top level.`;
    }
  }
  const known = [...new Set(mappings.flatMap(({ keys }) => keys))];
  if (known.includes(key)) return `${quote(key)} does not fit the keys beside it; write either ${waysOf(mappings)}.`;
  const meant = nearest(key, known);
  if (meant !== null) return `${quote(key)} is unknown here; did you mean \`${meant}\`?`;
  return `${quote(key)} is unknown here; known are ${known.map((word) => `\`${word}\``).join(", ")}.`;
}

/** The keys of each mapping that may stand there. */
function waysOf(mappings: readonly { keys: string[] }[]): string {
  const ways = mappings.map(({ keys }) => keys.map((word) => `\`${word}\``).join(", "));
  return [...new Set(ways)].join(" or ");
}
