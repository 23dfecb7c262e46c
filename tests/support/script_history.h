#pragma once

#include <map>
#include <string>
#include <vector>

#include "stack/trace/trace.h"
#include "tests/support/script_wire.h"

namespace tapestry::test {

/// "0.100000"
std::string script_time(Duration time);
/// "P. 1:11(10) ack 1 win 500 <nop,nop,TS val 1 ecr 2>"
std::string to_string(const SeenSegment& segment);
std::string to_string(const TcpSnapshot& snapshot, const ScriptWire& wire, u32 flow);

/// Writes down what happens, for the report of a failure, and remembers the last state of every
/// connection.
class ScriptHistory final : public TraceSink {
public:
    explicit ScriptHistory(TimePoint origin) : origin_(origin) {}

    void add(TimePoint now, const std::string& text);
    /// All lines, numbered.
    std::string text() const;
    /// The last state of a connection; null: there has been none.
    const TcpSnapshot* snapshot(const PortPair& ports) const;

    void on_drop(const DropEvent& event) override;
    void on_tcp(const TcpEvent& event) override;

private:
    TimePoint origin_;
    std::vector<std::string> lines_;
    std::map<PortPair, TcpSnapshot> snapshots_;
};

}  // namespace tapestry::test
