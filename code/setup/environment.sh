# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script of ours reads first: where things are, whatever the caller's environment says. Sets
#   top         the checkout
#   fwts_cache  the cache: $FWTS_CACHE, or from-wire-to-socket below $XDG_CACHE_HOME or ~/.cache

# With it `cd` prints where it went, into whatever the output is read by.
unset CDPATH
if [ -z "${HOME:-}" ]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
    export HOME=${HOME:-/}
fi
# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fwts_cache=${FWTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/from-wire-to-socket}
case $fwts_cache in /*) ;; *) fwts_cache=$PWD/$fwts_cache ;; esac
export FWTS_CACHE=$fwts_cache

# kbuild WORD...: make for the kernel's build system, which obeys variables of its environment (ARCH,
# CROSS_COMPILE, M, KCFLAGS ...) and of a make around it (-j, and M= of `make grade M=...`), and whose
# messages are read: it gets an environment of its own.
kbuild() {
    env -i PATH="$PATH" HOME="$HOME" LC_ALL=C ${TMPDIR:+"TMPDIR=$TMPDIR"} make "$@"
}
