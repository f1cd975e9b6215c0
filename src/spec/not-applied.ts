import type { Described } from "./types.ts";

/** What a file may describe and nothing is made of yet. */
export type NotApplied = Exclude<Described, { type: "service" }>;

/** Why a valid file is not applied, and what to do today: whole sentences, for a plan and for a refusal. */
export function whyNotApplied({ type, spec: { name } }: NotApplied): string {
  switch (type) {
    case "fleet":
      return `Fleets are not made from files yet. A fleet exists as soon as a host joins it: \`headrace token create --host --fleet ${name}\` makes the token with which \`headrace agent\` joins on that host.`;
    case "gateway":
      return `Gateways do not exist yet. Services are reached through the control plane, at \`/proxy/services/PROJECT/SERVICE/\` and \`/proxy/models/PROJECT/\`; for a domain of your own put a reverse proxy in front of it.`;
    case "volume":
      return "Volumes of clouds do not exist yet. Mount a folder that the hosts have, for example a shared file system: `volumes: [/mnt/models:/models]` in the service.";
  }
}
