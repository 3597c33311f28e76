#!/bin/bash
# pytest-xdist's `--dist loadgroup` keeps tests with the same xdist_group in one worker: it appends the group to the test's `_nodeid`.
# pytest 9.2 keeps its ids elsewhere, so nothing is appended; no warning is given, and the tests of a group run in several workers.
# Both are the newest versions that pip installs together. On pytest 9.0 the groups hold.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cat > "$folder/test_group.py" <<'END'
import os, time
import pytest

@pytest.mark.xdist_group("database")
@pytest.mark.parametrize("number", range(8))
def test_one_of_a_group(number):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(os.environ["PYTEST_XDIST_WORKER"] + "\n")
    time.sleep(0.2)
END
for pytest in 9.0.2 9.2.0; do
    python3 -m venv "$folder/v$pytest"
    "$folder/v$pytest/bin/pip" install -q "pytest==$pytest" pytest-xdist==3.8.0
    : > "$folder/seen"
    (cd "$folder" && SEEN=$folder/seen "v$pytest/bin/python" -m pytest -q -p no:cacheprovider -n 4 --dist loadgroup test_group.py) > "$folder/log" 2>&1 \
        || { cat "$folder/log"; exit 1; }
    workers=$(sort -u "$folder/seen" | wc -l)
    echo "pytest $pytest, pytest-xdist 3.8.0: 8 tests of one group ran in $workers workers; $(grep -ci warning "$folder/log" || true) warnings"
    case $pytest in
        9.0.2) [ "$workers" = 1 ] ;;
        9.2.0) [ "$workers" -gt 1 ] && ! grep -qi warning "$folder/log" ;;
    esac || { echo "the behaviour has changed"; exit 1; }
done
echo "as described"
