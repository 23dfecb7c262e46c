#pragma once

#include <cctype>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

/// docs/tcp-arrivals.md, read: its tables, and how each of their rows becomes a script.

namespace tapestry::test {

/// One row: what arrives in which state, and what must become of it.
struct Arrival {
    std::string state;  ///< the heading of the part
    std::string setup;  ///< the script that leads to the state
    std::size_t line = 0;
    std::string kind;
    std::string packet;
    std::string next_state;
    std::string reply;  ///< empty: none
    bool delayed = false;
    std::string delivered;
};

/// How the test is called: "SYN_RECEIVED_RST_in_the_window".
inline std::string name(const Arrival& arrival) {
    std::string text;
    for (const char c : arrival.state + ' ' + arrival.kind) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (plain) text += c;
        if (!plain && c != ',' && !text.ends_with('_')) text += '_';
    }
    return text;
}

inline void PrintTo(const Arrival& arrival, std::ostream* out) {
    *out << "docs/tcp-arrivals.md:" << arrival.line;
}

namespace arrivals {

inline std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(" `");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" `") - first + 1);
}

inline std::vector<std::string> cells_of(const std::string& row) {
    std::vector<std::string> cells;
    std::istringstream in(row.substr(1));
    for (std::string cell; std::getline(in, cell, '|');) cells.push_back(trimmed(cell));
    return cells;
}

inline Arrival read_row(const std::vector<std::string>& cells, Arrival arrival) {
    arrival.kind = cells[0];
    arrival.packet = cells[1];
    arrival.next_state = cells[2];
    arrival.reply = cells[3];
    arrival.delivered = cells[4];
    const std::size_t comma = arrival.reply.find("`,");
    if (comma != std::string::npos) {
        if (arrival.reply.substr(comma) != "`, after 40 ms") {
            throw std::runtime_error("line " + std::to_string(arrival.line) +
                                     ": a reply comes at once or \"after 40 ms\"");
        }
        arrival.delayed = true;
        arrival.reply.resize(comma);
    }
    if (arrival.reply == "nothing") arrival.reply.clear();
    return arrival;
}

/// "10 bytes, end" as the calls that must give it.
inline std::string reads(const std::string& delivered, const std::string& descriptor) {
    const std::string call = "+0 recv(" + descriptor + ", ..., 100, MSG_DONTWAIT) = ";
    std::string script;
    std::string last = delivered;
    const std::size_t bytes = delivered.find(" bytes");
    if (bytes != std::string::npos) {
        script += call + delivered.substr(0, bytes) + '\n';
        last = delivered.ends_with(", end") ? "end" : "nothing";
    }
    if (last == "end") return script + call + "0\n";
    if (last == "nothing") return script + call + "-1 EAGAIN\n";
    return script + call + "-1 " + last + '\n';
}

/// What the user sees. Before accept() nobody has the connection.
inline std::string user(const Arrival& arrival) {
    const std::string& setup = arrival.setup;
    if (setup.find("connect(3") != std::string::npos) return reads(arrival.delivered, "3");
    if (setup.find("accept(3") != std::string::npos) return reads(arrival.delivered, "4");
    const bool open = arrival.next_state == "ESTABLISHED" || arrival.next_state == "CLOSE-WAIT";
    if (open) return "+0 accept(3, ..., ...) = 4\n" + reads(arrival.delivered, "4");
    if (arrival.delivered != "nothing") {
        throw std::runtime_error("line " + std::to_string(arrival.line) +
                                 ": nobody can read here, so \"delivered\" is \"nothing\"");
    }
    return setup.empty() ? "" : "+0 accept(3, ..., ...) = -1 EAGAIN\n";
}

}  // namespace arrivals

inline std::vector<Arrival> read_arrivals(const std::string& path) {
    std::vector<Arrival> rows;
    std::ifstream file(path);
    Arrival part;
    for (std::string line; std::getline(file, line);) {
        ++part.line;
        if (line.starts_with("## ")) part.setup.clear();
        if (line.starts_with("## ")) part.state = line.substr(3);
        if (line.starts_with("    ")) part.setup += line.substr(4) + '\n';
        if (!line.starts_with("| ")) continue;
        const auto cells = arrivals::cells_of(line);
        if (cells.size() != 6 || cells[0] == "segment") continue;
        rows.push_back(arrivals::read_row(cells, part));
    }
    return rows;
}

/// The script that plays a row: into the state, the segment, its reply, and what is to be seen then.
inline std::string script_of(const Arrival& arrival) {
    std::string text = arrival.setup + "+0 < " + arrival.packet + '\n';
    if (!arrival.reply.empty()) {
        const bool any_options = arrival.reply.find('S') != std::string::npos;
        text += (arrival.delayed ? "+.04 > " : "+0 > ") + arrival.reply +
                (any_options ? " <...>\n" : "\n");
    }
    // Nothing else comes, not even with the delay of an ACK.
    const bool nobody =
        arrival.next_state == "LISTEN" || (arrival.setup.empty() && arrival.next_state == "CLOSED");
    text += "+.05 %{ ";
    text += nobody ? "connections == 0" : "state == " + arrival.next_state;
    text += " }%\n" + arrivals::user(arrival);
    if (arrival.next_state == "LISTEN") {
        text += "+0 <2 S 0:0(0) win 20000 <mss 1000>\n+0 >2 S. 0:0(0) ack 1 <...>\n";
    }
    return text;
}

}  // namespace tapestry::test
