import { UNIT } from "./unit.ts";

/**
 * What takes an installed agent off its host again, kept there as `leave`. Its variables `dir`, `data` and `init` are
 * written before it by the installation. It can be run again after it was interrupted.
 */
export const LEAVE_SCRIPT = `# Takes the agent of Headrace off this host: ends its jobs, tells the server, and removes all that its installation and it
# have made.
set -u
unit=/etc/systemd/system/${UNIT}

fail() {
  printf 'headrace: %s\\n' "$*" >&2
  exit 1
}

is_kept_up() {
  keeper=$(cat "$data/supervise.pid" 2>/dev/null) || return 1
  tr '\\0' '\\n' <"/proc/$keeper/cmdline" 2>/dev/null | grep -qxF "$dir/supervise"
}

end_agent() {
  if [ "$init" = systemd ]; then
    if [ -f "$unit" ]; then
      systemctl disable --now --quiet ${UNIT} || fail "systemd cannot stop the agent: see systemctl status ${UNIT}"
      rm -f "$unit"
      systemctl daemon-reload
    fi
  elif is_kept_up; then
    kill -TERM "$keeper"
    waited=0
    while is_kept_up; do
      [ "$waited" -lt 60 ] || fail "the agent does not end: end process $keeper, then run this again"
      sleep 1
      waited=$((waited + 1))
    done
  fi
}

# The one that the agent made for jobs, and only with the machine's own agent: another one may use it too.
remove_job_user() {
  [ "$(id -u)" = 0 ] && [ "$data" = /var/lib/headrace ] || return 0
  case $(grep '^headrace-job:' /etc/passwd) in
    *:/nonexistent:/usr/sbin/nologin) userdel headrace-job || printf 'The user headrace-job stays.\\n' ;;
  esac
}

main() {
  end_agent
  if [ -x "$dir/run" ]; then
    "$dir/run" --leave || fail "its jobs could not be ended, as said above: run this again"
  fi
  rm -rf "$data" || fail "$data cannot be removed"
  remove_job_user
  rm -rf "$dir" || fail "$dir cannot be removed"
  printf 'The agent is off this host, and nothing of it is left.\\n'
}

main
exit
`;
