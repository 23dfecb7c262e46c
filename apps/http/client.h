#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/http/response_parser.h"
#include "apps/http/url.h"
#include "drivers/runner.h"

namespace tapestry {

/// curl's exit codes, as far as `get` can meet them; they are the status of the Failure that is thrown.
enum class HttpFailure : u8 {
    Protocol = 1,    ///< not http, or an answer that is not HTTP/1
    Url = 3,         ///< malformed
    Resolve = 6,     ///< a name: there is no resolver here
    Connect = 7,     ///< refused, unreachable
    WeirdReply = 8,  ///< the head of the response makes no sense
    Partial = 18,    ///< the body ended before its time
    Http = 22,       ///< --fail and a status of 400 or more
    Write = 23,      ///< the body could not be written
    TimedOut = 28,
    Empty = 52,  ///< the server said nothing
    Send = 55,
    Receive = 56,  ///< reset, or a malformed chunk
};

struct HttpRequest {
    Url url;
    bool head = false;                                        ///< HEAD instead of GET
    std::vector<std::pair<std::string, std::string>> fields;  ///< besides Host, User-Agent, Accept
    TimePoint deadline = kNever;
};

/// Who hears of a transfer; every member may be empty.
struct HttpListener {
    std::function<void(const std::string&)> info;   ///< "Connected to ...", for people
    std::function<void(const std::string&)> sent;   ///< a line of the request's head
    std::function<void(const ResponseHead&)> head;  ///< before any of the body; not of 1xx
    std::function<bool(Bytes)> body;                ///< false: it cannot be written
};

/// An HTTP/1.1 client (RFC 9112) on a socket of the stack, one request at a time. A connection is kept
/// and used again for the same host and port while the server lets it live.
class HttpClient {
public:
    /// Why waiting has been cut short, when it was by neither the deadline nor success: one line, or "".
    using Interruption = std::function<std::string()>;

    explicit HttpClient(Runner& net, Interruption interruption = {})
        : net_(net), interruption_(std::move(interruption)) {}

    /// Carries out one request and returns the response's head. Throws Failure with a curl code.
    ResponseHead fetch(const HttpRequest& request, const HttpListener& listener);
    /// Says goodbye, and waits a little for the peer to do so too.
    void close();
    /// Ends the connection with a reset, if there is one.
    void abort();
    /// The server has left the connection open for another request.
    bool can_be_used_again() const { return reusable(peer_); }
    /// How many connections were made.
    u32 connections() const { return connections_; }

private:
    void connect(const HttpRequest& request, const HttpListener& listener);
    void send(const HttpRequest& request, const HttpListener& listener);
    ResponseHead receive(const HttpRequest& request, const HttpListener& listener);
    /// False: the stream has ended.
    bool wait_for_data(const HttpRequest& request);
    void feed(ResponseParser& parser);
    [[noreturn]] void explain(const ResponseParser& parser, const ResponseParser::Error& error);
    void end_of_stream(ResponseParser& parser);
    [[noreturn]] void give_up_waiting(const HttpRequest& request, const std::string& what);
    bool reusable(const Url& url) const;

    std::string interruption() const { return interruption_ ? interruption_() : std::string(); }

    Runner& net_;
    Interruption interruption_;
    TcpSocket socket_;
    Url peer_;
    u32 connections_ = 0;
    bool reused_ = false;
    bool keep_alive_ = false;
    bool heard_ = false;       ///< a byte of the answer has come
    u8 first_byte_ = 0;        ///< of the answer
    std::vector<u8> pending_;  ///< half a line
};

}  // namespace tapestry
