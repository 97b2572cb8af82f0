// Listens with a backlog; accepts and holds what comes, or never accepts.
#include "program.h"

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 30);
	struct endpoint at = endpoint(text("address", "0.0.0.0"), number("port", 8080));
	int on = 1, listener = socket(at.family, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&at.address, at.length) < 0) die("bind");
	if (listen(listener, (int)number("backlog", 128)) < 0) die("listen");
	ready();
	if (number("accept", 0) == 0) pause();
	for (;;)
		if (accept(listener, NULL, NULL) < 0) die("accept");
}
