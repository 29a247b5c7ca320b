// What the benchmarks measure with, apart from any scanner.
//
//   frames bare IFACE COUNT            the ceiling: COUNT SYN frames by sendmmsg, 64 a call, nothing else done
//   frames watch IFACE COMMAND ...     runs a command; one line of figures about it goes to descriptor 3:
//     frames sent | frames/s, first to last | wall s | CPU s | peak memory KiB | exit code | slowest whole second, frames/s
//   frames listen PORT ...                  accepts on every address of the namespace and closes at once
//   frames pace IFACE SECONDS          receives SYNs with the kernel's time stamps; prints
//     frames | (n - 1) / (last - first) | most within any 10 ms
//   frames capture IFACE FILE          everything both ways, as pcap, until SIGTERM (tcpdump would want to be
//     another user, which a namespace with one user has not)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, LENGTH = 66 };

static void die(const char *what) { perror(what); exit(2); }

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static int packet_socket(const char *name, int protocol) {
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) die("socket");
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = if_nametoindex(name)};
    if (!to.sll_ifindex || bind(fd, (void *)&to, sizeof to)) die(name);
    return fd;
}

// The same 66 octets as a scanner's SYN with ordinary options; only address and port change.
static int bare(const char *name, long count) {
    static unsigned char frames[BATCH][LENGTH];
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    int fd = packet_socket(name, 0);
    for (int i = 0; i < BATCH; i++) {
        unsigned char *f = frames[i];
        memset(f, 0xff, 6);
        f[12] = 8, f[14] = 0x45, f[17] = 52, f[22] = 64, f[23] = 6;
        memcpy(f + 26, "\xc6\x33\x64\x04\x0a", 5);
        f[34] = 200, f[46] = 0x80, f[47] = 2, f[48] = f[49] = 0xff;
        memcpy(f + 54, "\2\4\5\xb4\1\3\3\x08\1\1\4\2", 12);
        parts[i] = (struct iovec){f, LENGTH};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    for (long sent = 0; sent < count;) {
        for (int i = 0; i < BATCH; i++) {
            uint32_t n = htonl((uint32_t)(sent + i));
            memcpy(frames[i] + 31, (char *)&n + 1, 3);
        }
        int left = count - sent < BATCH ? count - sent : BATCH, done = sendmmsg(fd, messages, left, 0);
        if (done < 0 && errno != ENOBUFS && errno != EAGAIN) die("sendmmsg");
        if (done > 0) sent += done;
    }
    return 0;
}

static long counter(int file, const char *name) {
    char text[8192], key[IFNAMSIZ + 2];
    ssize_t length = pread(file, text, sizeof text - 1, 0);
    if (length < 0) die("/proc/net/dev");
    text[length] = 0;
    snprintf(key, sizeof key, "%s:", name);
    char *at = strstr(text, key);
    if (!at) die(name);
    long value = 0;
    at += strlen(key);
    for (int field = 0; field < 10; field++) value = strtol(at, &at, 10); // the tenth: packets sent
    return value;
}

static int watch(const char *name, char **command) {
    int file = open("/proc/net/dev", O_RDONLY);
    if (file < 0) die("/proc/net/dev");
    long before = counter(file, name);
    double start = now(), first = 0, last = 0, slice = 0, slowest = 0;
    long at_first = 0, at_last = before, at_slice = 0;
    pid_t child = fork();
    if (child < 0) die("fork");
    if (!child) {
        execvp(command[0], command);
        die(command[0]);
    }
    int status = 0;
    struct rusage use;
    while (wait4(child, &status, WNOHANG, &use) == 0) {
        double t = now();
        long n = counter(file, name);
        // A handful of frames are questions about neighbours, not yet the scan.
        if (!first && n - before > 100) first = slice = t, at_first = at_slice = n;
        if (n != at_last) last = t, at_last = n;
        if (first && t - slice >= 1) {
            double rate = (n - at_slice) / (t - slice);
            if (t == last && (!slowest || rate < slowest)) slowest = rate;
            slice = t, at_slice = n;
        }
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
    }
    double wall = now() - start;
    long n = counter(file, name);
    double cpu = use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
    double rate = last > first ? (at_last - at_first) / (last - first) : 0;
    dprintf(3, "%ld %.0f %.2f %.2f %ld %d %.0f\n", n - before, rate, wall, cpu, use.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), slowest);
    return 0;
}

// Ends when nothing has come for two seconds after the first frame, or after the time given.
static int pace(const char *name, double seconds) {
    int fd = packet_socket(name, ETH_P_IP), on = 1, room = 1 << 28;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room)) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    size_t size = 1 << 22, n = 0;
    double *times = malloc(size * sizeof *times), end = now() + seconds;
    fprintf(stderr, "ready\n");
    for (double heard = 0; now() < end && !(n && now() - heard > 2);) {
        struct pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, 100) <= 0) continue;
        for (;;) {
            unsigned char f[128], control[64];
            struct iovec part = {f, sizeof f};
            struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
            ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
            if (length < 0) break;
            struct cmsghdr *c = CMSG_FIRSTHDR(&message);
            if (length < 54 || f[12] != 8 || f[13] || f[23] != 6 || (f[47] & 0x12) != 2 || !c) continue;
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
            if (n == size && !(times = realloc(times, (size *= 2) * sizeof *times))) die("memory");
            times[n++] = stamp.tv_sec + stamp.tv_nsec * 1e-9;
            heard = now();
        }
    }
    struct tpacket_stats lost;
    socklen_t length = sizeof lost;
    if (!getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &lost, &length) && lost.tp_drops) {
        fprintf(stderr, "the capture lost %u frames\n", lost.tp_drops);
        return 1;
    }
    size_t most = 0;
    for (size_t i = 0, from = 0; i < n; i++) {
        while (times[i] - times[from] >= 0.01) from++;
        if (i - from + 1 > most) most = i - from + 1;
    }
    printf("%zu %.3f %zu\n", n, n > 1 ? (n - 1) / (times[n - 1] - times[0]) : 0, most);
    return 0;
}

static volatile sig_atomic_t stop;
static void on_signal(int signal) { (void)signal; stop = 1; }

static int capture(const char *name, const char *path) {
    int fd = packet_socket(name, ETH_P_ALL), on = 1, room = 1 << 28;
    FILE *file = fopen(path, "w");
    if (!file) die(path);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room)) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    // Nanoseconds, Ethernet (pcap-savefile(5)).
    uint32_t head[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1};
    fwrite(head, sizeof head, 1, file);
    signal(SIGTERM, on_signal);
    fprintf(stderr, "ready\n");
    for (;;) {
        static unsigned char f[65536];
        char control[64];
        struct iovec part = {f, sizeof f};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);
        struct cmsghdr *c = length < 0 ? NULL : CMSG_FIRSTHDR(&message);
        if (length < 0 && stop) break;
        if (length < 0) poll(&(struct pollfd){fd, POLLIN, 0}, 1, 100);
        if (!c) continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        uint32_t record[] = {stamp.tv_sec, stamp.tv_nsec, length, length};
        fwrite(record, sizeof record, 1, file);
        fwrite(f, length, 1, file);
    }
    if (fclose(file)) die(path);
    return 0;
}

static _Noreturn void serve(int count, char **ports) {
    struct pollfd *ends = calloc(count, sizeof *ends);
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(ports[i]))};
        if (fd < 0 || bind(fd, (void *)&at, sizeof at) || listen(fd, 65535)) die(ports[i]);
        ends[i] = (struct pollfd){fd, POLLIN, 0};
    }
    for (;;) {
        poll(ends, count, -1);
        for (int i = 0; i < count; i++)
            for (int fd; (fd = accept(ends[i].fd, NULL, NULL)) >= 0;) close(fd);
    }
}

int main(int count, char **words) {
    if (count == 4 && !strcmp(words[1], "bare")) return bare(words[2], atol(words[3]));
    if (count >= 4 && !strcmp(words[1], "watch")) return watch(words[2], words + 3);
    if (count == 4 && !strcmp(words[1], "pace")) return pace(words[2], atof(words[3]));
    if (count == 4 && !strcmp(words[1], "capture")) return capture(words[2], words[3]);
    if (count >= 3 && !strcmp(words[1], "listen")) serve(count - 2, words + 2);
    fprintf(stderr, "frames bare IFACE COUNT | watch IFACE COMMAND ... | listen PORT ... | pace IFACE SECONDS | capture IFACE FILE\n");
    return 2;
}
