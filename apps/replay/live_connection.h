#pragma once

#include "apps/attachment.h"
#include "apps/replay/dialogue.h"

namespace tapestry {

/// A connection to the live peer. What the peer says is kept from the first byte on; while we send it
/// is listened to as well.
class LiveConnection {
public:
    /// Why a wait has ended.
    enum class Waited : u8 { Done, Ended, Quiet, Late };

    /// No more than `most` bytes are ever taken; `deadline` is that of everything.
    LiveConnection(Attachment& net, TcpSocket socket, u64 most, TimePoint deadline)
        : net_(net), socket_(std::move(socket)), most_(most), deadline_(deadline) {}

    Bytes heard() const { return heard_; }
    /// How the peer has ended its stream.
    TurnEnd ended() const { return ended_; }

    /// Until `done()`, which is asked after everything that comes, the peer's end (a reset, if that is
    /// what is waited for), or `patience` without a byte. Throws Failure(kNo) when interrupted.
    Waited wait(const std::function<bool()>& done, Duration patience, bool for_reset = false);
    /// Lets time pass.
    void pause(Duration duration);
    /// How much was taken: all, unless the connection has broken down or it is too late.
    std::size_t send(Bytes bytes);
    void shutdown() { static_cast<void>(socket_.shutdown(Shutdown::Send)); }
    /// A reset, once the peer has acknowledged what was sent or `patience` is over.
    void reset(Duration patience);
    /// Closes in peace what is still open.
    void finish();

private:
    void listen();
    void run_until(const std::function<bool()>& done, TimePoint limit);

    Attachment& net_;
    TcpSocket socket_;
    u64 most_;
    TimePoint deadline_;
    std::vector<u8> heard_;
    TurnEnd ended_ = TurnEnd::None;
    TimePoint last_heard_{};
};

}  // namespace tapestry
