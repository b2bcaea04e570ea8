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

# kmemleak passes over what is younger than five seconds, and a first scan only
# takes the checksum of what it suspects. A report is a line in the kernel log.
if [ -e /emuhost/leak-scan ]; then
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak
fi
exit $status
