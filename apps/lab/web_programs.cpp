#include "apps/lab/web_programs.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <charconv>
#include "apps/inspect/story.h"

#include "apps/http/serialize.h"

namespace tapestry {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kPage =
    "<!doctype html>\n"
    "<title>Hello</title>\n"
    "<p>This page has travelled through a network\n"
    "in virtual time, one segment after the other.</p>\n";

std::string lines_of(std::size_t size) {
    std::string text;
    text.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        text += i % 64 == 63 ? '\n' : static_cast<char>('a' + i / 64 % 26);
    }
    return text;
}

}  // namespace

HttpAnswer LabSite::answer(const HttpRequestHead& request) {
    constexpr std::size_t kLargest = 10'000'000;
    const std::string_view target(request.target().data(), request.target().size());
    HttpAnswer answer;
    answer.head.result(http::status::ok);
    std::size_t size = 0;
    const auto [end, error] =
        std::from_chars(target.data() + 1, target.data() + target.size(), size);
    if (target == "/") {
        answer.text = kPage;
        answer.head.set(http::field::content_type, "text/html; charset=utf-8");
    } else if (error == std::errc() && end == target.data() + target.size() && size <= kLargest) {
        answer.text = lines_of(size);
        answer.head.set(http::field::content_type, "text/plain");
    } else {
        return error_answer(404);
    }
    answer.length = answer.text.size();
    return answer;
}

WebServer::WebServer(const Seat& at, u16 port)
    : Program(at),
      server_(at.stack(), site_,
              {.backlog = at.stack().config().tcp.default_backlog,
               .date = {},
               .log = [this](const Endpoint& client, const std::string& request, unsigned status,
                             u64 length) {
                   const std::string who = client.to_string();
                   const std::string code = std::to_string(status);
                   const std::string size = std::to_string(length);
                   seat().result(request + " from " + who + ": " + code + ", " + size + " bytes",
                                 request + "，来自 " + who + "：" + code + "，" + size + " 字节");
               }}) {
    const auto listening = server_.listen({Ipv4Address(), port});
    seat().call("serve " + std::to_string(port) +
                (listening ? "" : ": " + std::string(text(listening.error()))));
}

void WebServer::poll() {
    server_.poll(seat().now());
    const TimePoint next = server_.next_deadline();
    if (next == kNever || next == wake_ || next <= seat().now()) return;
    wake_ = next;
    wake_at(next);
}

WebClient::WebClient(const Seat& at, const Command& command) : Program(at), command_(command) {
    begin();
}

/// The next request: over the connection that there is, or a new one.
void WebClient::begin() {
    const Url& url = command_.urls[next_];
    seat().call(command_.urls.size() == 1 ? command_.line
                                          : "get http://" + url.authority() + url.target);
    const bool same = socket_ && url.host == peer_.host && url.port == peer_.port &&
                      socket_.state() == TcpState::Established;
    body_ = 0;
    pending_.clear();
    parser_.emplace(false);
    parser_->on_body = [this](Bytes bytes) {
        body_ += bytes.size();
        return true;
    };
    if (same) {
        send();
        return;
    }
    socket_.close();
    peer_ = url;
    socket_ = seat().stack().tcp_socket();
    const Endpoint remote{Ipv4Address::parse(url.host).value_or(Ipv4Address()), url.port};
    if (command_.port != 0) {
        const auto bound = socket_.bind({Ipv4Address(), command_.port});
        if (!bound) return fail(bound.error());
    }
    const auto opened = socket_.connect(remote);
    if (!opened) return fail(opened.error());
    phase_ = Phase::Connecting;
}

void WebClient::poll() {
    bool progress = true;
    while (progress) {
        switch (phase_) {
            case Phase::Connecting:
                progress = connect();
                break;
            case Phase::Receiving:
                progress = receive();
                break;
            default:
                progress = false;
        }
    }
}

bool WebClient::connect() {
    const TcpState state = socket_.state();
    if (state == TcpState::SynSent || state == TcpState::SynReceived) return false;
    if (state == TcpState::Closed) {
        fail(socket_.take_error());
        return false;
    }
    return send();
}

bool WebClient::send() {
    const Url& url = command_.urls[next_];
    http::request<http::empty_body> message(http::verb::get, url.target, 11);
    message.set(http::field::host, url.authority());
    const std::string head = serialize_head(message);
    // The send buffer of a lab's host is larger than a head, and empty now.
    const auto sent = socket_.write({reinterpret_cast<const u8*>(head.data()), head.size()});
    if (!sent) {
        fail(sent.error());
        return false;
    }
    phase_ = Phase::Receiving;
    return true;
}

bool WebClient::receive() {
    const auto pieces = socket_.peek(std::size_t{1} << 20);
    if (!pieces) {
        if (pieces.error() != Errno::Again) fail(pieces.error());
        return false;
    }
    const Bytes bytes = (*pieces)[0];
    if (bytes.empty()) {
        fail("the connection has ended before the answer", "还没有收到应答，连接就结束了");
        return false;
    }
    pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    socket_.consume(bytes.size());
    ResponseParser::Error error;
    const std::size_t taken = parser_->take(pending_, error);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(taken));
    if (error) {
        fail("not an answer that can be understood: " + error.message(),
             "应答无法理解：" + error.message());
        return false;
    }
    if (parser_->is_done()) finish_answer();
    return true;
}

void WebClient::finish_answer() {
    const ResponseHead& head = parser_->head();
    const std::string status = std::to_string(head.status) + ' ' + head.reason;
    const std::string size = std::to_string(body_);
    seat().result("get: " + status + ", " + size + " bytes",
                  "get：" + status + "，" + size + " 字节");
    if (++next_ < command_.urls.size()) return begin();
    phase_ = Phase::Over;
    socket_.close();
}

void WebClient::fail(const std::string& why, const std::string& chinese) {
    seat().result("get: " + why, "get：" + chinese);
    phase_ = Phase::Over;
    socket_.close();
}

void WebClient::give_up(Duration patience) {
    if (done()) return;
    socket_.abort();
    const std::string time = duration_text(patience);
    fail("no answer within " + time + ", given up", time + " 内没有应答，放弃");
}

}  // namespace tapestry
