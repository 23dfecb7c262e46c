#pragma once

#include <filesystem>
#include <string>

namespace tapestry::test {

/// A page of docs/ has sections that tests make: expects `text` below the heading (a whole line, "## ...")
/// up to the next one. Otherwise the test fails with the lines that differ, and the new section lies beside
/// it in a file. With TAPESTRY_WRITE_PAGES in the environment it is written into the page instead.
void expect_section(const std::filesystem::path& page, const std::string& heading,
                    const std::string& text);

}  // namespace tapestry::test
