#pragma once

#include <map>

#include "apps/lab/program.h"
#include "stack/ip/ping_socket.h"

namespace tapestry {

/// `ping ADDRESS`: echo requests, one after the other.
class PingProgram final : public Program {
public:
    PingProgram(const Seat& seat, const Command& command);
    void poll() override;
    bool done() const override { return over_; }
    void give_up(Duration patience) override;

private:
    void send();
    void finish();

    const Command& command_;
    PingSocket socket_;
    std::map<u16, TimePoint> sent_;  ///< those without an answer
    u32 count_ = 0;
    u32 answers_ = 0;
    u32 errors_ = 0;
    TimePoint next_{};
    bool over_ = false;
};

/// `traceroute ADDRESS`: echo requests that may pass one router, two, three ...
class TracerouteProgram final : public Program {
public:
    TracerouteProgram(const Seat& seat, const Command& command);
    void poll() override;
    bool done() const override { return over_; }

private:
    void send();

    const Command& command_;
    PingSocket socket_;
    u16 hop_ = 0;
    TimePoint sent_{};
    bool over_ = false;
};

}  // namespace tapestry
