#!/bin/sh
# Changes the code that measures, groups and scores in every way the tools know, in a copy of the
# tree, and prints the changes that no test notices. Explained in docs/testing.md.
set -eu
cd "$(dirname "$0")/../.."
bin=$PWD/.venv/bin
copy=$PWD/out/mutation
export OMP_NUM_THREADS=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 PATH="$bin:$PATH"

rm -rf "$copy"
mkdir -p "$copy"
tar cf - --exclude=__pycache__ calcviewer models resources tests pyproject.toml | tar xf - -C "$copy"
cd "$copy"
cp tests/mutation/mutmut.cfg setup.cfg
mutmut run --max-children "${1:-2}"
mutmut results

session=$copy/session.sqlite
settings=tests/mutation/cosmic_ray.toml
cosmic-ray baseline "$settings"
cosmic-ray init "$settings" "$session"
cr-filter-operators "$session" "$settings"
python -m tests.mutation.outside_functions "$session"
cosmic-ray exec "$settings" "$session"
cr-report --surviving-only --show-diff "$session"
