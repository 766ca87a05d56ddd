# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The one shell library: where things are, whatever the caller's environment says; messages; locks; what was found good
# before; packages. To be sourced first. Sets
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
# depmod and friends are not on a plain user's path.
PATH=$PATH:/usr/sbin:/sbin

# kbuild WORD...: make for the kernel's build system, which obeys variables of its environment (ARCH,
# CROSS_COMPILE, M, KCFLAGS ...) and of a make around it (-j, and M= of `make grade M=...`), and whose
# messages are read: it gets an environment of its own.
kbuild() {
    env -i PATH="$PATH" HOME="$HOME" LC_ALL=C ${TMPDIR:+"TMPDIR=$TMPDIR"} make "$@"
}

# say and note: a line on standard output, and one on standard error.
say()  { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die MESSAGE [WHAT-TO-DO]
die() {
    warn "$1"
    [ $# -lt 2 ] || printf '  %s\n' "$2" >&2
    exit 1
}

# need_programs PROGRAM:PACKAGE...: name every missing program and its package.
need_programs() {
    local pair missing='' packages=''
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null && continue
        missing+=" ${pair%%:*}"
        packages+=" ${pair#*:}"
    done
    [ -z "$missing" ] || die "missing programs:$missing" "apt-get install$packages"
}

# need_space DIR MIB WHAT
need_space() {
    local free
    mkdir -p "$1" || die "cannot create $1" 'set FWTS_CACHE to a directory you can write to'
    free=$(df --output=avail -BM "$1" | tail -1 | tr -dc 0-9)
    [ "$free" -ge "$2" ] && return
    die "$3 needs $2 MiB in $1, only $free MiB are free" \
        'free some space, or set FWTS_CACHE to a directory on a larger disk'
}

# with_lock FILE: hold FILE until the script ends; wait for whoever has it.
with_lock() {
    local fd
    exec {fd}>"$1"
    flock -n "$fd" && return
    note "waiting for another build that holds $1"
    flock "$fd"
}

# progress WHAT TOTAL: one step per input line. A percentage that moves on a
# terminal, a line every ten per cent in a log. TOTAL may be an estimate: it is
# never passed.
progress() {
    awk -v what="$1" -v total="$2" -v tty="$([ -t 2 ] && echo 1)" '
        BEGIN { shown = -1; start = systime() }
        {
            percent = int(NR * 100 / total)
            if (percent > 99)
                percent = 99
            if (tty && percent != shown)
                printf "\r%s %d %%  (%d s) ", what, percent, systime() - start
            if (!tty && percent >= shown + 10 || shown < 0)
                printf "%s %d %%\n", what, percent
            if (tty || percent >= shown + 10 || shown < 0)
                shown = tty ? percent : percent - percent % 10
            fflush()
        }
        END { printf tty ? "\r%s 100 %%  (%d s) \n" : "%s done in %d s\n", what, systime() - start }
    ' >&2
}

# need_plain_cache: make cannot build in a directory with a blank in its name.
need_plain_cache() {
    case $fwts_cache in
    *[[:space:]:]*)
        die "the cache is $fwts_cache, and the kernel cannot be built in a directory with a space or colon" \
            'set FWTS_CACHE to another directory' ;;
    esac
}

# What was found good need not be looked at again as long as it, the critic and all else that he saw stay the same.
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

# The list of packages that install and doctor read.
packages_list() { printf '%s\n' "${FWTS_PACKAGES_LIST:-$top/code/setup/packages.list}"; }

# Debian's major version, or nothing on other systems.
debian_version() {
    [ ! -r /etc/os-release ] || tr -d '"' </etc/os-release |
        awk -F= '$1 == "ID" { id = $2 } $1 == "VERSION_ID" { version = $2 }
                 END { if (id == "debian") printf "%s", version ? version : 99 }'
}

# debian_codename VERSION: the suite's name of a Debian that the project promises to run on.
debian_codename() {
    case $1 in
    12) say bookworm ;;
    13) say trixie ;;
    *) die "Debian '$1' is none that the project runs on: 12 or 13" ;;
    esac
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# debian_mirror [LABEL]: the mirror of Debian (or Debian-Security) that this system's apt has already. Its package lists
# must have been read once: they say what a mirror is of.
debian_mirror() {
    local label=${1:-Debian} uri
    # The dollars are apt's own.
    # shellcheck disable=SC2016
    uri=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        awk -v label="$label" '$1 == label { print $2; exit }' || true)
    [ -n "$uri" ] || [ "$label" != Debian ] || die "apt knows no mirror of Debian" \
        'add a line like "deb URI-OF-A-MIRROR bookworm main" to /etc/apt/sources.list, then, as root: apt-get update'
    say "${uri%/}"
}

# debian_sources VERSION [without-backports]: the lines of sources.list of that Debian, as the project wants it.
debian_sources() {
    local name mirror security
    name=$(debian_codename "$1") && mirror=$(debian_mirror) || return
    security=$(debian_mirror Debian-Security)
    for suite in "$mirror $name" "$mirror $name-updates" ${security:+"$security $name-security"}; do
        say "deb [signed-by=$keyring] $suite main"
    done
    # QEMU in Debian 12 itself has no igb device; bookworm-backports has one that does.
    [ "$1" != 12 ] || [ $# -gt 1 ] || say "deb [signed-by=$keyring] $mirror $name-backports main"
}

# private_apt DIR COMMAND ARGS...: apt with a state of its own in DIR, whose sources.list is there.
private_apt() {
    local apt=$1 command=$2
    shift 2
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
    [ -e "$apt/status" ] || : >"$apt/status"
    "$command" -q -o Dir::State="$apt/state" -o Dir::State::status="$apt/status" \
        -o Dir::Cache="$apt/cache" -o Dir::Etc::sourcelist="$apt/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o APT::Sandbox::User= \
        -o APT::Default-Release= -o Acquire::Languages=none "$@"
}

# The rows of the groups named, without comments: group package shown minimum purpose...
rows() {
    local group
    for group in "$@"; do
        grep -Eq "^${group}[[:space:]]" "$(packages_list)" || die "no group '$group' in packages.list; groups: $(groups_known | xargs)"
        grep -E "^${group}[[:space:]]" "$(packages_list)"
    done
}

groups_known() { awk '!/^#/ && NF { print $1 }' "$(packages_list)" | sort -u; }

# version_of PROGRAM: the first version number the program prints of itself.
version_of() {
    "$1" --version 2>/dev/null </dev/null | grep -Eo '[0-9]+(\.[0-9]+)+' | head -n 1
}

# at_least HAVE WANT: true when version HAVE is not below WANT.
at_least() { [ "$2" = - ] || [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# package_installed NAME: true when dpkg has it, whatever the architecture suffix.
package_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Abbrev}\n' "$1" 2>/dev/null | head -n 1)" = "ii " ]
}

# shown_there WHAT: is the thing that the third column names there?
shown_there() {
    local name=${1#*:}
    case $1 in
    include:*) printf '#include <%s>\n' "$name" | c++ -std=c++20 -E -x c++ - >/dev/null 2>&1 ;;
    file:*)    [ -e "$name" ] || { [ -n "${KERNEL_TARBALL:-}" ] && [ -e "$KERNEL_TARBALL" ]; } ;;
    python:*)  /usr/bin/python3 -c "import $name" >/dev/null 2>&1 ;;
    tex:*)     kpsewhich "$name" >/dev/null 2>&1 ;;
    font:*)    fc-list 2>/dev/null | grep -q "$name" ;;
    *)         command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# state PACKAGE SHOWN MINIMUM: prints "ok", "missing" or "old VERSION".
# A program that is there and new enough counts, wherever it came from.
state() {
    local version
    case $2 in
    *:*)
        if [ -n "$(debian_version)" ] && [ "${2%%:*}" != file ]; then
            if package_installed "$1"; then say ok; else say missing; fi
        elif shown_there "$2"; then
            say ok
        else
            say missing
        fi ;;
    *)
        if ! shown_there "$2"; then
            say missing
        elif [ "$3" = - ]; then
            say ok
        else
            version=$(version_of "$2")
            if [ -n "$version" ] && at_least "$version" "$3"; then say ok; else say "old ${version:-unknown}"; fi
        fi ;;
    esac
}
