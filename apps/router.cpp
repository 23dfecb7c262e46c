#include <cstdio>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/router/control_server.h"
#include "apps/router/flow_text.h"
#include "apps/router/router_device.h"
#include "apps/stop_on_signal.h"
#include "drivers/entropy.h"
#include "drivers/monotonic.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

struct RouterOptions {
    std::string file;
    bool check = false;
    bool verbose = false;
};

/// A router in the real world, until somebody wants an end.
class Router final : public TraceSink {
public:
    Router(RouterFile file, bool verbose)
        : file_(std::move(file)),
          verbose_(verbose),
          devices_(open_devices(file_)),
          stack_(file_.config, rng_),
          loop_(stack_) {
        if (recorded()) record();
        std::vector<Port*> ports;
        ports.reserve(devices_.size());
        for (const auto& device : devices_) ports.push_back(&device->outermost());
        set_up_router(file_, stack_, ports, monotonic_now());
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            loop_.add(devices_[i]->outermost(), stack_.interface(i));
        }
        if (!file_.control.empty()) {
            control_ = std::make_unique<ControlServer>(loop_, file_.control);
        }
    }
    int run() {
        say_what_it_does();
        loop_.run_until([this] {
            // Nobody listens, as a rule, and then nothing is to be told.
            const bool heard = verbose_ || recorded() || (control_ && control_->followed());
            stack_.set_trace(heard ? this : nullptr);
            return false;
        });
        stack_.set_trace(nullptr);
        comments_.write_out();
        std::fputs(counters_text(stack_).c_str(), stdout);
        if (loop_.lost_device() == nullptr) return kDone;
        throw Failure(kNo, "the device of interface " + lost_interface() + " is gone");
    }

    void on_frame(const FrameEvent& event) override {
        if (recorded()) comments_.on_frame(event);
    }
    void on_tcp(const TcpEvent& event) override {
        if (recorded()) comments_.on_tcp(event);
    }
    void on_forward(const ForwardEvent& event) override {
        if (recorded()) comments_.on_forward(event);
    }
    void on_flow(const FlowEvent& event) override {
        if (recorded()) comments_.on_flow(event);
        if (verbose_) std::fprintf(stderr, "%s\n", event_line(event).c_str());
        if (control_) control_->on_flow(event);
    }
    void on_drop(const DropEvent& event) override {
        if (recorded()) comments_.on_drop(event);
        if (!verbose_) return;
        const std::string_view what = name(event.drop);
        const std::string_view why = text(event.drop);
        std::fprintf(stderr, "   [DROP] %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
                     static_cast<int>(why.size()), why.data());
    }

private:
    static std::vector<std::unique_ptr<RouterDevice>> open_devices(RouterFile& file) {
        std::vector<std::unique_ptr<RouterDevice>> devices;
        devices.reserve(file.interfaces.size());
        for (RouterInterface& interface : file.interfaces) {
            devices.push_back(std::make_unique<RouterDevice>(interface));
        }
        return devices;
    }

    bool recorded() const { return !file_.pcap.empty(); }

    void record() {
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            devices_[i]->record(file_.interfaces[i], file_.pcap, comments_);
        }
        stack_.set_trace(this);
    }

    void say_what_it_does() const {
        std::string line;
        for (const RouterInterface& interface : file_.interfaces) {
            line += (line.empty() ? "" : ", ") + interface.name + ' ' +
                    interface.address.to_string() + " (" + interface.device_name + ')';
        }
        std::fprintf(stderr, "tapestry: routing between %s\n", line.c_str());
        if (file_.control.empty()) return;
        std::fprintf(stderr, "tapestry: to look at its table: tapestry nat %s\n",
                     file_.path.c_str());
    }

    std::string lost_interface() const {
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            if (&devices_[i]->outermost() == loop_.lost_device()) return file_.interfaces[i].name;
        }
        return "?";
    }

    RouterFile file_;
    bool verbose_;
    std::vector<std::unique_ptr<RouterDevice>> devices_;
    CommentedFiles comments_{"router", time_of_day};
    SystemRng rng_;
    Stack stack_;
    Loop loop_;
    StopOnSignal on_signal_{loop_};
    std::unique_ptr<ControlServer> control_;
};

int route(const RouterOptions& options) {
    RouterFile file = read_router_file(options.file);
    if (options.check) {
        std::fputs(describe_router(file).c_str(), stdout);
        return kDone;
    }
    try {
        return Router(std::move(file), options.verbose).run();
    } catch (const SetupError& error) {
        throw Failure(kUsage, error.what());
    }
}

}  // namespace

void add_router(CommandLine& program, Action& chosen) {
    const auto options = std::make_shared<RouterOptions>();
    CommandLine command = program.add("router", "forward, translate and filter between devices");
    command.examples(
        "  tapestry router home.toml              until Ctrl-C; then what was refused, and why\n"
        "  tapestry router home.toml --check      read the file, say what it would do\n"
        "  tapestry router home.toml --verbose    each conversation as it begins and ends\n"
        "  tapestry nat home.toml                 from another terminal: its table\n"
        "\n"
        "A file for a home:\n"
        "\n"
        "  control = \"/run/home.sock\"\n"
        "  rules = [\"-t nat -A POSTROUTING -o wan -j MASQUERADE\"]\n"
        "  [[interface]]\n"
        "  name = \"lan\"\n"
        "  device = \"tap:tap0\"             # or packet:eth0, an interface that exists\n"
        "  address = \"192.168.3.1/24\"\n"
        "  [[interface]]\n"
        "  name = \"wan\"\n"
        "  device = \"tap:tap1\"\n"
        "  address = \"203.0.113.5/24\"\n"
        "  [[route]]\n"
        "  to = \"0.0.0.0/0\"\n"
        "  via = \"203.0.113.1\"");
    command.option("FILE", options->file, "what the router is to be").required();
    command.flag("--check", options->check, "only read the file, and say what it says");
    command.flag("-v,--verbose", options->verbose, "each conversation and each refusal on stderr");
    add_log_option(command);
    command.when_chosen([options, &chosen] { chosen = [options] { return route(*options); }; });
}

}  // namespace tapestry
