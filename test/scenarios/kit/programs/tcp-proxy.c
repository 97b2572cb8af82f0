// Accepts connections and passes on what it reads, each to a connection of its own; reads only what it could pass on.
#include "program.h"
#include <poll.h>

enum { MOST = 64, ROOM = 65536 };

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct endpoint at = endpoint("0.0.0.0", number("port", 9100)), to = endpoint(text("to", "127.0.0.1"), number("to-port", 9200));
	int on = 1, listener = socket(at.family, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&at.address, at.length) < 0) die("bind");
	if (listen(listener, 128) < 0) die("listen");
	static char content[MOST][ROOM];
	struct pollfd waits[MOST] = {{.fd = listener, .events = POLLIN}};
	struct {
		int from, to;
		size_t held, passed;
	} pairs[MOST];
	nfds_t count = 1;
	ready();
	while (poll(waits, count, -1) > 0) {
		for (nfds_t each = 1; each < count; each++) {
			if (waits[each].revents == 0) continue;
			if (pairs[each].held == 0) {
				ssize_t got = recv(pairs[each].from, content[each], ROOM, MSG_DONTWAIT);
				if (got > 0) pairs[each].held = (size_t)got;
				else if (got == 0) waits[each].fd = -1;
				pairs[each].passed = 0;
			} else {
				ssize_t sent = send(pairs[each].to, content[each] + pairs[each].passed, pairs[each].held, MSG_DONTWAIT);
				if (sent > 0) {
					pairs[each].passed += (size_t)sent;
					pairs[each].held -= (size_t)sent;
				}
			}
			if (waits[each].fd < 0) continue;
			waits[each].fd = pairs[each].held > 0 ? pairs[each].to : pairs[each].from;
			waits[each].events = pairs[each].held > 0 ? POLLOUT : POLLIN;
		}
		if (waits[0].revents != 0 && count < MOST) {
			pairs[count].from = accept(listener, NULL, NULL);
			pairs[count].to = socket(to.family, SOCK_STREAM, 0);
			if (connect(pairs[count].to, (struct sockaddr *)&to.address, to.length) < 0) die("connect");
			pairs[count].held = 0;
			waits[count] = (struct pollfd){.fd = pairs[count].from, .events = POLLIN};
			count++;
		}
	}
}
