#pragma once

#include <map>
#include <set>

#include "apps/replay/played.h"
#include "stack/stack.h"

namespace tapestry {

/// What became of everything but TCP.
struct PlayedDatagrams {
    std::vector<const RecordedFrame*> recorded;  ///< what the host sent, in its order
    std::deque<SentFrame> sent;
    /// Frames that the stack has no means to send: by what they are ("IGMP").
    std::map<std::string, u32> not_played;
    std::set<const RecordedFrame*> unplayable;  ///< the same frames
    u64 received = 0;                           ///< datagrams that reached a program
};

/// The programs on the played host that speak UDP, ping, and the causes of its ARP requests. ICMP errors,
/// echo replies and ARP replies are the stack's own.
class DatagramActor {
public:
    explicit DatagramActor(const Recording& recording);

    void start(Stack& stack);
    /// The next frame of the recording is due; it is not TCP.
    void play(const RecordedFrame& frame);
    /// Does now what the frame comes of; when its turn comes nothing is left to do.
    void act(const RecordedFrame& frame);
    void settle();
    const SentFrame& on_sent(SentFrame frame) {
        return played_.sent.emplace_back(std::move(frame));
    }

    std::optional<u16> echo_identifier() const { return next_echo_identifier_; }
    std::optional<u16> identification(const Ipv4Header& header);
    /// How long the recorded host waited for fragments, if it says so (ICMP "time exceeded").
    std::optional<Duration> reassembly_timeout() const;
    /// Neighbours that the recorded host asked for: they are not known beforehand.
    const std::set<Ipv4Address>& asked_for() const { return asked_for_; }
    const PlayedDatagrams& played() const { return played_; }

private:
    void act_on_udp(const Ipv4View& ip);
    void act_on_icmp(const Ipv4View& ip);
    void plan_sockets();
    void not_played(const RecordedFrame& frame, const std::string& what);
    /// The whole datagram that begins with this fragment of ours; empty where parts are missing.
    std::vector<u8> whole(const Ipv4View& first) const;

    const Recording& recording_;
    Stack* stack_ = nullptr;
    PlayedDatagrams played_;
    std::set<const RecordedFrame*> acted_;
    std::map<u16, UdpSocket> udp_;  ///< by our port
    std::set<u16> unreachable_;     ///< our ports at which nobody was
    std::map<u16, PingSocket> ping_;
    std::optional<u16> next_echo_identifier_;
    std::set<Ipv4Address> asked_for_;
    /// Identifications of the recorded datagrams, by destination and protocol.
    std::map<std::pair<Ipv4Address, IpProtocol>, std::deque<u16>> identifications_;
};

}  // namespace tapestry
