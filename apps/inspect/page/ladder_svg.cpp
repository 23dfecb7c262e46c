#include "apps/inspect/page/ladder_svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "apps/inspect/frame_reader.h"
#include "apps/inspect/packet_changes.h"
#include "apps/inspect/page/ladder_geometry.h"
#include "apps/inspect/timeline_index.h"
#include "apps/inspect/timeline_json.h"

namespace tapestry {
namespace {

using Out = std::function<void(const std::string&)>;

constexpr std::string_view kStyle =
    "<style>\n"
    "svg{background:#fff;color:#1c2430;font:13px system-ui,sans-serif}\n"
    "text{fill:currentColor}.dim{opacity:.65;font-size:11px}.name{font-weight:600}\n"
    "line{stroke:currentColor}.life{opacity:.35}.arrow{stroke:#1a66c2;stroke-width:1.6}\n"
    ".again{stroke:#b45309}.lost{stroke:#c22f2f;stroke-dasharray:6 4}\n"
    ".cross{stroke:#c22f2f;stroke-width:2}.mono{font:12px ui-monospace,monospace}\n"
    ".mono,.dim,.turn{paint-order:stroke;stroke:#fff;stroke-width:3px}.turn{fill:#15803d;font-"
    "weight:600;font-size:11px}.bad{fill:#c22f2f}\n"
    "@media(prefers-color-scheme:dark){svg{background:#12161c;color:#e4e8ee}.mono,.dim,.turn{"
    "stroke:#12161c}\n"
    ".arrow{stroke:#6cb0ff}.again{stroke:#f0a546}.lost,.cross{stroke:#ff7b7b}\n"
    ".mono,.dim,.turn{paint-order:stroke;stroke:#fff;stroke-width:3px}.turn{fill:#63d18a}.bad{fill:"
    "#ff7b7b}}\n"
    "</style>\n";

/// Text of XML. What XML has no way to write becomes "?".
std::string xml(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '&':
                escaped += "&amp;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default:
                escaped += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
    }
    return escaped;
}

/// As much of a text as there is room for, at so many pixels a letter.
std::string shortened(const std::string& text, double room, double letter) {
    const auto letters = static_cast<std::size_t>(std::max(8.0, room / letter));
    if (text.size() <= letters) return text;
    std::size_t end = letters - 1;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // of UTF-8
    return text.substr(0, end) + "\xe2\x80\xa6";
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    return text;
}

std::string line(const std::string& css, double x1, double y1, double x2, double y2,
                 const std::string& more = "") {
    return "<line class=\"" + css + "\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" +
           number(x2) + "\" y2=\"" + number(y2) + "\"" + more + "/>\n";
}

std::string words(const std::string& css, double x, double y, const std::string& anchor,
                  std::string_view text, const std::string& more = "") {
    return "<text class=\"" + css + "\" x=\"" + number(x) + "\" y=\"" + number(y) +
           "\" text-anchor=\"" + anchor + "\"" + more + ">" + xml(text) + "</text>\n";
}

class LadderSvg {
public:
    LadderSvg(const Timeline& timeline, const Out& out)
        : timeline_(timeline), out_(out), g_(ladder_geometry(timeline)) {}

    void write() {
        const std::string size = number(g_.width) + ' ' + number(g_.height);
        out_(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " +
            size + "\" width=\"" + number(g_.width) + "\" height=\"" + number(g_.height) +
            "\" role=\"img\">\n");
        out_("<title>" + xml(timeline_.title.empty() ? timeline_.name : timeline_.title) +
             "</title>\n");
        out_(std::string(kStyle));
        out_(
            "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
            "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#1a66c2\"/>"
            "</marker></defs>\n");
        lifelines();
        for (const auto& wait : g_.waits) {
            out_(words("dim", 8, (wait.y1 + wait.y2) / 2 + 4, "start",
                       "\xe2\x8b\xae " + duration_text(wait.time)));
        }
        const auto facts = frame_facts(timeline_);
        for (std::size_t i = 0; i < g_.arrows.size(); ++i) arrow(i, facts[i]);
        for (std::size_t i = 0; i < timeline_.steps.size(); ++i) step(i);
        out_("</svg>\n");
    }

private:
    void lifelines() {
        for (std::size_t i = 0; i < g_.columns.size(); ++i) {
            const double x = g_.columns[i];
            out_(words("name", x, 20, "middle", timeline_.lifelines[i].label()));
            out_(words("dim", x, 36, "middle", timeline_.lifelines[i].address));
            out_(line("life", x, 44, x, g_.height));
        }
    }

    void arrow(std::size_t i, const FrameFacts& facts) {
        const LadderGeometry::Arrow& a = g_.arrows[i];
        if (!a.drawn) return;
        const Timeline::Frame& frame = timeline_.frames[i];
        std::string css = "arrow";
        if (frame.again != Timeline::kNone) css += " again";
        if (a.lost) css += " lost";
        out_(line(css, a.x1, a.y1, a.x2, a.y2, a.lost ? "" : " marker-end=\"url(#head)\""));
        if (a.lost) {
            out_(line("cross", a.x2 - 5, a.y2 - 5, a.x2 + 5, a.y2 + 5));
            out_(line("cross", a.x2 - 5, a.y2 + 5, a.x2 + 5, a.y2 - 5));
            const bool right = a.x2 > a.x1;
            out_(words("dim bad", a.x2 + (right ? 10 : -10), a.y2 + 12, right ? "start" : "end",
                       frame.lost));
        }
        const double angle = std::atan2(a.y2 - a.y1, a.x2 - a.x1) * 180 / std::numbers::pi;
        const double upright = std::abs(angle) > 90 ? angle - std::copysign(180, angle) : angle;
        // Not in the middle, where it would meet that of a frame the other way.
        const double x = a.x1 + (a.x2 - a.x1) * 0.4;
        const double y = a.y1 + (a.y2 - a.y1) * 0.4;
        const double room = std::hypot(a.x2 - a.x1, a.y2 - a.y1) * 0.8 - 10;
        const std::string& text = facts.brief.empty() ? facts.notation : facts.brief;
        out_(words(
            "mono", x, y - 5, "middle", shortened(text, room, 7.3),
            " transform=\"rotate(" + number(upright) + ' ' + number(x) + ' ' + number(y) + ")\""));
    }

    void step(std::size_t i) {
        const Timeline::Step& step = timeline_.steps[i];
        const u32 lifeline = lifeline_of(timeline_, step.host);
        if (lifeline == Timeline::kNone) return;
        const bool left = lifeline == 0 && g_.columns.size() > 1;
        const double x = g_.columns[lifeline] + (left ? -10 : 10);
        const double y = g_.rows[i] + 4;
        const std::string anchor = left ? "end" : "start";
        const std::string css = is_turn(timeline_, step) ? "turn" : step.drop ? "dim bad" : "dim";
        const bool edge = lifeline == 0 || lifeline + 1 == g_.columns.size();
        const std::string text = label(step);
        if (!text.empty()) {
            out_(words(css, x, y, anchor,
                       shortened(text, edge ? LadderGeometry::kMargin - 14 : 310, 6.2)));
        }
    }

    std::string label(const Timeline::Step& step) const {
        if (is_turn(timeline_, step)) return std::string(name(timeline_.states[step.after].state));
        if (step.drop) return "refused: " + std::string(name(*step.drop));
        if (step.flow != Timeline::kNone) return flow_text(timeline_.flows[step.flow]);
        if (step.rewrite != Timeline::kNone) {
            const Timeline::Rewrite& r = timeline_.rewrites[step.rewrite];
            return rewrite_text(packet_changes(r.before, r.after));
        }
        if (step.kind == Timeline::Step::Kind::Timer) {
            return "timer: " + std::string(name(step.verdict));
        }
        return step.text;
    }

    const Timeline& timeline_;
    const Out& out_;
    LadderGeometry g_;
};

}  // namespace

void write_ladder_svg(const Timeline& timeline, const Out& out) {
    LadderSvg(timeline, out).write();
}

void save_ladder_svg(const Timeline& timeline, const std::string& path) {
    write_file(path, "--svg", [&](const Out& out) { write_ladder_svg(timeline, out); });
}

}  // namespace tapestry
