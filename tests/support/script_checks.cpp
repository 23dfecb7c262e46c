#include "tests/support/script_checks.h"

#include "tests/support/script_history.h"

namespace tapestry::test {
namespace {

struct NumberName {
    std::string_view name;
    i64 (*value)(const TcpSnapshot& s);
};

constexpr std::array<NumberName, 23> kNumbers{{
    {"snd_wnd", [](const TcpSnapshot& s) { return i64{s.snd_wnd}; }},
    {"rcv_wnd", [](const TcpSnapshot& s) { return i64{s.rcv_wnd}; }},
    {"snd_shift", [](const TcpSnapshot& s) { return i64{s.snd_wind_shift}; }},
    {"rcv_shift", [](const TcpSnapshot& s) { return i64{s.rcv_wind_shift}; }},
    {"send_queued", [](const TcpSnapshot& s) { return i64{s.send_queued}; }},
    {"receive_queued", [](const TcpSnapshot& s) { return i64{s.receive_queued}; }},
    {"out_of_order", [](const TcpSnapshot& s) { return i64{s.receive_out_of_order}; }},
    {"mss", [](const TcpSnapshot& s) { return i64{s.mss}; }},
    {"timestamps", [](const TcpSnapshot& s) { return i64{s.timestamps}; }},
    {"ts_recent", [](const TcpSnapshot& s) { return i64{s.ts_recent}; }},
    {"cwnd", [](const TcpSnapshot& s) { return i64{s.cwnd}; }},
    {"ssthresh", [](const TcpSnapshot& s) { return i64{s.ssthresh}; }},
    {"in_recovery", [](const TcpSnapshot& s) { return i64{s.in_recovery}; }},
    {"duplicate_acks", [](const TcpSnapshot& s) { return i64{s.duplicate_acks}; }},
    {"sack_permitted", [](const TcpSnapshot& s) { return i64{s.sack_permitted}; }},
    {"sacked", [](const TcpSnapshot& s) { return i64{s.sacked}; }},
    {"pipe", [](const TcpSnapshot& s) { return i64{s.pipe}; }},
    {"urgent_ahead", [](const TcpSnapshot& s) { return i64{s.urgent_ahead}; }},
    {"lost", [](const TcpSnapshot& s) { return i64{s.lost}; }},
    {"reordering_seen", [](const TcpSnapshot& s) { return i64{s.reordering_seen}; }},
    {"backoff", [](const TcpSnapshot& s) { return i64{s.backoff}; }},
    {"retransmissions", [](const TcpSnapshot& s) { return i64{s.retransmissions}; }},
    {"flight", [](const TcpSnapshot& s) { return i64{s.snd_nxt - s.snd_una}; }},
}};

std::optional<Duration> duration_of(const TcpSnapshot& s, const std::string& name, TimePoint now) {
    if (name == "rto") return s.rto;
    if (name == "srtt") return s.srtt;
    if (name == "min_rtt") return s.min_rtt;
    if (name == "rttvar") return s.rttvar;
    for (std::size_t i = 0; i < kTcpTimerCount; ++i) {
        // "timer.rto": how long until it expires; off is never.
        if (name != "timer." + std::string(tapestry::name(static_cast<TcpTimer>(i)))) continue;
        return s.deadlines.at(i) == kNever ? Duration::max() : s.deadlines.at(i) - now;
    }
    return std::nullopt;
}

std::optional<i64> count_of(const Stack& stack, const std::string& name) {
    const Counters& counters = stack.counters();
    if (name == "challenge_acks") return counters.tcp_challenge_acks;
    if (name == "fast_retransmits") return counters.tcp_fast_retransmits;
    if (name == "spurious_recoveries") return counters.tcp_spurious_recoveries;
    if (name == "ecn_marks") return counters.tcp_ecn_marks;
    if (name == "ecn_reductions") return counters.tcp_ecn_reductions;
    if (name == "loss_probes") return counters.tcp_loss_probes;
    if (name == "sack_reneged") return counters.tcp_sack_reneged;
    if (name == "sack_nonsense") return counters.tcp_sack_nonsense;
    if (name == "dsacks_received") return counters.tcp_dsacks_received;
    if (name == "attempt_fails") return counters.tcp_attempt_fails;
    if (name == "timeouts") return counters.tcp_timeouts;
    if (name == "resets_sent") return counters.tcp_out_rsts;
    for (std::size_t i = 0; i < kDropCount; ++i) {
        const Drop drop = static_cast<Drop>(i);
        if (name == "drops." + std::string(tapestry::name(drop))) return counters.of(drop);
    }
    return std::nullopt;
}

/// TCP_INFO under packetdrill's names: "tcpi_snd_cwnd".
std::optional<i64> info_of(const TcpInfo& info, std::string_view name) {
    const auto us = [](Duration span) { return span / Duration(1us); };
    const auto ms = [](Duration span) { return span / Duration(1ms); };
    const std::pair<std::string_view, i64> all[] = {
        {"ca_state", static_cast<i64>(info.ca_state)},
        {"retransmits", info.retransmits},
        {"probes", info.probes},
        {"backoff", info.backoff},
        {"options", info.options},
        {"snd_wscale", info.snd_wscale},
        {"rcv_wscale", info.rcv_wscale},
        {"rto", us(info.rto)},
        {"ato", us(info.ato)},
        {"snd_mss", info.snd_mss},
        {"rcv_mss", info.rcv_mss},
        {"unacked", info.unacked},
        {"sacked", info.sacked},
        {"lost", info.lost},
        {"retrans", info.retrans},
        {"last_data_sent", ms(info.last_data_sent)},
        {"last_data_recv", ms(info.last_data_recv)},
        {"last_ack_recv", ms(info.last_ack_recv)},
        {"pmtu", info.pmtu},
        {"rcv_ssthresh", info.rcv_ssthresh},
        {"rtt", us(info.rtt)},
        {"rttvar", us(info.rttvar)},
        {"snd_ssthresh", info.snd_ssthresh},
        {"snd_cwnd", info.snd_cwnd},
        {"advmss", info.advmss},
        {"reordering", info.reordering},
        {"rcv_rtt", us(info.rcv_rtt)},
        {"rcv_space", info.rcv_space},
        {"total_retrans", info.total_retrans},
        {"bytes_acked", static_cast<i64>(info.bytes_acked)},
        {"bytes_received", static_cast<i64>(info.bytes_received)},
        {"bytes_sent", static_cast<i64>(info.bytes_sent)},
        {"bytes_retrans", static_cast<i64>(info.bytes_retrans)},
        {"segs_out", info.segs_out},
        {"segs_in", info.segs_in},
        {"data_segs_out", info.data_segs_out},
        {"data_segs_in", info.data_segs_in},
        {"notsent_bytes", info.notsent_bytes},
        {"min_rtt", us(info.min_rtt)},
        {"delivered", info.delivered},
        {"snd_wnd", info.snd_wnd},
        {"rcv_wnd", info.rcv_wnd},
    };
    for (const auto& [known, value] : all) {
        if (known == name) return value;
    }
    return std::nullopt;
}

template <typename T>
bool holds(const T& have, const std::string& relation, const T& want) {
    if (relation == "==") return have == want;
    if (relation == "!=") return have != want;
    if (relation == "<") return have < want;
    if (relation == ">") return have > want;
    return relation == "<=" ? have <= want : have >= want;
}

i64 number(const std::string& text) {
    Cursor cursor(text);
    const i64 value = cursor.number<i64>();
    if (!cursor.at_end()) cursor.fail("a number");
    return value;
}

std::optional<std::string> compare(const Check& check, i64 have) {
    if (holds(have, check.relation, number(check.value))) return std::nullopt;
    return check.name + " is " + std::to_string(have);
}

}  // namespace

std::optional<std::string> failed_check(const Check& check, const CheckedState& state) {
    if (check.name == "connections") {
        return compare(check, static_cast<i64>(state.stack.tcp().connection_count()));
    }
    if (const auto count = count_of(state.stack, check.name)) return compare(check, *count);
    if (check.name.starts_with("tcpi_")) {
        if (state.socket == nullptr) return "there is no socket to ask";
        const auto have = info_of(state.socket->info(), check.name.substr(5));
        if (!have) throw ScriptSyntaxError("nothing is called \"" + check.name + "\"");
        return compare(check, *have);
    }
    if (state.snapshot == nullptr) return "there is no connection to ask";
    const TcpSnapshot& s = *state.snapshot;
    if (check.name == "state" || check.name == "error") {
        const std::string have(check.name == "state" ? name(s.state) : name(s.error));
        if (holds(have, check.relation, check.value)) return std::nullopt;
        return check.name + " is " + have;
    }
    if (check.name == "snd_una" || check.name == "snd_nxt") {
        return compare(check, state.wire.our_number(
                                  check.flow, check.name == "snd_una" ? s.snd_una : s.snd_nxt));
    }
    if (check.name == "rcv_nxt") return compare(check, state.wire.peer_number(s.rcv_nxt));
    for (const NumberName& known : kNumbers) {
        if (known.name == check.name) return compare(check, known.value(s));
    }
    const auto have = duration_of(s, check.name, state.now);
    if (!have) throw ScriptSyntaxError("nothing is called \"" + check.name + "\"");
    const bool off = check.value == "off";
    const auto want = off ? std::optional(Duration::max()) : parse_duration(check.value);
    if (!want) throw ScriptSyntaxError("wanted a time or \"off\"");
    if (holds(*have, check.relation, *want)) return std::nullopt;
    return check.name + " is " + (*have == Duration::max() ? "off" : script_time(*have));
}

}  // namespace tapestry::test
