// Holds the far end of a tun device: takes what is sent into it, or does not.
#include "program.h"
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	int tun = open("/dev/net/tun", O_RDWR);
	if (tun < 0) die("/dev/net/tun");
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	strncpy(request.ifr_name, text("device", "tun0"), IFNAMSIZ - 1);
	if (ioctl(tun, TUNSETIFF, &request) < 0) die("TUNSETIFF");
	ready();
	static char packet[65536];
	while (number("read", 0) == 1)
		if (read(tun, packet, sizeof packet) < 0) die("read");
	pause();
}
