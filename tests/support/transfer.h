#pragma once

#include <deque>

#include "drivers/fault.h"
#include "drivers/world.h"

namespace tapestry::test {

/// Looks at every change of a host's connections, holds it against what must always be true, and
/// remembers the last events for the report of a failure.
class Watchdog final : public TraceSink {
public:
    Watchdog(std::string host, std::deque<std::string>& history)
        : host_(std::move(host)), history_(history) {}
    void on_tcp(const TcpEvent& event) override;
    void on_drop(const DropEvent& event) override;
    /// The first rule that was broken; empty: none.
    const std::string& fault() const { return fault_; }

private:
    void check(const TcpEvent& event);
    void note(TimePoint now, std::string text);

    std::string host_;
    std::deque<std::string>& history_;
    std::string fault_;
};

/// Two streams of bytes at once, one in each direction of one connection between two hosts of a
/// world, over a link and through faults of the test's choosing. Each side writes its bytes and shuts
/// down; each reads the other's to the end.
struct TransferConfig {
    u64 seed = 1;
    std::size_t batch = 1;
    std::size_t client_bytes = 1 << 20;
    std::size_t server_bytes = 1 << 20;
    StackConfig client;
    StackConfig server;
    LinkConfig link;
    FaultConfig fault;  ///< of both directions
    bool segmenter =
        false;         ///< the client's stack makes super-frames, which are cut before the link
    Duration start{};  ///< the virtual time of the connect()
    std::size_t write_size = 8192;
    std::size_t read_size = 16384;
    Duration read_interval{};    ///< both read only so often; 0: whenever something happens
    bool answer_at_end = false;  ///< the server writes when it has read everything
    bool static_neighbours = false;

    /// Retransmission as on a local network, so that a lossy hour is over in minutes.
    static TransferConfig quick();
};

class Transfer {
public:
    explicit Transfer(const TransferConfig& config);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer();

    /// Lets the world go on until both sides have read everything. False: not before `limit`, counted
    /// from the connect(), or a rule was broken, or a byte was wrong; report() says what.
    bool run(Duration limit);
    /// Then both close: whether no connection is left on either side, after `limit` at most.
    bool finish(Duration limit = std::chrono::minutes(10));
    std::string report() const;

    World world;
    Host& client_host;
    Host& server_host;
    MemoryLink& link;

    struct Side {
        Host* host = nullptr;
        TcpSocket socket;
        std::size_t to_write = 0;
        std::size_t to_read = 0;
        std::size_t written = 0;
        std::size_t read = 0;
        u32 salt = 0;  ///< of the bytes that it writes
        bool shut = false;
        bool at_end = false;
        Errno error = Errno::None;
    };
    Side client;
    Side server;
    TimePoint started{};

private:
    static u8 byte_at(std::size_t offset, u32 salt) {
        return static_cast<u8>(offset * 13 + (offset >> 8U) * 7 + salt);
    }
    void attach();
    void work(Side& side);
    static void note_error(Side& side, Errno error);
    void write(Side& side);
    void read(Side& side);
    bool failed() const;
    std::string describe(const Side& side) const;

    TransferConfig config_;
    std::deque<std::string> history_;
    Watchdog client_watch_{"client", history_};
    Watchdog server_watch_{"server", history_};
    Listener listener_;
    std::vector<u8> buffer_;
    std::string fault_;
};

}  // namespace tapestry::test
