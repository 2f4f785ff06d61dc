/*
 * echo_client.c: the client of the echo row, the same for every server: CONNS connections on one thread and
 * epoll, on each a message of 64 bytes goes out when the last one has come back. Usage: echo_client PORT CONNS
 * REQUESTS; exit code 0 when all came back.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 64 };

static int fail(const char *what)
{
	perror(what);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
	int conns = atoi(argv[2]), ep = epoll_create1(0);
	long left = atol(argv[3]), under_way = 0;
	char message[SIZE];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memset(message, 'e', sizeof message);
	for (int i = 0; i < conns; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
		struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};
		if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
			return fail("connect");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0 || write(fd, message, SIZE) != SIZE)
			return fail("start");
		left--;
		under_way++;
	}
	while (under_way > 0) {
		struct epoll_event ev[64];
		int n = epoll_wait(ep, ev, 64, -1);
		for (int i = 0; i < n; i++) {
			int fd = ev[i].data.fd;
			if (recv(fd, message, SIZE, MSG_WAITALL) != SIZE)
				return fail("read");
			under_way--;
			if (left > 0) {
				if (write(fd, message, SIZE) != SIZE)
					return fail("write");
				left--;
				under_way++;
			}
		}
	}
	return 0;
}
