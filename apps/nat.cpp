#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/router/control_server.h"
#include "apps/router/router_file.h"

/// Asks a running router over its control socket, one question, and copies the answer to stdout.

namespace tapestry {
namespace {

struct NatOptions {
    std::string file;
    std::string control;
    std::string table;
    bool events = false;
    bool rules = false;
    bool save = false;
    bool mappings = false;
    bool counters = false;
    bool json = false;
    bool numeric = true;  ///< and verbose: always
};

std::string question(const NatOptions& options) {
    const int chosen = int{options.events} + int{options.rules} + int{options.save} +
                       int{options.mappings} + int{options.counters};
    if (chosen > 1) {
        throw Failure(kUsage, "nat: one of -E, --rules, --save, --mappings and --counters");
    }
    if (!options.table.empty() && !options.rules) throw Failure(kUsage, "nat: -t is for --rules");
    if (options.json && (options.rules || options.save)) {
        throw Failure(kUsage, "nat: rules have no JSON; --save has a form for programs");
    }
    const std::string json = options.json ? " json" : "";
    if (options.events) return "events" + json;
    if (options.mappings) return "mappings" + json;
    if (options.counters) return "counters" + json;
    if (options.save) return "save";
    if (options.rules) return options.table.empty() ? "rules" : "rules " + options.table;
    return "flows" + json;
}

std::string socket_path(const NatOptions& options) {
    if (!options.control.empty() && !options.file.empty()) {
        throw Failure(kUsage, "nat: a FILE or --control, not both");
    }
    if (!options.control.empty()) return options.control;
    if (options.file.empty()) throw Failure(kUsage, "nat: expected the router's FILE or --control");
    const std::string path = read_router_file(options.file).control;
    if (path.empty()) {
        throw Failure(kUsage, options.file +
                                  ": control: is missing (control = \"/run/home.sock\"), "
                                  "so nobody can ask that router");
    }
    return path;
}

UniqueFd open_control(const std::string& path) {
    auto fd = connect_control(path);
    if (fd) return std::move(*fd);
    const bool absent = fd.error() == ENOENT || fd.error() == ECONNREFUSED;
    throw Failure(kNo, "nat: " + path + ": " + std::strerror(fd.error()) +
                           (absent ? "; is the router running?" : ""));
}

/// The answer, a piece at a time; empty at its end.
std::string receive(int fd) {
    char buffer[16384];
    ssize_t size = -1;
    do size = recv(fd, buffer, sizeof buffer, 0);
    while (size < 0 && errno == EINTR);
    return {buffer, size > 0 ? static_cast<std::size_t>(size) : 0};
}

/// False when nobody reads it any more.
bool print(std::string_view text) {
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
    return std::fflush(stdout) == 0 && written;
}

int ask(const NatOptions& options) {
    const std::string request = question(options) + '\n';
    const UniqueFd fd = open_control(socket_path(options));
    if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
        throw Failure(kNo, std::string("nat: the router does not listen: ") + std::strerror(errno));
    }
    std::string head;
    while (head.find('\n') == std::string::npos) {
        const std::string piece = receive(fd.get());
        if (piece.empty()) throw Failure(kNo, "nat: the router has closed the connection");
        head += piece;
    }
    const std::size_t end = head.find('\n');
    if (head.substr(0, end) != "ok") throw Failure(kNo, "nat: " + head.substr(0, end));
    std::string piece = head.substr(end + 1);
    std::size_t lines = 0;
    do {
        for (const char c : piece) lines += c == '\n' ? 1 : 0;
        if (!print(piece)) return kDone;
        piece = receive(fd.get());
    } while (!piece.empty());
    if (options.events) throw Failure(kNo, "nat: the router has ended");
    if (request == "flows\n") {
        std::fprintf(stderr, "tapestry: %zu flow entries have been shown.\n", lines);
    }
    return kDone;
}

}  // namespace

void add_nat(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<NatOptions>();
    CommandLine command = program.add("nat", "look into a running router");
    command.examples(
        "  tapestry nat home.toml                 its conversations, as conntrack -L has them\n"
        "  tapestry nat home.toml -E              ... as they happen, as conntrack -E\n"
        "  tapestry nat home.toml -L -n -v        its rules, as iptables -L -n -v\n"
        "  tapestry nat home.toml --save          ... as iptables-save -c\n"
        "  tapestry nat --control /run/home.sock --mappings --json");
    command.option("FILE", options->file, "the router's; only its control socket matters");
    command.option("--control", options->control, "the control socket itself").value("SOCKET");
    command.flag("-E,--events", options->events, "follow events until Ctrl-C");
    command.flag("-L,--rules", options->rules, "the rules and what they have counted");
    command.option("-t,--table", options->table, "the rules of one table [both]")
        .value("TABLE")
        .one_of({"nat", "filter"});
    command.flag("-n,-v", options->numeric, "for fingers that know iptables: it is always so");
    command.flag("--save", options->save, "the rules, to be read back");
    command.flag("--mappings", options->mappings, "which inside port is which outside port");
    command.flag("--counters", options->counters, "what was refused, and why");
    command.flag("--json", options->json, "JSON; with -E one document a line");
    command.when_chosen([options, &chosen] { chosen = [options] { return ask(*options); }; });
}

}  // namespace tapestry
