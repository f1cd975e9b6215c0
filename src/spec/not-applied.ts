import type { Described } from "./types.ts";

/**
 * Why a valid file is not applied, and what to do today: whole sentences, for a plan and for a refusal.
 * @returns null when it is
 */
export function whyNotApplied({ type, spec }: Described): string | null {
  switch (type) {
    case "service":
      return null;
    case "fleet":
      if (spec.hosts.kind !== "cloud") return null;
      return `Hosts are not rented from clouds yet. Leave \`nodes\` and what belongs to it out and let the hosts that you have join: \`headrace host join --fleet ${spec.name}\` prints the line to paste on each.`;
    case "gateway":
      return `Gateways do not exist yet. Services are reached through the control plane, at \`/proxy/services/PROJECT/SERVICE/\` and \`/proxy/models/PROJECT/\`; for a domain of your own put a reverse proxy in front of it.`;
    case "volume":
      return "Volumes of clouds do not exist yet. Mount a folder that the hosts have, for example a shared file system: `volumes: [/mnt/models:/models]` in the service.";
  }
}
