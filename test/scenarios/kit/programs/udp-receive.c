// Receives datagrams, with a receive buffer of a given size: taking its time over each, waiting for somebody else after each,
// rejecting all by a filter, or never reading at all; or from many sockets of one multicast group.
#include "program.h"
#include <linux/filter.h>
#include <poll.h>

static volatile sig_atomic_t stopped;

static void stop(int number) {
	(void)number;
	stopped = 1;
}

/** A pipe that another process writes a byte to every so often. */
static int slow_pipe(long microseconds) {
	int ends[2];
	char byte = 0;
	if (pipe(ends) < 0) die("pipe");
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		for (;;) {
			pause_for((double)microseconds / 1e6);
			if (write(ends[1], &byte, 1) < 1) _exit(0);
		}
	}
	return ends[0];
}

/** So many sockets that joined one group at the device of an address of this host, read as they come or not at all. */
static void multicast(const char *group, const char *local, int port, int sockets, int buffer, int read) {
	static char datagram[65536];
	struct pollfd fds[256] = {0};
	for (int each = 0; each < sockets && each < 256; each++) {
		struct ip_mreq join = {0};
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
		int fd = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;
		if (fd < 0) die("socket");
		if (inet_pton(AF_INET, group, &join.imr_multiaddr) != 1 || inet_pton(AF_INET, local, &join.imr_interface) != 1) die("group");
		to.sin_addr = join.imr_multiaddr;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		if (buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
		if (bind(fd, (struct sockaddr *)&to, sizeof to) < 0) die("bind");
		if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) < 0) die("IP_ADD_MEMBERSHIP");
		fds[each] = (struct pollfd){fd, POLLIN, 0};
	}
	ready();
	while (!stopped) {
		if (read == 0) pause();
		if (poll(fds, (nfds_t)sockets, -1) < 0) continue;
		for (int each = 0; each < sockets; each++)
			while ((fds[each].revents & POLLIN) && recv(fds[each].fd, datagram, sizeof datagram, MSG_DONTWAIT) >= 0) continue;
	}
	exit(0);
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	if (text("name", NULL) != NULL) prctl(PR_SET_NAME, text("name", NULL));
	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGTERM, &action, NULL);
	struct endpoint at = endpoint(text("address", "0.0.0.0"), number("port", 9000));
	if (text("group", NULL) != NULL)
		multicast(text("group", NULL), text("local", NULL), (int)number("port", 9000), (int)number("sockets", 1),
			  (int)number("rcvbuf", 0), (int)number("read", 1));
	long delay = number("delay-us", 0);
	int buffer = (int)number("rcvbuf", 0), in = socket(at.family, SOCK_DGRAM, 0);
	if (in < 0) die("socket");
	if (buffer > 0) setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
	struct sock_fprog reject = {1, &nothing};
	if (number("reject", 0) == 1 && setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &reject, sizeof reject) < 0) die("filter");
	long wait = number("wait-us", 0);
	int other = wait > 0 ? slow_pipe(wait) : -1;
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
		char byte;
		if (other >= 0 && read(other, &byte, 1) < 1) break;
		double until = now() + (double)delay / 1e6;
		while (delay > 0 && now() < until) continue;
	}
	printf("{\"received\":%ld}\n", received);
}
