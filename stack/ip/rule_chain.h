#pragma once

#include "stack/ip/rule.h"
#include "stack/ip/transit.h"

namespace tapestry {

/// A packet as a rule looks at it.
struct RuleSubject {
    std::string_view in;   ///< interface; empty: the router itself
    std::string_view out;  ///< interface; empty: not known yet, or the router itself
    FlowTuple tuple;  ///< as it is at this point of its way; of an ICMP error: its own addresses
    TcpFlags flags;
    u8 icmp_type = 0;
    u8 icmp_code = 0;
    u8 state = ConnectionState::kNew;  ///< one bit
    u32 size = 0;                      ///< bytes, for the counters
};

/// Whether all that the rule says holds. A limit is asked last, and used up by those that match
/// everything else.
bool matches(RuleMatch& match, const RuleSubject& subject, TimePoint now);

/// Whether the rule is about packets that leave by this interface, whatever else it says.
bool leaves_by(const RuleMatch& match, std::string_view interface_name);

/// Rules in their order: the first that matches and decides, decides.
class RuleChain {
public:
    void append(Rule rule) { rules_.push_back(std::move(rule)); }
    /// Before the rule that is at `place` now, from 0; place <= rules().size().
    void insert(std::size_t place, Rule rule) {
        rules_.insert(rules_.begin() + static_cast<std::ptrdiff_t>(place), std::move(rule));
    }
    void set_policy(Target policy) { policy_ = policy; }
    Target policy() const { return policy_; }
    const std::vector<Rule>& rules() const { return rules_; }
    bool empty() const { return rules_.empty(); }
    void clear() { rules_.clear(); }
    /// What the policy has decided, since it was set.
    u64 policy_packets() const { return policy_packets_; }
    u64 policy_bytes() const { return policy_bytes_; }

    /// The rule that decides, or null: the policy does. Counts on the way.
    const Rule* decide(const RuleSubject& subject, TimePoint now);

private:
    std::vector<Rule> rules_;
    Target policy_ = Target::Accept;
    u64 policy_packets_ = 0;
    u64 policy_bytes_ = 0;
};

}  // namespace tapestry
