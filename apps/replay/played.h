#pragma once

#include <deque>
#include <string>
#include <vector>

#include "apps/replay/tcp_script.h"
#include "stack/trace/tcp_snapshot.h"

namespace tapestry {

/// The variables of a connection that explain why it sent something, or did not. Numbers as in the RFC.
struct PlayedState {
    TcpState state = TcpState::Closed;
    SeqNum snd_una;
    SeqNum snd_nxt;
    SeqNum rcv_nxt;
    u32 snd_wnd = 0;
    u32 rcv_wnd = 0;
    u32 cwnd = 0;
    u32 send_queued = 0;
    u32 receive_out_of_order = 0;

    static PlayedState of(const TcpSnapshot& snapshot);
    /// "ESTABLISHED SND.UNA 1 SND.NXT 101 ...", relative to the first numbers.
    std::string text(SeqNum our_isn, SeqNum their_isn) const;
};

/// One frame that the stack sent, as a wire would carry it.
struct SentFrame {
    TimePoint time{};
    std::vector<u8> bytes;
    std::optional<Segment> segment;  ///< of TCP; its text lies in `bytes`
    PlayedState state;               ///< of its connection, before it
    Bytes packet() const { return Bytes(bytes).subspan(EthernetView::kHeaderSize); }
};

/// One frame that passed the played host's wire, in the order in which that happened.
struct PassedFrame {
    TimePoint time{};
    std::vector<u8> came;             ///< what came in, as the stack got it ...
    const SentFrame* sent = nullptr;  ///< ... or what left
};

/// What became of one TCP conversation when the stack had its part.
struct PlayedTcp {
    std::deque<SentFrame> sent;
    std::deque<SentFrame> made_up_sent;  ///< answers to a handshake that was made up
    /// Ours: the connection's state when script.ours[i] was due.
    std::vector<PlayedState> states_at;
    std::vector<u8> read;  ///< what the program got, as far as kReadLimit
    u64 read_bytes = 0;    ///< all of it
    TcpState state = TcpState::Closed;
    std::vector<TcpState> states;  ///< every one that it has been in, in order
    Errno error = Errno::None;     ///< that the program met
    u32 held_back = 0;             ///< frames of the peer that came before what they acknowledge
    u32 never_fed = 0;             ///< ... and never could come
    u64 made_up_ours = 0;          ///< bytes that the recording has not, sent as zeros
    u64 made_up_theirs = 0;        ///< ... received as zeros
    /// Calls that the stack did not take as the recorded host did: one line each.
    std::vector<std::string> refused_calls;
    TimePoint end{};  ///< of the whole recording: what came later it does not have

    static constexpr std::size_t kReadLimit = 4U << 20;
};

}  // namespace tapestry
