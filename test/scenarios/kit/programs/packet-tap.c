// A packet socket of a given kind: protocol, device, ring, fanout group, filter; read or left alone.
#include "program.h"
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>

enum { BLOCK = 1 << 18, FRAME = 2048 };

static void filter(int fd, const char *kind) {
	// Accepts only ethertype 0x88b5, which nobody sends here; or only IPv4, cut to 96 bytes.
	struct sock_filter reject[] = {{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x88b5},
				       {BPF_RET | BPF_K, 0, 0, 262144}, {BPF_RET | BPF_K, 0, 0, 0}};
	struct sock_filter match[] = {{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12}, {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x0800},
				      {BPF_RET | BPF_K, 0, 0, 96}, {BPF_RET | BPF_K, 0, 0, 0}};
	struct sock_fprog program = {4, strcmp(kind, "match") == 0 ? match : reject};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0) die("SO_ATTACH_FILTER");
}

static char *ring(int fd, long blocks) {
	struct tpacket_req3 want = {.tp_block_size = BLOCK, .tp_block_nr = (unsigned)blocks, .tp_frame_size = FRAME,
				    .tp_frame_nr = (unsigned)blocks * (BLOCK / FRAME), .tp_retire_blk_tov = 60};
	int version = TPACKET_V3;
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) < 0) die("PACKET_VERSION");
	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &want, sizeof want) < 0) die("PACKET_RX_RING");
	char *mapped = mmap(NULL, (size_t)blocks * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED) die("mmap");
	return mapped;
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	if (text("name", NULL) != NULL) prctl(PR_SET_NAME, text("name", NULL));
	const char *device = text("device", ""), *kind = text("filter", "none");
	int protocol = (int)number("protocol", ETH_P_ALL), members = (int)number("fanout", 0), sockets = members > 0 ? members : 1;
	long blocks = number("ring-blocks", 0);
	struct pollfd fds[16] = {0};
	char *rings[16] = {0};
	unsigned at[16] = {0};
	for (int each = 0; each < sockets && each < 16; each++) {
		int fd = socket(AF_PACKET, SOCK_RAW, 0);
		if (fd < 0) die("packet socket");
		if (strcmp(kind, "none") != 0) filter(fd, kind);
		int room = (int)number("rcvbuf", 0);
		if (room > 0 && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) die("SO_RCVBUFFORCE");
		if (blocks > 0) rings[each] = ring(fd, blocks);
		struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol),
					 .sll_ifindex = device[0] == '\0' ? 0 : (int)if_nametoindex(device)};
		// Protocol 0 is what a sender asks for: bound to a device, but hooked to nothing.
		if (bind(fd, (struct sockaddr *)&to, sizeof to) < 0) die("bind to %s", device);
		int group = (int)number("group", 77) | PACKET_FANOUT_HASH << 16;
		if (members > 0 && setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &group, sizeof group) < 0) die("PACKET_FANOUT");
		fds[each] = (struct pollfd){fd, POLLIN, 0};
	}
	ready();
	if (number("read", 1) == 0) pause();
	static char packet[65536];
	for (;;) {
		if (poll(fds, (nfds_t)sockets, -1) < 0) die("poll");
		for (int each = 0; each < sockets; each++) {
			while (rings[each] == NULL && recv(fds[each].fd, packet, sizeof packet, MSG_DONTWAIT) >= 0) continue;
			while (rings[each] != NULL) {
				struct tpacket_block_desc *block = (void *)(rings[each] + (size_t)at[each] * BLOCK);
				if ((block->hdr.bh1.block_status & TP_STATUS_USER) == 0) break;
				block->hdr.bh1.block_status = TP_STATUS_KERNEL;
				at[each] = (at[each] + 1) % (unsigned)blocks;
			}
		}
	}
}
