#pragma once

#include <expected>
#include <list>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "stack/link/services.h"
#include "stack/wire/arp.h"

namespace tapestry {

/// What is known of a neighbour.
enum class ArpState : u8 {
    Incomplete,  ///< asked for by broadcast; packets wait
    Reachable,   ///< confirmed less than the reachable time ago
    Stale,       ///< confirmed longer ago; used as it is, and probed at the next use
    Probing,     ///< stale and in use: asked for by unicast
    Failed,      ///< nobody answered
    Static,      ///< set by hand; never changes
};

/// One line of the table, as a person sees it.
struct ArpEntry {
    Ipv4Address address;
    MacAddress mac;  ///< zero while Incomplete or Failed
    ArpState state = ArpState::Incomplete;
    std::size_t waiting = 0;  ///< packets

    friend bool operator==(const ArpEntry&, const ArpEntry&) = default;
};

/// The addresses of the neighbours on one Ethernet link (RFC 826; RFC 1122 section 2.3.2): learns
/// them, asks for them, keeps packets until the answer comes.
///
/// It believes any valid packet about an address that is in the table already (the merge of RFC
/// 826), but an address gets into the table only by our asking for it or by its asking for us. No
/// request for an address follows another within ArpConfig::request_interval, whatever is sent.
/// Whoever only asks us cannot push out an entry that we use.
class ArpCache {
public:
    /// What the cache needs from its interface.
    class Link {
    public:
        virtual ~Link() = default;
        virtual void send_arp(const ArpPacket& packet, MacAddress destination, TimePoint now) = 0;
        /// A packet that has waited may go. Its first `header_size` bytes are headers.
        virtual void release(const Packet& packet, std::size_t header_size, MacAddress destination,
                             TimePoint now) = 0;
        /// A packet has waited in vain.
        virtual void give_up(Packet packet, TimePoint now) = 0;
    };

    /// `services` and `link` outlive the cache.
    ArpCache(Services& services, Link& link, const Ipv4Prefix& address, MacAddress mac);
    ArpCache(const ArpCache&) = delete;
    ArpCache& operator=(const ArpCache&) = delete;

    /// The neighbour's hardware address if one is known. An old one is used while it is probed.
    std::optional<MacAddress> lookup(Ipv4Address address, TimePoint now);
    /// Keeps a copy of a packet until the address is known, and asks for it. What cannot be kept is
    /// refused: NeighborQueueFull, PoolExhausted.
    void wait(Ipv4Address address, const Frame& packet, TimePoint now);
    /// One valid ARP packet. Gives the reply to be sent to its sender, if one is due.
    /// Refuses: ArpBadSender, ArpConflict, ArpStatic, ArpNotForUs, ArpUnsolicited.
    std::expected<std::optional<ArpPacket>, Drop> input(const ArpPacket& packet, TimePoint now);
    /// Tells all neighbours our address (RFC 5227 section 2.3).
    void announce(TimePoint now);

    /// Answers for one more address, as if it were the interface's: one of those that a router
    /// translates to.
    void add_alias(Ipv4Address address) { aliases_.insert(address); }
    bool answers_for(Ipv4Address address) const { return aliases_.contains(address); }

    /// Replaces what was known. Packets that wait for the address are sent.
    void add_static(Ipv4Address address, MacAddress mac, TimePoint now);
    /// What was sent there is not answered: at its next use the neighbour is asked whether it is still
    /// there, however fresh it is (RFC 1122 3.3.1.4, negative advice).
    void suspect(Ipv4Address address, TimePoint now);
    /// Forgets an address, static ones too; its waiting packets are given up. False: was not known.
    bool remove(Ipv4Address address, TimePoint now);

    /// All entries in the order of their addresses.
    std::vector<ArpEntry> entries(TimePoint now) const;
    std::size_t size() const { return table_.size(); }
    /// Packets that wait, over all addresses.
    std::size_t waiting() const { return waiting_; }

private:
    struct Waiting {
        Packet packet;
        std::size_t header_size = 0;
        u64 order = 0;
    };
    struct Entry final : Timer {
        Entry(ArpCache& c, Ipv4Address a) : cache(c), address(a) {}
        void on_timer(TimePoint now) override { cache.on_timer(*this, now); }
        bool resolved() const { return state != ArpState::Incomplete && state != ArpState::Failed; }

        ArpCache& cache;
        Ipv4Address address;
        MacAddress mac;
        ArpState state = ArpState::Incomplete;
        TimePoint confirmed{};           ///< the last valid packet from it
        TimePoint used{};                ///< we last sent to it, or heard from it
        std::optional<TimePoint> asked;  ///< our last request
        u32 requests = 0;                ///< since the last answer
        std::vector<Waiting> waiting;
        std::list<Entry>* list = nullptr;
        std::list<Entry>::iterator place;  ///< in `list`
    };
    using List = std::list<Entry>;

    Entry* find(Ipv4Address address);
    Entry* create(Ipv4Address address, List& list, TimePoint now);
    Entry* insert(Ipv4Address address, List& list);
    void move_to(Entry& entry, List& list);
    void erase(Entry& entry);
    bool make_room(const List& list, TimePoint now);
    bool evict_unresolved(TimePoint now);
    void drop_waiting(Entry& entry, TimePoint now);
    void drop_oldest_waiting(TimePoint now);

    bool may_ask(const Entry& entry, TimePoint now) const;
    void ask(Entry& entry, TimePoint now);
    void on_timer(Entry& entry, TimePoint now);
    void fail(Entry& entry, TimePoint now);
    void resolve(Entry& entry, MacAddress mac, TimePoint now);
    bool forgotten(const Entry& entry, TimePoint now) const;
    std::expected<bool, Drop> merge(const ArpPacket& packet, TimePoint now);
    std::expected<void, Drop> check_sender(const ArpPacket& packet, TimePoint now);

    Services& services_;
    const ArpConfig& config_;
    Link& link_;
    Ipv4Prefix address_;
    MacAddress mac_;
    std::set<Ipv4Address> aliases_;
    std::unordered_map<u32, Entry*> table_;
    // Every entry is in one of these; the one to go first is in front.
    List static_;
    List idle_;        ///< learnt, but we never sent to it
    List used_;        ///< resolved and sent to
    List unresolved_;  ///< Incomplete or Failed, in the order of their last requests
    std::size_t waiting_ = 0;
    u64 next_order_ = 0;
    std::optional<TimePoint> defended_;
};

}  // namespace tapestry
