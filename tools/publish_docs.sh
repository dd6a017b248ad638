#!/usr/bin/env bash
# Add the site of this checkout to the branch gh-pages, and push it; a workflow runs this.
#
#   tools/publish_docs.sh branch main      as `dev`
#   tools/publish_docs.sh tag v1.2.0       as `1.2`, which becomes `latest`
#
# Needs the environment of `make docs`; VENV_DOCS names another. PUSH= makes the commit alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# -ne 2 ]; then
  sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
PATH=$(cd "${VENV_DOCS:-.venv-docs}/bin" && pwd):$PATH  # mike starts mkdocs
push=${PUSH---push}
export NO_MKDOCS_2_WARNING=true
git config user.name >/dev/null || git config user.name 'github-actions[bot]'
git config user.email >/dev/null ||
  git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
git fetch origin gh-pages --depth=1 2>/dev/null || true  # the first time there is none

released=$(mike list 2>/dev/null || true)
if [ "$1" = tag ]; then
  version=${2#v}
  mike deploy $push --update-aliases "${version%.*}" latest
  mike set-default $push latest
elif [[ $released == *'[latest]'* && $released != *'dev [latest]'* ]]; then
  mike deploy $push dev
else  # until the first release, the newest state is what `latest` means
  mike deploy $push --update-aliases dev latest
  mike set-default $push latest
fi
