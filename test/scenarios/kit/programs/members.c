// Holds many sockets that each get a copy of every packet: members of one multicast group, or raw sockets of one protocol; reads all.
#include "program.h"
#include <poll.h>

enum { MOST = 512 };

static int member(struct endpoint at, const char *group, const char *device) {
	int one = 1, in = socket(AF_INET, SOCK_DGRAM, 0);
	if (in < 0) die("socket");
	setsockopt(in, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(in, (struct sockaddr *)&at.address, at.length) < 0) die("bind");
	struct ip_mreq join = {0};
	inet_pton(AF_INET, group, &join.imr_multiaddr);
	inet_pton(AF_INET, device, &join.imr_interface);
	if (setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) < 0) die("IP_ADD_MEMBERSHIP");
	return in;
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	const char *group = text("group", "");
	long count = number("count", 10);
	int buffer = (int)number("rcvbuf", 1 << 20);
	if (count > MOST) count = MOST;
	static struct pollfd held[MOST];
	for (long each = 0; each < count; each++) {
		int in = *group ? member(endpoint(group, number("port", 9000)), group, text("from", "127.0.0.1"))
				: socket(AF_INET, SOCK_RAW, (int)number("protocol", IPPROTO_UDP));
		if (in < 0) die("raw socket");
		setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
		held[each] = (struct pollfd){.fd = in, .events = POLLIN};
	}
	ready();
	static char packet[65536];
	for (;;) {
		if (poll(held, (nfds_t)count, -1) < 0) die("poll");
		for (long each = 0; each < count; each++)
			while (held[each].revents && recv(held[each].fd, packet, sizeof packet, MSG_DONTWAIT) >= 0) continue;
	}
}
