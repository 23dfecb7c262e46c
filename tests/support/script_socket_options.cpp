#include "tests/support/script_socket_options.h"

namespace tapestry::test {
namespace {

template <typename T>
T usual(T set, T configured) {
    return set != T{} ? set : configured;
}

std::string in_seconds(Duration span) { return std::to_string(span / Duration(1s)); }
std::string in_milliseconds(Duration span) { return std::to_string(span / Duration(1ms)); }

std::expected<TcpSocketOptions, Errno> with_linger(TcpSocketOptions options,
                                                   const std::string& value) {
    const bool on = field(value, "onoff").value_or("0") != "0";
    options.linger.reset();
    if (on) options.linger = std::chrono::seconds(integer(field(value, "linger").value_or("")));
    return options;
}

/// Of "\"reno\"".
std::optional<Congestion> quoted_congestion(const std::string& value) {
    const std::string_view text = trimmed(value);
    const bool quoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
    return quoted ? congestion_of(text.substr(1, text.size() - 2)) : std::nullopt;
}

}  // namespace

i64 integer(std::string_view text) {
    Cursor cursor(text);
    const bool negative = cursor.take("-");
    const i64 value = cursor.number<i64>();
    if (!cursor.at_end()) cursor.fail("a number alone");
    return negative ? -value : value;
}

i64 boxed(std::string_view text) {
    text = trimmed(text);
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    return integer(trimmed(text));
}

std::optional<std::string> field(const std::string& text, std::string_view name) {
    std::size_t at = text.find(std::string(name) + '=');
    while (at != std::string::npos && at > 0 && (isalnum(text[at - 1]) || text[at - 1] == '_')) {
        at = text.find(std::string(name) + '=', at + 1);
    }
    if (at == std::string::npos) return std::nullopt;
    const std::size_t begin = at + name.size() + 1;
    const std::size_t end = text.find_first_of(",}]", begin);
    return std::string(trimmed(std::string_view(text).substr(begin, end - begin)));
}

std::expected<TcpSocketOptions, Errno> with_option(TcpSocketOptions options,
                                                   const std::string& name,
                                                   const std::string& value) {
    if (name == "SO_LINGER") return with_linger(options, value);
    if (name == "TCP_CONGESTION") {
        options.congestion = quoted_congestion(value);
        if (!options.congestion) return std::unexpected(Errno::InvalidArgument);
        return options;
    }
    const i64 number = boxed(value);
    const bool byte = number >= 0 && number <= 255;
    if (name == "TCP_NODELAY") {
        options.no_delay = number != 0;
    } else if (name == "SO_KEEPALIVE") {
        options.keep_alive = number != 0;
    } else if (name == "TCP_KEEPIDLE") {
        options.keep_idle = std::chrono::seconds(number);
    } else if (name == "TCP_KEEPINTVL") {
        options.keep_interval = std::chrono::seconds(number);
    } else if (name == "TCP_KEEPCNT") {
        options.keep_count = static_cast<u32>(number);
    } else if (name == "TCP_USER_TIMEOUT") {
        options.user_timeout = std::chrono::milliseconds(number);
    } else if (name == "SO_SNDBUF") {
        options.send_buffer = static_cast<u32>(number);
    } else if (name == "SO_RCVBUF") {
        options.receive_buffer = static_cast<u32>(number);
    } else if (name == "TCP_MAXSEG") {
        if (number < 0 || number > 65535) return std::unexpected(Errno::InvalidArgument);
        options.max_segment = static_cast<u16>(number);
    } else if (name == "IP_TTL") {
        if (!byte || number == 0) return std::unexpected(Errno::InvalidArgument);
        options.ttl = static_cast<u8>(number);
    } else if (name == "IP_TOS") {
        if (!byte) return std::unexpected(Errno::InvalidArgument);
        options.tos = static_cast<u8>(number);
    } else if (name != "SO_REUSEADDR") {
        throw ScriptSyntaxError("no option is called " + name);
    }
    return options;
}

std::string option_text(const TcpSocket& socket, const TcpSocketOptions& options,
                        const StackConfig& config, const std::string& name) {
    const TcpConfig& tcp = config.tcp;
    if (name == "SO_LINGER") {
        return "{onoff=" + std::to_string(options.linger ? 1 : 0) +
               ", linger=" + in_seconds(options.linger.value_or(Duration{})) + '}';
    }
    if (name == "TCP_NODELAY") return options.no_delay || !tcp.nagle ? "1" : "0";
    if (name == "SO_KEEPALIVE") return options.keep_alive || tcp.keep_alive ? "1" : "0";
    if (name == "TCP_KEEPIDLE") return in_seconds(usual(options.keep_idle, tcp.keep_alive_idle));
    if (name == "TCP_KEEPINTVL") {
        return in_seconds(usual(options.keep_interval, tcp.keep_alive_interval));
    }
    if (name == "TCP_KEEPCNT") {
        return std::to_string(usual(options.keep_count, tcp.keep_alive_probes));
    }
    if (name == "TCP_USER_TIMEOUT") {
        return in_milliseconds(usual(options.user_timeout, tcp.user_timeout));
    }
    if (name == "SO_SNDBUF") return std::to_string(usual(options.send_buffer, tcp.send_buffer));
    if (name == "SO_RCVBUF") {
        return std::to_string(usual(options.receive_buffer, tcp.receive_buffer));
    }
    if (name == "TCP_CONGESTION") {
        return '"' + std::string(tapestry::name(options.congestion.value_or(tcp.congestion))) + '"';
    }
    if (name == "TCP_MAXSEG") return std::to_string(socket.info().snd_mss);
    if (name == "IP_TTL") return std::to_string(usual(options.ttl, config.ip.default_ttl));
    if (name == "IP_TOS") return std::to_string(options.tos);
    throw ScriptSyntaxError("no option is called " + name);
}

}  // namespace tapestry::test
