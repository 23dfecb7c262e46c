#pragma once

#include "stack/base/cwnd_config.h"

namespace tapestry {

/// Every option of the stack, with its default and where that comes from. Values of one stack; copied
/// when it is made, never read from anywhere else.

/// RFC 826, RFC 1122 section 2.3.2.
struct ArpConfig {
    u32 max_entries = 1024;          ///< the least recently used goes first
    Duration reachable_time = 60s;   ///< then the entry is asked for again, by unicast, when used
    Duration stale_time = 1200s;     ///< an unused entry is forgotten
    Duration request_interval = 1s;  ///< RFC 1122 2.3.2.1: at most one request a second
    u32 max_requests = 3;            ///< then the waiting packets are unreachable
    u32 max_waiting = 64;            ///< packets per address; a 64 KB datagram makes 45
    u32 max_waiting_total = 256;     ///< packets over all addresses
    bool announce = true;  ///< a gratuitous ARP when the interface comes up (RFC 5227 2.3)
};

/// RFC 791, RFC 1122 section 3.2 and 3.3, RFC 815.
struct Ipv4Config {
    u8 default_ttl = 64;                ///< RFC 1122 3.2.1.7
    Duration reassembly_timeout = 60s;  ///< RFC 1122 3.3.2: 60 to 120 s
    u32 reassembly_memory = 4U << 20;   ///< bytes over all datagrams
    u32 reassembly_memory_per_source = 1U << 20;
    u32 max_fragments_per_datagram = 1024;
    Duration path_mtu_lifetime = 600s;  ///< RFC 1191 6.3: ten minutes
    u32 max_path_mtu_entries = 1024;
    u16 min_path_mtu = 552;  ///< never believe in less
};

/// RFC 792, RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.8.
struct IcmpConfig {
    u32 errors_per_second = 100;  ///< token bucket
    u32 error_burst = 50;
    u16 error_max_size = 576;  ///< RFC 1812 4.3.2.3: as much of the packet as fits in 576 bytes
    bool answer_echo = true;
};

/// RFC 768.
struct UdpConfig {
    u32 receive_buffer = 212992;  ///< bytes of queued datagrams per socket
    u16 ephemeral_first = 49152;  ///< RFC 6335 section 6
    u16 ephemeral_last = 65535;
    bool port_unreachable = true;
};

/// RFC 9293 and the documents it leans on.
struct TcpConfig {
    u32 receive_buffer = 1U << 20;        ///< the window that is offered at first, bytes
    u32 send_buffer = 1U << 20;           ///< bytes written and not yet acknowledged, at first
    u32 receive_buffer_max = 6U << 20;    ///< where a fast connection's grows to; 0: it does not
    u32 send_buffer_max = 4U << 20;       ///< ... (Linux: tcp_rmem, tcp_wmem)
    u64 memory_ceiling = u64{512} << 20;  ///< all buffers of all connections
    u32 max_connections = 65536;
    u16 ephemeral_first = 49152;  ///< RFC 6335 section 6
    u16 ephemeral_last = 65535;

    bool window_scaling = true;    ///< RFC 7323 section 2
    bool timestamps = true;        ///< RFC 7323 section 3
    bool sack = true;              ///< RFC 2018
    u32 max_sack_ranges = 256;     ///< that the scoreboard keeps; further ones are forgotten
    u32 max_transmissions = 4096;  ///< records of the retransmission queue; then they are joined
    bool rack = true;              ///< RFC 8985 6; without it RFC 6675 says what is lost
    bool loss_probe = true;        ///< RFC 8985 7
    bool prr = true;               ///< RFC 9937; without it RFC 6675 5 (C) fills the window
    bool undo = true;          ///< a recovery that was for nothing: RFC 3522, RFC 3708, RFC 4015
    bool ecn = true;           ///< RFC 3168, where the peer asks for it
    bool ecn_request = false;  ///< ... and where we open the connection
    bool rfc1337 = false;      ///< resets are ignored in TIME-WAIT (RFC 1337 section 4, F1)
    u32 quick_acks = 0;  ///< segments of a connection that are acknowledged at once (Linux: 16)
    u8 black_hole_timeouts =
        3;  ///< of a full segment, until a smaller one is tried (RFC 4821); 0: never
    u16 black_hole_mtu = 1200;  ///< BASE_PLPMTU of RFC 8899 5.1.2
    Duration black_hole_lifetime =
        600s;  ///< then the larger size is tried again (RFC 8899 PMTU_RAISE_TIMER)
    Duration loss_probe_min = 10ms;         ///< below it delayed ACKs and timers are only noise
    Duration loss_probe_ack_delay = 200ms;  ///< TLP.max_ack_delay, for a single segment
    bool nagle = true;                      ///< RFC 9293 3.7.4; per socket: TCP_NODELAY
    Duration timestamp_tick = 1ms;          ///< RFC 7323 5.4: 1 ms to 1 s
    bool header_prediction = true;  ///< a short way for bulk transfers (connection_fast.cpp)

    Duration initial_rto = 1s;         ///< RFC 6298 2.1
    Duration min_rto = 1s;             ///< RFC 6298 2.4 (Linux: 200 ms)
    Duration max_rto = 120s;           ///< RFC 6298 2.5: at least 60 s
    Duration clock_granularity = 1ms;  ///< G of RFC 6298
    Duration rto_after_syn_loss = 3s;  ///< RFC 6298 5.7
    u32 initial_window_segments = 10;  ///< RFC 6928
    u8 duplicate_ack_threshold = 3;    ///< RFC 5681 3.2

    Congestion congestion = Congestion::Cubic;  ///< per socket: TCP_CONGESTION
    CwndConfig cwnd;

    u32 r1_retries = 3;      ///< RFC 9293 3.8.3: then IP is told to look for another way
    u32 r2_retries = 15;     ///< ... then the connection is given up; at least 100 s
    u32 r2_syn_retries = 7;  ///< at least 180 s for a SYN (MUST-23)
    u32 syn_ack_retries = 5;
    Duration user_timeout{};  ///< RFC 5482; 0: R2 counts retries alone

    Duration delayed_ack = 40ms;   ///< RFC 9293 3.8.6.3: below 500 ms
    Duration persist_min = 200ms;  ///< the first probe after max(this, RTO)
    Duration persist_max = 60s;
    Duration override_timeout = 200ms;  ///< RFC 9293 3.8.6.2.1: 0.1 to 1 s

    bool keep_alive = false;  ///< RFC 9293 3.8.4, MUST-25
    Duration keep_alive_idle = 7200s;
    Duration keep_alive_interval = 75s;
    u32 keep_alive_probes = 9;

    Duration msl = 30s;  ///< TIME-WAIT lasts twice this (RFC 9293: 2 minutes; Linux: 30 s)
    Duration fin_wait_2_timeout = 60s;  ///< of a connection whose user has gone
    Duration linger_timeout = 120s;     ///< an orphan's last data and FIN

    u32 challenge_acks_per_second = 10;  ///< RFC 5961 section 7, per connection
    u32 default_backlog = 128;
    bool syn_cookies = true;            ///< beyond it (RFC 4987 3.6)
    u32 max_out_of_order_blocks = 64;   ///< islands that the assembler keeps
    u16 default_mss = 536;              ///< MUST-15
    u16 min_mss = 88;                   ///< a peer's smaller wish is raised to this
    u32 max_burst_bytes = 65535 - 120;  ///< of one super-frame
};

/// Following the conversations that pass a router.
struct FlowConfig {
    u32 max_flows = 262144;            ///< a new one beyond is refused
    u32 max_flows_per_host = 32768;    ///< begun by one address
    Duration tcp_established = 7440s;  ///< RFC 5382 REQ-5: at least 2 hours and 4 minutes
    Duration tcp_transitory = 240s;    ///< RFC 5382 REQ-5: at least 4 minutes
    Duration udp = 300s;               ///< RFC 4787 REQ-5: 5 minutes, at least 2
    Duration icmp = 60s;               ///< RFC 5508 REQ-2: at least 60 seconds
    Duration other = 600s;             ///< of protocols that we know nothing of
    bool tcp_loose = false;            ///< a conversation may begin in its middle
};

/// RFC 4787, RFC 5382, RFC 5508.
struct NatConfig {
    /// What of the remote endpoint makes a difference.
    enum class Behaviour : u8 { EndpointIndependent, AddressDependent, AddressAndPortDependent };
    Behaviour mapping = Behaviour::EndpointIndependent;        ///< RFC 4787 REQ-1
    Behaviour filtering = Behaviour::AddressAndPortDependent;  ///< RFC 4787 REQ-8
    /// False: ports stay as they are, and an external address serves one host at a time ("basic" or
    /// dynamic NAT, RFC 3022 section 2.1).
    bool translate_ports = true;
};

struct StackConfig {
    ArpConfig arp;
    Ipv4Config ip;
    IcmpConfig icmp;
    UdpConfig udp;
    TcpConfig tcp;
    FlowConfig flow;
    NatConfig nat;
    bool forwarding = false;  ///< RFC 1122 3.3.1: a host MUST NOT forward unless told to
    /// RFC 1812 5.3.8: take packets only from where an answer would go. Off, as it says it must be.
    bool reverse_path_filter = false;
    bool send_redirects = true;  ///< RFC 1812 5.2.7.2
};

}  // namespace tapestry
