/**
 * What keeps an installed agent up on a host without systemd, kept there as `supervise`. Its variables `dir` and `data`
 * are written before it by the installation. SIGTERM ends the agent and it; jobs run on.
 */
export const SUPERVISE_SCRIPT = `# Keeps the agent of Headrace up on this host, which has no systemd.
set -u
ending=
agent=
echo $$ >"$data/supervise.pid"
trap 'ending=yes; [ -z "$agent" ] || kill -TERM "$agent" 2>/dev/null' TERM INT HUP
while [ -z "$ending" ]; do
  # Of a log that nobody rotates, two parts of 16 MiB at most are kept.
  size=$(wc -c <"$data/agent.log" 2>/dev/null || echo 0)
  [ "$size" -lt 16777216 ] || mv -f "$data/agent.log" "$data/agent.log.1"
  "$dir/run" >>"$data/agent.log" 2>&1 &
  agent=$!
  [ -z "$ending" ] || kill -TERM "$agent"
  # A signal ends the waiting, and the agent takes a moment more.
  while kill -0 "$agent" 2>/dev/null; do wait "$agent"; done
  agent=
  [ -n "$ending" ] || sleep 2
done
rm -f "$data/supervise.pid"
`;
