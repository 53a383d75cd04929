#!/usr/bin/env bash
# Real clients that log in with nothing but the files of a mounted Secret: each folder beside this script is one.
#
#   testbed/clients/client.sh CLIENT install   installs what it runs on, once, into the user's cache folder, and prints where that is
#   testbed/clients/client.sh CLIENT run       runs it, as an application that finds
#     SERVICE_BINDING_ROOT   the folder in which the folder `orders` is the mounted Secret
#     PGSSLROOTCERT          its root.crt
#     INSTALLED              what `install` printed
#     QUESTION               a query: its answer is one text, which goes to stdout
#
# CLIENT/client.sh has the functions `runtime`, which says what the machine has to run it with or is `lacking` it, `install`, which fills the
# folder that it is called in, and `run`. Where something is lacking the end is 3, after a line that says what.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
client=${1:-}
if [ $# -ne 2 ] || [ ! -f "$here/$client/client.sh" ]; then
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
source=$here/$client
lacking() { printf 'there is no %s\n' "$*" >&2; exit 3; }
# For all that run on Java; a bare runtime has no compiler.
java_runtime() {
  command -v mvn >/dev/null || lacking Maven
  local version
  version=$(javac -version 2>&1) || lacking "Java with its compiler"
  [ "$(sed 's/^javac \([0-9]*\).*/\1/' <<<"$version")" -ge 17 ] || lacking "Java from 17 on"
  printf '%s\n' "$version"
}
java_install() {
  mvn --batch-mode --quiet org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -f "$source/pom.xml" -DoutputDirectory="$PWD" >&2
  javac -cp './*' -d classes "$source"/*.java >&2
}
# Java is to start soon: nothing here runs for long.
java_run() { exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"; }
. "$source/client.sh"

case $2 in
  run) run ;;
  install)
    having=$(runtime)
    printf '%s\n' "$having" >&2
    key=$({ find "$source" -type f | LC_ALL=C sort | xargs cat; printf '%s\n' "$having"; cat "${BASH_SOURCE[0]}"; } | sha256sum | cut -c1-12)
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/clients
    kept=$cache/$client-$key-$(uname -s)-$(uname -m)
    mkdir -p "$cache"
    # Two that start at once install once. What was left half done is begun anew.
    exec 9>"$kept.lock"
    flock 9
    if [ ! -f "$kept/installed" ]; then
      rm -rf "$kept" && mkdir "$kept" && cd "$kept"
      install
      touch installed
    fi
    printf '%s\n' "$kept"
    ;;
esac
