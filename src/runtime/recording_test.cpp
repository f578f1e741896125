// --record FILE: what a driver writes can be read back, is the user's alone, and holds no secret.
#include "runtime/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

TEST(Recorder, DriversStepsComeBack) {
    const TemporaryDirectory directory;
    const auto file = directory.path() / "run.jsonl";
    Loop loop;
    ScriptedMachine machine{[](Instant, const Input& input, Outbox& outbox) {
        if (std::holds_alternative<in::AddAccount>(input))
            outbox.push(out::Store{.key = "k", .value = "v"});
        if (std::holds_alternative<in::ShutDown>(input)) outbox.push(event_of(EventKind::stopped));
    }};
    Seed seed{};
    {
        DriverOptions options;
        options.keep_state = false;
        options.record_file = file;
        auto driver = Driver::open(loop, options);
        ASSERT_TRUE(driver) << driver.error().sentence;
        seed = (*driver)->engine_options().seed;
        (*driver)->attach(machine_of(machine));
        registration::AccountConfig config;
        config.aor = "sip:alice@example.test";
        config.password = Redacted{std::string{"s3cret"}};
        (*driver)->submit(in::AddAccount{.account = AccountId{1}, .config = config});
        (*driver)->submit(in::ShutDown{});
        (*driver)->run();
    }
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);

    const auto recording = read_recording(file);
    ASSERT_TRUE(recording) << recording.error().sentence;
    EXPECT_EQ(recording->options.seed, seed);
    ASSERT_EQ(recording->steps.size(), machine.inputs.size());
    EXPECT_TRUE(std::holds_alternative<in::NetworkChanged>(recording->steps[0].input));
    ASSERT_TRUE(std::holds_alternative<in::AddAccount>(recording->steps[1].input));
    EXPECT_EQ(std::get<in::AddAccount>(recording->steps[1].input).config.aor,
              "sip:alice@example.test");
    EXPECT_EQ(recording->steps[1].outputs.size(), 1U);
    EXPECT_THAT(recording->steps[2].outputs.back(), HasSubstr("stopped"));

    std::ifstream stream{file};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    EXPECT_THAT(text, Not(HasSubstr("s3cret")));
}

TEST(Recorder, FileThatCannotBeWrittenIsASentence) {
    const TemporaryDirectory directory;
    const auto recorder = Recorder::create(directory.path() / "missing" / "file", {});
    ASSERT_FALSE(recorder);
    EXPECT_EQ(recorder.error().kind, FailureKind::recording);
    EXPECT_FALSE(read_recording(directory.path() / "missing"));
}

}  // namespace
}  // namespace holdfast::runtime
