runtime() { java_runtime; }
install() { java_install; }
run() {
  java_run -cp "$INSTALLED/classes:$INSTALLED/*" -Dorg.springframework.cloud.bindings.boot.enable=true application.Application \
    --debug --trace --logging.level.root=TRACE --spring.main.web-application-type=none
}
