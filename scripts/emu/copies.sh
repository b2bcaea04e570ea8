#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# copies.sh VMCTL RUN OPTION...: on the emulated host, run a guest that copies a file, with
# a trace of all that it does; and one without a trace, which would have a price of its
# own, that copies the file twice: with all that mhv has to make its accesses cheap, and
# with nothing of that.

/mnt/guest/serve.sh 400000 || exit
words='console=ttyS0 cryptomgr.notests'

# a kernel tells who it is as a notice
vmctl trace record -o /out/trace.dat -- "$@" --name demo --net user,pcap=/out/trace.pcap \
	--append "$words loglevel=6 guest.job=copy" </dev/null || exit
echo
echo "Without the trace; once more, and then without routes and caches:"
"$@" --name demo --net user --append "$words quiet guest.job=compare" </dev/null
