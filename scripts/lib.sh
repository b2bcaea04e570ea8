# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts share: where things are, and how the host kernels are named.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
build=${MHV_BUILD:-$top/build}
source_tree=$build/src/linux-source-6.1
me=${0##*/}

say() { echo "$me: $*" >&2; }
die() { echo "$me: $*" >&2; exit 1; }
bad_usage() { echo "$me: $* ($me --help tells more)" >&2; exit 2; }

# The stock host kernels: flavour, then the meta-package of its headers.
stock_flavours='6.1 6.12'
headers_meta() {
	case $1 in
	6.1)  echo linux-headers-cloud-amd64 ;;
	6.12) echo linux-headers-6.12-amd64 ;;
	esac
}

known_flavour() { case $1 in 6.1|6.12|debug) ;; *) return 1 ;; esac; }

# release FLAVOUR: its `uname -r`, from the headers that are installed
release() {
	local dep
	if [ "$1" = debug ]; then
		cat "$build/kernel/debug/release" 2>/dev/null
		return
	fi
	for dep in $(dpkg-query -W -f '${Depends}' "$(headers_meta "$1")" 2>/dev/null); do
		case $dep in
		linux-headers-[0-9]*) echo "${dep#linux-headers-}"; return ;;
		esac
	done
	return 1
}

# guest_release: the kernel of the guest with a network, which the host's "cloud" build
# of the same version has no drivers for
guest_release() {
	local rel
	rel=$(release 6.1) || return
	echo "${rel/-cloud/}"
}

# kernel_build_dir FLAVOUR: what modules are built against
kernel_build_dir() {
	if [ "$1" = debug ]; then
		echo "$build/kernel/debug/build"
	else
		echo "/usr/src/linux-headers-$(release "$1")"
	fi
}

# locked NAME COMMAND...: one at a time in this build directory
locked() {
	local name=$1 status
	shift
	mkdir -p "$build/lock"
	exec 8>"$build/lock/$name"
	flock 8
	"$@" 8>&-
	status=$?
	exec 8>&-
	return $status
}
