#pragma once

#include <vector>

#include "drivers/fault.h"
#include "drivers/world.h"

namespace tapestry::test {

/// How many bytes bulk transfers move: flows from one host to another that never run out of data, over
/// one link that they share. What the bytes are is not looked at; see Transfer for that.
struct BulkConfig {
    u64 seed = 1;
    StackConfig stack;  ///< of both hosts
    LinkConfig link;
    double drop = 0;  ///< per cent of the frames with data; acknowledgments are not lost
    u32 flows = 1;
    Duration stagger{};  ///< between the beginnings of two flows
};

class Bulk {
public:
    explicit Bulk(const BulkConfig& config);
    Bulk(const Bulk&) = delete;
    Bulk& operator=(const Bulk&) = delete;

    /// Lets time pass until so many bytes have arrived altogether. False: not before `limit`.
    bool run_until_bytes(u64 bytes, TimePoint limit = kNever);
    void run_until(TimePoint time) { world_.run_until(time); }
    TimePoint now() const { return world_.now(); }
    /// Bytes of one flow that have arrived, what waits behind a hole included; and of all.
    u64 arrived(u32 flow) const { return flows_.at(flow).read + flows_.at(flow).waiting; }
    u64 arrived() const { return arrived_; }
    TcpSnapshot sender(u32 flow) const { return flows_.at(flow).sender.snapshot(); }
    u64 segments() const { return client_.stack().counters().tcp_out_segs; }
    u64 retransmissions() const { return client_.stack().counters().tcp_retrans_segs; }

private:
    struct Flow {
        TcpSocket sender;
        TcpSocket receiver;
        u64 read = 0;
        u64 waiting = 0;
    };
    void send();
    void receive();

    World world_;
    Host& client_;
    Host& server_;
    Listener listener_;
    std::vector<Flow> flows_;
    std::vector<u8> data_;
    u64 arrived_ = 0;
};

}  // namespace tapestry::test
