#include "apps/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "apps/failure.h"

namespace tapestry {
namespace {

template <typename T>
CLI::Validator range(T low, T high) {
    CLI::Validator range = CLI::Range(low, high);
    range.description("");
    return range;
}

/// Examples first: they answer most questions.
class ExamplesFirst : public CLI::Formatter {
public:
    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override {
        const std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
        const std::string examples = app->get_footer();
        return examples.empty() ? help : examples + "\n\n" + help;
    }
    std::string make_footer(const CLI::App* /*app*/) const override { return ""; }
};

/// One line that says where on the command line, and what is wrong there.
int refuse_all(const CLI::App& program, const CLI::ParseError& error) {
    std::string where = program.get_name();
    for (const CLI::App* command : program.get_subcommands()) where += ' ' + command->get_name();
    std::string what = error.what();
    what = what.substr(0, what.find('\n'));
    std::fprintf(stderr, "%s: %s (%s --help shows how)\n", where.c_str(), what.c_str(),
                 where.c_str());
    return kUsage;
}

}  // namespace

CommandOption& CommandOption::required() {
    option_->required();
    return *this;
}
CommandOption& CommandOption::value(const std::string& name) {
    option_->type_name(name);
    return *this;
}
CommandOption& CommandOption::between(int low, int high) {
    option_->check(range(low, high));
    return *this;
}
CommandOption& CommandOption::between(double low, double high) {
    option_->check(range(low, high));
    return *this;
}
CommandOption& CommandOption::one_of(const std::vector<std::string>& words) {
    option_->check(CLI::IsMember(words).description(""));
    return *this;
}
CommandOption& CommandOption::one_of_listed(const std::vector<std::string>& words) {
    option_->check(CLI::IsMember(words));
    return *this;
}
CommandOption& CommandOption::repeated() {
    option_->allow_extra_args(false);
    return *this;
}
CommandOption& CommandOption::group(const std::string& heading) {
    option_->group(heading);
    return *this;
}
CommandOption& CommandOption::show_default() {
    option_->capture_default_str();
    return *this;
}

CommandLine CommandLine::add(const std::string& name, const std::string& text) {
    return CommandLine(*app_->add_subcommand(name, text));
}
void CommandLine::examples(const std::string& lines) {
    app_->footer("Examples:\n" + lines);
    app_->formatter(std::make_shared<ExamplesFirst>());
    app_->get_formatter()->column_width(32);
}
void CommandLine::when_chosen(std::function<void()> act) { app_->callback(std::move(act)); }

CommandOption CommandLine::option(const std::string& names, std::string& target,
                                  const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names, std::vector<std::string>& target,
                                  const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names, double& target,
                                  const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names, u16& target, const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names, u32& target, const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names, u64& target, const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names, std::optional<u64>& target,
                                  const std::string& help) {
    return CommandOption(app_->add_option(names, target, help));
}
CommandOption CommandLine::option(const std::string& names,
                                  std::function<void(const std::string&)> take,
                                  const std::string& help) {
    return CommandOption(app_->add_option_function<std::string>(names, take, help));
}
CommandOption CommandLine::option(const std::string& names, std::function<void(double)> take,
                                  const std::string& help) {
    return CommandOption(app_->add_option_function<double>(names, take, help));
}
CommandOption CommandLine::flag(const std::string& names, bool& target, const std::string& help) {
    return CommandOption(app_->add_flag(names, target, help));
}
CommandOption CommandLine::flag(const std::string& names, std::function<void()> act,
                                const std::string& help) {
    return CommandOption(app_->add_flag_callback(names, std::move(act), help));
}

void refuse(const std::string& option, const std::string& value, const std::string& wanted) {
    throw CLI::ValidationError(option, "\"" + value + "\" is not " + wanted);
}

std::optional<int> read_command_line(int argc, char** argv, const std::string& program,
                                     const std::string& text,
                                     const std::function<void(CommandLine&)>& describe) {
    CLI::App app(text, program);
    app.require_subcommand(0, 1);
    CommandLine command(app);
    describe(command);
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        return refuse_all(app, error);
    }
    return std::nullopt;
}

}  // namespace tapestry
