#pragma once

#include <optional>

#include "apps/http/response_parser.h"
#include "apps/http/server.h"
#include "apps/lab/error_words.h"
#include "apps/lab/program.h"

namespace tapestry {

/// The pages of every web server in a lab: "/" is a page of a few words, "/1000" a text of so many
/// bytes; there is nothing else.
class LabSite final : public Site {
public:
    HttpAnswer answer(const HttpRequestHead& request) override;
};

/// `serve PORT`: a web server that says whom it has answered.
class WebServer final : public Program {
public:
    WebServer(const Seat& seat, u16 port);
    void poll() override;

private:
    LabSite site_;
    HttpServer server_;
    TimePoint wake_{};
};

/// `get URL...`: asks for each in turn, over one connection where that is possible.
class WebClient final : public Program {
public:
    WebClient(const Seat& seat, const Command& command);
    void poll() override;
    bool done() const override { return phase_ == Phase::Over; }
    void give_up(Duration patience) override;

private:
    enum class Phase : u8 { Idle, Connecting, Receiving, Over };

    void begin();
    bool connect();
    bool send();
    bool receive();
    void finish_answer();
    void fail(const std::string& why, const std::string& chinese);
    void fail(Errno error) { fail(std::string(text(error)), chinese_text(error)); }

    const Command& command_;
    Phase phase_ = Phase::Idle;
    std::size_t next_ = 0;  ///< of the URLs
    TcpSocket socket_;
    Url peer_;  ///< whom the connection is to
    std::optional<ResponseParser> parser_;
    std::vector<u8> pending_;  ///< half a line
    u64 body_ = 0;             ///< bytes of it so far
};

}  // namespace tapestry
