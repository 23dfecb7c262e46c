#include "apps/inspect/state_fields.h"

#include <array>
#include <cstdio>

namespace tapestry {
namespace {

using Kind = StateField::Kind;
using Group = StateField::Group;

u64 number(SeqNum n) { return n.value(); }
u64 number(bool b) { return b ? 1 : 0; }
u64 number(Duration d) { return static_cast<u64>(d.count()); }
u64 number(TimePoint t) { return static_cast<u64>(t.time_since_epoch().count()); }
u64 number(const Endpoint& e) { return u64{e.address.value()} << 32U | e.port; }
template <typename T>
u64 number(T value) {
    return static_cast<u64>(value);
}

void store(SeqNum& n, u64 v) { n = SeqNum(static_cast<u32>(v)); }
void store(bool& b, u64 v) { b = v != 0; }
void store(Duration& d, u64 v) { d = Duration(static_cast<i64>(v)); }
void store(TimePoint& t, u64 v) { t = TimePoint(Duration(static_cast<i64>(v))); }
void store(Endpoint& e, u64 v) {
    e = {Ipv4Address(static_cast<u32>(v >> 32U)), static_cast<u16>(v)};
}
template <typename T>
void store(T& value, u64 v) {
    value = static_cast<T>(v);
}

/// A member as a field.
template <auto Member>
constexpr StateField field(std::string_view key, std::string_view name, Kind kind, Group group) {
    return {key,
            name,
            kind,
            group,
            [](const TcpSnapshot& s) { return number(s.*Member); },
            [](TcpSnapshot& s, u64 v) { store(s.*Member, v); }};
}
template <TcpTimer Timer>
constexpr StateField timer(std::string_view key, std::string_view name) {
    constexpr auto kAt = static_cast<std::size_t>(Timer);
    return {key,
            name,
            Kind::Deadline,
            Group::Timers,
            [](const TcpSnapshot& s) { return number(s.deadlines[kAt]); },
            [](TcpSnapshot& s, u64 v) { store(s.deadlines[kAt], v); }};
}
template <std::size_t I, auto Edge>
constexpr StateField sack(std::string_view key, std::string_view name) {
    return {key,
            name,
            Kind::SendNumber,
            Group::Recovery,
            [](const TcpSnapshot& s) { return number(s.sack_ranges[I].*Edge); },
            [](TcpSnapshot& s, u64 v) { store(s.sack_ranges[I].*Edge, v); }};
}

using S = TcpSnapshot;
constexpr std::array kFields{
    field<&S::state>("state", "state", Kind::State, Group::Connection),
    field<&S::local>("local", "local", Kind::Address, Group::Connection),
    field<&S::remote>("remote", "remote", Kind::Address, Group::Connection),
    field<&S::error>("error", "error", Kind::Error, Group::Connection),
    field<&S::iss>("iss", "ISS", Kind::SendNumber, Group::Send),
    field<&S::snd_una>("snd_una", "SND.UNA", Kind::SendNumber, Group::Send),
    field<&S::snd_nxt>("snd_nxt", "SND.NXT", Kind::SendNumber, Group::Send),
    field<&S::snd_wnd>("snd_wnd", "SND.WND", Kind::Size, Group::Send),
    field<&S::snd_wl1>("snd_wl1", "SND.WL1", Kind::ReceiveNumber, Group::Send),
    field<&S::snd_wl2>("snd_wl2", "SND.WL2", Kind::SendNumber, Group::Send),
    field<&S::snd_wind_shift>("snd_wind_shift", "Snd.Wind.Shift", Kind::Shift, Group::Send),
    field<&S::snd_urgent>("snd_urgent", "urgent data sent", Kind::Flag, Group::Send),
    field<&S::snd_up>("snd_up", "SND.UP", Kind::SendNumber, Group::Send),
    field<&S::send_queued>("send_queued", "send buffer", Kind::Size, Group::Send),
    field<&S::mss>("mss", "effective MSS", Kind::Size, Group::Send),
    field<&S::irs>("irs", "IRS", Kind::ReceiveNumber, Group::Receive),
    field<&S::rcv_nxt>("rcv_nxt", "RCV.NXT", Kind::ReceiveNumber, Group::Receive),
    field<&S::rcv_wnd>("rcv_wnd", "RCV.WND", Kind::Size, Group::Receive),
    field<&S::rcv_wind_shift>("rcv_wind_shift", "Rcv.Wind.Shift", Kind::Shift, Group::Receive),
    field<&S::receive_queued>("receive_queued", "to be read", Kind::Size, Group::Receive),
    field<&S::receive_out_of_order>("receive_out_of_order", "behind a hole", Kind::Size,
                                    Group::Receive),
    field<&S::urgent_ahead>("urgent_ahead", "urgent ahead", Kind::Size, Group::Receive),
    field<&S::timestamps>("timestamps", "timestamps", Kind::Flag, Group::Receive),
    field<&S::ts_recent>("ts_recent", "TS.Recent", Kind::Clock, Group::Receive),
    field<&S::cwnd>("cwnd", "cwnd", Kind::Size, Group::Congestion),
    field<&S::ssthresh>("ssthresh", "ssthresh", Kind::Size, Group::Congestion),
    field<&S::pipe>("pipe", "pipe", Kind::Size, Group::Congestion),
    field<&S::in_recovery>("in_recovery", "in recovery", Kind::Flag, Group::Recovery),
    field<&S::recovery_point>("recovery_point", "RecoveryPoint", Kind::SendNumber, Group::Recovery),
    field<&S::duplicate_acks>("duplicate_acks", "duplicate ACKs", Kind::Count, Group::Recovery),
    field<&S::sack_permitted>("sack_permitted", "SACK permitted", Kind::Flag, Group::Recovery),
    field<&S::sacked>("sacked", "SACKed", Kind::Size, Group::Recovery),
    field<&S::lost>("lost", "lost", Kind::Size, Group::Recovery),
    field<&S::sack_count>("sack_count", "SACKed ranges", Kind::Count, Group::Recovery),
    sack<0, &SackBlock::left>("sack_left_1", "range 1 from"),
    sack<0, &SackBlock::right>("sack_right_1", "range 1 to"),
    sack<1, &SackBlock::left>("sack_left_2", "range 2 from"),
    sack<1, &SackBlock::right>("sack_right_2", "range 2 to"),
    sack<2, &SackBlock::left>("sack_left_3", "range 3 from"),
    sack<2, &SackBlock::right>("sack_right_3", "range 3 to"),
    sack<3, &SackBlock::left>("sack_left_4", "range 4 from"),
    sack<3, &SackBlock::right>("sack_right_4", "range 4 to"),
    field<&S::retransmissions>("retransmissions", "retransmissions", Kind::Count, Group::Recovery),
    field<&S::reordering_seen>("reordering_seen", "RACK.reordering_seen", Kind::Flag,
                               Group::Recovery),
    field<&S::srtt>("srtt", "SRTT", Kind::Time, Group::Timing),
    field<&S::rttvar>("rttvar", "RTTVAR", Kind::Time, Group::Timing),
    field<&S::rto>("rto", "RTO", Kind::Time, Group::Timing),
    field<&S::min_rtt>("min_rtt", "RACK.min_RTT", Kind::Time, Group::Timing),
    field<&S::backoff>("backoff", "RTO doubled", Kind::Count, Group::Timing),
    timer<TcpTimer::LossProbe>("timer_probe", "loss probe"),
    timer<TcpTimer::Reorder>("timer_reorder", "reordering"),
    timer<TcpTimer::Rto>("timer_rto", "retransmission"),
    timer<TcpTimer::Persist>("timer_persist", "zero-window probe"),
    timer<TcpTimer::DelayedAck>("timer_delack", "delayed ACK"),
    timer<TcpTimer::KeepAlive>("timer_keepalive", "keep-alive"),
    timer<TcpTimer::TimeWait>("timer_timewait", "2 MSL"),
    timer<TcpTimer::UserTimeout>("timer_user", "user timeout"),
};
static_assert(kFields.size() == 41 + 8 + kTcpTimerCount, "nothing twice");

std::string seconds(Duration d) {
    char text[40];
    std::snprintf(text, sizeof text, "%.6g s", to_seconds(d));
    return text;
}

std::string relative(u64 value, SeqNum base, Numbers numbers) {
    const auto n = static_cast<u32>(value);
    return std::to_string(numbers == Numbers::Absolute ? n : n - base.value());
}

}  // namespace

std::span<const StateField> state_fields() { return kFields; }

std::string field_text(const StateField& field, const TcpSnapshot& state, TimePoint now,
                       Numbers numbers) {
    const u64 value = field.get(state);
    switch (field.kind) {
        case Kind::State:
            return std::string(name(state.state));
        case Kind::Address: {
            Endpoint endpoint;
            store(endpoint, value);
            return endpoint.to_string();
        }
        case Kind::SendNumber:
            return relative(value, state.iss, numbers);
        case Kind::ReceiveNumber:
            return relative(value, state.irs, numbers);
        case Kind::Clock:
        case Kind::Count:
        case Kind::Shift:
            return std::to_string(value);
        case Kind::Size:
            return value == ~u32{0} ? "unlimited" : std::to_string(value);
        case Kind::Time:
            return seconds(Duration(static_cast<i64>(value)));
        case Kind::Flag:
            return value != 0 ? "yes" : "no";
        case Kind::Deadline: {
            TimePoint deadline;
            store(deadline, value);
            return deadline == kNever ? "off" : "in " + seconds(deadline - now);
        }
        case Kind::Error:
            return state.error == Errno::None ? "none" : std::string(text(state.error));
    }
    return "";
}

std::optional<u64> window_field(const StateField& field, const TcpSnapshot& state) {
    const bool send = field.key == "snd_wnd";
    if (!send && field.key != "rcv_wnd") return std::nullopt;
    const u8 shift = send ? state.snd_wind_shift : state.rcv_wind_shift;
    const bool opening = state.state == TcpState::Closed || state.state == TcpState::Listen ||
                         state.state == TcpState::SynSent || state.state == TcpState::SynReceived;
    const bool of_syn = send && state.snd_wl1 == state.irs;
    const u64 window = field.get(state);
    // What no field can say comes from a SYN, too: it was told without a shift.
    const bool exact = window != 0 && (window >> shift << shift) == window;
    if (shift == 0 || opening || of_syn || !exact) return std::nullopt;
    return window >> shift;
}

}  // namespace tapestry
