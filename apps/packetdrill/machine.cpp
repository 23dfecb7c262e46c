#include "apps/packetdrill/machine.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "drivers/wire_frames.h"
#include "stack/trace/notation.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/segment.h"

namespace tapestry::packetdrill {
namespace {

const MacAddress kOurs({2, 0, 0, 0, 0, 1});
const MacAddress kGateway({2, 0, 0, 0, 0, 2});
constexpr i64 kEpoch = 1'000'000'000'000'000;  ///< microseconds: a day in 2001

/// When this thread's blocked call was done, until it asks for the time.
thread_local std::optional<TimePoint> done_at;

}  // namespace

i64 Machine::microseconds(TimePoint time) {
    return kEpoch + time.time_since_epoch() / Duration(1us);
}

void give_up(const std::string& why) {
    std::fprintf(stderr, "tapestry: %s\n", why.c_str());
    _exit(1);
}

bool PacketPort::transmit(const Frame& frame) {
    const WireFrames wire(frame);
    for (std::size_t i = 0; i < wire.count(); ++i) {
        const Frame one = wire.at(i);
        std::vector<u8> bytes(one.size());
        one.copy_to(bytes.data());
        const auto ethernet = EthernetView::parse(bytes);
        if (!ethernet || ethernet->type() != EtherType::Ipv4) continue;
        const auto ip = Ipv4View::parse(ethernet->payload());
        if (!ip) give_up("a packet of ours is no IPv4 packet");
        if (ip->protocol() == IpProtocol::Tcp) {
            const auto segment =
                Segment::parse(ip->payload(), ip->source(), ip->destination(), false);
            if (!segment) {
                give_up("a segment of ours is wrong: " + std::string(text(segment.error())));
            }
        }
        sent.push_back({now_, {bytes.begin() + EthernetView::kHeaderSize, bytes.end()}});
    }
    return true;
}

void Machine::start() {
    if (stack_) return;
    const auto settings = parse_settings(flags_);
    if (!settings) give_up("so_flags: " + settings.error());
    settings_ = *settings;
    make_stack();
}

void Machine::restart(Ipv4Address local) {
    settings_.local.address = local;
    make_stack();
}

void Machine::make_stack() {
    stack_.reset();
    port_ = std::make_unique<PacketPort>(settings_.mtu, now_);
    stack_ = std::make_unique<Stack>(settings_.stack, rng_);
    interface_ = &stack_->add_interface(*port_, {"tun0", kOurs, settings_.local, 0}, now_);
    stack_->add_route({Ipv4Address(), 0}, *interface_, settings_.gateway);
    interface_->arp().add_static(settings_.gateway, kGateway, now_);
}

void Machine::settle() {
    if (!stack_) return;
    stack_->advance(now_);
    serve();
}

/// Tries every waiting call again.
void Machine::serve() {
    const auto over = [&](Waiter* waiter) {
        waiter->holds = (*waiter->attempt)();
        if (!waiter->holds && now_ < waiter->deadline) return false;
        waiter->done = true;
        waiter->at = now_;
        ++woken_;
        return true;
    };
    const std::size_t ended = std::erase_if(waiters_, over);
    if (ended == 0) return;
    stack_->advance(now_);
    changed_.notify_all();
}

bool Machine::wait(Lock& lock, const Attempt& attempt, TimePoint deadline) {
    if (attempt()) return true;
    if (deadline <= now_) return false;
    Waiter waiter{.attempt = &attempt, .deadline = deadline};
    waiters_.push_back(&waiter);
    changed_.wait(lock, [&] { return waiter.done; });
    done_at = waiter.at;
    return waiter.holds;
}

/// Nobody asks for ever: a caller that does not want to know the time is not waited for longer.
void Machine::await_woken(Lock& lock) {
    if (!changed_.wait_for(lock, std::chrono::seconds(1), [&] { return woken_ == 0; })) woken_ = 0;
}

i64 Machine::time_of_day(Lock& lock) {
    if (done_at) {
        const TimePoint at = *std::exchange(done_at, std::nullopt);
        if (woken_ > 0) --woken_;
        changed_.notify_all();
        return microseconds(at);
    }
    // The tool spins on this clock before each event: it must go.
    pass(lock, now_ + 1us);
    return microseconds(now_);
}

void Machine::sleep(Lock& lock, Duration span) { pass(lock, now_ + span); }

/// Lets the next thing that is due until then happen; false when there is none.
bool Machine::step(TimePoint until) {
    TimePoint next = kNever;
    if (stack_) next = stack_->next_deadline().value_or(kNever);
    for (const Waiter* waiter : waiters_) next = std::min(next, waiter->deadline);
    if (next == kNever || next > until) return false;
    now_ = std::max(now_, next);
    settle();
    return true;
}

void Machine::pass(Lock& lock, TimePoint until) {
    await_woken(lock);
    while (step(until)) await_woken(lock);
    now_ = std::max(now_, until);
    settle();
}

void Machine::inject(Lock& lock, Bytes packet) {
    await_woken(lock);
    start();
    std::vector<u8> frame(EthernetView::kHeaderSize + packet.size());
    EthernetHeader{.destination = kOurs, .source = kGateway, .type = EtherType::Ipv4}.write(
        frame.data());
    std::ranges::copy(packet, frame.begin() + EthernetView::kHeaderSize);
    if (frame.size() > PacketPool::kSuperFrameSlot) give_up("a packet of more than 64 KB came");
    Packet slot = pool_.copy(frame);
    stack_->receive(*interface_, std::span(&slot, 1), now_);
    serve();
}

PacketPort::Sent Machine::next_packet(Lock& lock) {
    start();
    await_woken(lock);
    while (port_->sent.empty()) {
        if (!step(kNever)) {
            give_up("a packet is waited for, and nothing is left that could cause one" +
                    std::string(waiters_.empty() ? "" : ": a call waits, too"));
        }
        await_woken(lock);
    }
    PacketPort::Sent first = std::move(port_->sent.front());
    port_->sent.pop_front();
    return first;
}

void Machine::finish() {
    if (!stack_) return;
    settle();
    if (port_->sent.empty() || settings_.extra_packets) return;
    std::string lines = "at the end packets are left that no line of the script expects:";
    for (const PacketPort::Sent& sent : port_->sent) {
        const auto ip = Ipv4View::parse(sent.packet);
        const auto tcp = ip ? TcpView::parse(ip->payload()) : TcpView::parse({});
        lines += "\n    at " + std::to_string(microseconds(sent.time)) + " us: ";
        if (!tcp) {
            lines += std::to_string(sent.packet.size()) + " bytes";
            continue;
        }
        lines += "flags " + std::to_string(tcp->flags().bits) + ", seq " +
                 std::to_string(tcp->sequence().value()) + ", ack " +
                 std::to_string(tcp->acknowledgment().value()) + ", " +
                 std::to_string(tcp->payload().size()) + " bytes";
    }
    give_up(lines);
}

}  // namespace tapestry::packetdrill
