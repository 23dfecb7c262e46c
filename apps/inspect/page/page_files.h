#pragma once

#include <span>
#include <string_view>

namespace tapestry {

/// A file that pages are made of.
struct PageFile {
    std::string_view name;  ///< "page.css"
    std::string_view text;
};

/// apps/inspect/page/page.html and what it names, and the library that draws the plots with its licence,
/// as they were when the program was built. CMake writes the table.
std::span<const PageFile> page_files();

}  // namespace tapestry
