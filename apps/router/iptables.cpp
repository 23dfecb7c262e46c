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

std::expected<void, IptablesError> apply_iptables(std::string_view line, Forwarder& forwarder) {
    try {
        IptablesLine read = read_iptables_line(line);
        switch (read.command) {
            case IptablesLine::Command::Append:
                forwarder.append(*read.chain, std::move(read.rule));
                break;
            case IptablesLine::Command::Insert:
                insert(read, forwarder);
                break;
            case IptablesLine::Command::Policy:
                forwarder.set_policy(*read.chain, read.policy);
                break;
            case IptablesLine::Command::Flush:
                flush(read, forwarder);
                break;
        }
        return {};
    } catch (const IptablesRefusal& refusal) {
        return std::unexpected(refusal.error);
    }
}

}  // namespace tapestry
