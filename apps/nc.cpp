#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/show.h"
#include "apps/nc_udp.h"
#include "apps/pump.h"

namespace tapestry {
namespace {

struct NcOptions {
    NetOptions net;
    std::vector<std::string> words;  ///< HOST PORT, or PORT with -l
    bool listen = false;
    bool udp = false;
    bool verbose = false;
    double wait = 0;  ///< 0: forever
};

u16 checked_port(const std::string& text) {
    char* end = nullptr;
    const unsigned long port = std::strtoul(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || text[0] == '-' || port == 0 || port > 65535) {
        throw Failure(kUsage, "nc: \"" + text + "\" is not a port, 1 to 65535");
    }
    return static_cast<u16>(port);
}

class Nc {
public:
    explicit Nc(const NcOptions& options) : options_(options) {}

    int run() {
        check_words();
        show_ = make_show(options_.net.show, STDERR_FILENO);
        net_ = attach(options_.net, show_.get());
        if (options_.udp) {
            return run_udp(*net_, {.peer = peer_, .listen = options_.listen, .wait = wait()});
        }
        TcpSocket socket = options_.listen ? accept() : connect();
        if (options_.verbose) {
            std::fprintf(stderr, "tapestry: connected: %s <-> %s\n",
                         socket.local().to_string().c_str(), socket.remote().to_string().c_str());
        }
        const auto done = Pump(*net_, socket).run(wait());
        const std::string why = net_->interruption();
        if (net_->loop() != nullptr) net_->loop()->resume();
        if (!done || !why.empty()) {
            socket.abort();
            net_->run_until([] { return true; });
        }
        if (!why.empty()) throw Failure(kNo, "nc: " + why);
        if (!done) throw Failure(kNo, "nc: " + std::string(text(done.error())));
        return kDone;
    }

private:
    Duration wait() const { return Duration(static_cast<i64>(options_.wait * 1e9)); }

    void check_words() {
        const std::size_t wanted = options_.listen ? 1 : 2;
        if (options_.words.size() != wanted) {
            throw Failure(kUsage, options_.listen ? "nc: -l wants a PORT and nothing else"
                                                  : "nc: a HOST and a PORT are wanted");
        }
        peer_.port = checked_port(options_.words.back());
        if (options_.listen) {
            if (options_.net.kind == NetOptions::Kind::Memory) {
                throw Failure(kUsage, "nc: -l needs a real network: nobody calls in --net memory");
            }
            return;
        }
        const auto address = Ipv4Address::parse(options_.words.front());
        if (!address) {
            throw Failure(kUsage, "nc: " + options_.words.front() +
                                      ": not an IPv4 address, and there is no resolver here");
        }
        peer_.address = *address;
    }

    TimePoint patience() { return options_.wait > 0 ? net_->now() + wait() : kNever; }

    TcpSocket connect() {
        const std::string what = "nc: connect to " + peer_.address.to_string() + " port " +
                                 std::to_string(peer_.port) + " (tcp) failed: ";
        TcpSocket socket = net_->stack().tcp_socket();
        const auto refuse = [&](Errno e) { throw Failure(kNo, what + std::string(text(e))); };
        if (const auto opened = socket.connect(peer_); !opened) refuse(opened.error());
        const auto settled = [&] {
            return socket.state() != TcpState::SynSent && socket.state() != TcpState::SynReceived;
        };
        if (!net_->run_until(settled, patience())) {
            if (!net_->interruption().empty()) throw Failure(kNo, "nc: " + net_->interruption());
            refuse(Errno::TimedOut);
        }
        if (socket.state() == TcpState::Closed) refuse(socket.take_error());
        return socket;
    }

    TcpSocket accept() {
        Listener listener = net_->stack().tcp_listener();
        if (const auto done = listener.listen(peer_, 1); !done) {
            throw Failure(kNo, "nc: port " + std::to_string(peer_.port) + ": " +
                                   std::string(text(done.error())));
        }
        if (options_.verbose) say_where();
        if (!net_->run_until([&] { return listener.acceptable(); }, patience())) {
            const std::string why = net_->interruption();
            throw Failure(kNo, "nc: " + (why.empty() ? "nobody has called" : why));
        }
        return std::move(*listener.accept());
    }

    void say_where() {
        std::fprintf(stderr, "tapestry: listening on %s port %u\n",
                     net_->address().address.to_string().c_str(), peer_.port);
        if (net_->sandbox() == nullptr) return;
        std::fprintf(stderr, "tapestry: from another terminal: %s nc %s %u\n",
                     net_->sandbox()->enter_command().c_str(),
                     net_->address().address.to_string().c_str(), peer_.port);
    }

    const NcOptions& options_;
    Endpoint peer_;
    std::unique_ptr<TraceSink> show_;
    std::unique_ptr<Attachment> net_;
};

}  // namespace

void add_nc(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<NcOptions>();
    CommandLine command = program.add("nc", "stdin and stdout over TCP or UDP");
    command.examples(
        "  echo hello | tapestry nc 192.168.3.1 7          the sandbox's peer echoes\n"
        "  tapestry nc -l 1234 >file                       wait for one call\n"
        "  echo hello | tapestry nc -u --net memory 192.168.3.1 7   by UDP\n"
        "  printf 'GET / HTTP/1.0\\r\\n\\r\\n' | tapestry nc --show ladder 192.168.3.1 80\n"
        "\n"
        "When stdin ends our direction of the connection is closed; the command ends when\n"
        "the peer has closed the other. Exit status: 0, or 1 when the network said no.");
    command.option("WORDS", options->words, "HOST PORT; with -l only PORT").value("HOST PORT");
    command.flag("-l,--listen", options->listen, "wait for a connection");
    command.flag("-u,--udp", options->udp, "datagrams instead of a stream");
    command.flag("-v,--verbose", options->verbose, "say who is connected");
    command
        .option("-w,--wait", options->wait,
                "end after so many silent seconds [-u: 1 after stdin's end]")
        .value("S")
        .between(0.001, 1e6);
    add_net_options(command, options->net);
    command.when_chosen([options, &chosen] { chosen = [options] { return Nc(*options).run(); }; });
}

}  // namespace tapestry
