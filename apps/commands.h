#pragma once

#include "apps/options.h"

namespace tapestry {

/// Each adds one subcommand to the program. When the command line chooses it, it puts what is to be run
/// into `chosen`.
void add_get(CLI::App& program, Action& chosen);
void add_bench(CLI::App& program, Action& chosen);
void add_serve(CLI::App& program, Action& chosen);
void add_ping(CLI::App& program, Action& chosen);
void add_nc(CLI::App& program, Action& chosen);
void add_doctor(CLI::App& program, Action& chosen);
void add_inspect(CLI::App& program, Action& chosen);
void add_replay(CLI::App& program, Action& chosen);
void add_router(CLI::App& program, Action& chosen);
void add_nat(CLI::App& program, Action& chosen);
void add_lab(CLI::App& program, Action& chosen);

}  // namespace tapestry
