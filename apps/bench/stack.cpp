#include "apps/bench/stack.h"

#include <array>

#include "apps/failure.h"

namespace tapestry {
namespace {

constexpr u16 kEcho = 7;
constexpr u16 kDiscard = 9;
constexpr u16 kChargen = 19;
/// For connecting again and again: each has its own ephemeral ports, which TIME-WAIT holds.
constexpr std::array<u16, 3> kDoors{kDiscard, kEcho, 80};

class StackBench {
public:
    StackBench(Attachment& attachment, Ipv4Address peer, Duration time)
        : attachment_(attachment), peer_(peer), time_(time) {}

    double bulk_send() {
        connect(kDiscard);
        static const std::vector<u8> block(kBenchBlock, 0x5a);
        u64 bytes = 0;
        return 8e-9 * run(bytes, [&] {
                   while (const auto n = socket_.write(block)) bytes += *n;
               });
    }

    double bulk_receive() {
        connect(kChargen);
        u64 bytes = 0;
        return 8e-9 * run(bytes, [&] {
                   while (const auto pieces = socket_.peek(1U << 20)) {
                       const std::size_t n = (*pieces)[0].size() + (*pieces)[1].size();
                       if (n == 0) throw Failure(kNo, "the peer has stopped sending");
                       socket_.consume(n);
                       bytes += n;
                   }
               });
    }

    double round_trips() {
        connect(kEcho);
        TcpSocketOptions options;
        options.no_delay = true;
        static_cast<void>(socket_.set_options(options));
        u64 trips = 0;
        std::array<u8, 1> byte{};
        static_cast<void>(socket_.write(byte));
        return run(trips, [&] {
            while (socket_.read(byte)) {
                ++trips;
                static_cast<void>(socket_.write(byte));
            }
        });
    }

    double connects() {
        u64 connections = 0;
        begin(kDoors[0]);
        return run(connections, [&] {
            while (socket_.readiness().writable) {
                check();
                ++connections;
                socket_.close();
                if (!begin(kDoors.at(connections % kDoors.size()))) exhausted_ = true;
            }
        });
    }

private:
    bool begin(u16 port) {
        socket_ = attachment_.stack().tcp_socket();
        return socket_.connect({peer_, port}).has_value();
    }

    void check() {
        if (const Errno error = socket_.take_error(); error != Errno::None) {
            throw Failure(kNo, "the peer's services at " + peer_.to_string() + ": " +
                                   std::string(text(error)));
        }
    }

    void connect(u16 port) {
        if (!begin(port)) throw Failure(kNo, "no way to " + peer_.to_string());
        attachment_.run_until([&] { return socket_.readiness().writable; },
                              attachment_.now() + 10s);
        check();
    }

    /// Does `step` after every turn for as long as the time lasts; units per second.
    double run(const u64& units, const std::function<void()>& step) {
        const TimePoint start = attachment_.now();
        const TimePoint end = start + time_;
        attachment_.run_until(
            [&] {
                step();
                check();
                return exhausted_;
            },
            end);
        return static_cast<double>(units) / to_seconds(attachment_.now() - start);
    }

    Attachment& attachment_;
    Ipv4Address peer_;
    Duration time_;
    TcpSocket socket_;
    bool exhausted_ = false;
};

}  // namespace

double measure_stack(Attachment& attachment, Ipv4Address peer, Workload workload, Duration time) {
    StackBench bench(attachment, peer, time);
    switch (workload) {
        case Workload::BulkSend:
            return bench.bulk_send();
        case Workload::BulkReceive:
            return bench.bulk_receive();
        case Workload::RoundTrips:
            return bench.round_trips();
        case Workload::Connect:
            return bench.connects();
    }
    return 0;
}

}  // namespace tapestry
