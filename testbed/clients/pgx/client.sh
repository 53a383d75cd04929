runtime() { go version 2>/dev/null || lacking Go; }
install() {
  export CGO_ENABLED=0 GOWORK=off GOFLAGS='-mod=readonly -trimpath -buildvcs=false'
  (cd "$source" && go build -o "$OLDPWD/application" .) >&2
}
run() { exec "$INSTALLED/application"; }
