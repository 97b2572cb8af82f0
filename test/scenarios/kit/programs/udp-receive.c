// Receives datagrams, with a receive buffer of a given size, taking its time over each, or never reading at all.
#include "program.h"

static volatile sig_atomic_t stopped;

static void stop(int number) {
	(void)number;
	stopped = 1;
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGTERM, &action, NULL);
	struct endpoint at = endpoint(text("address", "0.0.0.0"), number("port", 9000));
	long delay = number("delay-us", 0);
	int buffer = (int)number("rcvbuf", 0), in = socket(at.family, SOCK_DGRAM, 0);
	if (in < 0) die("socket");
	if (buffer > 0) setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	if (bind(in, (struct sockaddr *)&at.address, at.length) < 0) die("bind");
	ready();
	char datagram[65536];
	long received = 0;
	while (!stopped) {
		if (number("read", 1) == 0) {
			pause();
			continue;
		}
		if (recv(in, datagram, sizeof datagram, 0) < 0) continue;
		received++;
		double until = now() + (double)delay / 1e6;
		while (delay > 0 && now() < until) continue;
	}
	printf("{\"received\":%ld}\n", received);
}
