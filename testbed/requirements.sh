# Sourced by local.sh, test.sh and bench.sh: what they need of a machine.

# Says in one line each what the machine lacks, and stops if anything is missing.
requirements() {
  local missing=0
  lacking() { printf 'missing: %s\n' "$*" >&2; missing=1; }

  [ "$(uname -s)" = Linux ] || lacking "Linux: the test bed needs 127.0.0.0/8 as local addresses and PR_SET_PDEATHSIG (try a Linux VM or container)"
  command -v cargo >/dev/null || lacking "Rust: install it from https://rustup.rs; rust-toolchain.toml picks the version"
  command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null \
    || lacking "a C compiler: for the cryptography in aws-lc (Debian: apt-get install gcc libc6-dev)"
  # Go builds the control plane once; with KUBEBUILDER_ASSETS and an earlier build it is not called, which go-programs.sh knows better.
  command -v go >/dev/null || [ -d "${XDG_CACHE_HOME:-$HOME/.cache}/rds-operator/controlplane" ] \
    || lacking "Go 1.24 or newer: https://go.dev/dl; it builds etcd, kube-apiserver, kube-controller-manager and kubectl, once"
  [ "$missing" = 0 ] || exit 1
}

# Where cargo puts what it builds: CARGO_TARGET_DIR, the person's own cargo configuration, or `target`.
target_directory() {
  local found
  found=$(cargo metadata --no-deps --locked --format-version 1 | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
  [ -n "$found" ] || { echo "cargo metadata does not say where it builds" >&2; return 1; }
  printf '%s\n' "$found"
}
