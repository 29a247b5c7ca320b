// A device that forges a SYN-ACK for every SYN to an address, with window 0 and without options, and never says
// anything more: what some scrubbing centres do.
//
//   forger ADDRESS        says `ready` on standard error, and goes on until it is killed
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static uint16_t fold(const uint8_t *at, int length, uint32_t sum) {
    for (; length > 1; at += 2, length -= 2) sum += at[0] << 8 | at[1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons(~sum);
}

int main(int words, char **word) {
    struct in_addr own;
    if (words != 2 || !inet_aton(word[1], &own)) return fprintf(stderr, "forger ADDRESS\n"), 2;
    int ear = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP)), mouth = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (ear < 0 || mouth < 0) return perror("socket"), 2;
    fprintf(stderr, "ready\n");
    for (;;) {
        uint8_t heard[2048];
        struct sockaddr_ll from;
        socklen_t size = sizeof from;
        int length = recvfrom(ear, heard, sizeof heard, 0, (void *)&from, &size);
        const struct iphdr *ip = (void *)heard;
        if (length < 40 || from.sll_pkttype == PACKET_OUTGOING || ip->protocol != IPPROTO_TCP || ip->daddr != own.s_addr) continue;
        const struct tcphdr *tcp = (void *)(heard + ip->ihl * 4);
        if (!tcp->syn || tcp->ack) continue;
        struct { struct iphdr ip; struct tcphdr tcp; } answer = {
            .ip = {.version = 4, .ihl = 5, .ttl = 61, .protocol = IPPROTO_TCP, .saddr = ip->daddr, .daddr = ip->saddr, .tot_len = htons(40)},
            .tcp = {.source = tcp->dest, .dest = tcp->source, .seq = tcp->seq ^ 0x5a5a5a5a, .ack_seq = htonl(ntohl(tcp->seq) + 1), .doff = 5, .syn = 1, .ack = 1}};
        const uint8_t *ends = (void *)&answer.ip.saddr;
        uint32_t sum = IPPROTO_TCP + 20;
        for (int i = 0; i < 8; i += 2) sum += ends[i] << 8 | ends[i + 1];
        answer.tcp.check = fold((void *)&answer.tcp, 20, sum);
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = ip->saddr};
        sendto(mouth, &answer, sizeof answer, 0, (void *)&to, sizeof to);
    }
}
