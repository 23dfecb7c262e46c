#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "stack/base/types.h"

/// Stands in for libFuzzer where the compiler has none: feeds the files of the folders that it is
/// given to the target, each as it is and broken in some ways, always the same.

extern "C" int LLVMFuzzerTestOneInput(const tapestry::u8* data, std::size_t size);

namespace {

using Input = std::vector<tapestry::u8>;

/// Longer files only as they are: the ways to break them are the same.
constexpr std::size_t kLongFile = 40000;
constexpr int kVariants = 12;

Input read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void feed(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

/// Cut off somewhere, bytes replaced, or a piece of it doubled.
Input broken(const Input& whole, std::mt19937& random) {
    const auto below = [&](std::size_t n) { return random() % n; };
    Input input = whole;
    if (below(3) == 0) input.resize(below(input.size()));
    for (std::size_t n = below(8); n > 0 && !input.empty(); --n) {
        input[below(input.size())] = static_cast<tapestry::u8>(below(256));
    }
    if (below(4) == 0 && !input.empty()) {
        const std::size_t at = below(input.size());
        const Input piece(input.begin() + static_cast<std::ptrdiff_t>(at), input.end());
        input.insert(input.end(), piece.begin(), piece.end());
    }
    return input;
}

}  // namespace

int main(int argc, char** argv) {
    std::mt19937 random(1);
    int count = 0;
    feed({});
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            if (!entry.is_regular_file()) continue;
            const Input whole = read(entry.path());
            feed(whole);
            ++count;
            if (whole.empty() || whole.size() > kLongFile) continue;
            for (int n = 0; n < kVariants; ++n, ++count) feed(broken(whole, random));
        }
    }
    std::printf("%d inputs\n", count);
    return count == 0 ? 1 : 0;
}
