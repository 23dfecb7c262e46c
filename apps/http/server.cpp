#include "apps/http/server.h"

#include <algorithm>

namespace tapestry {

HttpServer::HttpServer(Stack& stack, Site& site, HttpServerConfig config)
    : site_(site),
      config_(std::move(config)),
      listener_(stack.tcp_listener()),
      scratch_(std::size_t{256} << 10) {}

std::expected<void, Errno> HttpServer::listen(const Endpoint& local) {
    const auto done = listener_.listen(local, config_.backlog);
    if (done) listener_.watch(&ready_, kListenerToken);
    return done;
}

void HttpServer::poll(TimePoint now) {
    ready_.take(tokens_);
    for (const u64 token : tokens_) {
        if (token == kListenerToken) {
            accept_all(now);
        } else {
            serve(token, now);
        }
    }
    if (now < earliest_) return;
    // Somebody's time may be over; deadlines move, so all are asked, but rarely.
    tokens_.clear();
    for (const auto& [token, session] : sessions_) {
        if (session->deadline() <= now) tokens_.push_back(token);
    }
    for (const u64 token : tokens_) serve(token, now);
    earliest_ = kNever;
    for (const auto& [token, session] : sessions_) {
        earliest_ = std::min(earliest_, session->deadline());
    }
}

void HttpServer::accept_all(TimePoint now) {
    while (auto socket = listener_.accept()) {
        if (sessions_.size() >= config_.max_connections) make_room();
        const u64 token = next_token_++;
        // Whole answers are written at once: waiting for an ACK before the last piece of one would
        // only cost time.
        TcpSocketOptions options = socket->options();
        options.no_delay = true;
        static_cast<void>(socket->set_options(options));
        auto session = std::make_unique<HttpSession>(std::move(*socket), site_, config_, now);
        session->socket().watch(&ready_, token);
        sessions_.emplace(token, std::move(session));
        serve(token, now);
    }
}

void HttpServer::serve(u64 token, TimePoint now) {
    const auto found = sessions_.find(token);
    if (found == sessions_.end()) return;
    HttpSession& session = *found->second;
    const u64 before = session.answers();
    const bool goes_on = session.progress(scratch_, now);
    answers_ += session.answers() - before;
    if (goes_on) {
        earliest_ = std::min(earliest_, session.deadline());
    } else {
        sessions_.erase(found);
    }
}

void HttpServer::finish(TimePoint now) {
    listener_.close();
    for (const auto& [token, session] : sessions_) {
        session->finish(now);
        earliest_ = std::min(earliest_, session->deadline());
    }
}

/// The connection whose time would be over first goes now; best one that asks for nothing.
void HttpServer::make_room() {
    const auto rank = [](const auto& entry) {
        return std::pair(!entry.second->idle(), entry.second->deadline());
    };
    const auto oldest = std::ranges::min_element(sessions_, {}, rank);
    if (oldest != sessions_.end()) sessions_.erase(oldest);
}

TimePoint HttpServer::next_deadline() const { return sessions_.empty() ? kNever : earliest_; }

}  // namespace tapestry
