// The programs of examples/, and the command, with the lab's registrar on loopback: what
// docs/embedding.md promises is what they do. tools/test-package runs the same tests with what the
// Debian packages installed, in a root of its own: HOLDFAST_INSTALLED_ROOT is that root, and the
// programs are started with chroot.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/faults/command_world.h"

namespace holdfast::faults {
namespace {

class Examples : public CommandWorld {
protected:
    static std::string installed_root() {
        const auto* const root = std::getenv("HOLDFAST_INSTALLED_ROOT");
        return root == nullptr ? "" : root;
    }
    // The words that start a program: of this build, or of the installed packages.
    static std::vector<std::string> program(const std::string& built,
                                            const std::string& installed) {
        if (const auto root = installed_root(); !root.empty())
            return {"/usr/sbin/chroot", root, installed};
        return {built};
    }
    static std::vector<std::string> example(const std::string& name) {
        return program(std::string(HOLDFAST_EXAMPLES) + "/" + name, "/examples-build/" + name);
    }
    CommandRun& start_example(const std::string& name,
                              const std::vector<std::string>& arguments = {}) {
        return runs.emplace_back(arguments, Environment{{"HOLDFAST_PASSWORD", "secret"}},
                                 example(name));
    }
    // Of the first server, by address: the examples ask no name server of ours.
    [[nodiscard]] std::string registrar() const {
        return "sip:" + world->target(0, Transport::udp).endpoint.to_string();
    }
    // Registers, is found in the location service, and leaves nothing there.
    void expect_registers_and_leaves(CommandRun& run, std::string_view registered) {
        ASSERT_TRUE(run_until([&] { return run.said(registered) || run.ended(); })) << story(run);
        ASSERT_TRUE(run.said(registered)) << story(run);
        EXPECT_EQ(bindings().size(), 1U) << story(run);
        ASSERT_TRUE(leave(run)) << story(run);
        EXPECT_EQ(run.exit_code(), 0) << story(run);
        EXPECT_TRUE(bindings().empty()) << story(run);
    }
};

TEST_F(Examples, RegisterAndPrint) {
    auto& run = start_example("register_and_print", {aor, registrar()});
    expect_registers_and_leaves(run, "registered udp:127.");
    EXPECT_TRUE(run.said("stopped")) << story(run);
}

TEST_F(Examples, OwnLoop) {
    auto& run = start_example("own_loop", {aor, registrar()});
    expect_registers_and_leaves(run, "registered");
    EXPECT_TRUE(run.said("stopped")) << story(run);
}

// I7: nothing is asked of the host, so that two runs say the same, byte for byte.
TEST_F(Examples, WithoutIoSaysTheSameEachTime) {
    auto& first = start_example("without_io");
    auto& second = start_example("without_io");
    ASSERT_TRUE(run_until_end(first) && run_until_end(second));
    EXPECT_EQ(first.exit_code(), 0) << story(first);
    for (const auto* said : {"ask DNS: A of example.test", "send REGISTER sip:example.test",
                             "event registered", "event refreshed"})
        EXPECT_TRUE(first.said(said)) << said << "\n" << story(first);
    EXPECT_EQ(first.output(), second.output());
}

TEST_F(Examples, UsageIsSaid) {
    for (const auto* name : {"register_and_print", "own_loop"}) {
        auto& run = start_example(name);
        ASSERT_TRUE(run_until_end(run));
        EXPECT_EQ(run.exit_code(), 2) << story(run);
        EXPECT_TRUE(run.complained("usage: ")) << story(run);
    }
}

// The command, as it is installed, with the user, the file and the state of its unit; the state is
// what is left of it. In the build tree with a file and a state of the test's own.
TEST_F(Examples, InstalledCommandRegisters) {
    const auto root = installed_root();
    std::string state = "/var/lib/holdfast/alice";
    std::string config = "/etc/holdfast/alice.toml";  // tools/test-package has written it
    std::vector<std::string> command{"/usr/sbin/chroot", "--userspec=holdfast:holdfast", root,
                                     "/usr/bin/holdfast"};
    if (root.empty()) {
        state = (scratch.path() / "state").string();
        config = (scratch.path() / "alice.toml").string();
        std::ofstream(config) << "aor = \"" << aor << "\"\npassword = \"secret\"\n";
        std::filesystem::permissions(config, std::filesystem::perms::owner_read);
        command = {HOLDFAST_COMMAND};
    }
    auto& run =
        runs.emplace_back(std::vector<std::string>{"register", "--config", config, "--json",
                                                   "--registrar", registrar(), "--state", state},
                          Environment{}, command);
    expect_registers_and_leaves(run, "\"registered\"");
    EXPECT_TRUE(std::filesystem::exists(root + state));
}

}  // namespace
}  // namespace holdfast::faults
