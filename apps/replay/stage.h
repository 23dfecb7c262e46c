#pragma once

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "apps/replay/datagram_actor.h"
#include "apps/replay/tcp_actor.h"

namespace tapestry {

/// The stack in the place of the recorded host, in virtual time, which is the recording's. One actor
/// plays the program of each TCP conversation, one more all the rest.
class Stage final : private Port, private TraceSink, private Choices, private StageDoor {
public:
    /// `recording` outlives it.
    Stage(const Recording& recording, const PlayOptions& options);
    ~Stage() override;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    /// Plays everything, then goes on for PlayOptions::afterwards.
    void run();

    const std::vector<TcpScript>& scripts() const { return scripts_; }
    /// What became of scripts()[i].
    PlayedTcp& played(std::size_t i) { return actors_[i]->played(); }
    const PlayedDatagrams& datagrams() const { return datagrams_->played(); }
    /// Every frame in its order, with PlayOptions::keep_passed.
    const std::vector<PassedFrame>& passed() const { return passed_; }
    /// Refusals of the stack, by their names.
    const std::map<std::string, int>& drops() const { return drops_; }

private:
    PortCapabilities capabilities() const override { return {.mtu = mtu_}; }
    bool transmit(const Frame& frame) override;
    void on_frame(const FrameEvent& event) override;
    void on_drop(const DropEvent& event) override;
    void on_tcp(const TcpEvent& event) override;
    std::optional<SeqNum> iss(const Endpoint& local, const Endpoint& remote) override;
    std::optional<u32> timestamp(const Endpoint& local, const Endpoint& remote) override;
    std::optional<u16> identification(const Ipv4Header& header, Bytes transport) override;
    std::optional<u16> echo_identifier() override { return datagrams_->echo_identifier(); }

    Stack& stack() override { return *stack_; }
    TimePoint now() const override { return now_; }
    TimePoint stack_time(TimePoint recorded) const override { return recorded - behind_; }
    void feed(Bytes frame, bool trusted) override;
    bool listen(const Endpoint& local, const TcpSocketOptions& options) override;
    void stop_listening(const Endpoint& local) override;

    StackConfig stack_config() const;
    void choose_mtu();
    void match_ticks();
    void make_schedule();
    void start_stack();
    void know_neighbours();
    void run_to(TimePoint recorded);
    void play(const RecordedFrame& frame);
    void cause_request(const RecordedFrame& request, Ipv4Address target);
    void settle();
    void accept_all();
    TcpActor* find(const Endpoint& local, const Endpoint& remote);

    const Recording& recording_;
    PlayOptions options_;
    std::vector<TcpScript> scripts_;
    std::vector<std::unique_ptr<TcpActor>> actors_;
    std::unordered_map<std::size_t, TcpActor*> by_stream_;
    /// Every frame when it was at the host.
    std::vector<std::pair<TimePoint, const RecordedFrame*>> schedule_;
    /// Who plays a pair of ends at present: ports may be used again.
    std::map<std::pair<Endpoint, Endpoint>, TcpActor*> by_ends_;
    std::set<TcpActor*> touched_;  ///< something has happened to them
    std::unique_ptr<DatagramActor> datagrams_;
    std::vector<PassedFrame> passed_;
    std::map<std::string, int> drops_;

    u32 mtu_ = 1500;
    TimePoint now_{};
    /// How much the stack's clock is behind the recording's: pauses too long to be played, and so much
    /// that its timestamps tick when the recorded host's did.
    Duration behind_{};
    SeededRng rng_{1};
    PacketPool pool_{PacketPool::kSuperFrameSlot, 4096};
    std::unique_ptr<Stack> stack_;
    Interface* interface_ = nullptr;
    std::map<Endpoint, Listener> listeners_;
};

}  // namespace tapestry
