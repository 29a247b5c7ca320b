// The far side of a wide area network, in real time, behind one end of a veth pair: many hosts of mixed
// kinds over a path that loses, delays, reorders and repeats, both ways. Answers ARP for the gateway, SYNs
// (and whole handshakes), and datagrams to 53, 123 and 161, as those hosts would. Knows nothing of who is
// asking.
//
//   wan IFACE [KEY=VALUE ...]         until SIGTERM; then prints what it counted, `name value` a line
//
//   hosts=1024 ports=1000 seed=1      hosts from 10.64.0.0 on; their open ports lie within 1..ports
//   kind=NAME                         all hosts of one kind, instead of the mix
//   loss=2 bad=12                     per cent lost each way; by one host in 16
//   repeat=1 late=0.5                 per cent of packets that come twice; that are overtaken
//   retries=5                         how often a host repeats its SYN-ACK
//   rate=0 queue=500                  a bottleneck on the way there: packets a second (0: none), drop-tail
//   truth=FILE                        written at once: open endpoints, `address port` a line
//   servers=FILE                      the same of the name, time and management servers, over UDP
//   detail=FILE                       written at the end, for each open endpoint:
//     address port kind loss% | SYNs on the wire | that reached the host | SYN-ACKs that came back
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum kind { RESET, DROP, REJECT, DEAD, LIMITED, FAR, FARDROP, GONE, KINDS };
static const char *const NAMES[KINDS] = {"reset", "drop", "reject", "dead", "limited", "far", "fardrop", "gone"};
// Hosts of a kind per hundred, in the order above.
static const int SHARES[KINDS] = {30, 32, 10, 14, 6, 4, 2, 2};
// Half of what is open is one of these, as everywhere.
static const uint16_t POPULAR[] = {21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 465, 587, 631, 873, 990, 993, 995};

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };
enum { WINDOW_SCALE = 1, SACK = 2 }; // options that a SYN offered
enum { MOST_OPEN = 8, ROOM = 144, QUOTE = 28, QUERY = 100, BATCH = 64 };
enum { FRAME = 256, FRAMES = 1 << 17, BLOCK = 1 << 20 };
enum { EVENTS = 1 << 18, CONNECTIONS = 1 << 17, SLOTS = 1 << 17, TICK = 250000, SECONDS = 4096 };
static const uint32_t NETWORK = 10u << 24 | 64 << 16;
static const uint32_t GATEWAY = 198u << 24 | 51 << 16 | 100 << 8 | 1, ROUTER = 203u << 24 | 113 << 8;

// What some hosts serve over UDP, a bit each.
static const uint16_t SERVICES[] = {53, 123, 161};
enum { SERVED = sizeof SERVICES / sizeof *SERVICES };

struct bucket { double tokens, rate, burst; int64_t at; };

struct host {
    enum kind kind;
    double loss, away; // away: nanoseconds, one way
    uint8_t ttl, code; // code: of the ICMP unreachable with which it refuses
    bool by_router;
    int opens;
    uint16_t open[MOST_OPEN];
    uint8_t serves;
    struct bucket limit, says; // says: of ICMP errors about datagrams
};

// A segment on its way to a host.
struct segment {
    uint32_t source, sequence, acknowledgement;
    uint16_t host, port, from, length; // from: the scanner's port
    uint8_t flags, offered;
    uint8_t quote[QUOTE];
};

// A datagram on its way to a host.
struct datagram {
    uint32_t source;
    uint16_t host, port, from, length;
    uint8_t quote[QUOTE], query[QUERY];
};

struct connection {
    uint32_t next, source, ours, theirs, born; // born: tells an old timer from a new connection
    uint16_t host, port, from;
    uint8_t state, offered, repeated;
    int64_t challenged;
};
enum { FREE, HALF, WHOLE, CLOSING };

struct event {
    uint32_t next, tick;
    uint8_t what, length, settles;
    uint32_t endpoint, connection, born;
    union { struct segment segment; struct datagram datagram; uint8_t frame[ROOM]; };
};
enum { ARRIVES, ASKS, RETURNS, REPEATS };

static struct host *hosts;
static long host_count = 1024, ports = 1000, retries = 5, bottleneck, queue = 500;
static double loss = 2, bad = 12, twice = 1, late = 0.5;
static uint64_t seed = 1, dice;
static uint8_t here[6], there[6];
static int sender;

// Counted for each host and port from 1 on; `settled` where an answer came back that ends the question.
static uint8_t *asked, *reached, *answered, *settled;
static struct {
    uint64_t syns, handshakes, elsewhere, checksums, forward, queue_drops, losses, no_room;
    uint64_t datagrams, replies, synacks, resets, icmps, limited, frames_out, send_errors, ring_drops;
} count;
static int64_t begin, first, last, line_free;
static uint32_t per_second[SECONDS];

static struct event *events;
static uint32_t event_free, slots[SLOTS], tick;
static struct connection *connections;
static uint32_t connection_free, table[CONNECTIONS], births;

static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static uint8_t outgoing[BATCH][ROOM];
static int waiting;

static volatile sig_atomic_t stop;
static void on_signal(int signal) { (void)signal; stop = 1; }
static void die(const char *what) { perror(what); exit(2); }

// The kernel stamps frames with this clock.
static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

// splitmix64
static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}
static uint64_t roll(void) { return mix(dice++); }
static double part(void) { return (roll() >> 11) * 0x1p-53; }

static void put16(uint8_t *at, uint16_t value) { at[0] = value >> 8, at[1] = value; }
static void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }
static uint16_t take16(const uint8_t *at) { return at[0] << 8 | at[1]; }
static uint32_t take32(const uint8_t *at) { return (uint32_t)take16(at) << 16 | take16(at + 2); }

static uint32_t sum(const uint8_t *at, int length, uint32_t sum) {
    for (; length > 1; at += 2, length -= 2) sum += take16(at);
    return length ? sum + (at[0] << 8) : sum;
}
static uint16_t fold(uint32_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}
// Over the pseudo header and the whole of a segment or datagram.
static uint32_t whole_sum(const uint8_t *ip, const uint8_t *data, int length) {
    return sum(data, length, sum(ip + 12, 8, ip[9] + length));
}

// ---------------------------------------------------------------- hosts

static bool is_open(const struct host *h, uint16_t port) {
    for (int i = 0; i < h->opens; i++)
        if (h->open[i] == port) return true;
    return false;
}

static bool allowed(struct bucket *b, int64_t at) {
    if (!b->rate) return true;
    b->tokens += (at - b->at) * 1e-9 * b->rate, b->at = at;
    if (b->tokens > b->burst) b->tokens = b->burst;
    if (b->tokens < 1) return count.limited++, false;
    return b->tokens--, true;
}

static void people(int only) {
    hosts = calloc(host_count, sizeof *hosts);
    for (long i = 0; i < host_count; i++) {
        struct host *h = hosts + i;
        uint64_t own = mix(mix(seed) + i);
        // Steps of the golden ratio: every stretch of hosts, also the first few, has its share of each kind.
        double at = i * 0.6180339887498949 + mix(seed) * 0x1p-64, percent = 100 * (at - (long)at);
        while (h->kind < KINDS - 1 && (percent -= SHARES[h->kind]) >= 0) h->kind++;
        if (only >= 0) h->kind = only;
        bool away = h->kind == FAR || h->kind == FARDROP;
        h->loss = (uint64_t)i % 16 == mix(seed ^ mix(i / 16)) % 16 ? bad : loss;
        h->away = ((away ? 400 : 30) + (own >> 8) % 1000 * 0.005 - 2.5) * 1e6;
        h->ttl = (own >> 20 & 1 ? 64 : 128) - 8 - (own >> 24) % 12;
        h->limit.at = begin;
        if (h->kind == LIMITED) h->limit.rate = h->limit.burst = 200; // as the BSDs
        if (h->kind == REJECT) {
            // Linux's own limit for two of them; the others are more generous, and one is a router.
            static const uint8_t codes[] = {3, 13, 13, 10};
            int way = own >> 32 & 3;
            h->code = codes[way], h->by_router = way == 2;
            h->limit.rate = way == 3 ? 1000 : way == 2 ? 100 : 1;
            h->limit.burst = way < 2 ? 6 : 50;
        }
        if (h->kind == GONE) h->code = 1, h->by_router = true, h->limit.rate = 1, h->limit.burst = 6;
        h->limit.tokens = h->limit.burst;
        h->says = (struct bucket){.tokens = 6, .rate = 1, .burst = 6, .at = begin}; // as Linux
        // A third of the hosts serve one thing, a few two, one in 24 all three.
        if (h->kind != DEAD && h->kind != GONE) h->serves = "\0\0\0\0\0\0\1\2\4\1\2\4\1\2\4\3\5\6\7\0\0\0\0\0"[(own >> 44) % 24];
        int wanted = h->kind == DEAD || h->kind == GONE ? 0 : 1 + (own >> 40) % MOST_OPEN;
        for (uint64_t n = 0; h->opens < wanted && n < 100; n++) {
            uint64_t draw = mix(own + n + 1);
            uint16_t port = draw & 1 ? POPULAR[(draw >> 8) % (sizeof POPULAR / 2)] : 1 + (draw >> 8) % ports;
            if (port <= ports && !is_open(h, port)) h->open[h->opens++] = port;
        }
    }
}

static const char *name(uint32_t host) {
    static char text[INET_ADDRSTRLEN];
    uint32_t address = htonl(NETWORK + host);
    return inet_ntop(AF_INET, &address, text, sizeof text);
}

// Ports beyond those that count share the first place, which nobody reads.
static uint32_t endpoint(uint16_t host, uint16_t port) { return port <= ports ? host * (uint32_t)(ports + 1) + port : 0; }
static void bump(uint8_t *counter) { *counter += *counter < 255; }

// ---------------------------------------------------------------- time

static struct event *event(uint8_t what, int64_t at) {
    if (!event_free) return count.no_room++, NULL;
    struct event *e = events + event_free;
    event_free = e->next;
    int64_t due = (at - begin) / TICK;
    e->what = what;
    e->tick = due > tick ? due : tick + 1;
    uint32_t *slot = slots + e->tick % SLOTS;
    e->next = *slot, *slot = e - events;
    return e;
}

// Whether, and when, a copy of a packet that leaves now arrives. Called twice for one that comes twice.
static int64_t transit(const struct host *h, int64_t at) {
    double delay = h->away + (part() - 0.5) * 5e6;
    if (part() * 100 < late) delay += part() * 40e6;
    return at + (int64_t)delay;
}
static int copies(const struct host *h) {
    if (part() * 100 < h->loss) return count.losses++, 0;
    return part() * 100 < twice ? 2 : 1;
}

// ---------------------------------------------------------------- the way back

static void send_back(struct host *h, const uint8_t *frame, int length, uint32_t endpoint, uint8_t settles, int64_t at) {
    for (int n = copies(h); n > 0; n--) {
        struct event *e = event(RETURNS, transit(h, at));
        if (!e) return;
        memcpy(e->frame, frame, length);
        e->length = length, e->endpoint = endpoint, e->settles = settles;
    }
}

static void headers(uint8_t *f, uint32_t from, uint32_t to, uint8_t ttl, uint8_t protocol, int length) {
    memcpy(f, there, 6), memcpy(f + 6, here, 6), put16(f + 12, ETH_P_IP);
    memcpy(f + 14, "\x45\0\0\0\0\0\x40\0", 8);
    put16(f + 16, 20 + length), f[22] = ttl, f[23] = protocol, put16(f + 24, 0);
    put32(f + 26, from), put32(f + 30, to);
    put16(f + 24, fold(sum(f + 14, 20, 0)));
}

enum { NOTHING, BY_SYNACK, BY_REFUSAL };
static void reply(const struct segment *s, uint8_t flags, uint32_t sequence, uint32_t acknowledgement, uint8_t settles, int64_t at) {
    uint8_t f[ROOM], *tcp = f + 34, *option = tcp + 20;
    struct host *h = hosts + s->host;
    if (flags & SYN) { // as Linux orders them, and only what was offered
        memcpy(option, "\2\4\5\xb4", 4), option += 4;
        if (s->offered & SACK) memcpy(option, "\1\1\4\2", 4), option += 4;
        if (s->offered & WINDOW_SCALE) memcpy(option, "\1\3\3\7", 4), option += 4;
    }
    int length = option - tcp;
    put16(tcp, s->port), put16(tcp + 2, s->from);
    put32(tcp + 4, sequence), put32(tcp + 8, acknowledgement);
    tcp[12] = length << 2, tcp[13] = flags;
    put16(tcp + 14, flags & RST ? 0 : 64240), put32(tcp + 16, 0);
    headers(f, NETWORK + s->host, s->source, h->ttl, IPPROTO_TCP, length);
    put16(tcp + 16, fold(whole_sum(f + 14, tcp, length)));
    send_back(h, f, 34 + length, endpoint(s->host, s->port), settles, at);
}

// An ICMP destination unreachable about a packet of which this is the beginning.
static void unreachable(struct host *h, uint8_t code, uint32_t to, const uint8_t *quote, uint32_t endpoint, int64_t at) {
    uint8_t f[ROOM], *icmp = f + 34;
    uint16_t own = h - hosts;
    memset(icmp, 0, 8), icmp[0] = 3, icmp[1] = code;
    memcpy(icmp + 8, quote, QUOTE);
    icmp[8 + 8] -= 12; // what was left of its time to live when it got here
    put16(icmp + 18, 0), put16(icmp + 18, fold(sum(icmp + 8, 20, 0)));
    put16(icmp + 2, fold(sum(icmp, 8 + QUOTE, 0)));
    headers(f, h->by_router ? ROUTER + 1 + own % 250 : NETWORK + own, to, h->ttl, IPPROTO_ICMP, 8 + QUOTE);
    // An unreachable host may be reachable a moment later (RFC 1122 section 4.2.3.9): it settles nothing.
    send_back(h, f, 34 + 8 + QUOTE, endpoint, code == 1 || !endpoint ? NOTHING : BY_REFUSAL, at);
}

static void refuse(const struct segment *s, int64_t at) {
    struct host *h = hosts + s->host;
    if (allowed(&h->limit, at)) unreachable(h, h->code, s->source, s->quote, endpoint(s->host, s->port), at);
}

// ---------------------------------------------------------------- what hosts do

static uint32_t *place(const struct segment *s) {
    uint64_t key = (uint64_t)s->source << 32 | (uint32_t)s->host << 16 | s->port;
    uint32_t *at = table + mix(key ^ (uint64_t)s->from << 24) % CONNECTIONS;
    for (; *at; at = &connections[*at].next) {
        struct connection *c = connections + *at;
        if (c->source == s->source && c->host == s->host && c->port == s->port && c->from == s->from) break;
    }
    return at;
}

static void forget(uint32_t *at) {
    uint32_t index = *at;
    *at = connections[index].next;
    connections[index].state = FREE, connections[index].next = connection_free;
    connection_free = index;
}

static void synack(struct connection *c, const struct segment *s, int64_t at) {
    reply(s, SYN | ACK, c->ours, c->theirs + 1, BY_SYNACK, at);
}

static void repeat_later(struct connection *c, const struct segment *s, int64_t at) {
    // After one second, then two, four, ... as Linux.
    struct event *e = event(REPEATS, at + (1000000000L << c->repeated));
    if (e) e->segment = *s, e->connection = c - connections, e->born = c->born;
}

static void repeat_now(struct event *e, int64_t at) {
    struct connection *c = connections + e->connection;
    if (c->state != HALF || c->born != e->born) return;
    if (c->repeated++ >= retries) return forget(place(&e->segment));
    struct segment s = e->segment;
    synack(c, &s, at);
    repeat_later(c, &s, at);
}

static void first_syn(uint32_t *at_table, const struct segment *s, int64_t at) {
    if (!connection_free) { count.no_room++; return; }
    uint32_t index = connection_free;
    struct connection *c = connections + index;
    connection_free = c->next;
    *c = (struct connection){.source = s->source, .ours = roll(), .theirs = s->sequence, .born = ++births,
        .host = s->host, .port = s->port, .from = s->from, .state = HALF, .offered = s->offered};
    *at_table = index;
    synack(c, s, at);
    repeat_later(c, s, at);
}

static void at_open_port(const struct segment *s, int64_t at) {
    uint32_t *at_table = place(s);
    struct connection *c = *at_table ? connections + *at_table : NULL;
    uint32_t ahead = c ? s->sequence - (c->theirs + 1) : 0;
    if (s->flags & RST) {
        if (c && ahead < 65536) forget(at_table);
        return;
    }
    if (s->flags & SYN) {
        if (s->flags & ACK) return;
        if (c && c->state == CLOSING) forget(at_table), at_table = place(s), c = NULL;
        if (!c) return first_syn(at_table, s, at);
        if (c->state == HALF && s->sequence == c->theirs) return synack(c, s, at);
        // Linux's tcp_check_req: another SYN within the window breaks the half-open connection off, one
        // outside is answered with the first one's numbers, which is how scanners hide ports from each other.
        if (c->state == HALF && ahead < 65535) {
            reply(s, RST | ACK, 0, s->sequence + 1, NOTHING, at);
            return forget(at_table);
        }
        if (at - c->challenged < 500000000) return;
        c->challenged = at;
        return reply(s, ACK, c->ours + 1, c->theirs + 1, NOTHING, at);
    }
    if (!(s->flags & ACK)) return;
    if (!c || (c->state == HALF && s->acknowledgement != c->ours + 1)) return reply(s, RST, s->acknowledgement, 0, NOTHING, at);
    if (c->state == HALF) c->state = WHOLE;
    if (c->state == CLOSING && s->acknowledgement == c->ours + 2) return forget(at_table);
    uint32_t end = s->sequence + s->length + (s->flags & FIN ? 1 : 0);
    if (s->flags & FIN) {
        c->state = CLOSING;
        reply(s, FIN | ACK, c->ours + 1, end, NOTHING, at);
    } else if (s->length) {
        reply(s, ACK, c->ours + 1, end, NOTHING, at);
    }
}

static void arrive(const struct segment *s, int64_t at) {
    struct host *h = hosts + s->host;
    bool asks = (s->flags & (SYN | ACK | RST)) == SYN;
    if (asks) bump(reached + endpoint(s->host, s->port));
    if (h->kind == GONE) return refuse(s, at);
    if (is_open(h, s->port)) return at_open_port(s, at);
    if (s->flags & RST) return;
    if (h->kind == REJECT) return refuse(s, at);
    if (h->kind == DROP || h->kind == FARDROP || !allowed(&h->limit, at)) return;
    if (s->flags & ACK) return reply(s, RST, s->acknowledgement, 0, NOTHING, at);
    reply(s, RST | ACK, 0, s->sequence + s->length + 1, BY_REFUSAL, at);
}

// ---------------------------------------------------------------- what they serve over UDP

// A query becomes the answer to it; its length, or 0 where the server would not answer.
static int named(uint8_t *q, int length) { // RFC 1035 section 4.1.1: refused
    if (length < 12 || q[2] & 0x80) return 0;
    return q[2] |= 0x80, q[3] = 5, length;
}
static int timed(uint8_t *q, int length) { // RFC 5905 section 7.3: a client's packet only
    if (length != 48 || (q[0] & 7) != 3) return 0;
    uint8_t asked[8];
    memcpy(asked, q + 40, 8);
    memset(q + 12, 0, 36);
    q[0] = (q[0] & 0x38) | 4, q[1] = 2, memcpy(q + 24, asked, 8), q[40] = 0xe9, q[32] = 0xe9;
    return 48;
}
static int managed(uint8_t *q, int length) { // RFC 1157 section 4: a get of community `public`, noSuchName
    static const uint8_t community[] = "\4\6public\xa0";
    if (length < 26 || q[0] != 0x30 || q[1] >= 128 || q[2] != 2 || q[3] != 1 || q[4] > 1 || memcmp(q + 5, community, 9)) return 0;
    uint8_t *id = q + 15, *error = id + 2 + id[1]; // behind the length of the request
    if (id[0] != 2 || id[1] > 4 || error[0] != 2 || error[1] != 1) return 0;
    return q[13] = 0xa2, error[2] = 2, error[5] = 1, length;
}

static void serve(struct datagram *d, int64_t at) {
    struct host *h = hosts + d->host;
    if (h->kind == DEAD) return;
    int (*const way[])(uint8_t *, int) = {named, timed, managed};
    for (int i = 0; i < SERVED && h->kind != GONE; i++) {
        if (d->port != SERVICES[i] || !(h->serves >> i & 1)) continue;
        int length = d->length <= QUERY ? way[i](d->query, d->length) : 0;
        if (!length) return;
        uint8_t f[ROOM] = {0}, *udp = f + 34;
        put16(udp, d->port), put16(udp + 2, d->from), put16(udp + 4, 8 + length);
        memcpy(udp + 8, d->query, length);
        headers(f, NETWORK + d->host, d->source, h->ttl, IPPROTO_UDP, 8 + length);
        put16(udp + 6, fold(whole_sum(f + 14, udp, 8 + length)));
        return send_back(h, f, 42 + length, 0, NOTHING, at);
    }
    if (h->kind == DROP || h->kind == FARDROP || !allowed(&h->says, at)) return;
    unreachable(h, h->code ? h->code : 3, d->source, d->quote, 0, at);
}

// ---------------------------------------------------------------- the wire

static void flush(void) {
    for (int done = 0; done < waiting;) {
        int n = sendmmsg(sender, messages + done, waiting - done, 0);
        if (n <= 0) n = 1, count.send_errors++; // the frame is lost: as on any path, but counted
        else count.frames_out += n;
        done += n;
    }
    waiting = 0;
}

static void out(const uint8_t *frame, int length) {
    memcpy(outgoing[waiting], frame, length);
    parts[waiting].iov_len = length;
    if (++waiting == BATCH) flush();
}

static void come_back(const struct event *e) {
    uint8_t flags = e->frame[23] == IPPROTO_TCP ? e->frame[47] : 0;
    if (e->frame[23] == IPPROTO_ICMP) count.icmps++;
    else if (e->frame[23] == IPPROTO_UDP) count.replies++;
    else if ((flags & (SYN | ACK)) == (SYN | ACK)) count.synacks++;
    else if (flags & RST) count.resets++;
    if (e->settles) {
        settled[e->endpoint] = 1;
        if (e->settles == BY_SYNACK) bump(answered + e->endpoint);
    }
    out(e->frame, e->length);
}

static void turn(int64_t at) {
    for (uint32_t until = (at - begin) / TICK; tick < until;) {
        uint32_t *slot = slots + ++tick % SLOTS, index = *slot;
        *slot = 0;
        while (index) {
            struct event *e = events + index;
            uint32_t next = e->next;
            int64_t due = begin + (int64_t)e->tick * TICK;
            if (e->what == ARRIVES) arrive(&e->segment, due);
            else if (e->what == ASKS) serve(&e->datagram, due);
            else if (e->what == RETURNS) come_back(e);
            else repeat_now(e, due);
            e->next = event_free, event_free = index;
            index = next;
        }
    }
    flush();
}

static void answer_arp(const uint8_t *f) {
    uint8_t a[42];
    if (take16(f + 20) != 1 || take32(f + 38) != GATEWAY) return;
    memcpy(a, f + 6, 6), memcpy(a + 6, here, 6), memcpy(a + 12, f + 12, 8);
    put16(a + 20, 2), memcpy(a + 22, here, 6), put32(a + 28, GATEWAY), memcpy(a + 32, f + 22, 10);
    out(a, sizeof a);
}

static uint8_t offered(const uint8_t *option, const uint8_t *end) {
    uint8_t all = 0;
    while (option < end && *option) {
        if (*option == 3) all |= WINDOW_SCALE;
        if (*option == 4) all |= SACK;
        if (*option == 1) option++;
        else if (option + 1 < end && option[1] >= 2) option += option[1];
        else break;
    }
    return all;
}

static void take_datagram(const uint8_t *ip, int size, int there_is, int64_t at, bool ready) {
    const uint8_t *udp = ip + 20;
    uint32_t to = take32(ip + 16) - NETWORK;
    if (size < 8 || take16(udp + 4) != size) return;
    if (fold(sum(ip, 20, 0)) || (ready && there_is >= size && fold(whole_sum(ip, udp, size)))) { count.checksums++; return; }
    count.datagrams++;
    if (!first) first = at;
    last = at;
    if (to >= host_count) { count.elsewhere++; return; }
    struct datagram d = {.source = take32(ip + 12), .host = to, .port = take16(udp + 2), .from = take16(udp), .length = size - 8};
    memcpy(d.quote, ip, QUOTE);
    if (d.length <= QUERY && there_is >= size) memcpy(d.query, udp + 8, d.length);
    for (int n = copies(hosts + to); n > 0; n--) {
        struct event *e = event(ASKS, transit(hosts + to, at));
        if (e) e->datagram = d;
    }
}

// `ready`: the checksum is; the kernel leaves its own unfilled on a veth.
static void take(const uint8_t *f, uint32_t length, int64_t at, bool ready) {
    if (length >= 42 && take16(f + 12) == ETH_P_ARP) return answer_arp(f);
    if (length < 42 || take16(f + 12) != ETH_P_IP || f[14] != 0x45) return;
    const uint8_t *ip = f + 14, *tcp = ip + 20;
    int size = take16(ip + 2) - 20, header = tcp[12] >> 4 << 2;
    if (memcmp(there, f + 6, 6)) memcpy(there, f + 6, 6);
    if (ip[9] == IPPROTO_UDP) return take_datagram(ip, size, length - 34, at, ready);
    if (ip[9] != IPPROTO_TCP) return;
    uint32_t to = take32(ip + 16) - NETWORK;
    if (size < header || header < 20 || length < 34u + header) return;
    if (fold(sum(ip, 20, 0)) || (ready && length >= 34u + size && fold(whole_sum(ip, tcp, size)))) { count.checksums++; return; }

    struct segment s = {.source = take32(ip + 12), .sequence = take32(tcp + 4), .acknowledgement = take32(tcp + 8), .host = to,
        .port = take16(tcp + 2), .from = take16(tcp), .length = size - header, .flags = tcp[13] & 0x3f, .offered = offered(tcp + 20, tcp + header)};
    bool asks = (s.flags & (SYN | ACK | RST)) == SYN;
    if (asks) {
        count.syns++, count.handshakes += !ready;
        if (!first) first = at;
        last = at;
        if (to < host_count && s.port && s.port <= ports) bump(asked + endpoint(s.host, s.port));
        else count.elsewhere++;
    }
    if (bottleneck) {
        int64_t step = 1000000000 / bottleneck;
        if (line_free < at) line_free = at;
        if (line_free - at >= queue * step) { count.queue_drops++; return; }
        line_free += step, at = line_free;
    }
    count.forward++;
    if (first && (at - first) / 1000000000 < SECONDS) per_second[(at - first) / 1000000000]++;
    if (to >= host_count) return;
    struct host *h = hosts + to;
    if (h->kind == DEAD) {
        if (asks) bump(reached + endpoint(s.host, s.port));
        return;
    }
    memcpy(s.quote, ip, QUOTE);
    for (int n = copies(h); n > 0; n--) {
        struct event *e = event(ARRIVES, transit(h, at));
        if (e) e->segment = s;
    }
}

static int open_ring(const char *interface, uint8_t **ring) {
    int fd = socket(AF_PACKET, SOCK_RAW, 0), version = TPACKET_V2, on = 1;
    if (fd < 0) die("socket");
    struct tpacket_req size = {.tp_block_size = BLOCK, .tp_block_nr = FRAMES / (BLOCK / FRAME), .tp_frame_size = FRAME, .tp_frame_nr = FRAMES};
    if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) || setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &size, sizeof size)
        || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on)) die("ring");
    *ring = mmap(NULL, (size_t)FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (*ring == MAP_FAILED) die("mmap");
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(interface)};
    if (!at.sll_ifindex || bind(fd, (void *)&at, sizeof at)) die(interface);

    sender = socket(AF_PACKET, SOCK_RAW, 0);
    at.sll_protocol = 0;
    setsockopt(sender, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    struct ifreq hardware = {0};
    snprintf(hardware.ifr_name, sizeof hardware.ifr_name, "%s", interface);
    if (bind(sender, (void *)&at, sizeof at) || ioctl(sender, SIOCGIFHWADDR, &hardware)) die(interface);
    memcpy(here, hardware.ifr_hwaddr.sa_data, 6), memset(there, 0xff, 6);
    for (int i = 0; i < BATCH; i++) {
        parts[i].iov_base = outgoing[i];
        messages[i].msg_hdr = (struct msghdr){.msg_iov = parts + i, .msg_iovlen = 1};
    }
    return fd;
}

// Takes what has come, a limited number, so that the wheel turns in between.
static int drain(uint8_t *ring) {
    static uint32_t next;
    for (int n = 0;; n++) {
        struct tpacket2_hdr *frame = (void *)(ring + (size_t)next * FRAME);
        uint32_t status = __atomic_load_n(&frame->tp_status, __ATOMIC_ACQUIRE);
        if (!(status & TP_STATUS_USER) || n == 1024) return n;
        take((uint8_t *)frame + frame->tp_mac, frame->tp_snaplen, frame->tp_sec * 1000000000L + frame->tp_nsec, !(status & TP_STATUS_CSUMNOTREADY));
        __atomic_store_n(&frame->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        next = (next + 1) % FRAMES;
    }
}

static void read_drops(int fd) {
    struct tpacket_stats lost;
    socklen_t length = sizeof lost;
    if (!getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &lost, &length)) count.ring_drops += lost.tp_drops;
}

// ---------------------------------------------------------------- the account

static void report(void) {
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    double cpu = use.ru_utime.tv_sec + use.ru_stime.tv_sec + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
    double sending = (last - first) * 1e-9;
    printf("syns %lu\nhandshake_syns %lu\nelsewhere %lu\nbad_checksums %lu\n", count.syns, count.handshakes, count.elsewhere, count.checksums);
    printf("sending_s %.3f\nsyns_per_s %.1f\n", sending, sending > 0 ? (count.syns - 1) / sending : 0);
    printf("forwarded %lu\nqueue_drops %lu\nlosses %lu\n", count.forward, count.queue_drops, count.losses);
    printf("datagrams %lu\nreplies %lu\n", count.datagrams, count.replies);
    printf("synacks %lu\nresets %lu\nicmps %lu\nlimited %lu\n", count.synacks, count.resets, count.icmps, count.limited);
    printf("ring_drops %lu\nsend_errors %lu\nno_room %lu\n", count.ring_drops, count.send_errors, count.no_room);
    printf("cpu_s %.2f\ncpu_percent %.0f\n", cpu, sending > 0 ? 100 * cpu / sending : 0);
    if (bottleneck && sending > 0) {
        uint32_t peak = 0;
        for (int i = 0; i < SECONDS; i++) peak = per_second[i] > peak ? per_second[i] : peak;
        printf("used_percent %.1f\nused_peak_percent %.1f\nused_by_second", 100 * count.forward / (bottleneck * sending), 100.0 * peak / bottleneck);
        for (int i = 0; i < SECONDS && i <= sending; i++) printf(" %.0f", 100.0 * per_second[i] / bottleneck);
        printf("\n");
    }
    // How many endpoints that never got an answer through were asked how often (255: that or more).
    uint64_t times[256] = {0};
    for (long h = 0; h < host_count; h++)
        for (long p = 1; p <= ports; p++)
            if (!settled[endpoint(h, p)]) times[asked[endpoint(h, p)]]++;
    for (int n = 0; n < 256; n++)
        if (times[n]) printf("silent_asked_%d %lu\n", n, times[n]);
}

static void write_truth(const char *path, bool detail) {
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) { if (path) die(path); return; }
    for (long h = 0; h < host_count; h++)
        for (int i = 0; i < hosts[h].opens; i++) {
            uint32_t e = endpoint(h, hosts[h].open[i]);
            fprintf(file, "%s %d", name(h), hosts[h].open[i]);
            if (detail) fprintf(file, " %s %g%% %d %d %d", NAMES[hosts[h].kind], hosts[h].loss, asked[e], reached[e], answered[e]);
            fprintf(file, "\n");
        }
    if (fclose(file)) die(path);
}

static void write_servers(const char *path) {
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) { if (path) die(path); return; }
    for (long h = 0; h < host_count; h++)
        for (int i = 0; i < SERVED; i++)
            if (hosts[h].serves >> i & 1) fprintf(file, "%s %d\n", name(h), SERVICES[i]);
    if (fclose(file)) die(path);
}

int main(int words, char **word) {
    int only = -1;
    const char *truth = NULL, *servers = NULL, *detail = NULL;
    if (words < 2) return fprintf(stderr, "wan IFACE [KEY=VALUE ...]: see the source\n"), 2;
    for (int i = 2; i < words; i++) {
        char *value = strchr(word[i], '=');
        if (!value) return fprintf(stderr, "%s: KEY=VALUE\n", word[i]), 2;
        *value++ = 0;
        const char *key = word[i];
        if (!strcmp(key, "hosts")) host_count = atol(value);
        else if (!strcmp(key, "ports")) ports = atol(value);
        else if (!strcmp(key, "seed")) seed = atol(value);
        else if (!strcmp(key, "kind")) {
            for (int kind = 0; kind < KINDS; kind++)
                if (!strcmp(value, NAMES[kind])) only = kind;
            if (only < 0) return fprintf(stderr, "no kind `%s`\n", value), 2;
        }
        else if (!strcmp(key, "loss")) loss = atof(value);
        else if (!strcmp(key, "bad")) bad = atof(value);
        else if (!strcmp(key, "repeat")) twice = atof(value);
        else if (!strcmp(key, "late")) late = atof(value);
        else if (!strcmp(key, "retries")) retries = atol(value);
        else if (!strcmp(key, "rate")) bottleneck = atol(value);
        else if (!strcmp(key, "queue")) queue = atol(value);
        else if (!strcmp(key, "truth")) truth = value;
        else if (!strcmp(key, "servers")) servers = value;
        else if (!strcmp(key, "detail")) detail = value;
        else return fprintf(stderr, "no key `%s`\n", key), 2;
    }
    if (host_count < 1 || host_count > 65536 || ports < 1 || ports > 65535 || retries < 0 || retries > 5) return fprintf(stderr, "out of range\n"), 2;

    begin = now(), dice = mix(seed ^ begin);
    people(only);
    write_truth(truth, false);
    write_servers(servers);
    size_t endpoints = host_count * (ports + 1);
    asked = calloc(endpoints, 1), reached = calloc(endpoints, 1), answered = calloc(endpoints, 1), settled = calloc(endpoints, 1);
    events = calloc(EVENTS, sizeof *events), connections = calloc(CONNECTIONS, sizeof *connections);
    // Index 0 is none.
    for (uint32_t i = 1; i < EVENTS; i++) events[i].next = event_free, event_free = i;
    for (uint32_t i = 1; i < CONNECTIONS; i++) connections[i].next = connection_free, connection_free = i;
    uint8_t *ring;
    int fd = open_ring(word[1], &ring);
    signal(SIGTERM, on_signal), signal(SIGINT, on_signal);
    fprintf(stderr, "ready\n");

    for (int64_t looked = begin; !stop;) {
        int taken = drain(ring);
        int64_t at = now();
        turn(at);
        if (at - looked > 50000000) looked = at, read_drops(fd);
        // Packets are stamped by the kernel, so that a nap moves nothing but the moment of their way back.
        if (taken < 1024) nanosleep(&(struct timespec){0, TICK}, NULL);
    }
    read_drops(fd);
    report();
    write_truth(detail, true);
    return 0;
}
