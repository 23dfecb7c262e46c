#include "apps/replay/live_http.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <deque>
#include <limits>
#include <optional>

namespace tapestry {
namespace {

namespace http = boost::beast::http;
using Error = boost::system::error_code;

/// One message, read from the growing stream that it lies in. What Beast names are views of that
/// stream, which is how it is known where each field stands.
template <bool isRequest>
class MessageReader final : public http::basic_parser<isRequest> {
public:
    using string_view = boost::beast::string_view;

    explicit MessageReader(bool skip_body) {
        this->skip(skip_body);
        this->header_limit(64 * 1024);
        // Not boost::none, see ResponseParser.
        this->body_limit(std::numeric_limits<std::uint64_t>::max());
    }

    /// Takes what it can of the stream from `way.parsed` on. False: no more can be done now.
    bool take(Bytes all, LiveHttp::Way& way) {
        stream_ = reinterpret_cast<const char*>(all.data());
        way_ = &way;
        const Bytes rest = all.subspan(way.parsed);
        Error error;
        const std::size_t n = this->put(boost::asio::const_buffer(rest.data(), rest.size()), error);
        way.parsed += n;
        if (error && error != http::error::need_more) {
            way.lost = true;
            if (!head_done_) add_fields(way.parsed);
            return false;
        }
        if (!head_done_ && this->is_header_done()) end_head();
        if (this->is_done() && this->chunked()) add_chunks(way.parsed);
        return n > 0;
    }

    http::verb method = http::verb::unknown;
    int status = 0;

private:
    u64 offset(string_view text) const { return static_cast<u64>(text.data() - stream_); }

    void end_head() {
        head_done_ = true;
        this->eager(true);
        way_->heads.push_back(way_->parsed);
        add_fields(way_->parsed - 2);  // before the empty line
        chunks_from_ = way_->parsed;
    }

    void add_fields(u64 end) {
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            const auto& [begin, rule] = fields_[i];
            const u64 next = i + 1 < fields_.size() ? fields_[i + 1].first : end;
            if (rule) way_->spots.push_back({begin, next, *rule});
        }
    }

    void add_chunks(u64 end) {
        if (end > chunks_from_) way_->spots.push_back({chunks_from_, end, LiveRule::HttpChunks});
        chunks_from_ = end;
    }

    void on_request_impl(http::verb verb, string_view, string_view, int, Error& error) override {
        method = verb;
        error = {};
    }
    void on_response_impl(int code, string_view, int, Error& error) override {
        status = code;
        error = {};
    }
    void on_field_impl(http::field, string_view name, string_view, Error& error) override {
        // A trailer belongs to what stands between chunks.
        if (!head_done_) {
            fields_.emplace_back(offset(name),
                                 rule_of_field(std::string_view(name.data(), name.size())));
        }
        error = {};
    }
    void on_header_impl(Error& error) override { error = {}; }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Error& error) override {
        error = {};
    }
    std::size_t on_body_impl(string_view body, Error& error) override {
        error = {};
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, string_view, Error& error) override { error = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, Error& error) override {
        error = {};
        add_chunks(offset(body));
        chunks_from_ = offset(body) + body.size();
        return body.size();
    }
    void on_finish_impl(Error& error) override { error = {}; }

    const char* stream_ = nullptr;
    LiveHttp::Way* way_ = nullptr;
    bool head_done_ = false;
    u64 chunks_from_ = 0;
    std::vector<std::pair<u64, std::optional<LiveRule>>> fields_;
};

}  // namespace

struct LiveHttp::State {
    std::array<Way, 2> ways;  ///< by Side
    std::optional<MessageReader<true>> request;
    std::optional<MessageReader<false>> response;
    std::deque<http::verb> asked;  ///< requests that have not been answered

    bool read_request(Bytes all);
    bool read_response(Bytes all);
    void end_response();
};

bool LiveHttp::State::read_request(Bytes all) {
    Way& way = ways[0];
    if (!request) request.emplace(false);
    const std::size_t heads = way.heads.size();
    const bool more = request->take(all, way);
    if (way.heads.size() > heads) asked.push_back(request->method);
    if (request->is_done()) {
        way.messages.push_back(way.parsed);
        request.reset();
    }
    return more;
}

bool LiveHttp::State::read_response(Bytes all) {
    if (!response) response.emplace(!asked.empty() && asked.front() == http::verb::head);
    const bool more = response->take(all, ways[1]);
    if (response->is_done()) end_response();
    return more;
}

void LiveHttp::State::end_response() {
    const int status = response->status;
    response.reset();
    const bool tunnel = !asked.empty() && asked.front() == http::verb::connect && status / 100 == 2;
    // What comes next is not HTTP, whoever says it (RFC 9110 15.2.2, 9.3.6).
    if (status == 101 || tunnel) ways[0].lost = ways[1].lost = true;
    if (status / 100 == 1 && status != 101) return;
    ways[1].messages.push_back(ways[1].parsed);
    if (!asked.empty()) asked.pop_front();
}

LiveHttp::LiveHttp() : state_(std::make_unique<State>()) {}
LiveHttp::~LiveHttp() = default;

const LiveHttp::Way& LiveHttp::way(Side side) const {
    return state_->ways[static_cast<std::size_t>(side)];
}

void LiveHttp::feed(Side side, Bytes all) {
    while (!way(side).lost && way(side).parsed < all.size()) {
        const bool more =
            side == Side::Client ? state_->read_request(all) : state_->read_response(all);
        if (!more) return;
    }
}

void LiveHttp::resume(Side side, u64 at) {
    Way& way = state_->ways[static_cast<std::size_t>(side)];
    way.lost = false;
    way.parsed = at;
    if (side == Side::Client) {
        state_->request.reset();
    } else {
        state_->response.reset();
        state_->asked.clear();
    }
}

void LiveHttp::end(Side side) {
    Way& way = state_->ways[static_cast<std::size_t>(side)];
    if (side == Side::Client || way.lost || !state_->response) return;
    // Whatever is not complete now never will be.
    Error error;
    if (state_->response->got_some()) state_->response->put_eof(error);
    if (!error && state_->response->is_done()) state_->end_response();
    way.lost = true;
}

}  // namespace tapestry
