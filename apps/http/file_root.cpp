#include "apps/http/file_root.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "drivers/setup_error.h"

namespace tapestry {
namespace {

constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Undoes percent-encoding; false when it is malformed or hides a NUL.
bool decode(std::string_view text, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return false;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return false;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (c == '\0') return false;
        out += c;
    }
    return true;
}

/// Where openat2() is not to be had (Linux before 5.6, some containers): part by part, and no symbolic
/// link at all.
UniqueFd open_part_by_part(int root, const std::string& path) {
    UniqueFd at(openat(root, ".", kFlags | O_DIRECTORY));
    std::string_view rest = path;
    while (at && !rest.empty()) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string part(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (part.empty() || part == "." || part == "..") return {};
        const int directory = rest.empty() ? 0 : O_DIRECTORY;
        at = UniqueFd(openat(at.get(), part.c_str(), kFlags | O_NOFOLLOW | directory));
    }
    return at;
}

}  // namespace

FileRoot::FileRoot(const std::string& path)
    : root_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (!root_) throw SetupError("cannot serve " + path, errno);
}

UniqueFd FileRoot::open_beneath(const std::string& path) const {
    open_how how{};
    how.flags = kFlags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const char* name = path.empty() ? "." : path.c_str();
    const long fd = syscall(SYS_openat2, root_.get(), name, &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != ENOSYS && errno != EPERM) return {};
    return open_part_by_part(root_.get(), path);
}

std::expected<FileRoot::Entry, int> FileRoot::open(const std::string& path) const {
    Entry entry;
    entry.fd = open_beneath(path);
    if (!entry.fd) {
        const bool forbidden = errno == EACCES || errno == EXDEV || errno == ELOOP;
        return std::unexpected(forbidden ? 403 : 404);
    }
    struct stat status {};
    if (fstat(entry.fd.get(), &status) != 0) return std::unexpected(404);
    entry.directory = S_ISDIR(status.st_mode);
    if (!entry.directory && !S_ISREG(status.st_mode)) return std::unexpected(403);
    entry.size = entry.directory ? 0 : static_cast<u64>(status.st_size);
    entry.modified = status.st_mtime;
    return entry;
}

std::vector<std::string> FileRoot::list(const Entry& directory) const {
    std::vector<std::string> names;
    const int copy = openat(directory.fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return names;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy), closedir);
    if (!stream) return names;
    while (const dirent* entry = readdir(stream.get())) {
        std::string name = entry->d_name;
        if (name.starts_with('.')) continue;
        if (entry->d_type == DT_DIR) name += '/';
        names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    return names;
}

std::expected<std::string, int> path_of_target(std::string_view target) {
    // RFC 9112 3.2.2: "a server MUST accept the absolute-form in requests".
    if (target.starts_with("http://")) {
        const std::size_t slash = target.find('/', 7);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    target = target.substr(0, target.find_first_of("?#"));
    if (!target.starts_with('/')) return std::unexpected(400);
    std::string decoded;
    if (!decode(target, decoded)) return std::unexpected(400);
    std::string path;
    std::string_view rest = decoded;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (part.empty()) continue;
        if (part == "." || part == "..") return std::unexpected(404);
        if (!path.empty()) path += '/';
        path += part;
    }
    return path;
}

}  // namespace tapestry
