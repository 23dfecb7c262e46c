#include "apps/router/control_answer.h"

#include "apps/router/flow_text.h"
#include "apps/router/iptables.h"

namespace tapestry {
namespace {

/// Lines, or one JSON document {"NAME": [...]}, of a list that was made when the question came.
template <typename Item>
ControlAnswer::More list(std::string_view name, std::vector<Item> items, bool json,
                         std::string (*line)(const Item&), std::string (*element)(const Item&)) {
    struct State {
        std::vector<Item> items;
        std::size_t next = 0;
        bool begun = false;
        bool ended = false;
    };
    auto state = std::make_shared<State>();
    state->items = std::move(items);
    return [=, name = std::string(name)] {
        constexpr std::size_t kPiece = 16384;
        std::string text;
        if (json && !state->begun) text = "{\"" + name + "\": [";
        state->begun = true;
        while (state->next < state->items.size() && text.size() < kPiece) {
            const Item& item = state->items[state->next];
            if (json && state->next > 0) text += ",\n";
            text += json ? element(item) : line(item) + '\n';
            ++state->next;
        }
        if (json && state->next == state->items.size() && !state->ended) {
            text += "]}\n";
            state->ended = true;
        }
        return text;
    };
}

std::string flow_line(const FlowSnapshot& flow) { return to_string(flow); }

ControlAnswer no(const std::string& why) { return {"error: " + why + '\n', {}, false, false}; }

}  // namespace

ControlAnswer control_answer(std::string_view request, Stack& stack, TimePoint now) {
    const std::size_t space = request.find(' ');
    const std::string_view what = request.substr(0, space);
    const std::string_view how =
        space == std::string_view::npos ? std::string_view() : request.substr(space + 1);
    const bool json = how == "json";
    const Forwarder& forwarder = stack.forwarder();
    ControlAnswer answer{"ok\n", {}, false, json};
    if (what == "rules") {
        if (!how.empty() && how != "nat" && how != "filter") return no("rules has no such form");
        if (how != "filter") answer.first += iptables_list(forwarder, "nat");
        if (how.empty()) answer.first += '\n';
        if (how != "nat") answer.first += iptables_list(forwarder, "filter");
        return answer;
    }
    if (!how.empty() && !json) return no("expected json or nothing behind " + std::string(what));
    if (what == "flows") {
        answer.more = list("flows", forwarder.flows().snapshots(now), json, flow_line, flow_json);
    } else if (what == "events") {
        answer.events = true;
    } else if (what == "mappings") {
        answer.more =
            list("mappings", forwarder.nat().mappings(), json, mapping_line, mapping_json);
    } else if (what == "save") {
        if (json) return no("save has no JSON");
        answer.first += iptables_save(forwarder, true);
    } else if (what == "counters") {
        answer.first += json ? counters_json(stack) + '\n' : counters_text(stack);
    } else {
        return no("expected flows, events, mappings, rules, save or counters");
    }
    return answer;
}

}  // namespace tapestry
