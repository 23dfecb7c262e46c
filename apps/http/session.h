#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "apps/http/site.h"
#include "stack/tcp/socket.h"

namespace tapestry {

/// What the sessions of one server have in common.
struct HttpServerConfig {
    u32 backlog = 1024;            ///< connections that wait to be accepted, or half open
    std::size_t max_head = 16384;  ///< bytes of a request's head; then 414 or 431
    Duration head_timeout = 10s;   ///< from a head's first byte to its last; then 408
    Duration idle_timeout = 60s;   ///< of a connection that asks for nothing
    Duration write_timeout = 60s;  ///< of a client that takes nothing
    Duration linger_timeout = 5s;  ///< for a client to read the answer before the connection goes
    std::size_t max_connections = 10000;  ///< then the one that has waited longest goes
    /// The time of day for the Date field; nothing: no such field.
    std::function<std::string()> date;
    /// Told of every answer, for the log.
    std::function<void(const Endpoint& client, const std::string& request, unsigned status,
                       u64 length)>
        log;
};

/// One connection to an HTTP/1.1 server (RFC 9112), from its first request to its end: keep-alive,
/// pipelining (answers in order, one at a time), HEAD. It never blocks and holds at most one request's
/// head and one answer's.
///
/// A request with a body is answered and the connection then closed: nothing here takes bodies, and
/// what would follow could be mistaken for a request. Before it closes a connection on which the
/// client may still be sending, it finishes its own direction and reads on for a while, so that no
/// reset takes the answer away from the client (RFC 9112 9.6).
class HttpSession {
public:
    HttpSession(TcpSocket socket, Site& site, const HttpServerConfig& config, TimePoint now);

    /// Does what can be done now. `scratch` is for reading files. False: the connection is over.
    bool progress(std::vector<u8>& scratch, TimePoint now);
    /// Takes no further request: what is being answered is the last.
    void finish(TimePoint now);
    /// When progress() has to be called at the latest.
    TimePoint deadline() const { return deadline_; }
    u64 answers() const { return answers_; }
    /// Nothing is being asked or answered.
    bool idle() const { return state_ == State::Reading && input_.empty() && !begun_; }
    TcpSocket& socket() { return socket_; }

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::empty_body>;
    enum class State : u8 { Reading, Writing, Lingering, Over };
    /// What a step has led to.
    enum class Step : u8 { Go, Wait, End };

    Step read(TimePoint now);
    Step write(std::vector<u8>& scratch, TimePoint now);
    Step linger();
    void on_deadline(TimePoint now);
    bool parse(TimePoint now);
    void refuse_head(const boost::system::error_code& error, TimePoint now);
    void answer_request(TimePoint now);
    void start_answer(HttpAnswer answer, bool head_only, unsigned version, TimePoint now);
    void finish_answer(TimePoint now);
    void wait_for_request(TimePoint now);
    void start_lingering(TimePoint now);

    TcpSocket socket_;
    Site& site_;
    const HttpServerConfig& config_;
    State state_ = State::Reading;
    TimePoint deadline_{};
    std::string input_;  ///< received and not yet parsed
    std::optional<Parser> parser_;
    std::size_t head_bytes_ = 0;  ///< of the head being read, parsed already
    bool begun_ = false;          ///< a head has begun
    std::string head_;            ///< of the answer
    std::size_t sent_ = 0;        ///< of head_, then of the body
    std::size_t taken_ = 0;       ///< since the deadline was last moved
    std::size_t unread_ = 0;  ///< lingering: of the send buffer, when the deadline was last moved
    bool head_sent_ = false;
    HttpAnswer answer_;
    bool close_after_ = false;
    u64 answers_ = 0;
    std::string request_line_;  ///< for the log
};

}  // namespace tapestry
