#pragma once

#include <string>

#include "apps/lab/network.h"

namespace tapestry {

/// A machine as a program that runs on it sees it.
struct Seat {
    LabNetwork& network;
    std::size_t machine;

    Host& host() const { return network.host(machine); }
    Stack& stack() const { return host().stack(); }
    World& world() const { return network.world(); }
    TimePoint now() const { return network.world().now(); }
    void say(Timeline::Step::Kind kind, const std::string& text,
             const std::string& chinese = "") const {
        network.recorder().say(kind, static_cast<u32>(machine), text, chinese);
    }
    /// What the application asks for ...
    void call(const std::string& text) const { say(Timeline::Step::Kind::Call, text); }
    /// ... and what came of it; `chinese` "": that is no sentence, but the same everywhere.
    void result(const std::string& text, const std::string& chinese = "") const {
        say(Timeline::Step::Kind::Result, text, chinese);
    }
};

/// Something that an application on a machine does, bit by bit: it is asked to go on after every
/// event of its host and at the times that it has asked for, and never waits. Lives as long as the
/// network, so that what it has planned with World::at finds it.
class Program {
public:
    explicit Program(const Seat& seat) : seat_(seat) {}
    virtual ~Program() = default;
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Does what can be done now.
    virtual void poll() = 0;
    /// Nothing is left to wait for.
    virtual bool done() const { return true; }
    /// Patience is over: it says so, and is done.
    virtual void give_up(Duration /*patience*/) {}

protected:
    const Seat& seat() const { return seat_; }
    void wake_at(TimePoint time) {
        seat_.world().at(time, [this] { poll(); });
    }

private:
    Seat seat_;
};

}  // namespace tapestry
