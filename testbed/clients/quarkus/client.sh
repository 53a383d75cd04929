runtime() { java_runtime; }
install() {
  cp -R "$source/pom.xml" "$source/src" .
  mvn --batch-mode --quiet package >&2
}
run() { java_run -jar "$INSTALLED/target/quarkus-app/quarkus-run.jar"; }
