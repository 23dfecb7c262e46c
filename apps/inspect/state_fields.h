#pragma once

#include <optional>
#include <span>
#include <string>

#include "stack/trace/tcp_snapshot.h"

namespace tapestry {

/// One variable of a connection's state, for whatever goes through all of them: files, tables on a
/// screen, what has changed.
struct StateField {
    /// What the number counts, and so how it is written for people.
    enum class Kind : u8 {
        State,          ///< TcpState
        Address,        ///< endpoint: the address in the upper 32 bits, the port below
        SendNumber,     ///< a sequence number of what this end sends: relative to ISS
        ReceiveNumber,  ///< ... of what it gets: relative to IRS
        Clock,          ///< a timestamp of the peer's
        Size,           ///< bytes
        Count,
        Shift,  ///< of a window scale
        Time,   ///< nanoseconds
        Flag,
        Deadline,  ///< nanoseconds on the stack's clock; kNever: the timer is off
        Error,
    };
    /// Where it belongs on a page.
    enum class Group : u8 { Connection, Send, Receive, Congestion, Recovery, Timing, Timers };

    std::string_view key;   ///< "snd_una": in files
    std::string_view name;  ///< "SND.UNA": for people, as the RFCs write it
    Kind kind;
    Group group;
    u64 (*get)(const TcpSnapshot&);
    void (*set)(TcpSnapshot&, u64);
};

/// All of them, each once, in the order in which they are best read. The SACKed ranges come as
/// sack_left_1, sack_right_1, ...
std::span<const StateField> state_fields();

/// Whether the field has another value in the two.
inline bool changed(const StateField& field, const TcpSnapshot& before, const TcpSnapshot& after) {
    return field.get(before) != field.get(after);
}

/// How numbers are shown.
enum class Numbers : u8 { Relative, Absolute };

/// The value for people: "ESTABLISHED", "101", "65535", "1.000 s", "in 0.200 s", "off", "none". Deadlines
/// count from `now`.
std::string field_text(const StateField& field, const TcpSnapshot& state, TimePoint now,
                       Numbers numbers = Numbers::Relative);

/// Of SND.WND and RCV.WND the window field that says so, where a shift makes it another number (RFC 7323
/// 2.3). Nothing for other variables, and for a window from a SYN, which is never scaled.
std::optional<u64> window_field(const StateField& field, const TcpSnapshot& state);

}  // namespace tapestry
