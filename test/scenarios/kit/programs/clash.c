// Pairs of datagrams that leave on two CPUs at the same moment, from one port: of two addresses, or, with `apart 0`, of one. Each
// pair has a port of its own. `turns 1`: one after the other instead, from one CPU.
#include "program.h"
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct frame {
	struct ether_header ethernet;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t query[32];
} __attribute__((packed));

static uint16_t checksum(const void *bytes, size_t length) {
	const uint8_t *each = bytes;
	uint32_t total = 0;
	for (; length > 1; each += 2, length -= 2) total += (uint32_t)(each[0] << 8 | each[1]);
	while (total >> 16) total = (total & 0xffff) + (total >> 16);
	return htons((uint16_t)~total);
}

static struct frame frames[2];
static struct sockaddr_ll at;
/** The pair that each of the two is ready to send. */
static volatile long *reached;

static void emit(int out, struct frame *frame, long pair) {
	frame->udp.source = htons((uint16_t)(10000 + pair % 50000));
	sendto(out, frame, sizeof *frame, 0, (void *)&at, sizeof at);
}

/** Waits for the other one on its own CPU; both must run, so it lets others run meanwhile only where that takes long. */
static void meet(int who, long pair) {
	__atomic_store_n(&reached[who * 8], pair, __ATOMIC_SEQ_CST);
	for (long spins = 1; __atomic_load_n(&reached[(1 - who) * 8], __ATOMIC_SEQ_CST) < pair; spins++)
		if (spins % 20000 == 0) sched_yield();
}

int main(int argc, char **argv) {
	(void)argc;
	begin(argv, 60);
	long rate = number("rate", 2000), turns = number("turns", 0);
	double end = now() + (double)number("seconds", 40);
	unsigned part[6] = {0};
	sscanf(text("mac", "ff:ff:ff:ff:ff:ff"), "%x:%x:%x:%x:%x:%x", part, part + 1, part + 2, part + 3, part + 4, part + 5);
	at = (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(text("device", "lo")), .sll_halen = 6};
	for (int who = 0; who < 2; who++) {
		struct frame *frame = &frames[who];
		for (int each = 0; each < 6; each++) at.sll_addr[each] = frame->ethernet.ether_dhost[each] = (uint8_t)part[each];
		frame->ethernet.ether_shost[0] = 2;
		frame->ethernet.ether_type = htons(ETHERTYPE_IP);
		frame->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
		frame->ip.tot_len = htons(sizeof *frame - sizeof frame->ethernet);
		inet_pton(AF_INET, text("to", "127.0.0.1"), &frame->ip.daddr);
		inet_pton(AF_INET, text("from", "127.0.0.1"), &frame->ip.saddr);
		if (number("apart", 1) == 1) frame->ip.saddr = htonl(ntohl(frame->ip.saddr) + (uint32_t)who);
		frame->ip.check = checksum(&frame->ip, sizeof frame->ip);
		frame->udp.dest = htons((uint16_t)number("port", 53));
		frame->udp.len = htons(sizeof frame->udp + sizeof frame->query);
	}
	reached = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reached == MAP_FAILED) die("mmap");
	setpriority(PRIO_PROCESS, 0, -20);
	int who = 0;
	if (turns == 0) {
		pid_t other = fork();
		if (other < 0) die("fork");
		if (other == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			who = 1;
		}
		cpu_set_t set;
		CPU_ZERO(&set);
		CPU_SET((size_t)who, &set);
		if (sched_setaffinity(0, sizeof set, &set) < 0) die("CPU %d", who);
	}
	int out = socket(AF_PACKET, SOCK_RAW, 0);
	if (out < 0) die("socket");
	if (who == 0) ready();
	double start = now();
	for (long pair = 1; now() < end; pair++) {
		while ((double)pair > (now() - start) * (double)rate && now() < end) pause_for(0.0002);
		if (turns == 0) meet(who, pair);
		emit(out, &frames[who], pair);
		if (turns != 0) emit(out, &frames[1], pair);
	}
	// The other may wait for a pair that does not come.
	__atomic_store_n(&reached[who * 8], 1L << 60, __ATOMIC_SEQ_CST);
	if (turns == 0 && who == 0) wait(NULL);
}
