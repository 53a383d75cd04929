runtime() { java_runtime; }
install() { java_install; }
run() { java_run -cp "$INSTALLED/classes:$INSTALLED/*" -Dorg.slf4j.simpleLogger.defaultLogLevel=trace Application; }
