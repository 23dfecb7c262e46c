#pragma once

#include <memory>
#include <set>

#include "apps/lab/frame_reader.h"
#include "apps/lab/scenario.h"
#include "drivers/clock.h"

namespace tapestry {

/// Writes the story of a lab's run: listens to every stack and to every link, and turns what it hears
/// into steps, in the order in which things happen.
class Recorder {
public:
    /// All outlive it. `clock`: a stack that has had nothing to do may not know what time it is.
    Recorder(const Scenario& scenario, Story& story, Clock clock);
    ~Recorder();
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    /// The ear of one machine.
    TraceSink& sink(std::size_t machine);
    /// A frame is put on a link; `to` is the machine's interface that it is for. `lost`: why it does
    /// not arrive, or "".
    void frame(std::size_t link, ScenarioLink::End from, ScenarioLink::End to, Bytes bytes,
               const std::string& lost);
    /// Something that an application or a person says or does.
    void say(Step::Kind kind, std::size_t machine, const std::string& text);
    /// The lifeline of a machine's interface.
    std::size_t lifeline(std::size_t machine, std::size_t interface) const;
    /// Packets from and to these addresses are many alike: they are told, but need not be shown.
    void sum_up(Ipv4Prefix strangers) { strangers_ = strangers; }

private:
    class Ear;

    Step& add(Step::Kind kind, std::size_t machine);
    Step& add_before_answer(std::size_t machine);
    void on_drop(std::size_t machine, const DropEvent& event);
    void on_tcp(std::size_t machine, const TcpEvent& event);
    void on_flow(std::size_t machine, const FlowEvent& event);
    void on_forward(std::size_t machine, const ForwardEvent& event);
    bool is_stranger(Ipv4Address address) const {
        return strangers_ && strangers_->contains(address);
    }

    const Scenario& scenario_;
    Story& story_;
    Clock clock_;
    std::vector<std::vector<std::size_t>> lifelines_;  ///< by machine and interface
    std::vector<std::unique_ptr<Ear>> ears_;
    FrameReader reader_;
    std::optional<Ipv4Prefix> strangers_;
    std::optional<Drop> explained_;  ///< a refusal that needs no words of its own
    std::map<std::pair<std::size_t, Endpoint>, Verdict> last_;  ///< of a machine with a peer
    /// Conversations, in each direction, whose translation has been told.
    std::set<std::tuple<std::size_t, u64, std::string>> told_;
};

}  // namespace tapestry
