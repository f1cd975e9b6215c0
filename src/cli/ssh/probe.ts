import { UNIT } from "../../install/unit.ts";

/**
 * Asks a host about itself, as whoever logs in: one `key=value` a line. What only root may read of an agent that is
 * there is read by way of sudo, where that asks no password.
 */
export const PROBE_SCRIPT = `set -u
dir=\${HEADRACE_DIR:-/opt/headrace}
data=\${HEADRACE_DATA_DIR:-/var/lib/headrace}
if [ "$(id -u)" = 0 ]; then access=root
elif [ -n "\${HEADRACE_DIR:-}" ]; then access=own
elif sudo -n true 2>/dev/null; then access=sudo
else access=none
fi
as_root() {
  if [ "$access" = sudo ]; then sudo -n "$@"; else "$@"; fi
}
field() {
  printf '%s=' "$1"
  as_root cat "$data/credential.json" 2>/dev/null | sed -n 's/.*"'"$1"'":"\\([^"]*\\)".*/\\1/p' | head -n 1
  echo
}
printf 'access=%s\\nuser=%s\\n' "$access" "$(id -un)"
printf 'addresses=%s\\n' "$(hostname -I 2>/dev/null || ip -o addr show scope global | awk '{ sub("/.*", "", $4); print $4 }' | tr '\\n' ' ')"
field server
field fleet
field host
printf 'address=%s\\n' "$(as_root sed -n "s/.* --address '\\([^']*\\)'.*/\\1/p" "$dir/run" 2>/dev/null)"
printf 'agent=%s\\n' "$(as_root cat "$dir/build" 2>/dev/null)"
runs=no
if systemctl is-active --quiet ${UNIT} 2>/dev/null; then runs=yes; fi
keeper=$(as_root cat "$data/supervise.pid" 2>/dev/null) && [ -d "/proc/$keeper" ] && runs=yes
printf 'runs=%s\\n' "$runs"
echo probed=yes
`;

/** What a host says of itself. */
export interface Probe {
  /** How it can be changed: as the user that is root, by sudo, in folders of that user's own, or not at all. */
  access: "root" | "sudo" | "own" | "none";
  user: string;
  /** Its addresses. */
  addresses: string[];
  /** What it has joined; null = nothing. */
  joined: { server: string; fleet: string; host: string } | null;
  /** The one that its agent was told to have for others; null = none. */
  address: string | null;
  /** The build of the agent that is installed, "" for none and for one from before builds were kept apart. */
  agent: string;
  runs: boolean;
}

/** @returns null when this is not the whole of what a probe prints; lines that a login adds are passed over */
export function parseProbe(text: string): Probe | null {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^([a-z]+)=(.*)$/.exec(line.trim()) ?? [];
    if (key !== undefined && value !== undefined && !values.has(key)) values.set(key, value);
  }
  const of = (key: string) => values.get(key) ?? "";
  const access = (["root", "sudo", "own", "none"] as const).find((known) => known === of("access"));
  if (access === undefined || of("probed") !== "yes") return null;
  return {
    access,
    user: of("user"),
    addresses: of("addresses")
      .split(" ")
      .filter((address) => address !== ""),
    joined: of("host") === "" ? null : { server: of("server"), fleet: of("fleet"), host: of("host") },
    address: of("address") || null,
    agent: of("agent"),
    runs: of("runs") === "yes",
  };
}
