// Opens connections without waiting for any of them, holds them, and begins anew.
#include "program.h"
#include <fcntl.h>
#include <sys/resource.h>

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct rlimit files = {8192, 8192};
	setrlimit(RLIMIT_NOFILE, &files);
	struct endpoint to = endpoint(text("address", "127.0.0.1"), number("port", 8080));
	long count = number("count", 50), rounds = number("rounds", 1);
	double hold = (double)number("hold-ms", 1000) / 1e3;
	int *sockets = calloc((size_t)count, sizeof *sockets);
	for (long round = 0; round < rounds; round++) {
		for (long each = 0; each < count; each++) {
			sockets[each] = socket(to.family, SOCK_STREAM | SOCK_NONBLOCK, 0);
			if (sockets[each] < 0) die("socket");
			if (connect(sockets[each], (struct sockaddr *)&to.address, to.length) < 0 && errno != EINPROGRESS) die("connect");
		}
		if (round == 0) ready();
		pause_for(hold);
		for (long each = 0; each < count; each++) close(sockets[each]);
	}
}
