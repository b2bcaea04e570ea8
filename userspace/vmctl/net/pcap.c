// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capture files in the pcap format, with times in nanoseconds (draft-ietf-opsawg-pcap):
 * little-endian headers, Ethernet frames.
 *
 * Each frame is one write(), so that the file is whole up to the last frame at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../clock.h"
#include "../msg.h"
#include "pcap.h"

#define PCAP_MAGIC_NSEC		0xa1b23c4du
#define PCAP_ETHERNET		1

struct pcap_header {
	u32 magic;
	u16 major, minor;
	u32 reserved[2];
	u32 snaplen, linktype;
} __packed;

struct pcap_record {
	u32 seconds, nanoseconds;
	u32 captured, length;
} __packed;

static int pcap_put(struct pcap *pcap, const struct iovec *part, int nr)
{
	size_t want = 0;
	ssize_t done;
	int i;

	for (i = 0; i < nr; i++)
		want += part[i].iov_len;
	do
		done = writev(pcap->fd, part, nr);
	while (done < 0 && errno == EINTR);
	if (done == (ssize_t)want)
		return 0;
	fail("%s: cannot write: %s", pcap->path, done < 0 ? strerror(errno) : "no space left");
	close(pcap->fd);
	pcap->fd = -1;
	return -1;
}

/**
 * pcap_open - begin a capture
 * @pcap:	out; pcap_close() it, also after an error
 * @path:	file, made new; must stay.  NULL: no capture
 *
 * Return: 0, or -1 with a message.
 */
int pcap_open(struct pcap *pcap, const char *path)
{
	struct pcap_header header = {
		.magic = PCAP_MAGIC_NSEC, .major = 2, .minor = 4, .snaplen = PCAP_SNAPLEN,
		.linktype = PCAP_ETHERNET,
	};
	struct iovec part = { &header, sizeof(header) };

	*pcap = (struct pcap){ .fd = -1, .path = path };
	if (!path)
		return 0;
	pcap->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (pcap->fd < 0)
		return fail("%s: cannot write: %s", path, strerror(errno));
	return pcap_put(pcap, &part, 1);
}

/**
 * pcap_write - add a frame; an error ends the capture, with a message
 * @pcap:	the capture, maybe none
 * @frame:	the frame
 * @len:	its bytes; what exceeds PCAP_SNAPLEN is cut off
 */
void pcap_write(struct pcap *pcap, const u8 *frame, unsigned int len)
{
	struct pcap_record record = { .captured = min_u64(len, PCAP_SNAPLEN), .length = len };
	struct iovec part[] = {
		{ &record, sizeof(record) }, { (void *)frame, record.captured },
	};
	u64 now;

	if (pcap->fd < 0)
		return;
	now = clock_realtime();
	record.seconds = now / NSEC_PER_SEC;
	record.nanoseconds = now % NSEC_PER_SEC;
	pcap_put(pcap, part, ARRAY_SIZE(part));
}

/**
 * pcap_close - end a capture
 * @pcap:	from pcap_open()
 */
void pcap_close(struct pcap *pcap)
{
	if (pcap->fd >= 0)
		close(pcap->fd);
	pcap->fd = -1;
}
