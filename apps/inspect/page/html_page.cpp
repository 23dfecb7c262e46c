#include "apps/inspect/page/html_page.h"

#include <algorithm>

#include "apps/inspect/page/page_data.h"
#include "apps/inspect/page/page_files.h"
#include "apps/inspect/timeline_json.h"

namespace tapestry {
namespace {

using Json = nlohmann::ordered_json;
using Out = std::function<void(const std::string&)>;

std::string_view page_file(std::string_view name) {
    const auto files = page_files();
    const auto file = std::ranges::find(files, name, &PageFile::name);
    if (file == files.end()) throw std::logic_error("no file of the page: " + std::string(name));
    return file->text;
}

std::string text_of(const Json& json) {
    return script_text(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string html_text(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '<') {
            escaped += "&lt;";
        } else if (c == '&') {
            escaped += "&amp;";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

void write_data(const Timeline& timeline, const Out& out) {
    const auto begin = [&](const std::string& id) {
        out("<script type=\"application/json\" id=\"" + id + "\">");
    };
    begin("data");
    out(text_of(page_data(timeline, ladder_geometry(timeline))));
    out("</script>\n");
    std::size_t room = kPageBytes;
    for (std::size_t from = 0; from < timeline.frames.size(); from += kPageFrames) {
        begin("details-" + std::to_string(from / kPageFrames));
        const std::size_t to = std::min(from + kPageFrames, timeline.frames.size());
        out(text_of(page_details(timeline, from, to, room)));
        out("</script>\n");
    }
}

}  // namespace

std::string script_text(std::string json) {
    // "<" is inside of strings only, where \u003c says the same. U+2028 and U+2029, which end a line for
    // older readers of JavaScript, are e2 80 a8 and e2 80 a9.
    std::string text;
    text.reserve(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (json[i] == '<') {
            text += "\\u003c";
        } else if (json.compare(i, 3, "\xe2\x80\xa8") == 0) {
            text += "\\u2028";
            i += 2;
        } else if (json.compare(i, 3, "\xe2\x80\xa9") == 0) {
            text += "\\u2029";
            i += 2;
        } else {
            text += json[i];
        }
    }
    return text;
}

/// "{{page.css}}" in the template is that file, "{{data}}" the timeline, "{{title}}" its name.
void write_html_page(const Timeline& timeline, const Out& out) {
    std::string_view page = page_file("page.html");
    while (true) {
        const std::size_t open = page.find("{{");
        out(std::string(page.substr(0, open)));
        if (open == std::string_view::npos) return;
        const std::size_t close = page.find("}}", open);
        const std::string_view name = page.substr(open + 2, close - open - 2);
        if (name == "data") {
            write_data(timeline, out);
        } else if (name == "title") {
            out(html_text(timeline.name));
        } else {
            out(std::string(page_file(name)));
        }
        page.remove_prefix(close + 2);
    }
}

void save_html_page(const Timeline& timeline, const std::string& path) {
    write_file(path, "--html", [&](const Out& out) { write_html_page(timeline, out); });
}

}  // namespace tapestry
