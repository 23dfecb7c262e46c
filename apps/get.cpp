#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/attachment.h"
#include "apps/body_file.h"
#include "apps/commands.h"
#include "apps/device_chain.h"
#include "apps/failure.h"
#include "apps/http/client.h"
#include "apps/inspect/show.h"
#include "apps/inspect/terminal/step_view.h"
#include "apps/inspect/timeline_live.h"
#include "apps/inspect/trace_tee.h"
#include "apps/timeline_files.h"

namespace tapestry {
namespace {

struct GetOptions {
    NetOptions net;
    TimelineFiles files;
    std::vector<std::string> urls;
    std::string output;
    std::vector<std::string> fields;
    bool include = false;
    bool verbose = false;
    bool head = false;
    bool fail = false;
    bool silent = false;
    bool json = false;
    bool step = false;
    std::string language;
    double max_time = 0;
};

/// A body that stays behind the ladder when both go to the same place: up to this much, then it flows.
constexpr std::size_t kHeldBack = std::size_t{256} << 10;

bool same_file(int a, int b) {
    struct stat first {};
    struct stat second {};
    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

std::vector<std::pair<std::string, std::string>> parse_fields(
    const std::vector<std::string>& lines) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const std::string& line : lines) {
        const std::size_t colon = line.find(':');
        const bool control = line.find_first_of(std::string("\r\n\0", 3)) != std::string::npos;
        if (colon == std::string::npos || colon == 0 || control) {
            throw Failure(kUsage, "-H: \"" + line + "\" is not \"Name: value\"");
        }
        const std::size_t value = line.find_first_not_of(" \t", colon + 1);
        fields.emplace_back(line.substr(0, colon),
                            value == std::string::npos ? "" : line.substr(value));
    }
    return fields;
}

Url checked_url(const std::string& text) {
    auto url = parse_url(text);
    if (url) return *url;
    const bool protocol = url.error().kind == UrlError::Kind::Protocol;
    const int code = static_cast<int>(protocol ? HttpFailure::Protocol : HttpFailure::Url);
    throw Failure(code, '(' + std::to_string(code) + ") " + url.error().text + ": " + text);
}

class Get {
public:
    explicit Get(const GetOptions& options) : options_(options) {}

    int run() {
        int status = kDone;
        try {
            transfer();
        } catch (const Failure& failure) {
            status = failure.status();
            error_ = failure.what();
        }
        client_.reset();
        net_.reset();
        show_.reset();
        if (const int kept = keep(); status == kDone) status = kept;
        if (!held_.empty() && file_ && !file_->write(held_) && status == kDone) {
            status = static_cast<int>(HttpFailure::Write);
            error_ = "(23) failed writing the body";
        }
        if (options_.json) print_json(status);
        if (!error_.empty() && !options_.silent) {
            std::fprintf(stderr, "tapestry: %s\n", error_.c_str());
        }
        return status;
    }

private:
    void transfer() {
        std::vector<Url> urls;
        for (const std::string& text : options_.urls) urls.push_back(checked_url(text));
        fields_ = parse_fields(options_.fields);
        const bool stdout_is_ours = options_.output.empty() && !options_.json && !options_.step;
        const int show_fd = stdout_is_ours || options_.json ? STDERR_FILENO : STDOUT_FILENO;
        show_ = make_show(options_.net.show, show_fd);
        hold_back_ = show_ && stdout_is_ours && same_file(STDOUT_FILENO, show_fd);
        if (stdout_is_ours || !options_.output.empty()) {
            file_ = std::make_unique<BodyFile>(options_.output);
        }
        listen();
        // The far end of --net memory is a stack of ours, too, and says what it does.
        const bool both = timeline_ && options_.net.kind == NetOptions::Kind::Memory;
        net_ = attach(options_.net, listeners_.empty() ? nullptr : &listeners_, {},
                      both ? &timeline_->peer_ear() : nullptr);
        client_ =
            std::make_unique<HttpClient>(net_->runner(), [this] { return net_->interruption(); });
        for (std::size_t i = 0; i < urls.size(); ++i) fetch(urls[i], options_.urls[i]);
        if (file_) file_->commit();
        info(client_->can_be_used_again() ? "Closing the connection"
                                          : "The server closes the connection");
        client_->close();
    }

    /// Everybody who hears of what the stack does.
    void listen() {
        listeners_.add(show_.get());
        if (!options_.files.wanted() && !options_.step) return;
        const Ipv4Address peer = options_.net.gateway.value_or(Ipv4Address(192, 168, 3, 1));
        timeline_ = std::make_unique<TimelineLive>(
            Timeline::Source::Live, options_.urls.front(),
            interface_config(options_.net).address.to_string(), peer.to_string());
        listeners_.add(&timeline_->ear());
    }

    /// Writes the timeline, also of what has failed. The exit status.
    int keep() {
        if (!timeline_) return kDone;
        try {
            Timeline timeline = timeline_->finish();
            options_.files.write(timeline);
            if (options_.step && !options_.json) walk(std::move(timeline));
        } catch (const Failure& failure) {
            if (error_.empty()) error_ = failure.what();
            return failure.status();
        }
        return kDone;
    }

    void walk(Timeline timeline) const {
        step_through(std::move(timeline), {.run = nullptr, .refusal = Phrase::NotTwice},
                     language_of(options_.language));
    }

    void fetch(const Url& url, const std::string& text) {
        HttpRequest request{.url = url, .head = options_.head, .fields = fields_};
        const TimePoint start = net_->now();
        if (options_.max_time > 0) {
            request.deadline = start + Duration(static_cast<i64>(options_.max_time * 1e9));
        }
        bytes_ = 0;
        if (timeline_) timeline_->call((options_.head ? "HEAD " : "GET ") + text);
        const ResponseHead head = client_->fetch(request, listener());
        if (timeline_) {
            const std::string status = std::to_string(head.status) + ' ' + head.reason;
            const std::string size = std::to_string(bytes_);
            timeline_->result(status + ", " + size + " bytes", status + "，" + size + " 字节");
        }
        nlohmann::json entry{{"url", text},
                             {"status", head.status},
                             {"reason", head.reason},
                             {"bytes", bytes_},
                             {"seconds", to_seconds(net_->now() - start)}};
        entry["headers"] = nlohmann::json::array();
        for (const auto& [name, value] : head.fields) entry["headers"].push_back({name, value});
        transfers_.push_back(std::move(entry));
    }

    HttpListener listener() {
        HttpListener listener;
        listener.info = [this](const std::string& line) { info(line); };
        listener.sent = [this](const std::string& line) {
            if (options_.verbose) std::fprintf(stderr, "> %s\n", line.c_str());
        };
        listener.head = [this](const ResponseHead& head) { on_head(head); };
        listener.body = [this](Bytes bytes) {
            bytes_ += bytes.size();
            return write(bytes);
        };
        return listener;
    }

    void info(const std::string& line) {
        if (options_.verbose) std::fprintf(stderr, "* %s\n", line.c_str());
    }

    void on_head(const ResponseHead& head) {
        if (options_.fail && head.status >= 400) {
            const int code = static_cast<int>(HttpFailure::Http);
            throw Failure(code,
                          "(22) the requested URL returned error: " + std::to_string(head.status));
        }
        std::string text = head.status_line() + "\r\n";
        if (options_.verbose) std::fprintf(stderr, "< %s\n", head.status_line().c_str());
        for (const auto& [name, value] : head.fields) {
            text += name + ": " + value + "\r\n";
            if (options_.verbose) std::fprintf(stderr, "< %s: %s\n", name.c_str(), value.c_str());
        }
        if (options_.verbose) std::fprintf(stderr, "<\n");
        text += "\r\n";
        if (options_.include || options_.head) {
            write({reinterpret_cast<const u8*>(text.data()), text.size()});
        }
    }

    bool write(Bytes bytes) {
        if (!file_) return true;
        if (!hold_back_) return file_->write(bytes);
        held_.insert(held_.end(), bytes.begin(), bytes.end());
        if (held_.size() <= kHeldBack) return true;
        hold_back_ = false;
        const bool done = file_->write(held_);
        held_.clear();
        return done;
    }

    void print_json(int status) {
        nlohmann::json document{{"transfers", transfers_}, {"exit", status}};
        if (!error_.empty()) document["error"] = error_;
        std::puts(document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    }

    const GetOptions& options_;
    std::vector<std::pair<std::string, std::string>> fields_;
    std::unique_ptr<BodyFile> file_;
    std::unique_ptr<TraceSink> show_;
    std::unique_ptr<TimelineLive> timeline_;
    TraceTee listeners_;
    std::unique_ptr<Attachment> net_;
    std::unique_ptr<HttpClient> client_;
    bool hold_back_ = false;
    std::vector<u8> held_;
    u64 bytes_ = 0;
    nlohmann::json transfers_ = nlohmann::json::array();
    std::string error_;
};

}  // namespace

void add_get(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<GetOptions>();
    CommandLine command = program.add("get", "fetch http URLs over the stack");
    command.examples(
        "  tapestry get http://192.168.3.1/                 a page, from the sandbox's peer\n"
        "  tapestry get --show ladder http://192.168.3.1/   ... with every segment shown\n"
        "  tapestry get -v --max-time 1 http://192.168.3.1/slow\n"
        "  tapestry get --drop 5 --pcap lossy.pcapng -o 1M.bin http://192.168.3.1/1M.bin\n"
        "\n"
        "The body goes to stdout, everything else to stderr; with -o the ladder goes to\n"
        "stdout. Exit status: 0, or curl's: 3 bad URL, 6 no resolver, 7 refused or\n"
        "unreachable, 18 cut short, 23 not written, 28 timed out, 52 empty reply, ...");
    command.option("URL", options->urls, "what to fetch; several share one connection").required();
    command.flag("-i,--include", options->include, "print the head of the response, too");
    command.flag("-v,--verbose", options->verbose, "say on stderr what happens");
    command.flag("-I,--head", options->head, "ask for the head only");
    command.flag("-f,--fail", options->fail, "fail (22) on a status of 400 or more");
    command.flag("-s,--silent", options->silent, "no message about an error");
    command.option("-o,--output", options->output, "write the body to a file").value("FILE");
    command.option("-H,--header", options->fields, "one more field of the request")
        .value("\"NAME: VALUE\"")
        .repeated();
    command.option("-m,--max-time", options->max_time, "give each URL so many seconds (28)")
        .value("S")
        .between(0.001, 1e9);
    command.flag("--step", options->step, "then step by step, full screen (the body only with -o)");
    add_language_option(command, options->language);
    command.flag("--json", options->json, "say what came of it as JSON (the body only with -o)");
    add_net_options(command, options->net);
    add_timeline_options(command, options->files);
    command.when_chosen([options, &chosen] { chosen = [options] { return Get(*options).run(); }; });
}

}  // namespace tapestry
