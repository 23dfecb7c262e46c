#include "apps/replay/live_connection.h"

#include <algorithm>

#include "apps/failure.h"

namespace tapestry {
namespace {

/// How long finish() waits for the peer.
constexpr Duration kGoodbye = 1s;

}  // namespace

/// Takes what has come.
void LiveConnection::listen() {
    if (!socket_ || ended_ == TurnEnd::Reset) return;
    if (ended_ == TurnEnd::Fin) {
        if (socket_.take_error() != Errno::None) ended_ = TurnEnd::Reset;
        return;
    }
    while (heard_.size() < most_) {
        const auto pieces = socket_.peek(most_ - heard_.size());
        if (!pieces) {
            if (pieces.error() != Errno::Again) ended_ = TurnEnd::Reset;
            return;
        }
        std::size_t n = 0;
        for (const Bytes piece : *pieces) {
            heard_.insert(heard_.end(), piece.begin(), piece.end());
            n += piece.size();
        }
        last_heard_ = net_.now();
        if (n == 0) {
            ended_ = TurnEnd::Fin;
            return;
        }
        socket_.consume(n);
    }
}

void LiveConnection::run_until(const std::function<bool()>& done, TimePoint limit) {
    net_.run_until(done, limit);
    const std::string why = net_.interruption();
    if (why.empty()) return;
    if (net_.loop() != nullptr) net_.loop()->resume();
    if (socket_) socket_.abort();
    net_.run_until([] { return true; });
    throw Failure(kNo, "replay: " + why);
}

LiveConnection::Waited LiveConnection::wait(const std::function<bool()>& done, Duration patience,
                                            bool for_reset) {
    last_heard_ = net_.now();
    bool is_done = false;
    bool is_over = false;
    const auto settled = [&] {
        listen();
        is_done = done();
        is_over = ended_ == TurnEnd::Reset || (ended_ == TurnEnd::Fin && !for_reset);
        return is_done || is_over;
    };
    while (true) {
        run_until(settled, std::min(deadline_, last_heard_ + patience));
        if (is_done) return Waited::Done;
        if (is_over) return Waited::Ended;
        if (net_.now() >= deadline_) return Waited::Late;
        if (net_.now() >= last_heard_ + patience) return Waited::Quiet;
    }
}

void LiveConnection::pause(Duration duration) {
    const TimePoint limit = std::min(deadline_, net_.now() + duration);
    run_until([] { return false; }, limit);
}

std::size_t LiveConnection::send(Bytes bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const auto n = socket_.write(bytes.subspan(sent));
        if (n) {
            sent += *n;
            continue;
        }
        if (n.error() != Errno::Again) {
            ended_ = TurnEnd::Reset;
            return sent;
        }
        if (net_.now() >= deadline_) return sent;
        run_until(
            [&] {
                listen();
                return socket_.readiness().writable;
            },
            deadline_);
    }
    return sent;
}

void LiveConnection::reset(Duration patience) {
    const auto arrived = [&] { return socket_.snapshot().send_queued == 0; };
    run_until(arrived, std::min(deadline_, net_.now() + patience));
    socket_.abort();
    net_.run_until([] { return true; });
}

void LiveConnection::finish() {
    if (!socket_) return;
    shutdown();
    const auto parted = [&] {
        listen();
        const TcpState state = socket_.state();
        return state == TcpState::TimeWait || state == TcpState::Closed;
    };
    run_until(parted, net_.now() + kGoodbye);
    socket_.close();
    net_.run_until([] { return true; });
}

}  // namespace tapestry
