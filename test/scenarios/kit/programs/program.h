// What the traffic makers share: options as --name value, addresses, a word when ready, an end of their own.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char **arguments;

__attribute__((unused, noreturn, format(printf, 1, 2))) static void die(const char *format, ...) {
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(1);
}

__attribute__((unused)) static const char *text(const char *name, const char *fallback) {
	for (char **each = arguments + 1; *each != NULL && each[1] != NULL; each += 2)
		if (strncmp(*each, "--", 2) == 0 && strcmp(*each + 2, name) == 0) return each[1];
	return fallback;
}

__attribute__((unused)) static long number(const char *name, long fallback) {
	const char *value = text(name, NULL);
	return value == NULL ? fallback : strtol(value, NULL, 0);
}

/** No program outlives the test that started it, nor its time; on an emulated machine everything takes longer. */
__attribute__((unused)) static void begin(char **argv, unsigned seconds) {
	arguments = argv;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	alarm((unsigned)number("life", seconds));
}

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
	int family;
};

__attribute__((unused)) static struct endpoint endpoint(const char *address, long port) {
	struct endpoint found = {0};
	char service[8];
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *answer;
	snprintf(service, sizeof service, "%ld", port);
	if (getaddrinfo(address, service, &hints, &answer) != 0) die("address %s", address);
	memcpy(&found.address, answer->ai_addr, answer->ai_addrlen);
	found.length = answer->ai_addrlen;
	found.family = answer->ai_family;
	freeaddrinfo(answer);
	return found;
}

__attribute__((unused)) static double now(void) {
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

__attribute__((unused)) static void pause_for(double seconds) {
	struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
	nanosleep(&time, NULL);
}

__attribute__((unused)) static void ready(void) {
	puts("ready");
	fflush(stdout);
}
