// Listens with a backlog; accepts and holds the last thousands that came, or never accepts.
#include "program.h"
#include <sys/resource.h>

enum { HELD = 4096 };

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct endpoint at = endpoint(text("address", "0.0.0.0"), number("port", 8080));
	int on = 1, listener = socket(at.family, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&at.address, at.length) < 0) die("bind");
	if (listen(listener, (int)number("backlog", 128)) < 0) die("listen");
	ready();
	if (number("accept", 0) == 0) pause();
	struct rlimit files = {HELD * 2, HELD * 2};
	setrlimit(RLIMIT_NOFILE, &files);
	static int held[HELD];
	for (long each = 0;; each++) {
		if (each >= HELD) close(held[each % HELD]);
		held[each % HELD] = accept(listener, NULL, NULL);
		if (held[each % HELD] < 0) die("accept");
	}
}
