// Sends frames as no well-behaved host would: one kind of them, at a rate, through one device.
#include "program.h"
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

static uint32_t sum(const void *bytes, size_t length, uint32_t from) {
	const uint8_t *each = bytes;
	for (; length > 1; each += 2, length -= 2) from += (uint32_t)(each[0] << 8 | each[1]);
	return length ? from + (uint32_t)(each[0] << 8) : from;
}

static uint16_t fold(uint32_t total) {
	while (total >> 16) total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

static int is(const char *kind, const char *name) { return strcmp(kind, name) == 0; }

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	const char *kind = text("kind", "udp");
	long rate = number("rate", 1000), port = number("port", 9000), size = number("size", 64), hosts = number("hosts", 1);
	double seconds = (double)number("seconds", 25);
	uint8_t mac[6] = {0}, frame[2048] = {0};
	unsigned part[6];
	if (sscanf(text("mac", "ff:ff:ff:ff:ff:ff"), "%x:%x:%x:%x:%x:%x", part, part + 1, part + 2, part + 3, part + 4, part + 5) == 6)
		for (int each = 0; each < 6; each++) mac[each] = (uint8_t)part[each];
	int v6 = strchr(text("to", "127.0.0.1"), ':') != NULL;
	int tcp = strncmp(kind, "tcp", 3) == 0;
	size_t head = v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr);
	size_t transport = tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr), body = transport + (size_t)size;
	memcpy(frame, mac, 6);
	frame[6] = 2;
	frame[11] = 1;
	uint16_t type = htons(is(kind, "ethertype") ? 0x88b5 : v6 ? ETH_P_IPV6 : ETH_P_IP);
	memcpy(frame + 12, &type, 2);
	uint8_t *network = frame + ETH_HLEN, *data = network + head;
	uint8_t protocol = is(kind, "protocol") ? 253 : tcp ? IPPROTO_TCP : IPPROTO_UDP;
	if (v6) {
		struct ip6_hdr *ip = (void *)network;
		ip->ip6_vfc = 0x60;
		ip->ip6_plen = htons((uint16_t)body);
		ip->ip6_nxt = protocol;
		ip->ip6_hlim = is(kind, "ttl") ? 1 : 64;
		inet_pton(AF_INET6, text("from", "::1"), &ip->ip6_src);
		inet_pton(AF_INET6, text("to", "::1"), &ip->ip6_dst);
	} else {
		struct iphdr *ip = (void *)network;
		ip->version = 4;
		ip->ihl = 5;
		ip->tot_len = htons((uint16_t)(head + body));
		ip->ttl = is(kind, "ttl") ? 1 : 64;
		ip->protocol = protocol;
		if (is(kind, "fragment")) ip->frag_off = htons(IP_MF);
		if (is(kind, "whole")) ip->frag_off = htons(IP_DF);
		inet_pton(AF_INET, text("from", "127.0.0.1"), &ip->saddr);
		inet_pton(AF_INET, text("to", "127.0.0.1"), &ip->daddr);
	}
	int out = socket(AF_PACKET, SOCK_RAW, 0);
	if (out < 0) die("socket");
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(text("device", "lo")), .sll_halen = 6};
	memcpy(at.sll_addr, mac, 6);
	// `hosts`: so many addresses of IPv4 in turn, from `to` on.
	uint32_t first = v6 ? 0 : ntohl(((struct iphdr *)network)->daddr);
	ready();
	double start = now();
	for (long sent = 0; now() < start + seconds;) {
		if ((double)sent > (now() - start) * (double)rate) {
			pause_for(0.0005);
			continue;
		}
		uint16_t source = htons((uint16_t)(20000 + sent % 20000)), target = htons((uint16_t)port), check;
		memcpy(data, &source, 2);
		memcpy(data + 2, &target, 2);
		if (hosts > 1) ((struct iphdr *)network)->daddr = htonl(first + (uint32_t)(sent % hosts));
		uint32_t total = v6 ? sum(network + 8, 32, protocol + (uint32_t)body) : sum(network + 12, 8, protocol + (uint32_t)body);
		if (tcp) {
			struct tcphdr *segment = (void *)data;
			segment->seq = htonl((uint32_t)sent * 1000);
			segment->doff = 5;
			segment->syn = !is(kind, "tcp-ack");
			segment->ack = is(kind, "tcp-ack");
			segment->window = htons(64000);
			segment->check = 0;
			check = htons(fold(sum(data, body, total)));
			segment->check = is(kind, "tcp-checksum") ? (uint16_t)(check ^ 0x5555) : check;
		} else {
			struct udphdr *datagram = (void *)data;
			datagram->len = htons((uint16_t)body);
			datagram->check = 0;
			check = htons(fold(sum(data, body, total)));
			datagram->check = is(kind, "udp-checksum") ? (uint16_t)(check ^ 0x5555) : check;
		}
		if (!v6) {
			struct iphdr *ip = (void *)network;
			ip->id = htons((uint16_t)sent);
			ip->check = 0;
			check = htons(fold(sum(network, head, 0)));
			ip->check = is(kind, "ip-checksum") ? (uint16_t)(check ^ 0x5555) : check;
		}
		sendto(out, frame, ETH_HLEN + head + body, 0, (void *)&at, sizeof at);
		sent++;
	}
}
