#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stack/base/types.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tapestry {

/// What is to run once the whole command line has been read; returns the exit status.
using Action = std::function<int()>;

/// An option of a command, to be described further.
class CommandOption {
public:
    explicit CommandOption(CLI::Option* option) : option_(option) {}
    CommandOption& required();
    /// What the help calls its value: "BYTES".
    CommandOption& value(const std::string& name);
    /// A number from `low` to `high`; the help does not say so by itself.
    CommandOption& between(int low, int high);
    CommandOption& between(double low, double high);
    CommandOption& one_of(const std::vector<std::string>& words);
    /// ... which the help lists.
    CommandOption& one_of_listed(const std::vector<std::string>& words);
    /// A list that grows by one value each time the option is given.
    CommandOption& repeated();
    /// The heading in the help under which it stands.
    CommandOption& group(const std::string& heading);
    CommandOption& show_default();

private:
    CLI::Option* option_;
};

/// A command, or the program itself, whose command line is described. Only this knows CLI11, which takes
/// seconds to compile: its templates are used in command_line.cpp alone.
class CommandLine {
public:
    explicit CommandLine(CLI::App& app) : app_(&app) {}

    /// A subcommand.
    CommandLine add(const std::string& name, const std::string& text);
    /// Makes `--help` begin with these lines: examples answer most questions.
    void examples(const std::string& lines);
    /// Of the subcommand that the command line has chosen.
    void when_chosen(std::function<void()> act);

    /// `names`: "-o,--output", or "FILE" for a word without a name. The target keeps its value when the
    /// option is not given.
    CommandOption option(const std::string& names, std::string& target, const std::string& help);
    CommandOption option(const std::string& names, std::vector<std::string>& target,
                         const std::string& help);
    CommandOption option(const std::string& names, double& target, const std::string& help);
    CommandOption option(const std::string& names, u16& target, const std::string& help);
    CommandOption option(const std::string& names, u32& target, const std::string& help);
    CommandOption option(const std::string& names, u64& target, const std::string& help);
    CommandOption option(const std::string& names, std::optional<u64>& target,
                         const std::string& help);
    /// `take` is given the value, and may refuse() it.
    CommandOption option(const std::string& names, std::function<void(const std::string&)> take,
                         const std::string& help);
    CommandOption option(const std::string& names, std::function<void(double)> take,
                         const std::string& help);
    /// "!--no-kernel" makes it false.
    CommandOption flag(const std::string& names, bool& target, const std::string& help);
    CommandOption flag(const std::string& names, std::function<void()> act,
                       const std::string& help);

private:
    CLI::App* app_;
};

/// Ends the reading of the command line: `--mtu: "12" is not ...`.
[[noreturn]] void refuse(const std::string& option, const std::string& value,
                         const std::string& wanted);

/// Reads the command line of `program`, whose subcommands `describe` adds. An exit status where there is
/// nothing to run: --help was asked for, or something is wrong, which is said in one line.
std::optional<int> read_command_line(int argc, char** argv, const std::string& program,
                                     const std::string& text,
                                     const std::function<void(CommandLine&)>& describe);

}  // namespace tapestry
