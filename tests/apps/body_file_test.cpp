#include "apps/body_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "apps/failure.h"
#include "tests/support/temp_dir.h"

namespace tapestry {
namespace {

std::size_t files_in(const std::string& folder) {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++n;
    return n;
}

const std::vector<u8> kText{'t', 'e', 'x', 't'};

TEST(BodyFile, AppearsWhenItIsWhole) {
    const test::TempDir folder;
    const std::string path = folder.file("body");
    {
        BodyFile file(path);
        EXPECT_TRUE(file.write(kText));
        EXPECT_FALSE(std::filesystem::exists(path));
        file.commit();
    }
    EXPECT_EQ(test::read_file(path), kText);
    EXPECT_EQ(files_in(folder.file("")), 1U);
}

TEST(BodyFile, AFailureLeavesWhatWasThere) {
    const test::TempDir folder;
    const std::string path = folder.file("body");
    test::write_file(path, {'o', 'l', 'd'});
    { EXPECT_TRUE(BodyFile(path).write(kText)); }
    EXPECT_EQ(test::read_file(path), (std::vector<u8>{'o', 'l', 'd'}));
    EXPECT_EQ(files_in(folder.file("")), 1U);
}

TEST(BodyFile, KeepsThePermissionsOfWhatItReplaces) {
    const test::TempDir folder;
    const std::string path = folder.file("body");
    test::write_file(path, {'o'});
    ASSERT_EQ(chmod(path.c_str(), 0640), 0);
    BodyFile file(path);
    file.commit();
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640U);
}

TEST(BodyFile, ADeviceIsWrittenInPlace) {
    BodyFile file("/dev/null");
    EXPECT_TRUE(file.write(kText));
    file.commit();
    BodyFile full("/dev/full");
    EXPECT_FALSE(full.write(kText));
}

TEST(BodyFile, AFolderThatIsNotThereIsCurls23) {
    const test::TempDir folder;
    try {
        const BodyFile file(folder.file("none/body"));
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), 23);
    }
}

}  // namespace
}  // namespace tapestry
