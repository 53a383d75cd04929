runtime() {
  python3 -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print("Python", sys.prefix, sys.version)' 2>/dev/null \
    || lacking "python3 from 3.10 on with venv and ensurepip"
}
install() {
  python3 -m venv .
  bin/python -m pip install --quiet --disable-pip-version-check --requirement "$source/requirements.txt" >&2
}
run() { exec "$INSTALLED/bin/python" "$source/application.py"; }
