runtime() {
  command -v npm >/dev/null || lacking npm
  node -e 'if (parseInt(process.versions.node) < 18) process.exit(1); console.log("Node", process.version)' 2>/dev/null || lacking "Node from 18 on"
}
install() {
  cp "$source"/package.json "$source"/package-lock.json "$source"/application.js .
  npm ci --ignore-scripts --no-audit --no-fund --silent >&2
}
run() { NODE_DEBUG=net,tls,stream exec node "$INSTALLED/application.js"; }
