#pragma once

#include "apps/options.h"

namespace tapestry {

/// Each adds one subcommand to the program. When the command line chooses it, it puts what is to be run
/// into `chosen`.
void add_get(CommandLine& program, Action& chosen);
void add_bench(CommandLine& program, Action& chosen);
void add_serve(CommandLine& program, Action& chosen);
void add_ping(CommandLine& program, Action& chosen);
void add_nc(CommandLine& program, Action& chosen);
void add_doctor(CommandLine& program, Action& chosen);
void add_inspect(CommandLine& program, Action& chosen);
void add_replay(CommandLine& program, Action& chosen);
void add_router(CommandLine& program, Action& chosen);
void add_nat(CommandLine& program, Action& chosen);
void add_lab(CommandLine& program, Action& chosen);

}  // namespace tapestry
