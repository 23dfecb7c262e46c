#include "apps/http/client.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>

#include "apps/failure.h"
#include "apps/http/serialize.h"

namespace tapestry {
namespace {

namespace http = boost::beast::http;

/// Interim responses before the real one; then the server is making fun of us.
constexpr int kMaxInterim = 100;
/// How long close() waits for the peer.
constexpr Duration kGoodbye = 3s;
/// The longest line that is waited for, bytes.
constexpr std::size_t kMaxPending = 128 * 1024;

[[noreturn]] void fail(HttpFailure code, const std::string& text) {
    throw Failure(static_cast<int>(code),
                  '(' + std::to_string(static_cast<int>(code)) + ") " + text);
}

std::string where(const Url& url) {
    return "connection to " + url.host + " port " + std::to_string(url.port);
}

}  // namespace

ResponseHead HttpClient::fetch(const HttpRequest& request, const HttpListener& listener) {
    reused_ = reusable(request.url);
    if (reused_) {
        if (listener.info) listener.info("Re-using the connection to " + request.url.host);
    } else {
        close();
        connect(request, listener);
    }
    try {
        send(request, listener);
        return receive(request, listener);
    } catch (const Failure&) {
        // The server may have closed an idle connection just before we used it again. Nothing of an
        // answer has come, and a GET may be repeated (RFC 9112 9.3.1).
        const bool repeat =
            reused_ && !heard_ && net_.now() < request.deadline && interruption().empty();
        abort();
        if (!repeat) throw;
    }
    connect(request, listener);
    send(request, listener);
    return receive(request, listener);
}

bool HttpClient::reusable(const Url& url) const {
    return socket_ && keep_alive_ && url.host == peer_.host && url.port == peer_.port &&
           socket_.state() == TcpState::Established && socket_.readable_bytes() == 0;
}

void HttpClient::connect(const HttpRequest& request, const HttpListener& listener) {
    const auto address = Ipv4Address::parse(request.url.host);
    if (!address) {
        fail(HttpFailure::Resolve, "could not resolve host: " + request.url.host +
                                       " (there is no resolver here; use an IPv4 address)");
    }
    peer_ = request.url;
    if (listener.info) {
        listener.info("  Trying " + request.url.host + ':' + std::to_string(peer_.port) + "...");
    }
    socket_ = net_.stack().tcp_socket();
    if (const auto opened = socket_.connect({*address, peer_.port}); !opened) {
        fail(HttpFailure::Connect, where(peer_) + ": " + std::string(text(opened.error())));
    }
    ++connections_;
    const bool settled = net_.run_until(
        [&] {
            const TcpState state = socket_.state();
            return state != TcpState::SynSent && state != TcpState::SynReceived;
        },
        request.deadline);
    if (!settled) give_up_waiting(request, where(peer_) + ": ");
    if (socket_.state() == TcpState::Closed) {
        const Errno error = socket_.take_error();
        fail(error == Errno::TimedOut ? HttpFailure::TimedOut : HttpFailure::Connect,
             where(peer_) + ": " + std::string(text(error)));
    }
    if (listener.info) {
        listener.info("Connected to " + peer_.host + " port " + std::to_string(peer_.port) +
                      " from " + socket_.local().to_string());
    }
}

void HttpClient::send(const HttpRequest& request, const HttpListener& listener) {
    http::request<http::empty_body> message(request.head ? http::verb::head : http::verb::get,
                                            request.url.target, 11);
    message.set(http::field::host, request.url.authority());
    message.set(http::field::user_agent, "tapestry");
    message.set(http::field::accept, "*/*");
    for (const auto& [name, value] : request.fields) message.set(name, value);
    const std::string head = serialize_head(message);
    if (listener.sent) {
        for (std::size_t at = 0; at < head.size();) {
            const std::size_t end = head.find("\r\n", at);
            listener.sent(head.substr(at, end - at));
            at = end + 2;
        }
    }
    heard_ = false;
    pending_.clear();
    std::string_view rest = head;
    while (!rest.empty()) {
        const auto sent = socket_.write({reinterpret_cast<const u8*>(rest.data()), rest.size()});
        if (sent) {
            rest.remove_prefix(*sent);
        } else if (sent.error() != Errno::Again) {
            fail(HttpFailure::Send, "send failure: " + std::string(text(sent.error())));
        } else if (!net_.run_until([&] { return socket_.readiness().writable; },
                                   request.deadline)) {
            give_up_waiting(request, "");
        }
    }
}

ResponseHead HttpClient::receive(const HttpRequest& request, const HttpListener& listener) {
    for (int interim = 0; interim <= kMaxInterim; ++interim) {
        ResponseParser parser(request.head);
        parser.on_head = [&](const ResponseHead& head) {
            if (head.status / 100 != 1 && listener.head) listener.head(head);
        };
        parser.on_body = listener.body;
        while (!parser.is_done()) {
            if (!wait_for_data(request)) {
                end_of_stream(parser);
                break;
            }
            feed(parser);
        }
        if (parser.head().status == 101) {
            fail(HttpFailure::WeirdReply,
                 "the server switches to a protocol that nobody asked for");
        }
        if (parser.head().status / 100 == 1) continue;
        keep_alive_ = parser.is_done() && parser.keep_alive() && pending_.empty();
        return parser.head();
    }
    fail(HttpFailure::WeirdReply, "the server sends interim responses without end");
}

bool HttpClient::wait_for_data(const HttpRequest& request) {
    if (!net_.run_until([&] { return socket_.readiness().readable; }, request.deadline)) {
        give_up_waiting(request, "");
    }
    const auto pieces = socket_.peek(1);
    if (!pieces) {
        fail(HttpFailure::Receive, "receive failure: " + std::string(text(pieces.error())));
    }
    return !(*pieces)[0].empty();
}

/// Gives the parser what has arrived, from where it lies. What it cannot use before more of it is there
/// (half a line) is kept.
void HttpClient::feed(ResponseParser& parser) {
    constexpr std::size_t kMost = std::size_t{1} << 20;
    const auto pieces = socket_.peek(kMost);
    if (!pieces || (*pieces)[0].empty()) return;
    const Bytes bytes = (*pieces)[0];
    if (!heard_) first_byte_ = bytes[0];
    heard_ = true;
    ResponseParser::Error error;
    if (pending_.empty()) {
        const std::size_t taken = parser.take(bytes, error);
        if (!error && !parser.is_done()) {
            pending_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
            socket_.consume(bytes.size());
        } else {
            socket_.consume(taken);
        }
    } else {
        pending_.insert(pending_.end(), bytes.begin(), bytes.end());
        socket_.consume(bytes.size());
        const std::size_t taken = parser.take(pending_, error);
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
        if (!error && pending_.size() > kMaxPending) error = http::error::header_limit;
    }
    if (error) explain(parser, error);
}

void HttpClient::explain(const ResponseParser& parser, const ResponseParser::Error& error) {
    if (parser.refused()) fail(HttpFailure::Write, "failed writing the body");
    if (parser.is_header_done()) {
        fail(HttpFailure::Receive, "the body is malformed: " + error.message());
    }
    if (first_byte_ != 'H') fail(HttpFailure::Protocol, "received HTTP/0.9, or no HTTP at all");
    fail(HttpFailure::WeirdReply, "weird server reply: " + error.message());
}

void HttpClient::end_of_stream(ResponseParser& parser) {
    if (!heard_) fail(HttpFailure::Empty, "empty reply from server");
    ResponseParser::Error error;
    parser.put_eof(error);
    if (!error) return;
    if (!parser.is_header_done()) {
        fail(HttpFailure::WeirdReply, "the response ends in the middle of its head");
    }
    fail(HttpFailure::Partial, "transfer closed before the whole body had arrived");
}

void HttpClient::give_up_waiting(const HttpRequest& request, const std::string& what) {
    if (const std::string why = interruption(); !why.empty()) throw Failure(kNo, why);
    const bool late = net_.now() >= request.deadline;
    abort();
    fail(HttpFailure::TimedOut,
         what + (late ? "timed out" : "no answer, and nothing left that could bring one"));
}

void HttpClient::close() {
    if (!socket_) return;
    if (socket_.shutdown(Shutdown::Send)) {
        const TimePoint patience = net_.now() + kGoodbye;
        net_.run_until(
            [&] {
                // What still comes is thrown away.
                if (const auto pieces = socket_.peek(std::size_t{1} << 20)) {
                    socket_.consume((*pieces)[0].size() + (*pieces)[1].size());
                }
                const TcpState state = socket_.state();
                return state == TcpState::TimeWait || state == TcpState::Closed;
            },
            patience);
    }
    socket_.close();
}

void HttpClient::abort() {
    if (!socket_) return;
    socket_.abort();
    // The reset leaves now: nobody runs the network again.
    net_.run_until([] { return true; });
}

}  // namespace tapestry
