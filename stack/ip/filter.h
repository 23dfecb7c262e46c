#pragma once

#include "stack/ip/rule_chain.h"

namespace tapestry {

/// The three chains of the filter table, and what they say of a packet.
class Filter {
public:
    /// Input, Forward or Output.
    RuleChain& chain(Chain chain) { return chains_[index(chain)]; }
    const RuleChain& chain(Chain chain) const { return chains_[index(chain)]; }

    struct Verdict {
        Target target = Target::Accept;  ///< Accept, Drop or Reject
        RejectWith reject_with = RejectWith::PortUnreachable;
    };
    Verdict judge(Chain where, const RuleSubject& subject, TimePoint now) {
        RuleChain& rules = chain(where);
        const Rule* rule = rules.decide(subject, now);
        if (rule == nullptr) return {rules.policy(), {}};
        return {rule->target, rule->reject_with};
    }
    /// Nothing is said: every packet passes unseen.
    bool idle() const {
        for (const RuleChain& chain : chains_) {
            if (!chain.empty() || chain.policy() != Target::Accept) return false;
        }
        return true;
    }

private:
    static std::size_t index(Chain chain) {
        return static_cast<std::size_t>(chain) - static_cast<std::size_t>(Chain::Input);
    }
    std::array<RuleChain, 3> chains_;
};

}  // namespace tapestry
