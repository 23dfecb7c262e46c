#include "stack/link/arp_cache.h"

#include <algorithm>

/// Theory of operation. An entry is in one of four lists, which say who goes first when the table
/// is full: those that were learnt because they asked for us, then those that do not answer, and
/// only then those that we talk to, the least recently used first. So a flood of requests from
/// made-up addresses, or of packets to made-up addresses, cannot push out the neighbours in use:
/// the first turns over its own list, the second may hold no more than half of the table.
///
/// An entry's timer runs only while an answer is due. Ages are looked at when the entry is used: an
/// idle table needs no attention.

namespace tapestry {
namespace {

/// RFC 5227 section 1.1, DEFEND_INTERVAL.
constexpr Duration kDefendInterval = 10s;

}  // namespace

ArpCache::ArpCache(Services& services, Link& link, const Ipv4Prefix& address, MacAddress mac)
    : services_(services),
      config_(services.config.arp),
      link_(link),
      address_(address),
      mac_(mac) {}

std::optional<MacAddress> ArpCache::lookup(Ipv4Address address, TimePoint now) {
    Entry* entry = find(address);
    if (entry == nullptr || !entry->resolved()) return std::nullopt;
    if (entry->state == ArpState::Static) return entry->mac;
    if (forgotten(*entry, now)) {
        erase(*entry);
        return std::nullopt;
    }
    entry->used = now;
    move_to(*entry, used_);
    // RFC 1122 2.3.2.1 (2), "Unicast Poll": the old address serves until the poll has failed, so
    // that no packet has to wait for a neighbour that is still there.
    if (entry->state == ArpState::Reachable && now - entry->confirmed >= config_.reachable_time &&
        may_ask(*entry, now)) {
        entry->state = ArpState::Probing;
        entry->requests = 0;
        ask(*entry, now);
    }
    return entry->mac;
}

void ArpCache::suspect(Ipv4Address address, TimePoint now) {
    Entry* entry = find(address);
    if (entry == nullptr || entry->state != ArpState::Reachable) return;
    entry->confirmed = std::min(entry->confirmed, now - config_.reachable_time);
}

void ArpCache::wait(Ipv4Address address, const Frame& packet, TimePoint now) {
    Entry* entry = find(address);
    if (entry == nullptr) entry = create(address, unresolved_, now);
    if (entry == nullptr) {
        services_.refuse(Drop::NeighborQueueFull, packet.headers(), now);
        return;
    }
    if (entry->waiting.size() >= std::max<std::size_t>(config_.max_waiting, 1)) {
        services_.refuse(Drop::NeighborQueueFull, entry->waiting.front().packet.bytes(), now);
        entry->waiting.erase(entry->waiting.begin());
        --waiting_;
    }
    if (waiting_ >= std::max<std::size_t>(config_.max_waiting_total, 1)) drop_oldest_waiting(now);
    if (Packet copy = services_.keep(packet)) {
        entry->waiting.push_back({std::move(copy), packet.headers().size(), next_order_++});
        ++waiting_;
    } else {
        services_.refuse(Drop::PoolExhausted, packet.headers(), now);
    }
    if (entry->state == ArpState::Failed) {
        entry->state = ArpState::Incomplete;
        entry->requests = 0;
    }
    // Where no timer runs the last request, if any, has had its time.
    if (!entry->armed()) ask(*entry, now);
}

std::expected<std::optional<ArpPacket>, Drop> ArpCache::input(const ArpPacket& packet,
                                                              TimePoint now) {
    if (const auto checked = check_sender(packet, now); !checked) {
        return std::unexpected(checked.error());
    }
    const bool for_us = packet.target_ip == address_.address || answers_for(packet.target_ip);
    const bool request = packet.operation == ArpOperation::Request;
    // RFC 5227 1.1: a probe asks with the sender address 0.0.0.0, so that no cache takes it in.
    if (!packet.sender_ip.is_unspecified()) {
        const auto merged = merge(packet, now);
        if (!merged) return std::unexpected(merged.error());
        if (!for_us) {
            if (*merged) return std::nullopt;
            return std::unexpected(Drop::ArpNotForUs);
        }
        if (!request) {
            if (*merged) return std::nullopt;
            return std::unexpected(Drop::ArpUnsolicited);
        }
        if (!*merged) {
            Entry* entry = find(packet.sender_ip);
            if (entry == nullptr) entry = create(packet.sender_ip, idle_, now);
            if (entry != nullptr) resolve(*entry, packet.sender_mac, now);
        }
    } else if (!for_us) {
        return std::unexpected(Drop::ArpNotForUs);
    }
    return ArpPacket{ArpOperation::Reply, mac_, packet.target_ip, packet.sender_mac,
                     packet.sender_ip};
}

/// Whether the sender may be believed to be a neighbour, or nobody in particular (a probe).
std::expected<void, Drop> ArpCache::check_sender(const ArpPacket& packet, TimePoint now) {
    if (packet.sender_mac.is_group() || packet.sender_mac.is_zero() || packet.sender_mac == mac_) {
        return std::unexpected(Drop::ArpBadSender);
    }
    const Ipv4Address sender = packet.sender_ip;
    if (answers_for(sender)) return std::unexpected(Drop::ArpConflict);
    if (sender == address_.address) {
        // RFC 5227 2.4 (b): one announcement, and no more of them within DEFEND_INTERVAL, or two
        // hosts that both defend would do nothing else.
        if (!defended_ || now - *defended_ >= kDefendInterval) {
            defended_ = now;
            announce(now);
        }
        return std::unexpected(Drop::ArpConflict);
    }
    if (sender.is_unspecified()) {
        if (packet.operation == ArpOperation::Request) return {};
        return std::unexpected(Drop::ArpBadSender);
    }
    const bool host = sender.is_unicast() && sender != address_.subnet_broadcast() &&
                      (address_.length > 30 || sender != address_.network());
    // A gateway outside of the subnet is believed when we have asked for it.
    if (!host || (!address_.contains(sender) && find(sender) == nullptr)) {
        return std::unexpected(Drop::ArpBadSender);
    }
    return {};
}

/// RFC 826, "Packet Reception": "If the pair <protocol type, sender protocol address> is already in
/// my translation table, update the sender hardware address field of the entry with the new
/// information in the packet and set Merge_flag to true." Gives that flag.
std::expected<bool, Drop> ArpCache::merge(const ArpPacket& packet, TimePoint now) {
    Entry* entry = find(packet.sender_ip);
    if (entry == nullptr) return false;
    if (entry->state == ArpState::Static) {
        if (entry->mac == packet.sender_mac) return true;
        return std::unexpected(Drop::ArpStatic);
    }
    // An address that nobody waits for, or has used for long, is as good as not in the table.
    if (entry->state == ArpState::Failed || (entry->resolved() && forgotten(*entry, now))) {
        return false;
    }
    resolve(*entry, packet.sender_mac, now);
    return true;
}

void ArpCache::announce(TimePoint now) {
    // RFC 5227 2.3: a request with our address as sender and as target.
    link_.send_arp({ArpOperation::Request, mac_, address_.address, MacAddress(), address_.address},
                   MacAddress::broadcast(), now);
}

void ArpCache::add_static(Ipv4Address address, MacAddress mac, TimePoint now) {
    Entry* entry = find(address);
    if (entry == nullptr) {
        entry = insert(address, static_);
    }
    resolve(*entry, mac, now);
    entry->state = ArpState::Static;
    move_to(*entry, static_);
}

bool ArpCache::remove(Ipv4Address address, TimePoint now) {
    Entry* entry = find(address);
    if (entry == nullptr) return false;
    fail(*entry, now);
    erase(*entry);
    return true;
}

std::vector<ArpEntry> ArpCache::entries(TimePoint now) const {
    std::vector<ArpEntry> all;
    for (const auto& [value, entry] : table_) {
        if (entry->resolved() && forgotten(*entry, now)) continue;
        const bool old = now - entry->confirmed >= config_.reachable_time;
        const bool stale = entry->state == ArpState::Reachable && old;
        all.push_back({entry->address, entry->resolved() ? entry->mac : MacAddress(),
                       stale ? ArpState::Stale : entry->state, entry->waiting.size()});
    }
    std::ranges::sort(all, {}, &ArpEntry::address);
    return all;
}

bool ArpCache::may_ask(const Entry& entry, TimePoint now) const {
    // RFC 1122 2.3.2.1: "A mechanism to prevent ARP flooding (repeatedly sending an ARP Request for
    // the same IP address, at a high rate) MUST be included. The recommended maximum rate is 1 per
    // second per destination."
    return !entry.asked || now - *entry.asked >= config_.request_interval;
}

void ArpCache::ask(Entry& entry, TimePoint now) {
    ++entry.requests;
    entry.asked = now;
    if (!entry.resolved()) move_to(entry, unresolved_);
    services_.timers.arm(entry, now + config_.request_interval);
    ++services_.counters.arp_requests_out;
    const MacAddress to = entry.state == ArpState::Probing ? entry.mac : MacAddress::broadcast();
    link_.send_arp({ArpOperation::Request, mac_, address_.address, MacAddress(), entry.address}, to,
                   now);
}

void ArpCache::on_timer(Entry& entry, TimePoint now) {
    if (entry.requests < config_.max_requests) {
        ask(entry, now);
    } else if (entry.state == ArpState::Probing) {
        // RFC 1122 2.3.2.1 (2): the entry is deleted when no reply comes to N successive polls. The
        // next packet asks everybody.
        erase(entry);
    } else {
        fail(entry, now);
    }
}

void ArpCache::fail(Entry& entry, TimePoint now) {
    entry.state = ArpState::Failed;
    services_.timers.disarm(entry);
    std::vector<Waiting> waiting = std::move(entry.waiting);
    entry.waiting.clear();
    waiting_ -= waiting.size();
    for (Waiting& one : waiting) link_.give_up(std::move(one.packet), now);
}

void ArpCache::resolve(Entry& entry, MacAddress mac, TimePoint now) {
    entry.mac = mac;
    entry.state = ArpState::Reachable;
    entry.confirmed = now;
    entry.used = now;
    entry.requests = 0;
    services_.timers.disarm(entry);
    // Learnt entries stay behind those that we have sent to.
    move_to(entry, entry.list == &unresolved_ ? used_ : *entry.list);
    const std::vector<Waiting> waiting = std::exchange(entry.waiting, {});
    waiting_ -= waiting.size();
    for (const Waiting& one : waiting) link_.release(one.packet, one.header_size, mac, now);
}

bool ArpCache::forgotten(const Entry& entry, TimePoint now) const {
    return entry.state != ArpState::Static && now - entry.used >= config_.stale_time;
}

ArpCache::Entry* ArpCache::find(Ipv4Address address) {
    const auto found = table_.find(address.value());
    return found == table_.end() ? nullptr : found->second;
}

/// Null when there is no room.
ArpCache::Entry* ArpCache::create(Ipv4Address address, List& list, TimePoint now) {
    if (!make_room(list, now)) return nullptr;
    Entry* entry = insert(address, list);
    entry->used = now;
    return entry;
}

ArpCache::Entry* ArpCache::insert(Ipv4Address address, List& list) {
    Entry& entry = list.emplace_back(*this, address);
    entry.list = &list;
    entry.place = std::prev(list.end());
    table_[address.value()] = &entry;
    return &entry;
}

/// To the end of the list: the last to go.
void ArpCache::move_to(Entry& entry, List& list) {
    if (entry.list == &list && &list.back() == &entry) return;
    list.splice(list.end(), *entry.list, entry.place);
    entry.list = &list;
}

void ArpCache::erase(Entry& entry) {
    waiting_ -= entry.waiting.size();
    table_.erase(entry.address.value());
    entry.list->erase(entry.place);
}

bool ArpCache::make_room(const List& list, TimePoint now) {
    const std::size_t limit = std::max<std::size_t>(config_.max_entries, 2);
    if (&list == &unresolved_ && unresolved_.size() >= limit / 2 && !evict_unresolved(now)) {
        return false;
    }
    if (table_.size() < limit) return true;
    if (!idle_.empty()) {
        erase(idle_.front());
    } else if (!evict_unresolved(now)) {
        // Who only asks us does not push out whom we talk to: it is answered, but not learnt.
        if (&list == &idle_ || used_.empty()) return false;
        erase(used_.front());
    }
    return true;
}

/// Not one that was asked for just now: it would be asked for again too soon.
bool ArpCache::evict_unresolved(TimePoint now) {
    if (unresolved_.empty() || !may_ask(unresolved_.front(), now)) return false;
    drop_waiting(unresolved_.front(), now);
    erase(unresolved_.front());
    return true;
}

void ArpCache::drop_waiting(Entry& entry, TimePoint now) {
    for (const Waiting& one : entry.waiting) {
        services_.refuse(Drop::NeighborQueueFull, one.packet.bytes(), now);
    }
    waiting_ -= entry.waiting.size();
    entry.waiting.clear();
}

void ArpCache::drop_oldest_waiting(TimePoint now) {
    Entry* oldest = nullptr;
    for (Entry& entry : unresolved_) {
        if (entry.waiting.empty()) continue;
        if (oldest == nullptr || entry.waiting.front().order < oldest->waiting.front().order) {
            oldest = &entry;
        }
    }
    if (oldest == nullptr) return;
    services_.refuse(Drop::NeighborQueueFull, oldest->waiting.front().packet.bytes(), now);
    oldest->waiting.erase(oldest->waiting.begin());
    --waiting_;
}

}  // namespace tapestry
