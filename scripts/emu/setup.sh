#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# /emuhost/setup: what the emulated host needs before the command. Its output is
# shown, its failure ends the run.

mkdir -p /proc /sys /tmp /run /root /out /mnt /dev/pts /dev/shm
mount -t proc proc /proc &&
mount -t sysfs sysfs /sys &&
mount -t devpts devpts /dev/pts &&
mount -t tmpfs tmpfs /dev/shm &&
mount -t tmpfs tmpfs /tmp &&
mount -t debugfs debugfs /sys/kernel/debug &&
mount -t tracefs tracefs /sys/kernel/tracing || exit 1
ln -s /proc/self/fd /dev/fd
ip link set lo up 2>/dev/null
hostname emuhost

# Leaks that boot left are not ours.
if [ -w /sys/kernel/debug/kmemleak ]; then
	echo clear >/sys/kernel/debug/kmemleak
fi

if [ -e /emuhost/load-module ]; then
	if ! insmod /mhv/mhv.ko; then
		echo "emuhost: mhv.ko did not load; the kernel says:"
		dmesg | tail -n 5
		exit 1
	fi
fi
