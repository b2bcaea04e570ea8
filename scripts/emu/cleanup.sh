#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# /emuhost/cleanup: after the command, with every process of it gone.

status=0
if [ -e /emuhost/load-module ] && [ -d /sys/module/mhv ]; then
	if ! rmmod mhv; then
		echo "emuhost: mhv cannot be removed after the command ($(
			cat /sys/module/mhv/refcnt) references)"
		status=1
	fi
fi

# kmemleak passes over what is younger than five seconds; the second scan drops
# what the first saw in flight. A report is a line in the kernel log.
if [ -w /sys/kernel/debug/kmemleak ] && [ ! -e /emuhost/no-leak-scan ]; then
	echo 0 >/proc/sys/kernel/prove_locking	# three times as fast
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak
fi
exit $status
