// Accepts connections and reads them at a rate. With --shrink-to it reads nothing: it lets each connection fill for a
// while under a large receive buffer, shrinks the buffer under the window already announced, and later closes it.
#include "program.h"

enum { MOST = 64 };

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct endpoint at = endpoint(text("address", "0.0.0.0"), number("port", 9100));
	long rate = number("rate", 0), shrunk = number("shrink-to", 0), buffer = number("rcvbuf", 0);
	double shrink_after = (double)number("shrink-after-ms", 200) / 1e3, close_after = (double)number("close-after-ms", 900) / 1e3;
	int on = 1, large = (int)buffer, listener = socket(at.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (large > 0) setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &large, sizeof large);
	if (bind(listener, (struct sockaddr *)&at.address, at.length) < 0) die("bind");
	if (listen(listener, 128) < 0) die("listen");
	struct {
		int fd, small;
		double since, budget;
	} connections[MOST];
	for (int each = 0; each < MOST; each++) connections[each].fd = -1;
	static char content[1 << 20];
	ready();
	for (double before = now();;) {
		double time = now(), passed = time - before;
		before = time;
		for (int each = 0; each < MOST; each++) {
			if (connections[each].fd < 0) {
				int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
				if (fd < 0) continue;
				connections[each].fd = fd;
				connections[each].small = 0;
				connections[each].since = time;
				connections[each].budget = 0;
			}
			if (shrunk == 0) {
				connections[each].budget += passed * (double)rate;
				size_t take = connections[each].budget > sizeof content ? sizeof content : (size_t)connections[each].budget;
				ssize_t got = rate == 0 || take == 0 ? 0 : recv(connections[each].fd, content, take, 0);
				if (got > 0) connections[each].budget -= (double)got;
				continue;
			}
			double age = time - connections[each].since;
			if (age > shrink_after && !connections[each].small) {
				int little = (int)shrunk;
				setsockopt(connections[each].fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
				connections[each].small = 1;
			}
			if (age > close_after) {
				close(connections[each].fd);
				connections[each].fd = -1;
			}
		}
		pause_for(0.002);
	}
}
