#include "stack/tcp/isn.h"

#include <array>

namespace tapestry {

u64 IsnGenerator::hash(const Endpoint& local, const Endpoint& remote) const {
    std::array<u8, 12> tuple{};
    local.address.store(&tuple[0]);
    remote.address.store(&tuple[4]);
    store_be16(&tuple[8], local.port);
    store_be16(&tuple[10], remote.port);
    return siphash(secret_, tuple);
}

SeqNum IsnGenerator::isn(const Endpoint& local, const Endpoint& remote, TimePoint now) const {
    const u64 m = static_cast<u64>(now.time_since_epoch() / 4us);
    return SeqNum(static_cast<u32>(m + hash(local, remote)));
}

u32 IsnGenerator::timestamp_offset(const Endpoint& local, const Endpoint& remote) const {
    return static_cast<u32>(hash(local, remote) >> 32);
}

u32 IsnGenerator::port_offset(Ipv4Address local, const Endpoint& remote) const {
    // No connection has port 0, so that this is never the hash of one.
    return static_cast<u32>(hash({local, 0}, remote) >> 32);
}

}  // namespace tapestry
