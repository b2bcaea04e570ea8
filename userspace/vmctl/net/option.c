// SPDX-License-Identifier: GPL-2.0-only
/*
 * The value of --net: KIND[,NAME=VALUE...].
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../msg.h"
#include "net.h"

/* locally administered, as no manufacturer has it */
static const u8 mac_default[6] = { 0x52, 0x54, 0x00, 0x6d, 0x68, 0x76 };

#define GUEST_ADDR	"10.0.2.15"

static int parse_mac(const char *text, u8 mac[6])
{
	unsigned int part[6], i;
	int end = -1;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &part[0], &part[1], &part[2], &part[3],
		   &part[4], &part[5], &end) != 6 || text[end] || strlen(text) != 17)
		return fail("--net: mac=%s: not an address: write mac=52:54:00:12:34:56",
			    text);
	for (i = 0; i < 6; i++)
		mac[i] = part[i];
	if (mac[0] & 1)
		return fail("--net: mac=%s: an address of a group: make its first byte even", text);
	return 0;
}

static int parse_port(const char *text, u16 *port)
{
	char *end;
	unsigned long val = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end || !val || val > 65535)
		return -1;
	*port = val;
	return 0;
}

/* ADDRESS:PORT, both or the port alone */
static int parse_end(char *text, const char *none, u32 *addr, u16 *port)
{
	char *colon = strrchr(text, ':');
	struct in_addr in;

	if (!colon)
		return -1;
	*colon = '\0';
	if (!inet_aton(*text ? text : none, &in) || parse_port(colon + 1, port))
		return -1;
	*addr = in.s_addr;
	return 0;
}

static int parse_forward(const char *text, struct net_option *option)
{
	struct net_forward *forward = &option->forward[option->nr_forwards];
	char copy[64], *guest;

	if (option->nr_forwards == NET_FORWARDS)
		return fail("--net: more than %u times hostfwd", NET_FORWARDS);
	snprintf(copy, sizeof(copy), "%s", text);
	guest = strchr(copy, '-');
	if (guest)
		*guest++ = '\0';
	if (strlen(text) >= sizeof(copy) || strncmp(copy, "tcp:", 4) || !guest ||
	    parse_end(copy + 4, "127.0.0.1", &forward->host_addr, &forward->host_port) ||
	    parse_end(guest, GUEST_ADDR, &forward->guest_addr, &forward->guest_port))
		return fail("--net: hostfwd=%s: write tcp:[HOST]:PORT-[GUEST]:PORT",
			    text);
	option->nr_forwards++;
	return 0;
}

static int parse_model(const char *text, struct net_option *option)
{
	option->plus = !strcmp(text, "8139c+");
	if (!option->plus && strcmp(text, "8139c"))
		return fail("--net: model=%s: not known: use 8139c+ or 8139c", text);
	return 0;
}

static int parse_setting(const char *text, struct net_option *option)
{
	if (!strncmp(text, "mac=", 4)) {
		option->mac_given = true;
		return parse_mac(text + 4, option->mac);
	}
	if (!strncmp(text, "model=", 6))
		return parse_model(text + 6, option);
	if (!strncmp(text, "pcap=", 5) && text[5]) {
		option->pcap = text + 5;
		return 0;
	}
	if (!strncmp(text, "hostfwd=", 8) && option->kind == NET_USER)
		return parse_forward(text + 8, option);
	return fail("--net: '%s' is not known here: use mac=, pcap=, model=%s", text,
		    option->kind == NET_USER ? " or hostfwd=" : "");
}

static int parse_kind(const char *text, struct net_option *option)
{
	if (!strcmp(text, "none")) {
		option->kind = NET_NONE;
	} else if (!strcmp(text, "user")) {
		option->kind = NET_USER;
	} else if (!strncmp(text, "tap=", 4) && text[4]) {
		option->kind = NET_TAP;
		option->tap = text + 4;
		if (strlen(option->tap) >= IFNAMSIZ)
			return fail("--net %s: the name of an interface has at most %u characters",
				    text, IFNAMSIZ - 1);
	} else {
		return fail("--net %s: not known: use user, tap=INTERFACE or none", text);
	}
	return 0;
}

/**
 * net_option_parse - read the value of --net
 * @text:	KIND[,NAME=VALUE...]
 * @option:	out; net_option_free() it, also after an error
 *
 * Return: 0, or -1 with a message.
 */
int net_option_parse(const char *text, struct net_option *option)
{
	char *rest, *part;

	memset(option, 0, sizeof(*option));
	memcpy(option->mac, mac_default, sizeof(option->mac));
	option->plus = true;
	option->text = strdup(text);
	if (!option->text)
		return fail("out of memory");
	rest = option->text;
	part = strsep(&rest, ",");
	if (parse_kind(part, option))
		return -1;
	while ((part = strsep(&rest, ",")))
		if (parse_setting(part, option))
			return -1;
	return 0;
}

/**
 * net_option_free - forget the option
 * @option:	from net_option_parse(), or zeroed
 */
void net_option_free(struct net_option *option)
{
	free(option->text);
	option->text = NULL;
}
