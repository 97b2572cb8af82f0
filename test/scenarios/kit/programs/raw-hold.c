// Holds a raw socket that gets every packet of a protocol: reads them, or does not.
#include "program.h"

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	int raw = socket(AF_INET, SOCK_RAW, (int)number("protocol", 253)), buffer = (int)number("rcvbuf", 4096);
	if (raw < 0) die("raw socket");
	setsockopt(raw, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	ready();
	static char packet[65536];
	while (number("read", 0) == 1)
		if (recv(raw, packet, sizeof packet, 0) < 0) die("recv");
	pause();
}
