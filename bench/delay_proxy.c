/*
 * delay_proxy.c
 *		A TCP proxy that keeps everything for a while, to make a server far away.
 *
 *		delay_proxy DELAY_MS SOCKET
 *
 * Listens on a free port of 127.0.0.1, which it prints, and forwards to the
 * server's Unix-domain socket.  What arrives from either side is handed on
 * DELAY_MS later, in order and without a limit of the rate: a round trip takes
 * twice that.  Ends when its standard input does, so that it goes with whoever
 * started it.
 *
 * What is on its way is bounded: beyond MAX_QUEUED bytes of one direction it
 * reads no more, as a network with full buffers would not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINKS 64
#define MAX_QUEUED (32 * 1024 * 1024)
#define READ_BYTES (256 * 1024)

/* Bytes that were read together and may leave together. */
typedef struct Parcel
{
	struct Parcel *next;
	int64_t due_us;
	size_t len;
	size_t sent;
	char data[];
} Parcel;

/* One direction: from one socket to the other. */
typedef struct Lane
{
	int from;
	int to;
	Parcel *first;
	Parcel *last;
	size_t queued;
	bool ended;	 /* nothing more comes */
	bool closed; /* and the other side has been told */
} Lane;

typedef struct Link
{
	bool used;
	Lane lanes[2];
} Link;

static Link links[MAX_LINKS];
static int64_t delay_us;

static void
fail(const char *what)
{
	fprintf(stderr, "delay_proxy: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
make_nonblocking(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
		fail("fcntl");
}

static int
listen_somewhere(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *) &address, len) < 0 ||
		listen(fd, 16) < 0 ||
		getsockname(fd, (struct sockaddr *) &address, &len) < 0)
		fail("cannot listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static int
connect_server(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
	{
		errno = ENAMETOOLONG;
		fail(path);
	}
	strcpy(address.sun_path, path);
	if (fd < 0 ||
		connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
		fail(path);
	return fd;
}

static void
accept_link(int listener, const char *path)
{
	int client = accept(listener, NULL, NULL);
	int one = 1;
	int server;
	Link *link = links;

	if (client < 0)
		return;
	while (link < links + MAX_LINKS && link->used)
		link++;
	if (link == links + MAX_LINKS)
	{
		fprintf(stderr, "delay_proxy: too many connections\n");
		close(client);
		return;
	}
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	server = connect_server(path);
	make_nonblocking(client);
	make_nonblocking(server);
	memset(link, 0, sizeof(*link));
	link->used = true;
	link->lanes[0] = (Lane){ .from = client, .to = server };
	link->lanes[1] = (Lane){ .from = server, .to = client };
}

static void
drop_link(Link *link)
{
	for (int i = 0; i < 2; i++)
	{
		Parcel *parcel;

		while ((parcel = link->lanes[i].first) != NULL)
		{
			link->lanes[i].first = parcel->next;
			free(parcel);
		}
		close(link->lanes[i].from);
	}
	link->used = false;
}

/* False: the connection is broken. */
static bool
receive(Lane *lane)
{
	Parcel *parcel = malloc(sizeof(*parcel) + READ_BYTES);
	ssize_t got;

	if (parcel == NULL)
		fail("malloc");
	got = read(lane->from, parcel->data, READ_BYTES);
	if (got <= 0)
	{
		free(parcel);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		lane->ended = true;
		return true;
	}
	parcel = realloc(parcel, sizeof(*parcel) + (size_t) got);
	if (parcel == NULL)
		fail("realloc");
	parcel->next = NULL;
	parcel->len = (size_t) got;
	parcel->sent = 0;
	parcel->due_us = now_us() + delay_us;
	if (lane->last != NULL)
		lane->last->next = parcel;
	else
		lane->first = parcel;
	lane->last = parcel;
	lane->queued += (size_t) got;
	return true;
}

/* Hand on what is due; false: the connection is broken. */
static bool
deliver(Lane *lane)
{
	while (lane->first != NULL && lane->first->due_us <= now_us())
	{
		Parcel *parcel = lane->first;
		ssize_t sent = send(lane->to, parcel->data + parcel->sent,
							parcel->len - parcel->sent, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		parcel->sent += (size_t) sent;
		lane->queued -= (size_t) sent;
		if (parcel->sent < parcel->len)
			return true;
		lane->first = parcel->next;
		if (lane->first == NULL)
			lane->last = NULL;
		free(parcel);
	}
	if (lane->ended && lane->first == NULL && !lane->closed)
	{
		shutdown(lane->to, SHUT_WR);
		lane->closed = true;
	}
	return true;
}

/* Microseconds until the lane has something to hand on; -1: nothing. */
static int64_t
lane_wait(const Lane *lane, int64_t now)
{
	if (lane->first == NULL)
		return -1;
	return lane->first->due_us > now ? lane->first->due_us - now : 0;
}

/* What to wait for on the link's two sockets; how long at most. */
static void
watch_link(Link *link, struct pollfd *fds, int64_t now, int64_t *wait_us)
{
	for (int i = 0; i < 2; i++)
	{
		Lane *in = &link->lanes[i];
		Lane *out = &link->lanes[1 - i]; /* its .to is in's .from */
		int64_t wait = lane_wait(out, now);

		fds[i] = (struct pollfd){ .fd = link->used ? in->from : -1 };
		if (!link->used)
			continue;
		if (!in->ended && in->queued < MAX_QUEUED)
			fds[i].events |= POLLIN;
		if (wait == 0)
			fds[i].events |= POLLOUT;
		else if (wait > 0 && (*wait_us < 0 || wait < *wait_us))
			*wait_us = wait;
		if (fds[i].events == 0)
			fds[i].fd = -1;
	}
}

static void
serve_link(Link *link, const struct pollfd *fds)
{
	bool alive = true;

	for (int i = 0; i < 2 && alive; i++)
	{
		if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
			(fds[i].events & POLLIN) != 0)
			alive = receive(&link->lanes[i]);
	}
	for (int i = 0; i < 2 && alive; i++)
		alive = deliver(&link->lanes[i]);
	if (!alive || (link->lanes[0].closed && link->lanes[1].closed))
		drop_link(link);
}

int
main(int argc, char **argv)
{
	struct pollfd fds[2 + 2 * MAX_LINKS];
	int listener;

	if (argc != 3 || (delay_us = atoll(argv[1]) * 1000) < 0)
	{
		fprintf(stderr, "usage: delay_proxy DELAY_MS SOCKET\n");
		return 2;
	}
	listener = listen_somewhere();
	for (;;)
	{
		int64_t wait_us = -1;
		int64_t now = now_us();
		struct timespec timeout;

		fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (int i = 0; i < MAX_LINKS; i++)
			watch_link(&links[i], &fds[2 + 2 * i], now, &wait_us);
		timeout.tv_sec = wait_us / 1000000;
		timeout.tv_nsec = wait_us % 1000000 * 1000;
		if (ppoll(fds, 2 + 2 * MAX_LINKS, wait_us < 0 ? NULL : &timeout, NULL) <
			0)
		{
			if (errno == EINTR)
				continue;
			fail("poll");
		}
		if (fds[0].revents != 0 && getchar() == EOF)
			return 0;
		for (int i = 0; i < MAX_LINKS; i++)
		{
			if (links[i].used)
				serve_link(&links[i], &fds[2 + 2 * i]);
		}
		if (fds[1].revents != 0)
			accept_link(listener, argv[2]);
	}
}
