#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Gradescope runs this once, as root, when it builds the autograder's image: tools, kernel, guest.
set -euo pipefail
autograder=${AUTOGRADER:-/autograder}
book=$autograder/source/from-wire-to-socket
export FWTS_CACHE=${FWTS_CACHE:-$autograder/cache}

if [ -e "$autograder/source/book.tar" ] && [ ! -e "$book" ]; then
    mkdir -p "$book"
    tar -xf "$autograder/source/book.tar" -C "$book"
fi
unset CDPATH
cd "$book"
# The image may not have make itself; all else is in packages.list.
command -v make >/dev/null || { apt-get -q update && apt-get -q -y install --no-install-recommends make; }
make grading
# What the first grading would have to prepare: the guest's state after its boot, the skeleton's objects.
lab=$(cat "$autograder/source/lab")
build/bin/grade skeleton --lab "$lab" --out "$autograder/skeleton"
status=0
build/bin/grade --lab "$lab" --submission "$autograder/skeleton" || status=$?
# 1: graded, marks lost, as a skeleton should. Anything else shows here, and not to the first student.
[ "$status" -eq 1 ] || { echo "setup: the skeleton cannot be graded in this image (status $status)" >&2; exit 1; }
