// getsockopt and setsockopt, from C's form and back.

#include <linux/tcp.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apps/packetdrill/calls.h"

namespace tapestry::packetdrill {
namespace {

template <typename Integer>
Integer limited(i64 value) {
    return static_cast<Integer>(std::clamp<i64>(value, 0, std::numeric_limits<Integer>::max()));
}

u32 microseconds(Duration span) { return limited<u32>(span / Duration(1us)); }
u32 milliseconds(Duration span) { return limited<u32>(span / Duration(1ms)); }
int seconds(Duration span) { return limited<int>(span / Duration(1s)); }

/// TCP_ESTABLISHED is 1 there; the order is not the RFC's.
u8 linux_state(TcpState state) {
    switch (state) {
        case TcpState::Established:
            return 1;
        case TcpState::SynSent:
            return 2;
        case TcpState::SynReceived:
            return 3;
        case TcpState::FinWait1:
            return 4;
        case TcpState::FinWait2:
            return 5;
        case TcpState::TimeWait:
            return 6;
        case TcpState::Closed:
            return 7;
        case TcpState::CloseWait:
            return 8;
        case TcpState::LastAck:
            return 9;
        case TcpState::Listen:
            return 10;
        case TcpState::Closing:
            return 11;
    }
    return 7;
}

std::expected<TcpSocketOptions, int> with_linger(TcpSocketOptions options, const void* value,
                                                 socklen_t length) {
    linger given{};
    if (length < sizeof given) return std::unexpected(EINVAL);
    std::memcpy(&given, value, sizeof given);
    options.linger.reset();
    if (given.l_onoff != 0) options.linger = std::chrono::seconds(given.l_linger);
    return options;
}

std::expected<void, int> assign_tcp(TcpSocketOptions& options, int name, int value) {
    // 0 stands for "the configuration's" in ours, and is out of range in these of Linux.
    const bool positive = value > 0;
    switch (name) {
        case TCP_NODELAY:
            options.no_delay = value != 0;
            return {};
        case TCP_MAXSEG:
            if (value < 0 || value > 65535) return std::unexpected(EINVAL);
            options.max_segment = static_cast<u16>(value);
            return {};
        case TCP_KEEPIDLE:
            if (!positive) return std::unexpected(EINVAL);
            options.keep_idle = std::chrono::seconds(value);
            return {};
        case TCP_KEEPINTVL:
            if (!positive) return std::unexpected(EINVAL);
            options.keep_interval = std::chrono::seconds(value);
            return {};
        case TCP_KEEPCNT:
            if (!positive) return std::unexpected(EINVAL);
            options.keep_count = static_cast<u32>(value);
            return {};
        case TCP_USER_TIMEOUT:
            options.user_timeout = std::chrono::milliseconds(value);
            return {};
        default:
            return std::unexpected(ENOPROTOOPT);
    }
}

std::expected<void, int> assign_ip(TcpSocketOptions& options, int name, int value) {
    if (name == IP_TTL) {
        if (value != -1 && (value < 1 || value > 255)) return std::unexpected(EINVAL);
        options.ttl = value == -1 ? u8{0} : static_cast<u8>(value);
        return {};
    }
    if (name == IP_TOS) {
        options.tos = static_cast<u8>(value);
        return {};
    }
    return std::unexpected(name == IP_MTU_DISCOVER ? 0 : ENOPROTOOPT);
}

std::expected<void, int> assign_socket(TcpSocketOptions& options, int name, int value) {
    switch (name) {
        case SO_REUSEADDR:
        case SO_REUSEPORT:
            return {};
        case SO_KEEPALIVE:
            options.keep_alive = value != 0;
            return {};
        case SO_SNDBUF:
            if (value < 1) return std::unexpected(EINVAL);
            options.send_buffer = static_cast<u32>(value);
            return {};
        case SO_RCVBUF:
            if (value < 1) return std::unexpected(EINVAL);
            options.receive_buffer = static_cast<u32>(value);
            return {};
        default:
            return std::unexpected(ENOPROTOOPT);
    }
}

}  // namespace

std::expected<TcpSocketOptions, int> with_option(TcpSocketOptions options, int level, int name,
                                                 const void* value, socklen_t length) {
    if (value == nullptr) return std::unexpected(EFAULT);
    if (level == SOL_SOCKET && name == SO_LINGER) return with_linger(options, value, length);
    int number = 0;
    if (length >= sizeof number) {
        std::memcpy(&number, value, sizeof number);
    } else if (length == 1) {
        number = *static_cast<const u8*>(value);
    } else {
        return std::unexpected(EINVAL);
    }
    std::expected<void, int> done = std::unexpected(ENOPROTOOPT);
    if (level == IPPROTO_TCP) done = assign_tcp(options, name, number);
    if (level == IPPROTO_IP) done = assign_ip(options, name, number);
    if (level == SOL_SOCKET) done = assign_socket(options, name, number);
    if (!done && done.error() != 0) return std::unexpected(done.error());
    return options;
}

std::expected<int, int> option_value(const TcpSocketOptions& options, const StackConfig& config,
                                     int level, int name) {
    const auto pick = [](auto set, auto usual) { return set != decltype(set){} ? set : usual; };
    const TcpConfig& tcp = config.tcp;
    if (level == SOL_SOCKET) {
        if (name == SO_KEEPALIVE) return options.keep_alive ? 1 : 0;
        if (name == SO_TYPE) return SOCK_STREAM;
        if (name == SO_SNDBUF) return static_cast<int>(pick(options.send_buffer, tcp.send_buffer));
        if (name == SO_RCVBUF) {
            return static_cast<int>(pick(options.receive_buffer, tcp.receive_buffer));
        }
    }
    if (level == IPPROTO_IP) {
        if (name == IP_TTL) return pick(options.ttl, config.ip.default_ttl);
        if (name == IP_TOS) return options.tos;
    }
    if (level == IPPROTO_TCP) {
        if (name == TCP_NODELAY) return options.no_delay || !tcp.nagle ? 1 : 0;
        if (name == TCP_KEEPIDLE) return seconds(pick(options.keep_idle, tcp.keep_alive_idle));
        if (name == TCP_KEEPINTVL) {
            return seconds(pick(options.keep_interval, tcp.keep_alive_interval));
        }
        if (name == TCP_KEEPCNT) {
            return static_cast<int>(pick(options.keep_count, tcp.keep_alive_probes));
        }
        if (name == TCP_USER_TIMEOUT) {
            return static_cast<int>(milliseconds(pick(options.user_timeout, tcp.user_timeout)));
        }
    }
    return std::unexpected(ENOPROTOOPT);
}

void store_info(const TcpInfo& info, void* value, socklen_t* length) {
    tcp_info out{};
    out.tcpi_state = linux_state(info.state);
    out.tcpi_ca_state = static_cast<u8>(info.ca_state);
    out.tcpi_retransmits = info.retransmits;
    out.tcpi_probes = info.probes;
    out.tcpi_backoff = info.backoff;
    out.tcpi_options = info.options;
    out.tcpi_snd_wscale = info.snd_wscale & 15U;
    out.tcpi_rcv_wscale = info.rcv_wscale & 15U;
    out.tcpi_rto = microseconds(info.rto);
    out.tcpi_ato = microseconds(info.ato);
    out.tcpi_snd_mss = info.snd_mss;
    out.tcpi_rcv_mss = info.rcv_mss;
    out.tcpi_unacked = info.unacked;
    out.tcpi_sacked = info.sacked;
    out.tcpi_lost = info.lost;
    out.tcpi_retrans = info.retrans;
    out.tcpi_last_data_sent = milliseconds(info.last_data_sent);
    out.tcpi_last_data_recv = milliseconds(info.last_data_recv);
    out.tcpi_last_ack_recv = milliseconds(info.last_ack_recv);
    out.tcpi_pmtu = info.pmtu;
    out.tcpi_rcv_ssthresh = info.rcv_ssthresh;
    out.tcpi_rtt = microseconds(info.rtt);
    out.tcpi_rttvar = microseconds(info.rttvar);
    out.tcpi_snd_ssthresh = info.snd_ssthresh;
    out.tcpi_snd_cwnd = info.snd_cwnd;
    out.tcpi_advmss = info.advmss;
    out.tcpi_reordering = info.reordering;
    out.tcpi_rcv_rtt = microseconds(info.rcv_rtt);
    out.tcpi_rcv_space = info.rcv_space;
    out.tcpi_total_retrans = info.total_retrans;
    out.tcpi_bytes_acked = info.bytes_acked;
    out.tcpi_bytes_received = info.bytes_received;
    out.tcpi_segs_out = info.segs_out;
    out.tcpi_segs_in = info.segs_in;
    out.tcpi_notsent_bytes = info.notsent_bytes;
    out.tcpi_min_rtt = microseconds(info.min_rtt);
    out.tcpi_data_segs_in = info.data_segs_in;
    out.tcpi_data_segs_out = info.data_segs_out;
    out.tcpi_delivered = info.delivered;
    out.tcpi_bytes_sent = info.bytes_sent;
    out.tcpi_bytes_retrans = info.bytes_retrans;
    out.tcpi_snd_wnd = info.snd_wnd;
    *length = static_cast<socklen_t>(std::min<std::size_t>(*length, sizeof out));
    std::memcpy(value, &out, *length);
}

int Calls::set_option(int fd, int level, int name, const void* value, socklen_t length) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    const auto options = with_option(socket->options, level, name, value, length);
    if (!options) return fail(options.error());
    const auto set = socket->listener ? socket->listener.set_options(*options)
                                      : socket->socket.set_options(*options);
    if (!set) return fail(set.error());
    socket->options = *options;
    machine_.settle();
    return 0;
}

int Calls::get_option(int fd, int level, int name, void* value, socklen_t* length) {
    const auto socket = find(fd);
    if (socket == nullptr) return -1;
    if (value == nullptr || length == nullptr) return fail(EFAULT);
    if (level == IPPROTO_TCP && name == TCP_INFO) {
        TcpInfo info = socket->socket.info();
        if (socket->listener) info.state = TcpState::Listen;
        store_info(info, value, length);
        return 0;
    }
    if (level == SOL_SOCKET && name == SO_LINGER) {
        const auto& set = socket->options.linger;
        const linger out{set ? 1 : 0, seconds(set.value_or(Duration{}))};
        *length = static_cast<socklen_t>(std::min<std::size_t>(*length, sizeof out));
        std::memcpy(value, &out, *length);
        return 0;
    }
    std::expected<int, int> number = 0;
    if (level == SOL_SOCKET && name == SO_ERROR) {
        number = system_errno(socket->socket ? socket->socket.take_error() : Errno::None);
    } else if (level == IPPROTO_TCP && name == TCP_MAXSEG) {
        number = static_cast<int>(socket->socket.info().snd_mss);
    } else {
        number = option_value(socket->options, machine_.stack().config(), level, name);
    }
    if (!number) return fail(number.error());
    *length = static_cast<socklen_t>(std::min<std::size_t>(*length, sizeof *number));
    std::memcpy(value, &*number, *length);
    return 0;
}

}  // namespace tapestry::packetdrill
