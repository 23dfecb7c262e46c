#pragma once

#include <memory>
#include <vector>

#include "apps/lab/error_words.h"
#include "apps/lab/program.h"
#include "apps/test_services.h"

namespace tapestry {

/// One end of a TCP connection that a lab's lines speak through: connect, send, close. What arrives
/// is read and told.
class Stream final : public Program {
public:
    /// `connect`.
    Stream(const Seat& seat, const Command& command);
    /// An end that a listener has accepted.
    Stream(const Seat& seat, TcpSocket socket, bool paused);

    void poll() override;
    /// Connected or failed; everything that was to be sent is acknowledged, or never will be.
    bool done() const override;
    void give_up(Duration patience) override;
    void send(const Command& command);
    void close();
    /// Whether what arrives is left in the receive buffer.
    void set_paused(bool paused);

private:
    void connected();
    void write();
    void read();
    void tell(std::string_view text);
    void tell_rest();
    void end(const std::string& why, const std::string& chinese);
    void end(Errno error) { end(std::string(text(error)), chinese_text(error)); }

    TcpSocket socket_;
    std::string what_;  ///< that is waited for: "connect", "send"
    bool connecting_ = false;
    bool paused_ = false;
    bool over_ = false;
    std::string outgoing_;
    bool sending_ = false;
    u64 untold_ = 0;         ///< bytes that have come and are not told of yet
    TimePoint last_read_{};  ///< when the last of them came
};

/// `listen PORT`: accepts whoever comes.
class ListenProgram final : public Program {
public:
    ListenProgram(const Seat& seat, const Command& command);
    void poll() override;
    u16 port() const { return port_; }
    void set_paused(bool paused);
    /// The end that was accepted last; null: none.
    Stream* latest() { return streams_.empty() ? nullptr : streams_.back().get(); }

private:
    Listener listener_;
    u16 port_;
    bool paused_;
    std::vector<std::unique_ptr<Stream>> streams_;
};

/// `echo PORT`: sends back whatever comes (RFC 862).
class EchoProgram final : public Program {
public:
    EchoProgram(const Seat& seat, u16 port);
    void poll() override { services_.poll(); }

private:
    TestServices services_;
};

}  // namespace tapestry
