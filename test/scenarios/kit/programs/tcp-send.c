// Streams bytes over some connections, each at a rate (0: as fast as it can), until the peer has enough.
#include "program.h"
#include <poll.h>

enum { MOST = 64 };

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct endpoint to = endpoint(text("address", "127.0.0.1"), number("port", 9100));
	long count = number("connections", 1), rate = number("rate", 0), write_size = number("write", 16384);
	double seconds = (double)number("seconds", 25);
	static char content[1 << 20];
	struct pollfd sockets[MOST] = {0};
	double budget[MOST] = {0};
	for (long each = 0; each < count && each < MOST; each++) sockets[each].fd = -1;
	ready();
	double start = now(), before = start;
	while (now() - start < seconds) {
		double passed = now() - before;
		before += passed;
		int wrote = 0;
		for (long each = 0; each < count && each < MOST; each++) {
			if (sockets[each].fd < 0) {
				sockets[each].fd = socket(to.family, SOCK_STREAM, 0);
				if (connect(sockets[each].fd, (struct sockaddr *)&to.address, to.length) < 0) die("connect");
				budget[each] = 0;
			}
			budget[each] += rate == 0 ? (double)write_size : passed * (double)rate;
			if (budget[each] < (double)write_size) continue;
			ssize_t sent = send(sockets[each].fd, content, (size_t)write_size, MSG_DONTWAIT);
			if (sent > 0) {
				budget[each] -= (double)sent;
				wrote = 1;
			} else if (errno != EAGAIN) {
				// The reader closed it: a new connection takes its place.
				close(sockets[each].fd);
				sockets[each].fd = -1;
			} else budget[each] = (double)write_size;
		}
		if (!wrote) pause_for(0.002);
	}
}
