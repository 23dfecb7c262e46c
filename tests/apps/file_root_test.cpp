#include "apps/http/file_root.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "drivers/setup_error.h"
#include "tests/support/temp_dir.h"

namespace tapestry {
namespace {

std::string path_or_status(std::string_view target) {
    const auto path = path_of_target(target);
    return path ? "'" + *path + "'" : std::to_string(path.error());
}

TEST(PathOfTarget, UndoesTheEncodingOnce) {
    EXPECT_EQ(path_or_status("/"), "''");
    EXPECT_EQ(path_or_status("//a///b"), "'a/b'");
    EXPECT_EQ(path_or_status("/a%20b?c=d#e"), "'a b'");
    EXPECT_EQ(path_or_status("/%2541"), "'%41'");
    EXPECT_EQ(path_or_status("/x?../../y"), "'x'");
    EXPECT_EQ(path_or_status("http://host:80/a/b"), "'a/b'");
    EXPECT_EQ(path_or_status("http://host"), "''");
    EXPECT_EQ(path_or_status("/...."), "'....'");
}

TEST(PathOfTarget, RefusesMalformedOnes) {
    for (const char* target : {"", "*", "a", "host:80", "/%", "/%4", "/%zz", "/%00", "/a%00b"}) {
        EXPECT_EQ(path_or_status(target), "400") << target;
    }
}

TEST(PathOfTarget, NeverClimbs) {
    for (const char* target :
         {"/..", "/../x", "/a/../../x", "/%2e%2e/x", "/..%2fx", "/./x", "/a/..", "/%2E./x"}) {
        EXPECT_EQ(path_or_status(target), "404") << target;
    }
}

/// A tree with everything that should not be given away, and a file outside of it.
class FileRootTest : public testing::Test {
protected:
    FileRootTest() {
        namespace fs = std::filesystem;
        fs::create_directories(folder_.file("root/sub"));
        test::write_file(folder_.file("secret"), {'s'});
        test::write_file(folder_.file("root/a.txt"), {'a', 'b', 'c'});
        test::write_file(folder_.file("root/.hidden"), {'h'});
        fs::create_symlink(folder_.file("secret"), folder_.file("root/absolute"));
        fs::create_symlink("../secret", folder_.file("root/relative"));
        fs::create_symlink("..", folder_.file("root/up"));
        mkfifo(folder_.file("root/fifo").c_str(), 0600);
    }
    int status(const std::string& path) {
        const auto entry = FileRoot(folder_.file("root")).open(path);
        return entry ? 200 : entry.error();
    }
    test::TempDir folder_;
};

TEST_F(FileRootTest, GivesFilesAndDirectories) {
    const FileRoot root(folder_.file("root"));
    const auto file = root.open("a.txt");
    ASSERT_TRUE(file);
    EXPECT_EQ(file->size, 3U);
    EXPECT_FALSE(file->directory);
    ASSERT_TRUE(root.open(""));
    EXPECT_TRUE(root.open("")->directory);
    EXPECT_TRUE(root.open("sub")->directory);
    EXPECT_EQ(status("nothing"), 404);
    EXPECT_EQ(status("a.txt/x"), 404);
}

TEST_F(FileRootTest, NothingOutsideIsOpened) {
    for (const char* path :
         {"absolute", "relative", "up/secret", "up", "../secret", "sub/../../secret"}) {
        EXPECT_EQ(status(path), 403) << path;
    }
    EXPECT_NE(status(folder_.file("secret")), 200);
}

TEST_F(FileRootTest, APipeIsRefusedAndNotWaitedFor) { EXPECT_EQ(status("fifo"), 403); }

TEST_F(FileRootTest, ListsWithoutHiddenNames) {
    const FileRoot root(folder_.file("root"));
    const auto entry = root.open("");
    ASSERT_TRUE(entry);
    EXPECT_EQ(root.list(*entry),
              (std::vector<std::string>{"a.txt", "absolute", "fifo", "relative", "sub/", "up"}));
}

TEST_F(FileRootTest, ARootThatIsNotThereIsAnError) {
    EXPECT_THROW(FileRoot(folder_.file("none")), SetupError);
    EXPECT_THROW(FileRoot(folder_.file("secret")), SetupError);
}

}  // namespace
}  // namespace tapestry
