// Sends datagrams at a rate (0: as fast as it can), evenly or in bursts, over one flow or to many ports, waiting for room or
// not; says at its end what it sent.
#include "program.h"

enum { BATCH = 64 };
static volatile sig_atomic_t stopped;

static void stop(int number) {
	(void)number;
	stopped = 1;
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	signal(SIGTERM, stop);
	long port = number("port", 9000), ports = number("ports", 1), rate = number("rate", 0), size = number("size", 64);
	int flags = number("wait", 1) == 1 ? 0 : MSG_DONTWAIT;
	double seconds = (double)number("seconds", 25), every = (double)number("every-ms", 0) / 1e3;
	struct endpoint to[BATCH];
	struct mmsghdr batch[BATCH] = {0};
	char payload[65507] = {0};
	struct iovec content = {payload, (size_t)size};
	for (int each = 0; each < BATCH; each++) {
		to[each] = endpoint(text("address", "127.0.0.1"), port);
		batch[each].msg_hdr = (struct msghdr){
			.msg_name = &to[each].address, .msg_namelen = to[each].length, .msg_iov = &content, .msg_iovlen = 1};
	}
	int out = socket(to[0].family, SOCK_DGRAM, 0);
	if (out < 0) die("socket");
	// A veth pair leaves packets charged to their sender until they are received: with the usual buffer one sender alone
	// cannot fill a backlog of 1,000.
	int buffer = (int)number("sndbuf", 0);
	if (buffer > 0) setsockopt(out, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
	long sent = 0, failed = 0;
	ready();
	double start = now(), end = start + seconds;
	while (!stopped && now() < end) {
		double passed = now() - start;
		if (every > 0) passed = (double)(long)(passed / every) * every;
		long due = rate == 0 ? BATCH : (long)(passed * (double)rate) - sent - failed;
		if (due < 1) {
			pause_for(0.0005);
			continue;
		}
		unsigned count = due < BATCH ? (unsigned)due : BATCH;
		for (unsigned each = 0; ports > 1 && each < count; each++)
			((struct sockaddr_in *)&to[each].address)->sin_port = htons((uint16_t)(port + (sent + failed + each) % ports));
		int done = sendmmsg(out, batch, count, flags);
		// Refused by the network or by a filter: the next datagram may pass.
		if (done < 0) failed++;
		else sent += done;
	}
	printf("{\"sent\":%ld,\"failed\":%ld,\"seconds\":%.3f}\n", sent, failed, now() - start);
}
