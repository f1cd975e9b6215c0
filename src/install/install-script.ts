import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from "./agent-process.ts";
import { LEAVE_SCRIPT } from "./leave-script.ts";
import { RUN_SCRIPT } from "./run-script.ts";
import { SUPERVISE_SCRIPT } from "./supervise-script.ts";
import { UNIT, unitFile } from "./unit.ts";

/** A Node that hosts can be given. */
export interface NodeSource {
  /** As `uname -m` says it, alternatives joined by `|`. */
  machine: string;
  /** Of the program itself, whatever it came in. */
  sha256: string;
  /** Of a .tar.gz that holds it as `bin/node`; null = `<sha256>.gz` beside this script. */
  url: string | null;
}

export interface InstallScriptParts {
  /** Of the agent's .tar.gz, which lies beside this script as `<sha256>.tar.gz`. */
  agentSha256: string;
  nodes: NodeSource[];
}

/** Node is 121 MiB and the agent 3; both are there twice while they are replaced, packed and unpacked. */
const DISK_KIB = 400 * 1024;

/** What asks the server about the token waits so long, in seconds. */
const ASK_S = 20;

/** Of a whole download, in seconds: 50 MB at 85 kB/s. */
const DOWNLOAD_S = 600;

/**
 * The script that installs an agent, in the shell language of POSIX. What it is told are variables set before it, in the
 * same text, so that no program's arguments ever hold the token (see `pasteLine`): HEADRACE_SERVER, HEADRACE_FROM (where
 * this script came from), HEADRACE_JOIN_TOKEN, and, each of them optional, HEADRACE_FLEET, HEADRACE_NAME,
 * HEADRACE_ADDRESS, HEADRACE_NETWORK, HEADRACE_AGENT_FLAGS, HEADRACE_DIR, HEADRACE_DATA_DIR and HEADRACE_INIT.
 */
export function installScript({ agentSha256, nodes }: InstallScriptParts): string {
  const cases = nodes.map(
    ({ machine, sha256, url }) => `    ${machine}) node_sha256=${sha256} node_url=${shellQuoted(url ?? "")} ;;\n`,
  );
  const environment = Object.entries(AGENT_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  return `#!/bin/sh
# Installs the agent of Headrace on this host, or brings it up to date. It can be run again at any time.
# All of it is functions that the last line calls: of a download that was cut off nothing runs.
set -eu

agent_sha256=${agentSha256}

say() {
  printf '%s\\n' "$*"
}

fail() {
  printf 'headrace: %s\\n' "$*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# A word that the shell reads as just this text.
quoted() {
  printf "'"
  printf %s "$1" | sed "s/'/'\\\\\\\\''/g"
  printf "'"
}

settle() {
  server=\${HEADRACE_SERVER:-}
  from=\${HEADRACE_FROM:-$server/install}
  token=\${HEADRACE_JOIN_TOKEN:-}
  dir=\${HEADRACE_DIR:-/opt/headrace}
  data=\${HEADRACE_DATA_DIR:-/var/lib/headrace}
  init=\${HEADRACE_INIT:-}
  if [ -z "$init" ]; then
    if [ -d /run/systemd/system ]; then init=systemd; else init=process; fi
  fi
  # Only this script needs it; it hands it to the agent alone.
  unset HEADRACE_JOIN_TOKEN
}

node_of_machine() {
  case $(uname -m) in
${cases.join("")}    *) return 1 ;;
  esac
}

free_kib() {
  folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  df -Pk "$folder" | awk 'NR == 2 { print $4 }'
}

# Says all that is missing at once.
check() {
  lacks=
  lack() {
    lacks="$lacks
  - $1"
  }
  [ -n "$server" ] || lack "HEADRACE_SERVER says which server to join: take the whole line that headrace host join prints"
  case $dir in /*) ;; *) lack "HEADRACE_DIR is no absolute path" ;; esac
  case $data in /*) ;; *) lack "HEADRACE_DATA_DIR is no absolute path" ;; esac
  case $init in systemd | process) ;; *) lack "HEADRACE_INIT is neither systemd nor process" ;; esac
  if [ "$(id -u)" != 0 ] && { [ "$init" = systemd ] || [ -z "\${HEADRACE_DIR:-}" ]; }; then
    lack "it must run as root: end the line with | sudo sh"
  fi
  if [ "$(uname -s)" != Linux ]; then
    lack "hosts run Linux, and this is $(uname -s)"
  elif ! node_of_machine; then
    lack "there is no agent for machines of the kind $(uname -m)"
  fi
  has curl || has wget || lack "curl or wget is needed"
  for program in tar gzip sha256sum sed awk df; do
    has "$program" || lack "$program is needed"
  done
  [ "$init" = systemd ] || has setsid || lack "setsid (of util-linux) is needed"
  if has df && has awk && [ "$(free_kib "$dir")" -lt ${DISK_KIB} ]; then
    lack "$dir needs ${DISK_KIB / 1024} MiB of free disk"
  fi
  [ -z "$lacks" ] || fail "the agent cannot be installed here:$lacks"
}

fetch() {
  if has curl; then
    curl -fsSL --retry 3 --connect-timeout 20 --max-time ${DOWNLOAD_S} -o "$2" "$1"
  else
    wget -q -T ${DOWNLOAD_S} -O "$2" "$1"
  fi || fail "$1 cannot be fetched, as said above. Is it reachable from this host?"
}

# What does not have the checksum that this script names is not run.
verify() {
  found=$(sha256sum <"$1")
  [ "\${found%% *}" = "$2" ] || fail "what came from $3 is not what was expected (SHA-256 \${found%% *}, not $2)"
}

# Before anything is fetched: whether the server would take the token. What it does not say, the join will. The token is
# in no program's arguments; wget has no way for that.
ask_server() {
  if [ -z "$token" ] || [ -e "$data/credential.json" ] || [ -e "$data/joining.json" ] || ! has curl; then return 0; fi
  answered=$(
    printf 'header = "Authorization: Bearer %s"\\n' "$token" |
      curl -s -K - --max-time ${ASK_S} -o "$staged/answer" -w '%{http_code}' \\
        "$server/agent/join\${HEADRACE_FLEET:+?fleet=$HEADRACE_FLEET}"
  ) || return 0
  case $answered in
    401 | 403 | 409)
      said=$(sed -n 's/.*"message":"\\([^"]*\\)".*/\\1/p' "$staged/answer")
      fail "the server $server does not accept this join token ($answered): $said. Nothing was installed."
      ;;
  esac
}

stage_agent() {
  [ ! -f "$dir/agent/$agent_sha256/agent.cjs" ] || return 0
  say "Fetching the agent ..."
  fetch "$from/$agent_sha256.tar.gz" "$staged/agent.tar.gz"
  verify "$staged/agent.tar.gz" "$agent_sha256" "$from"
  mkdir "$staged/agent"
  tar -xzf "$staged/agent.tar.gz" -C "$staged/agent"
  mkdir -p "$dir/agent"
  added_agent="$dir/agent/$agent_sha256"
  mv "$staged/agent" "$added_agent"
}

stage_node() {
  [ ! -f "$dir/node/$node_sha256/node" ] || return 0
  say "Fetching Node ..."
  mkdir "$staged/node"
  if [ -z "$node_url" ]; then
    fetch "$from/$node_sha256.gz" "$staged/node.gz"
    gzip -dc "$staged/node.gz" >"$staged/node/node" || fail "what came from $from is damaged"
  else
    fetch "$node_url" "$staged/node.tar.gz"
    inside=$(tar -tzf "$staged/node.tar.gz" | grep '/bin/node$') || fail "what came from $node_url holds no bin/node"
    tar -xzOf "$staged/node.tar.gz" "$inside" >"$staged/node/node"
  fi
  verify "$staged/node/node" "$node_sha256" "\${node_url:-$from}"
  chmod 755 "$staged/node/node"
  "$staged/node/node" --version >/dev/null || fail "Node does not run here, as said above; it needs glibc 2.28 or later"
  mkdir -p "$dir/node"
  added_node="$dir/node/$node_sha256"
  mv "$staged/node" "$added_node"
}

write_run() {
  {
    say '#!/bin/sh'
    say "dir=$(quoted "$dir")"
    say "from=$(quoted "$from")"
    say 'export ${environment.join(" ")}'
    say 'start_agent() {'
    say "  program=\\$1"
    say '  shift'
    printf "  exec %s ${AGENT_NODE_FLAGS.join(" ")} \\"\\$program\\"" "$(quoted "$dir/node/$node_sha256/node")"
    printf ' --server %s --data-dir %s' "$(quoted "$server")" "$(quoted "$data")"
    [ -z "\${HEADRACE_NAME:-}" ] || printf ' --name %s' "$(quoted "$HEADRACE_NAME")"
    [ -z "\${HEADRACE_ADDRESS:-}" ] || printf ' --address %s' "$(quoted "$HEADRACE_ADDRESS")"
    [ -z "\${HEADRACE_NETWORK:-}" ] || printf ' --network %s' "$(quoted "$HEADRACE_NETWORK")"
    for flag in \${HEADRACE_AGENT_FLAGS:-}; do printf ' %s' "$(quoted "$flag")"; done
    say ' "$@"'
    say '}'
    cat <<'END_OF_RUN'
${RUN_SCRIPT}END_OF_RUN
  } >"$staged/run"
  chmod 755 "$staged/run"
  say "$agent_sha256" >"$staged/build"
}

# Before anything else on this host changes: a token that is not accepted leaves nothing behind.
join_fleet() {
  status=0
  set -- --join-only
  [ -z "\${HEADRACE_FLEET:-}" ] || set -- "$@" --fleet "$HEADRACE_FLEET"
  if [ -n "$token" ]; then
    joined=$(HEADRACE_JOIN_TOKEN=$token "$staged/run" "$@") || status=$?
  else
    joined=$("$staged/run" "$@") || status=$?
  fi
  if [ "$status" = 75 ]; then
    # The server may have taken the token: the credential that was chosen for it must be there for the next try.
    data_is_new=
    fail "this host could not join, as said above. The same line can be tried again."
  fi
  [ "$status" = 0 ] || fail "this host did not join, as said above. Nothing was installed."
}

with_settings() {
  say '#!/bin/sh'
  say "dir=$(quoted "$dir")"
  say "data=$(quoted "$data")"
  say "init=$(quoted "$init")"
  cat
}

write_scripts() {
  with_settings >"$staged/leave" <<'END_OF_LEAVE'
${LEAVE_SCRIPT}END_OF_LEAVE
  with_settings >"$staged/supervise" <<'END_OF_SUPERVISE'
${SUPERVISE_SCRIPT}END_OF_SUPERVISE
  chmod 755 "$staged/leave" "$staged/supervise"
  mv -f "$staged/leave" "$staged/supervise" "$dir/"
  # What the control plane has the agent try is over: this build was asked for here. \`run\` finds it before it is new.
  rm -f "$dir/trial" "$dir/failed"
  mv -f "$staged/build" "$dir/build"
  mv -f "$staged/run" "$dir/run"
}

start_in_systemd() {
  cat >"/etc/systemd/system/${UNIT}" <<END_OF_UNIT
${unitFile("$dir/run")}END_OF_UNIT
  systemctl daemon-reload
  systemctl enable --quiet ${UNIT}
  systemctl restart ${UNIT}
}

start_without_systemd() {
  keeper=$(cat "$data/supervise.pid" 2>/dev/null) || keeper=
  if [ -n "$keeper" ] && tr '\\0' '\\n' <"/proc/$keeper/cmdline" 2>/dev/null | grep -qxF "$dir/supervise"; then
    kill -TERM "$keeper"
    wait_for "the agent that ran to end" ended
  fi
  setsid "$dir/supervise" >/dev/null 2>&1 </dev/null &
}

ended() {
  [ ! -d "/proc/$keeper" ]
}

works() {
  [ -f "$data/agent.lock" ]
}

wait_for() {
  waited=0
  while ! "$2"; do
    [ "$waited" -lt 60 ] || fail "waited a minute for $1, in vain: see \\\`$log\\\`"
    sleep 1
    waited=$((waited + 1))
  done
}

start_agent() {
  if [ "$init" = systemd ]; then
    log="journalctl -u ${UNIT}"
    start_in_systemd
  else
    log="tail $data/agent.log"
    start_without_systemd
  fi
  wait_for "the agent to start" works
}

# Of earlier versions. What still runs of them has its files open. The agent that was started may have begun to update.
remove_others() {
  on_trial=
  read -r on_trial rest 2>/dev/null <"$dir/trial" || on_trial=$agent_sha256
  for version in "$dir/agent"/* "$dir/node"/*; do
    case $version in
      "$dir/agent/$agent_sha256" | "$dir/agent/$on_trial" | "$dir/node/$node_sha256") ;;
      *) rm -rf "$version" ;;
    esac
  done
}

clean_up() {
  rm -rf "$staged" "$added_agent" "$added_node"
  [ -z "$dir_is_new" ] || rm -rf "$dir"
  [ -z "$data_is_new" ] || rm -rf "$data"
}

main() {
  settle
  check
  umask 022
  added_agent=
  added_node=
  dir_is_new=
  data_is_new=
  [ -e "$dir" ] || dir_is_new=yes
  [ -e "$data" ] || data_is_new=yes
  staged=$dir/staged.$$
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$staged"
  ask_server
  stage_agent
  stage_node
  write_run
  join_fleet
  added_agent=
  added_node=
  dir_is_new=
  data_is_new=
  write_scripts
  start_agent
  remove_others
  say "This host is \${joined% *}, in the fleet \${joined#* }. Its agent runs; its log: $log"
  if [ "$init" != systemd ]; then
    say "No systemd runs here: $dir/supervise keeps the agent up, until the next boot. Have it started at each boot."
  fi
  say "To take it off this host again: $dir/leave"
}

main
`;
}

/** A word that a POSIX shell reads as just this text. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
