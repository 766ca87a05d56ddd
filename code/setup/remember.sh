# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What was found good need not be looked at again as long as it, the critic and all else that he saw stay the same.
# To be sourced after environment.sh.

# shellcheck disable=SC2154
checked=$fwts_cache/checked

# checked_key DIR WORD...: names a module's own files together with everything in WORDs.
checked_key() {
    local dir=$1 file
    shift
    {
        printf '%s\n' "$@"
        for file in "$dir"/*.[ch] "$dir/Kbuild"; do
            [[ $file == *.mod.c ]] || { printf '%s\n' "${file##*/}" && cat "$file"; }
        done
    } | sha256sum | cut -c1-32
}

# was_checked KEY: whether this was found good before.
was_checked() { [ -e "$checked/$1" ]; }

# now_checked KEY: it is good.
now_checked() { mkdir -p "$checked" && : >"$checked/$1"; }
