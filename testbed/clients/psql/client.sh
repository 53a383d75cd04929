# Before 15 it looks for no addresses in certificates, and local endpoints may be addresses.
runtime() {
  local version
  version=$(psql --version 2>/dev/null) || lacking psql
  [ "$(sed 's/^[^0-9]*\([0-9]*\).*/\1/' <<<"$version")" -ge 15 ] || lacking "psql from 15 on"
  printf '%s\n' "$version"
}
install() { :; }
run() {
  cd "$SERVICE_BINDING_ROOT/orders"
  # A password among the arguments could be seen in the list of processes.
  PGPASSWORD=$(cat password) exec psql --no-psqlrc --tuples-only --no-align --echo-all --set=VERBOSITY=verbose --command="$QUESTION" \
    "host=$(cat host) port=$(cat port) user=$(cat username) dbname=$(cat database) sslmode=$(cat sslmode)"
}
