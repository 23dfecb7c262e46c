#include "apps/router/iptables.h"

#include "apps/router/iptables_line.h"

namespace tapestry {
namespace {

void flush(const IptablesLine& line, Forwarder& forwarder) {
    for (const IptablesChain& known : iptables_chains()) {
        if (line.chain ? known.chain == *line.chain : known.table == line.table) {
            forwarder.clear_rules(known.chain);
        }
    }
}

void insert(IptablesLine& line, Forwarder& forwarder) {
    const std::size_t count = forwarder.chain(*line.chain).rules().size();
    if (line.place > count + 1) {
        refuse_word(line.place_word, "the chain has " + std::to_string(count) +
                                         " rules: expected a number from 1 to " +
                                         std::to_string(count + 1));
    }
    forwarder.insert(*line.chain, line.place - 1, std::move(line.rule));
}

}  // namespace

std::expected<void, IptablesError> apply_iptables(std::string_view text, Forwarder& forwarder) {
    try {
        IptablesLine line = read_iptables_line(text);
        switch (line.command) {
            case IptablesLine::Command::Append:
                forwarder.append(*line.chain, std::move(line.rule));
                break;
            case IptablesLine::Command::Insert:
                insert(line, forwarder);
                break;
            case IptablesLine::Command::Policy:
                forwarder.set_policy(*line.chain, line.policy);
                break;
            case IptablesLine::Command::Flush:
                flush(line, forwarder);
                break;
        }
        return {};
    } catch (const IptablesRefusal& refusal) {
        return std::unexpected(refusal.error);
    }
}

}  // namespace tapestry
