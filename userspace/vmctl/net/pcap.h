/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_PCAP_H
#define VMCTL_PCAP_H

#include "../types.h"

#define PCAP_SNAPLEN	65535u

/**
 * struct pcap - a capture file
 * @fd:		-1: none, or given up after an error
 * @path:	for messages
 */
struct pcap {
	int fd;
	const char *path;
};

int pcap_open(struct pcap *pcap, const char *path);
void pcap_write(struct pcap *pcap, const u8 *frame, unsigned int len);
void pcap_close(struct pcap *pcap);

#endif
