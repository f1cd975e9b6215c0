/**
 * What starts an installed agent, kept there as `run`. Its variables `dir` and `from`, and the function
 * `start_agent`, are written before it by the installation. It decides which build is started, by the files
 * that agents/host/update/installation.ts tells of, and goes back from one on trial that does not show itself. A build
 * on trial is told of nothing: it stays when a report of it was accepted. With arguments nothing is on trial.
 */
export const RUN_SCRIPT = `# Starts the agent of this host. It goes on as the agent's own process.
set -u
here=$(cd "$(dirname "$0")" && pwd)
starts_max=3
# A build on trial that the server has not accepted after this many seconds is ended for good.
trial_s=\${HEADRACE_TRIAL_S:-180}

# A file is there whole or as it was.
put() {
  printf '%s\\n' "$2" >"$here/$1.new" && mv -f "$here/$1.new" "$here/$1"
}

# The build before takes over again, and tells the server why.
go_back() {
  put failed "$trial $order $1"
  rm -f "$here/trial"
}

# Beside the agent, whose process this one becomes: ends it when its time is over and it is still on trial.
watch_trial() {
  exec >/dev/null 2>&1 </dev/null
  waited=0
  while [ "$waited" -lt "$trial_s" ]; do
    sleep 1
    waited=$((waited + 1))
    [ "$(cat "$here/trial" 2>/dev/null)" = "$trial $order $starts" ] || exit 0
    [ -d "/proc/$1" ] || exit 0
  done
  go_back "the server had not accepted it after $trial_s s"
  if grep -q "$trial" "/proc/$1/cmdline" 2>/dev/null; then kill -KILL "$1"; fi
}

build=$(cat "$here/build")
if [ "$#" -eq 0 ] && read -r trial order starts 2>/dev/null <"$here/trial"; then
  case $starts in
    '' | *[!0-9]*) starts=$starts_max ;;
  esac
  if [ "$trial" = "$build" ]; then
    rm -f "$here/trial"
  elif [ ! -f "$dir/agent/$trial/agent.cjs" ]; then
    go_back "it is not on this host's disk any more"
  elif [ "$starts" -ge "$starts_max" ]; then
    go_back "it ended $starts times before the server had accepted it; its log says why"
  else
    starts=$((starts + 1))
    put trial "$trial $order $starts"
    build=$trial
    watch_trial "$$" &
  fi
fi

export NODE_COMPILE_CACHE="$dir/agent/$build/compile-cache"
export HEADRACE_INSTALL_DIR="$here" HEADRACE_INSTALL_FROM="$from" HEADRACE_AGENT_BUILD="$build"
start_agent "$dir/agent/$build/agent.cjs" "$@"
`;
