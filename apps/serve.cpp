#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>

#include "apps/child_process.h"
#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/http/client.h"
#include "apps/http/server.h"
#include "apps/inspect/show.h"
#include "apps/test_services.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

struct ServeOptions {
    NetOptions net;
    std::string directory = ".";
    u16 port = 8080;
    u16 echo = 0;
    u16 discard = 0;
    u16 chargen = 0;
    std::string run;
    u64 requests = 0;
};

/// How long a command of --run may go on when there were requests enough.
constexpr Duration kGoodbye = 3s;

/// RFC 9110 5.6.7, of now.
std::string date_now() {
    const std::time_t time = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text, size};
}

/// What a stranger has sent, fit for a terminal and for one line.
std::string printable(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c >= ' ' && c <= '~') {
            out += c;
        } else {
            char code[8];
            std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
            out += code;
        }
    }
    return out;
}

class Serve {
public:
    explicit Serve(const ServeOptions& options)
        : options_(options),
          site_(options.directory),
          show_(make_show(options.net.show, options.run.empty() ? STDOUT_FILENO : STDERR_FILENO)) {}

    int run() {
        if (options_.net.kind == NetOptions::Kind::Memory && !options_.run.empty()) {
            throw Failure(kUsage, "serve: --run needs a real network, not --net memory");
        }
        net_ = attach(options_.net, show_.get());
        HttpServerConfig config;
        config.date = date_now;
        config.log = [](const Endpoint& client, const std::string& request, unsigned status,
                        u64 length) {
            spdlog::info("{} \"{}\" {} {}", client.to_string(), printable(request), status, length);
        };
        server_ = std::make_unique<HttpServer>(net_->stack(), site_, config);
        services_ = std::make_unique<TestServices>(net_->stack());
        listen();
        const int status = net_->world() != nullptr ? serve_in_memory() : serve_live();
        // What is open is closed, and the last words leave.
        services_.reset();
        server_.reset();
        if (net_->loop() != nullptr) net_->loop()->resume();
        net_->run_until([] { return true; });
        return status;
    }

private:
    static void check(const std::expected<void, Errno>& done, u16 port) {
        if (done) return;
        throw Failure(
            kUsage, "serve: port " + std::to_string(port) + ": " + std::string(text(done.error())));
    }

    void listen() {
        using Kind = TestServices::Kind;
        check(server_->listen({Ipv4Address(), options_.port}), options_.port);
        const auto start = [&](Kind kind, u16 port) {
            if (port != 0) check(services_->listen(kind, port), port);
        };
        start(Kind::Echo, options_.echo);
        start(Kind::Discard, options_.discard);
        start(Kind::Chargen, options_.chargen);
    }

    void say_how_to_reach_us() const {
        const std::string url = "http://" + net_->address().address.to_string() + ':' +
                                std::to_string(options_.port) + '/';
        std::fprintf(stderr, "tapestry: serving %s on %s\n", options_.directory.c_str(),
                     url.c_str());
        if (net_->sandbox() == nullptr || !options_.run.empty()) return;
        std::fprintf(stderr, "tapestry: from another terminal: %s curl %s\n",
                     net_->sandbox()->enter_command().c_str(), url.c_str());
    }

    bool enough() const {
        return options_.requests != 0 && server_->answers() >= options_.requests;
    }

    int serve_live() {
        say_how_to_reach_us();
        std::unique_ptr<ChildProcess> child;
        if (!options_.run.empty()) child = std::make_unique<ChildProcess>(*net_, options_.run);
        const auto work = [&] {
            server_->poll(net_->now());
            services_->poll();
            if (enough()) server_->finish(net_->now());
            return (enough() && server_->connections() == 0) || (child && child->status());
        };
        while (!net_->run_until(work, server_->next_deadline())) {
            if (net_->loop()->lost_device() != nullptr) {
                throw Failure(kNo, net_->interruption());
            }
            if (net_->loop()->stopped()) return kDone;
        }
        if (!child) return kDone;
        // It has its answers, but may still be writing them down.
        net_->run_until([&] { return child->status().has_value(); }, net_->now() + kGoodbye);
        return child->status().value_or(kDone);
    }

    /// Nobody else lives in that world: the far end comes visiting itself.
    int serve_in_memory() {
        net_->host()->add_program([this] {
            server_->poll(net_->now());
            services_->poll();
        });
        HttpRequest request;
        request.url = {net_->address().address.to_string(), options_.port, "/"};
        HttpClient visitor(*net_->peer());
        const u64 visits = std::max<u64>(options_.requests, 1);
        for (u64 i = 0; i < visits; ++i) {
            const ResponseHead head = visitor.fetch(request, {});
            std::fprintf(stderr, "tapestry: the peer fetched /: %s\n", head.status_line().c_str());
        }
        visitor.close();
        return kDone;
    }

    const ServeOptions& options_;
    FileSite site_;
    std::unique_ptr<TraceSink> show_;
    std::unique_ptr<Attachment> net_;
    std::unique_ptr<HttpServer> server_;
    std::unique_ptr<TestServices> services_;
};

int serve(const ServeOptions& options) {
    try {
        return Serve(options).run();
    } catch (const SetupError& error) {
        throw Failure(kUsage, error.what());
    }
}

}  // namespace

void add_serve(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<ServeOptions>();
    CommandLine command = program.add("serve", "an HTTP server on the stack");
    command.examples(
        "  tapestry serve --run 'curl -si http://192.168.3.10:8080/'   serve, ask, and end\n"
        "  tapestry serve docs --port 80                 until Ctrl-C; it says how to reach it\n"
        "  tapestry serve --show ladder --run 'curl -s http://192.168.3.10:8080/' 2>ladder.txt\n"
        "  tapestry serve --echo 7 --discard 9 --chargen 19\n"
        "\n"
        "Files come with keep-alive, HEAD and byte ranges; nothing outside of the directory is\n"
        "ever given away. Each request is logged with --log-level info.");
    command.option("DIR", options->directory, "what to serve [.]");
    command.option("--port", options->port, "where to listen [8080]")
        .value("PORT")
        .between(1, 65535);
    const auto add_port = [&](const char* name, u16& port, const char* text) {
        command.option(name, port, text).value("PORT").between(1, 65535);
    };
    add_port("--echo", options->echo, "send back what comes, TCP and UDP (RFC 862)");
    add_port("--discard", options->discard, "throw away what comes, TCP and UDP (RFC 863)");
    add_port("--chargen", options->chargen, "send characters without end, TCP (RFC 864)");
    command
        .option("--run", options->run,
                "run a shell command at the other end, and end with its status")
        .value("COMMAND");
    command.option("--requests", options->requests, "end after so many answers").value("N");
    add_net_options(command, options->net);
    command.when_chosen([options, &chosen] { chosen = [options] { return serve(*options); }; });
}

}  // namespace tapestry
