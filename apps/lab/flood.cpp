#include "apps/lab/flood.h"

#include "stack/wire/checksum.h"
#include "stack/wire/tcp.h"

namespace tapestry {

FloodProgram::FloodProgram(const Seat& at, const Command& command, u64 seed)
    : Program(at), command_(command), rng_(seed), next_(at.now()) {
    seat().network.timeline().strangers = kSources;
    seat().call(command.line);
    poll();
}

void FloodProgram::poll() {
    while (count_ < command_.count && seat().now() >= next_) {
        send();
        ++count_;
        next_ += Duration(1'000'000'000 / command_.rate);
    }
    if (count_ < command_.count) {
        wake_at(next_);
    }
}

/// Below IP, which would send nothing that is not from an address of its own.
void FloodProgram::send() {
    const Ipv4Address source(kSources.address.value() + 1 + static_cast<u32>(rng_.next() % 250));
    TcpHeader syn;
    syn.source_port = static_cast<u16>(1024 + rng_.next() % 60000);
    syn.destination_port = command_.remote.port;
    syn.sequence = SeqNum(static_cast<u32>(rng_.next()));
    syn.flags = {TcpFlags::kSyn};
    syn.window = 1024;
    Frame frame;
    u8* p = frame.push(syn.size());
    syn.write(p);
    auto sum = pseudo_header(source, command_.remote.address, static_cast<u8>(IpProtocol::Tcp),
                             static_cast<u16>(syn.size()));
    sum.add(frame.headers());
    store_be16(p + TcpView::kChecksum, sum.checksum());
    const Ipv4Header header{.total_length = static_cast<u16>(Ipv4View::kMinHeaderSize + syn.size()),
                            .source = source,
                            .destination = command_.remote.address};
    header.write(frame.push(Ipv4View::kMinHeaderSize));
    Interface& interface = seat().stack().interface(0);
    const auto gateway = seat().network.scenario().machines[seat().machine].gateway;
    const bool neighbour = interface.prefix().contains(command_.remote.address);
    static_cast<void>(interface.output(
        frame, neighbour || !gateway ? command_.remote.address : *gateway, seat().now()));
}

}  // namespace tapestry
