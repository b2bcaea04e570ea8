// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cable: options, capture files, and the network in user space behind the device, from
 * its descriptors and back.
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "nic.h"
#include "soft.h"

/* ---- options ---------------------------------------------------------------- */

static void options(void **state)
{
	static const char forwards[] =
		"user,hostfwd=tcp::2222-:22,hostfwd=tcp:0.0.0.0:80-10.0.2.16:8080";
	struct net_option option;

	assert_int_equal(net_option_parse("user", &option), 0);
	assert_int_equal(option.kind, NET_USER);
	assert_true(option.plus && !option.pcap && !option.mac_given);
	net_option_free(&option);
	assert_int_equal(net_option_parse("user,mac=02:00:5E:10:ff:07,pcap=a b,model=8139c",
					  &option), 0);
	assert_memory_equal(option.mac, "\x02\x00\x5e\x10\xff\x07", 6);
	assert_string_equal(option.pcap, "a b");
	assert_false(option.plus);
	net_option_free(&option);
	assert_int_equal(net_option_parse(forwards, &option), 0);
	assert_int_equal(option.nr_forwards, 2);
	assert_int_equal(ntohl(option.forward[0].host_addr), 0x7f000001);
	assert_int_equal(option.forward[0].host_port, 2222);
	assert_int_equal(ntohl(option.forward[0].guest_addr), 0x0a00020f);
	assert_int_equal(option.forward[0].guest_port, 22);
	assert_int_equal(option.forward[1].host_addr, 0);
	assert_int_equal(ntohl(option.forward[1].guest_addr), 0x0a000210);
	net_option_free(&option);
	assert_int_equal(net_option_parse("tap=tap0,pcap=x", &option), 0);
	assert_string_equal(option.tap, "tap0");
	net_option_free(&option);
	assert_int_equal(net_option_parse("none", &option), 0);
	assert_int_equal(option.kind, NET_NONE);
	net_option_free(&option);
}

static void options_refused(void **state)
{
	static const char * const bad[] = {
		"", "bridge", "user2", "tap", "tap=", "tap=a-name-that-is-too-long", "user,",
		"user,x", "user,mac=", "user,mac=1:2:3:4:5:6", "user,mac=52:54:00:12:34:5g",
		"user,mac=52:54:00:12:34:567", "user,mac=01:00:5e:00:00:01", "user,pcap=",
		"user,model=", "user,model=8139", "tap=t,hostfwd=tcp::1-:2", "user,hostfwd=",
		"user,hostfwd=udp::1-:2", "user,hostfwd=tcp::1", "user,hostfwd=tcp::0-:2",
		"user,hostfwd=tcp::1-:65536", "user,hostfwd=tcp:1-:2", "user,hostfwd=tcp:x:1-:2",
		"user,hostfwd=tcp::1-:2x", "user,hostfwd=tcp::1-:",
	};
	struct net_option option;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(net_option_parse(bad[i], &option), -1);
		net_option_free(&option);
	}
}

/* ---- capture files ---------------------------------------------------------- */

static unsigned int read_file(const char *path, u8 *data, unsigned int size)
{
	int fd = open(path, O_RDONLY);
	ssize_t len = read(fd, data, size);

	assert_true(len >= 0);
	close(fd);
	return len;
}

static void captures(void **state)
{
	static const u8 head[24] = {
		0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff, 0, 0, 1, 0, 0, 0,
	};
	static const u8 record[16] = {
		0x44, 0x33, 0x22, 0x11, 0x15, 0xcd, 0x5b, 0x07, 60, 0, 0, 0, 60, 0, 0, 0,
	};
	static u8 data[200000], frame[65600];
	char path[] = "/tmp/vmctl-net-XXXXXX", command[128];
	int fd = mkstemp(path);
	struct pcap pcap;

	assert_true(fd >= 0);
	close(fd);
	memset(frame, 0x5a, sizeof(frame));
	test_realtime = 0x11223344 * NSEC_PER_SEC + 123456789;
	assert_int_equal(pcap_open(&pcap, path), 0);
	pcap_write(&pcap, frame, 60);
	pcap_write(&pcap, frame, sizeof(frame));
	pcap_close(&pcap);
	pcap_write(&pcap, frame, 60);
	assert_int_equal(read_file(path, data, sizeof(data)), 24 + 16 + 60 + 16 + 65535);
	assert_memory_equal(data, head, sizeof(head));
	assert_memory_equal(data + 24, record, sizeof(record));
	assert_memory_equal(data + 40, frame, 60);
	assert_memory_equal(data + 108, "\xff\xff\0\0\x40\0\1\0", 8);
	/* what reads such files agrees, where it is installed */
	snprintf(command, sizeof(command),
		 "command -v tshark >/dev/null || exit 77; tshark -r %s >/dev/null 2>&1", path);
	fd = system(command);
	assert_true(fd == 0 || fd == 77 << 8);
	unlink(path);
	assert_int_equal(pcap_open(&pcap, "/nowhere/file"), -1);
	pcap_close(&pcap);
	/* a full disk ends the capture, not the guest */
	assert_int_equal(pcap_open(&pcap, "/dev/full"), -1);
	pcap_write(&pcap, frame, 60);
	assert_int_equal(pcap.fd, -1);
}

/* ---- through the device ----------------------------------------------------- */

#define RX_RING		0x10000u
#define TX_RING		0x20000u
#define RX_BUFFER	0x30000u
#define TX_BUFFER	0x80000u
#define NR_RX		8u
#define OWN		0x80000000u
#define EOR		0x40000000u
#define WHOLE		0x30000000u

static unsigned int rx_next;

static void rx_give(unsigned int i)
{
	nic_desc(RX_RING, i, OWN | (i + 1 == NR_RX ? EOR : 0) | 2000, 0, RX_BUFFER + i * 2048);
}

static void start(const char *option)
{
	unsigned int i;

	test_clock_real = true;
	nic_create(option);
	nic_start(CPCR_RX | CPCR_TX | CPCR_RX_CHECKSUM);
	for (i = 0; i < NR_RX; i++)
		rx_give(i);
	rx_next = 0;
	nic_out(RTL_RDSAR, RX_RING, 8);
	nic_out(RTL_TNPDS, TX_RING, 8);
}

static void stop(void)
{
	nic_destroy();
	test_clock_real = false;
}

static void transmit(const u8 *frame, unsigned int len)
{
	nic_put(TX_BUFFER, frame, len);
	/* with all checksums made on the way: the frames here have none */
	nic_desc(TX_RING, 0, OWN | EOR | WHOLE | 7 << 16 | len, 0, TX_BUFFER);
	nic_out(RTL_TPPOLL, TPPOLL_NORMAL, 1);
	nic_settle();
	assert_int_equal(nic_get32(TX_RING) & OWN, 0);
}

/* the next frame from the network; time is real, and a network that says nothing hangs */
static unsigned int receive(u8 *frame)
{
	u64 end = clock_now() + 20 * NSEC_PER_SEC;
	u32 status;

	while ((status = nic_get32(RX_RING + 16 * rx_next)) & OWN) {
		assert_true(clock_now() < end);
		nic_settle();
	}
	assert_int_equal(status & WHOLE, WHOLE);
	memcpy(frame, nic.mem.base + RX_BUFFER + rx_next * 2048, (status & 0x1fff) - 4);
	rx_give(rx_next);
	rx_next = (rx_next + 1) % NR_RX;
	return (status & 0x1fff) - 4;
}

static const u8 guest_ip[4] = { 10, 0, 2, 15 }, host_ip[4] = { 10, 0, 2, 2 };
static const u8 everyone[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void ethernet(u8 *frame, const u8 *to, u16 type)
{
	memcpy(frame, to, 6);
	memcpy(frame + 6, nic_mac, 6);
	frame[12] = type >> 8;
	frame[13] = type;
}

static void ask_for_host(u8 host_mac[6])
{
	u8 frame[2048] = { 0 };

	ethernet(frame, everyone, 0x0806);
	memcpy(frame + 14, "\0\1\x08\0\6\4\0\1", 8);
	memcpy(frame + 22, nic_mac, 6);
	memcpy(frame + 28, guest_ip, 4);
	memcpy(frame + 38, host_ip, 4);
	transmit(frame, 42);
	/* a host has more to say when its interface comes up */
	do
		assert_true(receive(frame) >= 60);
	while (memcmp(frame, nic_mac, 6));
	assert_memory_equal(frame + 12, "\x08\6\0\1\x08\0\6\4\0\2", 10);
	assert_memory_equal(frame + 28, host_ip, 4);
	memcpy(host_mac, frame + 22, 6);
}

/* ---- in user space ---------------------------------------------------------- */

#if __has_include(<slirp/libslirp.h>)
static void ip_header(u8 *frame, u8 proto, const u8 *from, const u8 *to, unsigned int len)
{
	u8 *ip = frame + 14;

	ip[0] = 0x45;
	ip[2] = len >> 8;
	ip[3] = len;
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, from, 4);
	memcpy(ip + 16, to, 4);
}

/* ARP, then an echo: of the gateway, which answers by itself */
static void user_echo(void **state)
{
	char path[] = "/tmp/vmctl-net-XXXXXX", option[128];
	static u8 file[4096];
	u8 frame[2048] = { 0 }, host[6];
	unsigned int i, sum = 0;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	snprintf(option, sizeof(option), "user,mac=52:54:00:ab:cd:ef,pcap=%s", path);
	start(option);
	ask_for_host(host);
	memset(frame, 0, sizeof(frame));
	ethernet(frame, host, 0x0800);
	ip_header(frame, 1, guest_ip, host_ip, 20 + 8 + 32);
	frame[34] = 8;
	for (i = 0; i < 32; i++)
		frame[42 + i] = i;
	for (i = 34; i < 74; i += 2)
		sum += frame[i] << 8 | frame[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	frame[36] = sum >> 8;
	frame[37] = sum;
	transmit(frame, 74);
	memset(frame, 0, sizeof(frame));
	assert_int_equal(receive(frame), 74);
	assert_memory_equal(frame, nic_mac, 6);
	assert_int_equal(frame[34], 0);		/* the answer */
	assert_memory_equal(frame + 26, host_ip, 4);
	for (i = 0; i < 32; i++)
		assert_int_equal(frame[42 + i], i);
	assert_int_equal(nic.rtl->net.counters.sent, 2);
	assert_int_equal(nic.rtl->net.counters.received, 2);
	stop();
	/* all four are in the capture */
	assert_in_range(read_file(path, file, sizeof(file)), 24 + 4 * 16 + 42 + 42 + 74 + 74,
			24 + 4 * 16 + 64 + 64 + 74 + 74);
	unlink(path);
}

/* DHCP, as a driver's first frames are */
static void user_dhcp(void **state)
{
	u8 frame[2048] = { 0 }, *bootp = frame + 42;
	static const u8 nobody[4] = { 0 }, all[4] = { 255, 255, 255, 255 };

	start("user,mac=52:54:00:ab:cd:ef");
	ethernet(frame, everyone, 0x0800);
	ip_header(frame, 17, nobody, all, 20 + 8 + 244);
	memcpy(frame + 34, "\0\x44\0\x43\0\xfc", 6);
	bootp[0] = 1;
	bootp[1] = 1;
	bootp[2] = 6;
	memcpy(bootp + 4, "\x12\x34\x56\x78", 4);
	memcpy(bootp + 28, nic_mac, 6);
	memcpy(bootp + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
	transmit(frame, 42 + 244);
	memset(frame, 0, sizeof(frame));
	assert_true(receive(frame) > 42 + 240);
	assert_int_equal(bootp[0], 2);
	assert_memory_equal(bootp + 4, "\x12\x34\x56\x78", 4);
	assert_memory_equal(bootp + 16, guest_ip, 4);
	assert_memory_equal(bootp + 236, "\x63\x82\x53\x63\x35\1\2", 7);	/* an offer */
	stop();
}

/* a connection to a port of the host shows up at the guest as a SYN */
static void user_forward(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), probe;
	u8 frame[2048], host[6];
	char option[128];

	/* a port that is free */
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	probe = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(probe, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(probe, (struct sockaddr *)&addr, &len), 0);
	close(probe);
	snprintf(option, sizeof(option), "user,mac=52:54:00:ab:cd:ef,hostfwd=tcp::%u-:7",
		 ntohs(addr.sin_port));
	start(option);
	ask_for_host(host);
	assert_true(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) || errno == EINPROGRESS);
	do
		assert_true(receive(frame) >= 60);
	while (frame[12] != 0x08 || frame[13] != 0x00);
	assert_int_equal(frame[23], 6);
	assert_memory_equal(frame + 30, guest_ip, 4);
	assert_memory_equal(frame + 36, "\0\7", 2);
	assert_int_equal(frame[47], 2);		/* SYN */
	close(fd);
	stop();
}

static void user_forward_taken(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct net_option option;
	struct evloop loop;
	struct net net;
	char text[64];

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(text, sizeof(text), "user,hostfwd=tcp::%u-:7", ntohs(addr.sin_port));
	assert_int_equal(net_option_parse(text, &option), 0);
	assert_int_equal(evloop_init(&loop, NULL), 0);
	assert_int_equal(net_init(&net, &option, &loop, NULL), -1);
	net_destroy(&net);
	assert_null(loop.pollers);
	evloop_destroy(&loop);
	net_option_free(&option);
	close(fd);
}
#endif

/* ---- TAP -------------------------------------------------------------------- */

/* brings the interface up with the host's address */
static void set_up(const char *name)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, name);
	memcpy(&addr.sin_addr, host_ip, 4);
	memcpy(&request.ifr_addr, &addr, sizeof(addr));
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &request), 0);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &request), 0);
	request.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

/* the host itself answers, in a network of its own; needs root */
static void tap_asks(void **state)
{
	u8 host[6];

	if (access("/dev/net/tun", R_OK | W_OK) || unshare(CLONE_NEWNET))
		skip();
	start("tap=vmctltest,mac=52:54:00:ab:cd:ef");
	set_up("vmctltest");
	ask_for_host(host);
	ask_for_host(host);
	stop();
}

/* an interface that cannot be had */
static void tap_refused(void **state)
{
	struct net_option option;
	struct evloop loop;
	struct net net;

	assert_int_equal(net_option_parse("tap=no/name", &option), 0);
	assert_int_equal(evloop_init(&loop, NULL), 0);
	assert_int_equal(net_init(&net, &option, &loop, NULL), -1);
	net_destroy(&net);
	assert_int_equal(loop.nr, 0);
	evloop_destroy(&loop);
	net_option_free(&option);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(options),
	cmocka_unit_test(options_refused),
	cmocka_unit_test(captures),
#if __has_include(<slirp/libslirp.h>)
	cmocka_unit_test(user_echo),
	cmocka_unit_test(user_dhcp),
	cmocka_unit_test(user_forward),
	cmocka_unit_test(user_forward_taken),
#endif
	cmocka_unit_test(tap_asks),
	cmocka_unit_test(tap_refused),
};

int main(void)
{
	test_silence();
	return test_main("net", tests, ARRAY_SIZE(tests));
}
