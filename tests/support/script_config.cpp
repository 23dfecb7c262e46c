#include "tests/support/script_config.h"

#include <map>

namespace tapestry::test {
namespace {

using Setter = std::function<void(const std::string&)>;

template <typename Integer>
requires std::is_integral_v<Integer>
void assign(Integer& target, const std::string& text) {
    Cursor cursor(text);
    target = cursor.number<Integer>();
    if (!cursor.at_end()) cursor.fail("the end of the number");
}
void assign(bool& target, const std::string& text) {
    if (text != "0" && text != "1") throw ScriptSyntaxError("wanted 0 or 1");
    target = text == "1";
}
void assign(Duration& target, const std::string& text) {
    const auto value = parse_duration(text);
    if (!value) throw ScriptSyntaxError("wanted a time like 200ms");
    target = *value;
}
void assign(double& target, const std::string& text) {
    std::size_t used = 0;
    try {
        target = std::stod(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    if (used == 0 || used != text.size()) throw ScriptSyntaxError("wanted a number like 0.7");
}
void assign(Congestion& target, const std::string& text) {
    const auto value = congestion_of(text);
    if (!value) throw ScriptSyntaxError("wanted cubic or reno");
    target = *value;
}
void assign(Ipv4Address& target, const std::string& text) {
    const auto value = Ipv4Address::parse(text);
    if (!value) throw ScriptSyntaxError("wanted an IPv4 address");
    target = *value;
}
template <typename T>
void assign(std::optional<T>& target, const std::string& text) {
    assign(target.emplace(), text);
}

template <typename T>
Setter to(T& target) {
    return [&target](const std::string& text) { assign(target, text); };
}

void add_tcp_sizes(std::map<std::string, Setter>& setters, TcpConfig& tcp) {
    setters["tcp.receive_buffer"] = to(tcp.receive_buffer);
    setters["tcp.send_buffer"] = to(tcp.send_buffer);
    setters["tcp.memory_ceiling"] = to(tcp.memory_ceiling);
    setters["tcp.max_connections"] = to(tcp.max_connections);
    setters["tcp.window_scaling"] = to(tcp.window_scaling);
    setters["tcp.timestamps"] = to(tcp.timestamps);
    setters["tcp.sack"] = to(tcp.sack);
    setters["tcp.max_sack_ranges"] = to(tcp.max_sack_ranges);
    setters["tcp.max_transmissions"] = to(tcp.max_transmissions);
    setters["tcp.rack"] = to(tcp.rack);
    setters["tcp.undo"] = to(tcp.undo);
    setters["tcp.ecn"] = to(tcp.ecn);
    setters["tcp.ecn_request"] = to(tcp.ecn_request);
    setters["tcp.rfc1337"] = to(tcp.rfc1337);
    setters["tcp.quick_acks"] = to(tcp.quick_acks);
    setters["tcp.black_hole_timeouts"] = to(tcp.black_hole_timeouts);
    setters["tcp.black_hole_mtu"] = to(tcp.black_hole_mtu);
    setters["tcp.loss_probe"] = to(tcp.loss_probe);
    setters["tcp.prr"] = to(tcp.prr);
    setters["tcp.nagle"] = to(tcp.nagle);
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
    setters["tcp.max_out_of_order_blocks"] = to(tcp.max_out_of_order_blocks);
    setters["tcp.default_mss"] = to(tcp.default_mss);
    setters["tcp.min_mss"] = to(tcp.min_mss);
    setters["tcp.max_burst_bytes"] = to(tcp.max_burst_bytes);
}

void add_tcp_times(std::map<std::string, Setter>& setters, TcpConfig& tcp) {
    setters["tcp.timestamp_tick"] = to(tcp.timestamp_tick);
    setters["tcp.initial_rto"] = to(tcp.initial_rto);
    setters["tcp.min_rto"] = to(tcp.min_rto);
    setters["tcp.max_rto"] = to(tcp.max_rto);
    setters["tcp.clock_granularity"] = to(tcp.clock_granularity);
    setters["tcp.rto_after_syn_loss"] = to(tcp.rto_after_syn_loss);
    setters["tcp.user_timeout"] = to(tcp.user_timeout);
    setters["tcp.delayed_ack"] = to(tcp.delayed_ack);
    setters["tcp.black_hole_lifetime"] = to(tcp.black_hole_lifetime);
    setters["tcp.loss_probe_min"] = to(tcp.loss_probe_min);
    setters["tcp.loss_probe_ack_delay"] = to(tcp.loss_probe_ack_delay);
    setters["tcp.persist_min"] = to(tcp.persist_min);
    setters["tcp.persist_max"] = to(tcp.persist_max);
    setters["tcp.override_timeout"] = to(tcp.override_timeout);
    setters["tcp.keep_alive_idle"] = to(tcp.keep_alive_idle);
    setters["tcp.keep_alive_interval"] = to(tcp.keep_alive_interval);
    setters["tcp.msl"] = to(tcp.msl);
    setters["tcp.fin_wait_2_timeout"] = to(tcp.fin_wait_2_timeout);
    setters["tcp.linger_timeout"] = to(tcp.linger_timeout);
}

void add_congestion(std::map<std::string, Setter>& setters, TcpConfig& tcp) {
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

}  // namespace

ScriptConfig make_config(const Script& script) {
    ScriptConfig config;
    config.stack.arp.announce = false;
    std::map<std::string, Setter> setters;
    add_tcp_sizes(setters, config.stack.tcp);
    add_tcp_times(setters, config.stack.tcp);
    add_congestion(setters, config.stack.tcp);
    setters["ip.min_path_mtu"] = to(config.stack.ip.min_path_mtu);
    setters["local-ip"] = to(config.local.address);
    setters["gateway-ip"] = to(config.gateway);
    setters["remote-ip"] = to(config.remote);
    setters["local-port"] = to(config.local_port);
    setters["connect-port"] = to(config.connect_port);
    setters["remote-port"] = to(config.remote_port);
    setters["mtu"] = to(config.mtu);
    setters["super-frame"] = to(config.super_frame);
    setters["tolerance"] = to(config.tolerance);
    setters["iss"] = to(config.iss);
    setters["peer-iss"] = to(config.peer_iss);
    for (const Script::Setting& setting : script.settings) {
        const auto setter = setters.find(setting.name);
        const std::string where = script.name + ':' + std::to_string(setting.line) + ": ";
        if (setter == setters.end()) {
            throw ScriptSyntaxError(where + "no setting is called \"" + setting.name + "\"");
        }
        try {
            setter->second(setting.value);
        } catch (const ScriptSyntaxError& error) {
            throw ScriptSyntaxError(where + setting.name + ": " + error.what());
        }
    }
    return config;
}

}  // namespace tapestry::test
