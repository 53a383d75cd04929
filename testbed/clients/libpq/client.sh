# libpq before 15 looks for no addresses in certificates, and local endpoints may be addresses. The PostgreSQL that the local RDS has downloaded brings libpq along; the C compiler is one that the test bed needs anyway.
runtime() {
  local found
  found=$(find "${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/postgresql" -path '*/1[5-9].*/lib/libpq.so.5' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || lacking "libpq from 15 on: the local RDS has not run a PostgreSQL of that age yet"
  printf '%s\n' "$found"
}
install() {
  local libpq
  libpq=$(runtime)
  cc -Wall -Werror -o application "$source/application.c" "$libpq" -Wl,-rpath,"$(dirname "$libpq")" -Wl,--allow-shlib-undefined >&2
}
run() { exec "$INSTALLED/application"; }
