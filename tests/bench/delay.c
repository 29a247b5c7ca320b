// A longer wire: whatever comes in on one interface goes out on the other so much later, both ways. For kernels
// without netem.
//
//   delay plain IFACE        turns off what a kernel leaves undone for its hardware, at the ends of the wire
//   delay IFACE IFACE MS     until SIGTERM; says `ready` on standard error
#define _GNU_SOURCE
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum { PLACES = 1 << 15, ROOM = 2048 };

struct way {
    int in, out;
    uint32_t first, last;
    struct { int64_t due; int length; uint8_t frame[ROOM]; } *queue;
};

static void die(const char *what) { perror(what); exit(2); }

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

static void plain(const char *name) {
    static const uint32_t off[] = {ETHTOOL_STXCSUM, ETHTOOL_SSG, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        struct ethtool_value value = {off[i], 0};
        struct ifreq request = {0};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        request.ifr_data = (void *)&value;
        if (ioctl(fd, SIOCETHTOOL, &request)) die(name);
    }
}

static int opened(const char *name) {
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0), on = 1, room = 64 << 20;
    if (fd < 0) die("socket");
    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(name)};
    if (!at.sll_ifindex || bind(fd, (void *)&at, sizeof at)) die(name);
    return fd;
}

static void carry(struct way *way, int64_t delay) {
    for (int n = 0; n < 256 && way->last - way->first < PLACES; n++) {
        __typeof__(*way->queue) *place = way->queue + way->last % PLACES;
        place->length = recv(way->in, place->frame, ROOM, 0);
        if (place->length <= 0) break;
        place->due = now() + delay, way->last++;
    }
    for (int64_t at = now(); way->first != way->last && way->queue[way->first % PLACES].due <= at; way->first++)
        send(way->out, way->queue[way->first % PLACES].frame, way->queue[way->first % PLACES].length, 0);
}

int main(int words, char **word) {
    if (words == 3 && !strcmp(word[1], "plain")) return plain(word[2]), 0;
    if (words != 4) return fprintf(stderr, "delay IFACE IFACE MS: see the source\n"), 2;
    int one = opened(word[1]), other = opened(word[2]);
    struct way there = {.in = one, .out = other}, back = {.in = other, .out = one};
    there.queue = calloc(PLACES, sizeof *there.queue), back.queue = calloc(PLACES, sizeof *back.queue);
    int64_t delay = atol(word[3]) * 1000000L;
    fprintf(stderr, "ready\n");
    for (;;) {
        carry(&there, delay), carry(&back, delay);
        nanosleep(&(struct timespec){0, 50000}, NULL);
    }
}
