#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# copies.sh VMCTL RUN OPTION...: on the emulated host, run the guest that copies a file,
# with everything that mhv has to make its accesses cheap, and without. Both are traced.

/mnt/guest/serve.sh 400000 || exit
words='console=ttyS0 cryptomgr.notests guest.job=copy'

# copy NAME KERNEL-WORD VMCTL RUN OPTION...
copy() {
	local name=$1 word=$2
	shift 2
	echo "$name" >/tmp/run
	vmctl trace record -o "/out/$name.dat" -- \
		"$@" --name demo --append "$words $word" --net "user,pcap=/out/$name.pcap" </dev/null
}

# a kernel tells who it is as a notice
copy fast loglevel=6 "$@" || exit
echo
echo "The same without routes and caches:"
copy slow quiet "$@" --without vcpu-cache,mmio-spte,decode-cache,regfile,posted,eventfd
