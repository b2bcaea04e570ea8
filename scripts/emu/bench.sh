#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench.sh full|short 1|0: on the emulated host, with ept=1 or ept=0 for both modules, measure
# all rows of mhv and KVM, or the short ones of mhv; the results to /out, as vmctl has them.

kind=$1 ept=$2
paging=ept modes=ept
[ "$ept" = 1 ] || paging=shadow modes=auto	# all that there are without EPT

out=/out/ept$ept
mkdir -p $out
rmmod mhv && insmod /mhv/mhv.ko ept="$ept" || exit
uname -r >$out/kernel
dmesg | sed -n 's/.*tsc: Detected \([0-9]*\)\.\([0-9]*\) MHz.*/\1\2/p' >$out/tsc_khz

# bench VERB OPTION...
bench() {
	echo "bench: ept=$ept: $1"
	vmctl bench "$@" --json >"$out/$1.json"
}

if [ "$kind" = short ]; then
	set -- --iterations 50
else
	modprobe kvm_intel ept="$ept" || exit
	set -- --iterations 200 --accel mhv,kvm
fi
bench ops "$@" --paging $paging &&
	bench mmio "$@" --paging $paging &&
	bench mmu "$@" --paging $modes &&
	bench scale "$@" --paging $paging || exit
[ "$kind" = full ] || exit 0

# work NAME ACCEL OPTION...
work() {
	local name=$1 accel=$2
	shift 2
	echo "bench: ept=$ept: a Debian guest, $name"
	vmctl run --accel "$accel" --paging $paging --kernel /mnt/guest/vmlinux \
		--initrd /mnt/guest/initrd --mem 256M --net user --phases --json --timeout 900 \
		--append "console=ttyS0 quiet cryptomgr.notests guest.job=bench" \
		--console "file:$out/work-$name.txt" "$@" </dev/null >"$out/work-$name.json" &&
		grep -q "the copy is right" "$out/work-$name.txt" &&
		grep -q "all pings were answered" "$out/work-$name.txt" && return
	cat "$out/work-$name.txt"
	return 1
}

/mnt/guest/serve.sh 1048576 &&
	work mhv mhv && work kvm kvm && work measured mhv --measure
