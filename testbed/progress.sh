# shellcheck shell=bash
# Sourced by go-programs.sh, local.sh and chaos.sh: a long build is one line that moves, not a thousand.

# Counts the lines of stdin as things that are done. On a terminal the line is rewritten, in a log it comes now and then.
#   progress NAME TOTAL THINGS
progress() {
  local name=$1 total=$2 things=$3 done=0 started=$SECONDS shown=$SECONDS
  while IFS= read -r _; do
    done=$((done + 1))
    if [ -t 2 ]; then
      printf '\r%s: %d of at most %d %s, %d s ' "$name" "$done" "$total" "$things" $((SECONDS - started)) >&2
    elif [ $((SECONDS - shown)) -ge 15 ]; then
      shown=$SECONDS
      printf '%s: %d of at most %d %s, %d s\n' "$name" "$done" "$total" "$things" $((SECONDS - started)) >&2
    fi
  done
  if [ -t 2 ] && [ "$done" -gt 0 ]; then printf '\n' >&2; fi
}

# cargo build of the whole workspace's programs. What the compiler says is shown when it has something to say.
cargo_bins() {
  local - log total status
  # A failure is looked at here, whatever the caller has set.
  set +e -o pipefail
  log=$(mktemp) || return
  printf 'services: cargo build, some minutes the first time\n' >&2
  # Cargo counts a crate for each version, and once more for what only the build itself runs.
  total=$(cargo tree --workspace --locked --edges normal,build --prefix none --no-dedupe 2>"$log" | sed 's/ (.*//' | sort -u | wc -l) \
    || { cat "$log" >&2; rm -f "$log"; return 1; }
  cargo build --workspace --bins --locked --color never 2>&1 | tee -a "$log" | sed -un '/^ *Compiling /p' | progress services "$total" crates
  status=$?
  [ "$status" = 0 ] || grep -vE '^ *(Compiling|Downloading|Downloaded|Updating|Blocking|Locking) ' "$log" >&2
  rm -f "$log"
  return "$status"
}
