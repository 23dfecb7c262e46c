#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/attachment.h"
#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/show.h"
#include "stack/wire/ipv4.h"

namespace tapestry {
namespace {

struct PingOptions {
    NetOptions net;
    std::string host;
    u64 count = 0;  ///< 0: until interrupted
    double interval = 1;
    double wait = 10;
    u32 size = 56;
    u32 ttl = 0;
    bool quiet = false;
    bool json = false;
};

Duration seconds(double s) { return Duration(static_cast<i64>(s * 1e9)); }
double milliseconds(Duration d) { return to_seconds(d) * 1000; }

/// As ping says it.
std::string error_text(IcmpType type, u8 code) {
    if (type == IcmpType::TimeExceeded) {
        return code == 0 ? "Time to live exceeded" : "Frag reassembly time exceeded";
    }
    if (type != IcmpType::DestinationUnreachable) return "Parameter problem";
    switch (static_cast<UnreachableCode>(code)) {
        case UnreachableCode::Network:
            return "Destination Net Unreachable";
        case UnreachableCode::Host:
            return "Destination Host Unreachable";
        case UnreachableCode::Protocol:
            return "Destination Protocol Unreachable";
        case UnreachableCode::Port:
            return "Destination Port Unreachable";
        case UnreachableCode::FragmentationNeeded:
            return "Frag needed and DF set";
        case UnreachableCode::AdministrativelyProhibited:
            return "Packet filtered";
        default:
            return "Destination Unreachable, code " + std::to_string(code);
    }
}

class Ping {
public:
    explicit Ping(const PingOptions& options) : options_(options), count_(options.count) {}

    int run() {
        const auto address = Ipv4Address::parse(options_.host);
        if (!address) {
            throw Failure(kUsage, "ping: " + options_.host +
                                      ": not an IPv4 address, and there is no resolver here");
        }
        target_ = *address;
        // In virtual time nobody can press Ctrl-C before the terminal is full.
        if (count_ == 0 && options_.net.kind == NetOptions::Kind::Memory) count_ = 4;
        show_ = make_show(options_.net.show, STDERR_FILENO);
        net_ = attach(options_.net, show_.get());
        socket_ = net_->stack().ping_socket();
        socket_.set_ttl(static_cast<u8>(options_.ttl));
        if (!options_.json) {
            std::printf("PING %s (%s) %u(%u) bytes of data.\n", options_.host.c_str(),
                        target_.to_string().c_str(), options_.size, options_.size + 28);
            std::fflush(stdout);
        }
        start_ = net_->now();
        ping();
        if (net_->loop() != nullptr) net_->loop()->resume();
        summary();
        return received_ > 0 ? kDone : kNo;
    }

private:
    void ping() {
        const std::vector<u8> data(options_.size, 0x5a);
        TimePoint next = start_;
        while (count_ == 0 || sent_ < count_) {
            send(data);
            next += seconds(options_.interval);
            const bool last = count_ != 0 && sent_ == count_;
            const TimePoint until = last ? net_->now() + seconds(options_.wait) : next;
            const bool all = net_->run_until(
                [&] {
                    take_replies();
                    return last && waiting_.empty();
                },
                until);
            if (all || !net_->interruption().empty()) break;
            // Whoever comes late does not send a burst to catch up.
            next = std::max(next, net_->now());
        }
        last_ = net_->now();
    }

    void send(const std::vector<u8>& data) {
        const u16 sequence = static_cast<u16>(++sent_);
        // The stack is told the time, which the reply's arrival is measured by.
        net_->run_until([] { return true; });
        waiting_[sequence] = net_->now();
        const auto done = socket_.send(target_, sequence, data);
        net_->run_until([] { return true; });
        if (done) return;
        ++errors_;
        waiting_.erase(sequence);
        if (!options_.json)
            std::printf("ping: sendmsg: %s\n", std::string(text(done.error())).c_str());
    }

    void take_replies() {
        while (const auto reply = socket_.receive()) {
            if (reply->error) {
                ++errors_;
                waiting_.erase(reply->sequence);
                say("From " + reply->source.to_string() + " icmp_seq=" +
                    std::to_string(reply->sequence) + ' ' + error_text(*reply->error, reply->code));
            } else {
                on_answer(*reply);
            }
        }
    }

    void on_answer(const PingReply& reply) {
        const auto asked = waiting_.find(reply.sequence);
        const bool duplicate = asked == waiting_.end();
        std::string line =
            std::to_string(reply.size + 8) + " bytes from " + reply.source.to_string() +
            ": icmp_seq=" + std::to_string(reply.sequence) + " ttl=" + std::to_string(reply.ttl);
        if (duplicate) {
            ++duplicates_;
            return say(line + " (DUP!)");
        }
        const Duration rtt = reply.arrived - asked->second;
        waiting_.erase(asked);
        ++received_;
        times_.push_back(milliseconds(rtt));
        char time[32];
        // Three digits that mean something.
        const double ms = times_.back();
        std::snprintf(time, sizeof time, "%.*f", ms < 1 ? 3 : ms < 10 ? 2 : ms < 100 ? 1 : 0, ms);
        say(line + " time=" + time + " ms");
    }

    void say(const std::string& line) const {
        if (options_.quiet || options_.json) return;
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    }

    void summary() const {
        const double loss = sent_ == 0 ? 0
                                       : 100.0 * static_cast<double>(sent_ - received_) /
                                             static_cast<double>(sent_);
        double sum = 0;
        double squares = 0;
        for (const double t : times_) {
            sum += t;
            squares += t * t;
        }
        const double n = std::max<double>(1, static_cast<double>(times_.size()));
        const double mean = sum / n;
        const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean));
        const double low = times_.empty() ? 0 : *std::ranges::min_element(times_);
        const double high = times_.empty() ? 0 : *std::ranges::max_element(times_);
        if (options_.json) {
            const nlohmann::json document{
                {"host", options_.host},
                {"transmitted", sent_},
                {"received", received_},
                {"duplicates", duplicates_},
                {"errors", errors_},
                {"loss_percent", loss},
                {"rtt_ms", {{"min", low}, {"avg", mean}, {"max", high}, {"mdev", deviation}}},
                {"times_ms", times_}};
            std::puts(document.dump(2).c_str());
            return;
        }
        std::printf("\n--- %s ping statistics ---\n", options_.host.c_str());
        std::printf("%llu packets transmitted, %llu received",
                    static_cast<unsigned long long>(sent_),
                    static_cast<unsigned long long>(received_));
        if (duplicates_ > 0) {
            std::printf(", +%llu duplicates", static_cast<unsigned long long>(duplicates_));
        }
        if (errors_ > 0) std::printf(", +%llu errors", static_cast<unsigned long long>(errors_));
        std::printf(", %g%% packet loss, time %.0fms\n", std::round(loss * 1e4) / 1e4,
                    milliseconds(last_ - start_));
        if (!times_.empty()) {
            std::printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", low, mean, high,
                        deviation);
        }
    }

    const PingOptions& options_;
    u64 count_;
    Ipv4Address target_;
    std::unique_ptr<TraceSink> show_;
    std::unique_ptr<Attachment> net_;
    PingSocket socket_;
    TimePoint start_{};
    TimePoint last_{};
    std::map<u16, TimePoint> waiting_;  ///< when each that has no answer yet was sent
    std::vector<double> times_;
    u64 sent_ = 0;
    u64 received_ = 0;
    u64 duplicates_ = 0;
    u64 errors_ = 0;
};

}  // namespace

void add_ping(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<PingOptions>();
    CommandLine command = program.add("ping", "echo requests, as ping sends them");
    command.examples(
        "  tapestry ping -c 3 192.168.3.1\n"
        "  tapestry ping -c 20 -i 0.1 --drop 10 --delay 20 192.168.3.1\n"
        "  tapestry ping -c 1 -s 4000 --show frames 192.168.3.1      in fragments\n"
        "\n"
        "Exit status: 0 when there was an answer, else 1.");
    command.option("HOST", options->host, "an IPv4 address").required();
    command.option("-c,--count", options->count, "how many [until Ctrl-C]")
        .value("N")
        .between(1, 1 << 30);
    command.option("-i,--interval", options->interval, "seconds from one to the next [1]")
        .value("S")
        .between(0.001, 3600.0);
    command.option("-W,--timeout", options->wait, "seconds to wait for the last answers [10]")
        .value("S")
        .between(0.001, 3600.0);
    command.option("-s,--size", options->size, "bytes of data [56]")
        .value("BYTES")
        .between(0, 65507);
    command.option("-t,--ttl", options->ttl, "how many routers may be passed [64]")
        .value("TTL")
        .between(1, 255);
    command.flag("-q,--quiet", options->quiet, "the summary only");
    command.flag("--json", options->json, "print the summary as JSON");
    add_net_options(command, options->net);
    command.when_chosen(
        [options, &chosen] { chosen = [options] { return Ping(*options).run(); }; });
}

}  // namespace tapestry
