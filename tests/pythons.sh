#!/bin/bash
# The whole suite on each Python that is here, against the built wheel: the package's source folder is out of sight.
#
#   pythons.sh FOLDER WHEEL [PYTHON…]     else python3.11 to python3.14 where they are, pyenv's, and Debian trees
#   pythons.sh FOLDER --install           Debian trees (debootstrap, as root): trixie brings 3.13, sid what is newest
#
# TESTS="tests/calls tests/laws" in the environment runs these instead of all.
# FOLDER keeps environments, trees and the log of each run; what came of each Python is a line in FOLDER/table.md.
set -euo pipefail
folder=$(mkdir -p "$1" && cd "$1" && pwd); shift
root=$(cd "$(dirname "$0")/.." && pwd)

# A tree of Debian's next releases, from the mirror that apt uses here. Nothing of this machine is changed.
plant() {
  command -v debootstrap > /dev/null || apt-get install -y -q --no-install-recommends debootstrap
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -1 || true)
  for suite in trixie sid; do
    [ -e "$folder/debian-$suite/.planted" ] && continue
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$suite" "$folder/debian-$suite" "$mirror"
    touch "$folder/debian-$suite/.planted"
  done
}
if [ "$1" = --install ]; then plant; exit; fi
wheel=$(cd "$(dirname "$1")" && pwd)/$(basename "$1"); shift

# What the suite reads beside the package: its tests, pages and figures.
suite=$folder/suite
rm -rf "$suite" && mkdir -p "$suite"
(cd "$root" && git ls-files -z -- . ':!deepseek_async' ':!tests/data/large' | xargs -0 cp --parents -t "$suite")

# In the folder of the suite: an environment with the wheel and what developing takes, then every test.
cat > "$folder/run" <<'END'
set -e
cd "$2"
"$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))'
"$1" -m venv --clear ".env-$3"
".env-$3/bin/python" -m pip install -q "$4[dev]"
".env-$3/bin/python" -c 'import deepseek_async; assert ".env" in deepseek_async.__file__, deepseek_async.__file__'
".env-$3/bin/python" -m pytest -q -n "${JOBS:-2}" --dist worksteal -p no:cacheprovider ${TESTS:-}
END

status=0
: > "$folder/table.md"
tell() { # name version code
  line=$(tail -1 "$folder/$1.log")
  echo "| $2 | $1 | $([ "$3" = 0 ] && echo passes || echo "**fails**") | ${line//|/ } |" | tee -a "$folder/table.md"
  [ "$3" = 0 ] || status=1
}

# Interpreters on this machine.
pythons=("$@")
[ ${#pythons[@]} -gt 0 ] || for minor in 11 12 13 14; do
  for python in "$(command -v python3.$minor || true)" "$HOME"/.pyenv/versions/3.$minor.*/bin/python; do
    if [ -x "$python" ]; then pythons+=("$python"); break; fi
  done
done
for python in ${pythons[@]+"${pythons[@]}"}; do
  version=$("$python" -c 'import platform; print(platform.python_version())')
  code=0
  env -u PYTHONPATH bash "$folder/run" "$python" "$suite" "$version" "$wheel" > "$folder/python-$version.log" 2>&1 || code=$?
  tell "python-$version" "Python $version" "$code"
done

# Debian trees: their own loopback is this machine's, their own /proc is mounted for the run alone.
for tree in "$folder"/debian-*/; do
  [ -e "$tree/.planted" ] || continue
  tree=${tree%/}
  rm -rf "$tree/suite" && cp -r "$suite" "$tree/suite" && cp "$wheel" "$folder/run" "$tree/suite/"
  cp /etc/resolv.conf "$tree/etc/" 2>/dev/null || true
  for config in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do [ -e "$config" ] && cp "$config" "$tree$config"; done
  version=$(chroot "$tree" python3 -c 'import platform; print(platform.python_version())')
  name=$(basename "$tree")
  code=0
  tree=$tree version=$version wheel=$(basename "$wheel") unshare --mount bash -c '
    mount --bind /dev "$tree/dev" && mount -t devpts devpts "$tree/dev/pts" 2>/dev/null; mount -t proc proc "$tree/proc" && mount -t tmpfs tmpfs "$tree/tmp"
    env -u PYTHONPATH -u PIP_FIND_LINKS HOME=/root LC_ALL=C.UTF-8 chroot "$tree" bash /suite/run /usr/bin/python3 /suite "$version" "/suite/$wheel"' \
    > "$folder/$name.log" 2>&1 || code=$?
  tell "$name" "Python $version" "$code"
done
exit $status
