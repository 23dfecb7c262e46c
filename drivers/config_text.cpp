#include "drivers/config_text.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <map>

namespace tapestry {
namespace {

using Result = std::expected<void, std::string>;
using Setter = std::function<Result(std::string_view)>;
using Setters = std::map<std::string, Setter, std::less<>>;

template <typename Integer>
Result assign(Integer& target, std::string_view text) {
    Integer value{};
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end) return std::unexpected("wanted a number");
    target = value;
    return {};
}
Result assign(bool& target, std::string_view text) {
    if (text != "0" && text != "1") return std::unexpected("wanted 0 or 1");
    target = text == "1";
    return {};
}
/// "200ms", "1.5s"; a number alone is seconds.
Result assign(Duration& target, std::string_view text) {
    double number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
    static const std::map<std::string_view, double> kUnits{
        {"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"min", 6e10}, {"h", 3.6e12}};
    const auto found = kUnits.find(unit);
    constexpr double kMost = 9e18;
    if (read.ec != std::errc() || found == kUnits.end() || !(number >= 0) ||
        number * found->second > kMost) {
        return std::unexpected("wanted a time like 200ms");
    }
    target = Duration(static_cast<i64>(std::round(number * found->second)));
    return {};
}

Result assign(double& target, std::string_view text) {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value) || value < 0) {
        return std::unexpected("wanted a number like 0.7");
    }
    target = value;
    return {};
}
Result assign(Congestion& target, std::string_view text) {
    const auto value = congestion_of(text);
    if (!value) return std::unexpected("wanted cubic or reno");
    target = *value;
    return {};
}

template <typename T>
Setter to(T& target) {
    return [&target](std::string_view text) { return assign(target, text); };
}

/// A buffer whose size is said has it for good, unless its _max is said behind it.
Setter to_fixed(u32& size, u32& max) {
    return [&size, &max](std::string_view text) {
        const auto done = assign(size, text);
        if (done) max = 0;
        return done;
    };
}

void add_tcp_sizes(Setters& setters, TcpConfig& tcp) {
    setters["tcp.receive_buffer"] = to_fixed(tcp.receive_buffer, tcp.receive_buffer_max);
    setters["tcp.send_buffer"] = to_fixed(tcp.send_buffer, tcp.send_buffer_max);
    setters["tcp.receive_buffer_max"] = to(tcp.receive_buffer_max);
    setters["tcp.send_buffer_max"] = to(tcp.send_buffer_max);
    setters["tcp.memory_ceiling"] = to(tcp.memory_ceiling);
    setters["tcp.max_connections"] = to(tcp.max_connections);
    setters["tcp.window_scaling"] = to(tcp.window_scaling);
    setters["tcp.timestamps"] = to(tcp.timestamps);
    setters["tcp.nagle"] = to(tcp.nagle);
    setters["tcp.header_prediction"] = to(tcp.header_prediction);
    setters["tcp.quick_acks"] = to(tcp.quick_acks);
    setters["tcp.rfc1337"] = to(tcp.rfc1337);
    setters["tcp.initial_window_segments"] = to(tcp.initial_window_segments);
    setters["tcp.duplicate_ack_threshold"] = to(tcp.duplicate_ack_threshold);
    setters["tcp.r1_retries"] = to(tcp.r1_retries);
    setters["tcp.r2_retries"] = to(tcp.r2_retries);
    setters["tcp.r2_syn_retries"] = to(tcp.r2_syn_retries);
    setters["tcp.syn_ack_retries"] = to(tcp.syn_ack_retries);
    setters["tcp.keep_alive"] = to(tcp.keep_alive);
    setters["tcp.keep_alive_probes"] = to(tcp.keep_alive_probes);
    setters["tcp.challenge_acks_per_second"] = to(tcp.challenge_acks_per_second);
    setters["tcp.default_backlog"] = to(tcp.default_backlog);
    setters["tcp.syn_cookies"] = to(tcp.syn_cookies);
    setters["tcp.max_out_of_order_blocks"] = to(tcp.max_out_of_order_blocks);
    setters["tcp.default_mss"] = to(tcp.default_mss);
    setters["tcp.min_mss"] = to(tcp.min_mss);
    setters["tcp.max_burst_bytes"] = to(tcp.max_burst_bytes);
}

/// What finds losses, repairs them and takes repairs back.
void add_recovery(Setters& setters, TcpConfig& tcp) {
    setters["tcp.sack"] = to(tcp.sack);
    setters["tcp.max_sack_ranges"] = to(tcp.max_sack_ranges);
    setters["tcp.max_transmissions"] = to(tcp.max_transmissions);
    setters["tcp.rack"] = to(tcp.rack);
    setters["tcp.loss_probe"] = to(tcp.loss_probe);
    setters["tcp.loss_probe_min"] = to(tcp.loss_probe_min);
    setters["tcp.loss_probe_ack_delay"] = to(tcp.loss_probe_ack_delay);
    setters["tcp.prr"] = to(tcp.prr);
    setters["tcp.undo"] = to(tcp.undo);
    setters["tcp.ecn"] = to(tcp.ecn);
    setters["tcp.ecn_request"] = to(tcp.ecn_request);
    setters["tcp.black_hole_timeouts"] = to(tcp.black_hole_timeouts);
    setters["tcp.black_hole_mtu"] = to(tcp.black_hole_mtu);
    setters["tcp.black_hole_lifetime"] = to(tcp.black_hole_lifetime);
}

void add_congestion(Setters& setters, TcpConfig& tcp) {
    setters["tcp.congestion"] = to(tcp.congestion);
    CwndConfig& cwnd = tcp.cwnd;
    setters["tcp.cwnd.abc_limit"] = to(cwnd.abc_limit);
    setters["tcp.cwnd.abc_limit_after_timeout"] = to(cwnd.abc_limit_after_timeout);
    setters["tcp.cwnd.validation"] = to(cwnd.validation);
    setters["tcp.cwnd.reno.beta"] = to(cwnd.reno.beta);
    setters["tcp.cwnd.cubic.c"] = to(cwnd.cubic.c);
    setters["tcp.cwnd.cubic.beta"] = to(cwnd.cubic.beta);
    setters["tcp.cwnd.cubic.max_target"] = to(cwnd.cubic.max_target);
    setters["tcp.cwnd.cubic.fast_convergence"] = to(cwnd.cubic.fast_convergence);
    HyStartConfig& hystart = cwnd.hystart;
    setters["tcp.cwnd.hystart.on"] = to(hystart.on);
    setters["tcp.cwnd.hystart.min_rtt_thresh"] = to(hystart.min_rtt_thresh);
    setters["tcp.cwnd.hystart.max_rtt_thresh"] = to(hystart.max_rtt_thresh);
    setters["tcp.cwnd.hystart.min_rtt_divisor"] = to(hystart.min_rtt_divisor);
    setters["tcp.cwnd.hystart.n_rtt_sample"] = to(hystart.n_rtt_sample);
    setters["tcp.cwnd.hystart.css_growth_divisor"] = to(hystart.css_growth_divisor);
    setters["tcp.cwnd.hystart.css_rounds"] = to(hystart.css_rounds);
    setters["tcp.cwnd.hystart.limit"] = to(hystart.limit);
}

void add_tcp_times(Setters& setters, TcpConfig& tcp) {
    setters["tcp.timestamp_tick"] = to(tcp.timestamp_tick);
    setters["tcp.initial_rto"] = to(tcp.initial_rto);
    setters["tcp.min_rto"] = to(tcp.min_rto);
    setters["tcp.max_rto"] = to(tcp.max_rto);
    setters["tcp.clock_granularity"] = to(tcp.clock_granularity);
    setters["tcp.rto_after_syn_loss"] = to(tcp.rto_after_syn_loss);
    setters["tcp.user_timeout"] = to(tcp.user_timeout);
    setters["tcp.delayed_ack"] = to(tcp.delayed_ack);
    setters["tcp.persist_min"] = to(tcp.persist_min);
    setters["tcp.persist_max"] = to(tcp.persist_max);
    setters["tcp.override_timeout"] = to(tcp.override_timeout);
    setters["tcp.keep_alive_idle"] = to(tcp.keep_alive_idle);
    setters["tcp.keep_alive_interval"] = to(tcp.keep_alive_interval);
    setters["tcp.msl"] = to(tcp.msl);
    setters["tcp.fin_wait_2_timeout"] = to(tcp.fin_wait_2_timeout);
    setters["tcp.linger_timeout"] = to(tcp.linger_timeout);
}

}  // namespace

Result set_config(StackConfig& config, std::string_view name, std::string_view value) {
    Setters setters;
    add_tcp_sizes(setters, config.tcp);
    add_recovery(setters, config.tcp);
    add_congestion(setters, config.tcp);
    add_tcp_times(setters, config.tcp);
    setters["ip.default_ttl"] = to(config.ip.default_ttl);
    setters["ip.min_path_mtu"] = to(config.ip.min_path_mtu);
    const auto setter = setters.find(name);
    if (setter == setters.end()) return std::unexpected("");
    return setter->second(value);
}

bool set_profile(StackConfig& config, std::string_view profile) {
    if (profile == "default") return true;
    if (profile != "linux") return false;
    TcpConfig& tcp = config.tcp;
    tcp.receive_buffer = 65535;
    tcp.receive_buffer_max = 15U << 20;  // a window scale of 8
    tcp.send_buffer = 4U << 20;
    tcp.min_rto = 200ms;
    // RTO = SRTT + max (200 ms, 4 RTTVAR): the floor is under the variance, not under the sum.
    tcp.clock_granularity = 200ms;
    tcp.rto_after_syn_loss = 1s;
    tcp.quick_acks = 16;
    tcp.cwnd.abc_limit = tcp.cwnd.abc_limit_after_timeout = 0;
    return true;
}

}  // namespace tapestry
