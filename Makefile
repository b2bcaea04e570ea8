# SPDX-License-Identifier: GPL-2.0-only
#
# mhv: see make help.

KERNEL	?= 6.1
DEMO	?=
BENCH	?=
PREFIX	?= /usr/local
RELEASE	?= $(shell uname -r)
BUILD	:= $(or $(MHV_BUILD),$(CURDIR)/build)
LIBEXEC	:= $(DESTDIR)$(PREFIX)/libexec/mhv
PLUGINS	:= $(DESTDIR)$(PREFIX)/lib/traceevent/plugins
MODDIR	:= $(DESTDIR)/lib/modules/$(RELEASE)/extra

all: setup
	scripts/build-module $(KERNEL)
	$(MAKE) -s -C userspace/vmctl O=$(BUILD)/vmctl
	$(MAKE) -s -C selftests O=$(BUILD)/selftests

help:
	@echo 'make               build mhv.ko, vmctl and the selftests in build/'
	@echo '                   (KERNEL=6.1, 6.12 or debug, the emulated host; or a release)'
	@echo 'make demo          a Debian guest under mhv on the emulated host copies a file;'
	@echo '                   what that cost: build/demo/report.html'
	@echo 'make bench         measure mhv beside KVM on emulated hosts: build/bench/report.html'
	@echo '                   (BENCH=--config ept1-off, one configuration of the four)'
	@echo 'make bench-accept  have make check hold costs against what they are now'
	@echo 'make check         run all checks; the last line is N passed, N failed'
	@echo 'make setup         install what is missing, fetch the kernels (done by the above)'
	@echo 'make install       mhv.ko for the running kernel and vmctl on this machine'
	@echo '                   (PREFIX=/usr/local, DESTDIR=, RELEASE=$$(uname -r))'
	@echo 'make uninstall     remove them'
	@echo 'make clean         remove what was built, keep the kernels and the debug kernel'
	@echo 'make distclean     remove build/'
	@echo
	@echo 'scripts/emuhost --help   run any command on the emulated host'

setup:
	scripts/setup

demo:
	scripts/demo $(DEMO)

bench:
	scripts/bench $(BENCH)

bench-accept:
	scripts/bench --accept

check:
	scripts/check $(STAGES)

# On a real machine: needs the headers of its kernel, nothing of the emulated host.
install:
	scripts/build-module $(RELEASE)
	$(MAKE) -s -C userspace/vmctl O=$(BUILD)/vmctl
	install -D -m 644 $(BUILD)/module/$(RELEASE)/mhv.ko $(MODDIR)/mhv.ko
	install -D -m 755 $(BUILD)/vmctl/vmctl $(DESTDIR)$(PREFIX)/sbin/vmctl
	# what 'vmctl trace' needs, where its libraries were found
	if [ -e $(BUILD)/vmctl/vmctl-trace ]; then \
		install -D -m 755 $(BUILD)/vmctl/vmctl-trace $(LIBEXEC)/vmctl-trace && \
		install -D -m 644 $(BUILD)/vmctl/plugin_mhv.so $(PLUGINS)/plugin_mhv.so; \
	fi
	install -D -m 644 uapi/linux/mhv.h $(DESTDIR)$(PREFIX)/include/linux/mhv.h
	$(if $(DESTDIR),,depmod $(RELEASE))

uninstall:
	rm -f $(MODDIR)/mhv.ko $(DESTDIR)$(PREFIX)/sbin/vmctl
	rm -f $(LIBEXEC)/vmctl-trace $(PLUGINS)/plugin_mhv.so
	rm -f $(DESTDIR)$(PREFIX)/include/linux/mhv.h
	$(if $(DESTDIR),,depmod $(RELEASE))

clean:
	rm -rf $(addprefix $(BUILD)/,module vmctl selftests host check bench demo emu guest \
		guest-net tools lock)

distclean:
	rm -rf $(BUILD)

.PHONY: all help setup demo bench bench-accept check install uninstall clean distclean
