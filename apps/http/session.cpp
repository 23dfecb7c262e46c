#include "apps/http/session.h"

#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "apps/http/serialize.h"

namespace tapestry {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t kReadBlock = 16384;
/// So much has to be taken within the write timeout.
constexpr std::size_t kWorthwhile = 4096;

Bytes as_bytes(std::string_view text) {
    return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

/// RFC 9112 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request
/// message that lacks a Host header field and to any request message that contains more than one Host
/// header field line or a Host header field with an invalid field value."
bool host_ok(const HttpRequestHead& request) {
    const auto count = request.count(http::field::host);
    if (count == 0) return request.version() == 10;
    if (count > 1) return false;
    const auto host = request[http::field::host];
    return std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._~:[]%!$&'()*+,;=").find(c) != std::string_view::npos;
    });
}

/// A request line that is right but for the number of its version: "GET / HTTP/2.0".
bool asks_for_other_version(std::string_view head) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t last = line.rfind(' ');
    if (last == std::string_view::npos || std::ranges::count(line, ' ') != 2) return false;
    const std::string_view version = line.substr(last + 1);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return version.size() == 8 && version.starts_with("HTTP/") && digit(version[5]) &&
           version[6] == '.' && digit(version[7]);
}

}  // namespace

HttpSession::HttpSession(TcpSocket socket, Site& site, const HttpServerConfig& config,
                         TimePoint now)
    : socket_(std::move(socket)), site_(site), config_(config) {
    wait_for_request(now);
}

void HttpSession::wait_for_request(TimePoint now) {
    state_ = State::Reading;
    begun_ = false;
    head_bytes_ = 0;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(config_.max_head));
    deadline_ = now + config_.idle_timeout;
}

bool HttpSession::progress(std::vector<u8>& scratch, TimePoint now) {
    while (true) {
        if (now >= deadline_) on_deadline(now);
        Step step = Step::End;
        switch (state_) {
            case State::Reading:
                step = read(now);
                break;
            case State::Writing:
                step = write(scratch, now);
                break;
            case State::Lingering:
                step = linger();
                break;
            case State::Over:
                break;
        }
        if (step == Step::End) return false;
        if (step == Step::Wait) return true;
    }
}

void HttpSession::on_deadline(TimePoint now) {
    if (state_ == State::Reading && begun_) {
        close_after_ = true;
        start_answer(error_answer(408), false, 11, now);
        return;
    }
    const std::size_t queued = socket_.snapshot().send_queued;
    if (state_ == State::Lingering && queued + kWorthwhile <= unread_) {
        // It is slow, but it still takes what it asked for.
        unread_ = queued;
        deadline_ = now + config_.linger_timeout;
        return;
    }
    // A client that takes nothing gets a reset; one that is only silent a proper end.
    if (state_ == State::Writing) socket_.abort();
    state_ = State::Over;
}

HttpSession::Step HttpSession::read(TimePoint now) {
    // RFC 9112 2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at
    // least one empty line (CRLF) received prior to the request-line."
    while (!begun_ && input_.starts_with("\r\n")) input_.erase(0, 2);
    const bool half_a_line_end = !begun_ && input_ == "\r";
    if (!input_.empty() && !half_a_line_end && parse(now)) return Step::Go;
    std::array<u8, kReadBlock> block;
    const auto got = socket_.read(block);
    if (!got) return got.error() == Errno::Again ? Step::Wait : Step::End;
    if (*got == 0) return Step::End;  // half a request is none
    input_.append(reinterpret_cast<const char*>(block.data()), *got);
    return Step::Go;
}

/// True when there is something to answer.
bool HttpSession::parse(TimePoint now) {
    if (!begun_) {
        begun_ = true;
        deadline_ = now + config_.head_timeout;
    }
    boost::system::error_code error;
    const std::size_t taken =
        parser_->put(boost::asio::const_buffer(input_.data(), input_.size()), error);
    input_.erase(0, taken);
    head_bytes_ += taken;
    if (error == http::error::need_more) {
        error = {};
        // The parser's own limit is on what it has not taken yet.
        if (head_bytes_ + input_.size() >= config_.max_head) error = http::error::header_limit;
    }
    if (parser_->is_header_done()) {
        answer_request(now);
        return true;
    }
    if (!error) return false;
    refuse_head(error, now);
    return true;
}

void HttpSession::refuse_head(const boost::system::error_code& error, TimePoint now) {
    unsigned status = 400;
    if (error == http::error::header_limit) {
        status = parser_->get().target().empty() ? 414 : 431;
    } else if (error == http::error::bad_version && asks_for_other_version(input_)) {
        status = 505;
    }
    request_line_ = "(malformed)";
    close_after_ = true;
    start_answer(error_answer(status), false, 11, now);
}

void HttpSession::answer_request(TimePoint now) {
    const HttpRequestHead& request = parser_->get();
    request_line_ = std::string(request.method_string()) + ' ' + std::string(request.target());
    const bool has_body = parser_->chunked() || parser_->content_length().value_or(0) > 0;
    close_after_ = has_body || !request.keep_alive();
    const bool head_only = request.method() == http::verb::head;
    HttpAnswer answer;
    if (!host_ok(request)) {
        answer = error_answer(400);
        close_after_ = true;
    } else if (request.method() == http::verb::unknown) {
        answer = error_answer(501);
    } else if (request.method() != http::verb::get && !head_only) {
        answer = error_answer(405);
        answer.head.set(http::field::allow, "GET, HEAD");
    } else {
        answer = site_.answer(request);
    }
    start_answer(std::move(answer), head_only, request.version(), now);
}

void HttpSession::start_answer(HttpAnswer answer, bool head_only, unsigned version, TimePoint now) {
    answer_ = std::move(answer);
    auto& head = answer_.head;
    head.version(11);
    head.set(http::field::server, "tapestry");
    if (config_.date) head.set(http::field::date, config_.date());
    head.set(http::field::content_length, std::to_string(answer_.length));
    if (close_after_) {
        head.set(http::field::connection, "close");
    } else if (version == 10) {
        head.set(http::field::connection, "keep-alive");
    }
    head_ = serialize_head(head);
    if (head_only) answer_.length = 0;
    if (config_.log) {
        config_.log(socket_.remote(), request_line_, head.result_int(), answer_.length);
    }
    head_sent_ = false;
    sent_ = 0;
    taken_ = 0;
    state_ = State::Writing;
    deadline_ = now + config_.write_timeout;
}

/// One piece of the head or the body, as much as the send buffer takes.
HttpSession::Step HttpSession::write(std::vector<u8>& scratch, TimePoint now) {
    Bytes piece;
    if (!head_sent_) {
        piece = as_bytes(head_).subspan(sent_);
    } else if (answer_.file) {
        const std::size_t room = std::min(socket_.writable_bytes(), scratch.size());
        const std::size_t wanted = std::min<u64>(room, answer_.length - sent_);
        const ssize_t got = wanted == 0 ? 0
                                        : pread(answer_.file.get(), scratch.data(), wanted,
                                                static_cast<off_t>(answer_.offset + sent_));
        if (wanted > 0 && got <= 0) {
            // The file has become shorter: what was promised cannot be kept, and the client must
            // not take this for the end.
            socket_.abort();
            return Step::End;
        }
        piece = Bytes(scratch).first(static_cast<std::size_t>(got));
    } else {
        piece = as_bytes(answer_.text).first(answer_.length).subspan(sent_);
    }
    const std::size_t whole = head_sent_ ? answer_.length : head_.size();
    if (sent_ < whole) {
        if (piece.empty()) return Step::Wait;
        const auto written = socket_.write(piece);
        if (!written) return written.error() == Errno::Again ? Step::Wait : Step::End;
        sent_ += *written;
        taken_ += *written;
        // A client that takes a byte now and then, or answers probes of a closed window, takes nothing.
        if (taken_ >= kWorthwhile) {
            taken_ = 0;
            deadline_ = now + config_.write_timeout;
        }
        if (sent_ < whole) return Step::Go;
    }
    if (!head_sent_) {
        head_sent_ = true;
        sent_ = 0;
        return Step::Go;
    }
    finish_answer(now);
    return Step::Go;
}

void HttpSession::finish_answer(TimePoint now) {
    ++answers_;
    answer_ = HttpAnswer();
    head_.clear();
    if (!close_after_) return wait_for_request(now);
    start_lingering(now);
}

void HttpSession::start_lingering(TimePoint now) {
    static_cast<void>(socket_.shutdown(Shutdown::Send));
    input_.clear();
    state_ = State::Lingering;
    unread_ = socket_.snapshot().send_queued;
    deadline_ = now + config_.linger_timeout;
}

void HttpSession::finish(TimePoint now) {
    close_after_ = true;
    if (state_ == State::Reading) start_lingering(now);
}

HttpSession::Step HttpSession::linger() {
    while (true) {
        const auto pieces = socket_.peek(std::size_t{1} << 30);
        if (!pieces) return pieces.error() == Errno::Again ? Step::Wait : Step::End;
        const std::size_t size = (*pieces)[0].size() + (*pieces)[1].size();
        if (size == 0) return Step::End;
        socket_.consume(size);
    }
}

}  // namespace tapestry
