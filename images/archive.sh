#!/usr/bin/env bash
# Makes an image's archive of a root folder without a container engine: what `docker save` leaves, for `docker load` and `ctr images import`.
#
#   images/archive.sh NAME:TAG FOLDER ARCHIVE --dockerfile DOCKERFILE
#   images/archive.sh NAME:TAG FOLDER ARCHIVE [--user UID:GID] -- PROGRAM [ARGUMENT...]
#
# A Dockerfile gives what its last stage says of user, entry point, ports and labels; how it fills the image is not read. All files are
# root's, with one date (SOURCE_DATE_EPOCH, or 1970), so that the same folder gives the same bytes. FOLDER's own mode stays outside.
set -euo pipefail

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
die() { printf 'images/archive.sh: %s\n' "$*" >&2; exit 1; }

[ $# -ge 5 ] || usage
name=$1 folder=$2 archive=$3
shift 3
case ${name##*/} in *:?*) ;; *) die "$name has no tag" ;; esac
[ -d "$folder" ] || die "$folder is no folder"

# A string in JSON. What would need more than this has no place in a name or a label.
quoted() {
  local text=$1
  case $text in *[[:cntrl:]]*) die "a control character in ${text@Q}" ;; esac
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

# Strings as members, with commas between them: those of a list, or with a value behind each those of an object.
members() {
  local value=$1 separator='' text
  shift
  for text in "$@"; do
    printf '%s%s%s' "$separator" "$text" "$value"
    separator=,
  done
}

# The instructions of a Dockerfile's last stage, a line each.
last_stage() {
  sed -e '/^[[:space:]]*#/d' -e ':join' -e '/\\$/{N;s/\\\n[[:space:]]*//;bjoin' -e '}' "$1" \
    | awk 'toupper($1) == "FROM" { stage = ""; next } NF { stage = stage $0 "\n" } END { printf "%s", stage }'
}

user='' entrypoint='' ports=() labels=()
read_dockerfile() {
  local instruction rest port word='^([^[:space:]=]+)="([^"\\$]*)"[[:space:]]*(.*)$'
  while read -r instruction rest; do
    case ${instruction^^} in
      USER) user=$rest ;;
      ENTRYPOINT)
        [[ $rest == '['*']' ]] || die "$1: ENTRYPOINT is to be a list"
        entrypoint=$rest ;;
      EXPOSE)
        for port in $rest; do
          case $port in */*) ;; *) port+=/tcp ;; esac
          ports+=("$(quoted "$port")")
        done ;;
      LABEL)
        while [ -n "$rest" ]; do
          [[ $rest =~ $word ]] || die "$1: not understood: LABEL $rest"
          labels+=("$(quoted "${BASH_REMATCH[1]}"):$(quoted "${BASH_REMATCH[2]}")")
          rest=${BASH_REMATCH[3]}
        done ;;
      # How the image is filled is not this script's.
      COPY | ADD | ARG) ;;
      *) die "$1: $instruction is not understood" ;;
    esac
  done < <(last_stage "$1")
  [ -n "$entrypoint" ] || die "$1: the last stage has no ENTRYPOINT"
}

case $1 in
  --dockerfile)
    [ $# = 2 ] || usage
    [ -r "$2" ] || die "$2 cannot be read"
    read_dockerfile "$2" ;;
  *)
    if [ "$1" = --user ]; then user=$2; shift 2; fi
    if [ "${1:-}" != -- ] || [ $# -lt 2 ]; then usage; fi
    shift
    words=()
    for word in "$@"; do words+=("$(quoted "$word")"); done
    entrypoint="[$(members '' "${words[@]}")]" ;;
esac

case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) die "which architecture is $(uname -m) among images?" ;;
esac
epoch=${SOURCE_DATE_EPOCH:-0}

# Packs those files of a folder that stdin names. Owners, dates and order say nothing of the machine.
packed() {
  tar --create --file "$2" --directory "$1" --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$epoch" \
    --null --no-recursion --files-from=-
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Without the folder itself: its mode may be that of mktemp, and who is not root would not get into the container's root.
(cd "$folder" && find . -mindepth 1 -printf '%P\0') | LC_ALL=C sort -z | packed "$folder" "$work/layer.tar"
layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)

settings=("\"Entrypoint\":$entrypoint")
[ -z "$user" ] || settings+=("\"User\":$(quoted "$user")")
[ ${#ports[@]} = 0 ] || settings+=("\"ExposedPorts\":{$(members ':{}' "${ports[@]}")}")
[ ${#labels[@]} = 0 ] || settings+=("\"Labels\":{$(members '' "${labels[@]}")}")
created=$(date --utc --date="@$epoch" +%Y-%m-%dT%H:%M:%SZ)
printf '{"architecture":"%s","os":"linux","created":"%s","config":{%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"%s","created_by":"images/archive.sh"}]}' \
  "$architecture" "$created" "$(members '' "${settings[@]}")" "$layer" "$created" >"$work/config.json"
config=$(sha256sum "$work/config.json" | cut -d' ' -f1)
mv "$work/config.json" "$work/$config.json"
printf '[{"Config":"%s.json","RepoTags":[%s],"Layers":["layer.tar"]}]' "$config" "$(quoted "$name")" >"$work/manifest.json"

# Files of root's that everybody may read, whatever the umask.
chmod 644 "$work"/*
printf '%s\0' manifest.json "$config.json" layer.tar | packed "$work" "$work/archive"
cp "$work/archive" "$archive"
