# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What `kernel` and `guest` share: messages, progress, locks.

# shellcheck source=../../code/setup/environment.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../code/setup/environment.sh"
# shellcheck disable=SC2034,SC2154
cache=$fwts_cache
# depmod and friends are not on a plain user's path.
PATH=$PATH:/usr/sbin:/sbin

# make cannot build in a directory with a space in its name.
case $cache in
*[[:space:]:]*)
	printf '%s: the cache is %s, and the kernel cannot be built in a directory with a space or colon\n  %s\n' \
		"${0##*/}" "$cache" 'set FWTS_CACHE to another directory' >&2
	exit 1
	;;
esac

say() { printf '%s\n' "$*" >&2; }

# die MESSAGE [WHAT-TO-DO]
die() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
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
	say "waiting for another build that holds $1"
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
