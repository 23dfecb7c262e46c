/* A host whose TCP is lwIP (Debian's liblwip), on a packet socket: the kernel of its namespace has no
 * address, so that nobody but lwIP answers.
 *
 *     lwip_host INTERFACE ADDRESS get HOST PORT     an HTTP/1.0 request; reads to the end
 *     lwip_host INTERFACE ADDRESS serve PORT SIZE   one request is answered with SIZE bytes
 *     lwip_host INTERFACE ADDRESS read HOST PORT    connects, reads to the end, closes
 *
 * Says "ready" when it can be talked to. Exit status 0: the conversation came to its end. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lwip/api.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/tcpip.h"

static int wire;
static struct netif interface;
static unsigned char mac[6];

static void fail(const char* what) {
    fprintf(stderr, "lwip_host: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void open_wire(const char* name) {
    struct ifreq request = {0};
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    wire = socket(AF_PACKET, SOCK_RAW, 0);
    if (wire < 0) fail("packet socket");
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(wire, SIOCGIFHWADDR, &request) < 0) fail(name);
    memcpy(mac, request.ifr_hwaddr.sa_data, sizeof mac);
    address.sll_ifindex = (int)if_nametoindex(name);
    if (bind(wire, (struct sockaddr*)&address, sizeof address) < 0) fail("bind");
}

static err_t transmit(struct netif* netif, struct pbuf* packet) {
    unsigned char frame[2048];
    (void)netif;
    if (packet->tot_len > sizeof frame) return ERR_BUF;
    pbuf_copy_partial(packet, frame, packet->tot_len, 0);
    return send(wire, frame, packet->tot_len, 0) < 0 ? ERR_IF : ERR_OK;
}

_Noreturn static void* receive(void* unused) {
    (void)unused;
    for (;;) {
        unsigned char frame[2048];
        struct sockaddr_ll from;
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(wire, frame, sizeof frame, 0, (struct sockaddr*)&from, &from_size);
        if (size < 0) fail("recvfrom");
        if (from.sll_pkttype == PACKET_OUTGOING) continue;
        /* Not PBUF_POOL: Debian's library (2.1.3) makes these buffers smaller than it then uses. */
        struct pbuf* packet = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_RAM);
        if (!packet) continue;
        pbuf_take(packet, frame, (u16_t)size);
        if (interface.input(packet, &interface) != ERR_OK) pbuf_free(packet);
    }
}

static err_t set_interface_up(struct netif* netif) {
    netif->name[0] = 'p';
    netif->name[1] = 's';
    netif->output = etharp_output;
    netif->linkoutput = transmit;
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof mac;
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static void start(const char* name, const char* text) {
    ip4_addr_t address, mask, gateway;
    pthread_t receiver;
    open_wire(name);
    address.addr = inet_addr(text);
    mask.addr = inet_addr("255.255.255.0");
    gateway.addr = 0;
    tcpip_init(NULL, NULL);
    LOCK_TCPIP_CORE();
    netif_add(&interface, &address, &mask, &gateway, NULL, set_interface_up, tcpip_input);
    netif_set_default(&interface);
    netif_set_up(&interface);
    UNLOCK_TCPIP_CORE();
    if (pthread_create(&receiver, NULL, receive, NULL)) fail("thread");
}

static void must(err_t result, const char* what) {
    if (result == ERR_OK) return;
    fprintf(stderr, "lwip_host: %s: lwIP's error %d\n", what, result);
    exit(1);
}

/* Reads until the peer closes, or (line_end) until an empty line has come. */
static void read_on(struct netconn* connection, int line_end) {
    struct netbuf* buffer;
    char last[4] = {0};
    while (netconn_recv(connection, &buffer) == ERR_OK) {
        do {
            void* data;
            u16_t size;
            netbuf_data(buffer, &data, &size);
            for (u16_t i = 0; i < size; ++i) {
                memmove(last, last + 1, 3);
                last[3] = ((char*)data)[i];
            }
        } while (netbuf_next(buffer) >= 0);
        netbuf_delete(buffer);
        if (line_end && memcmp(last, "\r\n\r\n", 4) == 0) return;
    }
}

static void answer(struct netconn* connection, size_t size) {
    char* page = malloc(size + 128);
    size_t filled;
    if (!page) fail("memory");
    filled = (size_t)sprintf(page, "HTTP/1.0 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    for (size_t i = 0; i < size; ++i)
        page[filled++] = i % 32 == 31 ? '\n' : (char)('a' + i / 32 % 26);
    must(netconn_write(connection, page, filled, NETCONN_COPY), "write");
    free(page);
}

static void say_ready(void) {
    puts("ready");
    fflush(stdout);
}

int main(int argc, char** argv) {
    static const char request[] = "GET / HTTP/1.0\r\nHost: server\r\n\r\n";
    struct netconn* connection;
    if (argc != 6) return 2;
    start(argv[1], argv[2]);
    connection = netconn_new(NETCONN_TCP);
    if (strcmp(argv[3], "serve") == 0) {
        struct netconn* accepted;
        must(netconn_bind(connection, IP_ADDR_ANY, (u16_t)atoi(argv[4])), "bind");
        must(netconn_listen(connection), "listen");
        say_ready();
        must(netconn_accept(connection, &accepted), "accept");
        read_on(accepted, 1);
        answer(accepted, strtoul(argv[5], NULL, 10));
        must(netconn_shutdown(accepted, 0, 1), "shutdown");
        read_on(accepted, 0); /* lwIP lives in this process: it has to stay till all has arrived */
        must(netconn_close(accepted), "close");
    } else {
        ip_addr_t host = IPADDR4_INIT(inet_addr(argv[4]));
        say_ready();
        must(netconn_connect(connection, &host, (u16_t)atoi(argv[5])), "connect");
        if (strcmp(argv[3], "get") == 0) {
            must(netconn_write(connection, request, sizeof request - 1, NETCONN_COPY), "write");
        }
        read_on(connection, 0);
        must(netconn_close(connection), "close");
    }
    usleep(500000); /* the last acknowledgments are lwIP's work, too */
    return 0;
}
