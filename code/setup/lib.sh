# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What install and doctor share: reading the list, and finding out what is there.

# shellcheck source=environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
here=$top/code/setup
list=${FWTS_PACKAGES_LIST:-$here/packages.list}

say()  { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die()  { warn "$*"; exit 1; }

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

# debian_mirror [LABEL]: the mirror of Debian (Debian-Security) that this system's apt has already.
debian_mirror() {
    local label=${1:-Debian} uri
    # The dollars are apt's own.
    # shellcheck disable=SC2016
    uri=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        awk -v label="$label" '$1 == label { print $2; exit }' || true)
    if [ -n "$uri" ]; then
        say "${uri%/}"
    elif [ "$label" = Debian-Security ]; then
        say "$(debian_mirror)-security"
    else
        say http://deb.debian.org/debian
    fi
}

# debian_sources VERSION [without-backports]: the lines of sources.list of that Debian, as the project wants it.
debian_sources() {
    local name mirror
    name=$(debian_codename "$1") || return
    mirror=$(debian_mirror)
    for suite in "$mirror $name" "$mirror $name-updates" "$(debian_mirror Debian-Security) $name-security"; do
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
        grep -Eq "^${group}[[:space:]]" "$list" || die "no group '$group' in packages.list; groups: $(groups_known | xargs)"
        grep -E "^${group}[[:space:]]" "$list"
    done
}

groups_known() { awk '!/^#/ && NF { print $1 }' "$list" | sort -u; }

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
