// Registers an account and prints every event, until Ctrl-C.
//
//   HOLDFAST_PASSWORD=… register_and_print sip:alice@example.test [REGISTRAR]
//
// The runtime does all I/O: DNS, UDP, TCP and TLS, timers, network changes.
#include <holdfast/engine/engine.h>
#include <holdfast/runtime/driver.h>
#include <holdfast/runtime/loop.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace holdfast;

class Printer final : public runtime::Observer {
public:
    void on_event(Instant, const Event& event) override {
        const std::string target = event.target ? " " + event.target->to_string() : "";
        const std::string reason = event.reason.empty() ? "" : ": " + event.reason;
        std::printf("%s%s%s\n", std::string(name_of(event.kind)).c_str(), target.c_str(),
                    reason.c_str());
        std::fflush(stdout);
    }
};

}  // namespace

int main(int count, char** words) {
    if (count < 2) {
        std::fprintf(stderr, "usage: HOLDFAST_PASSWORD=… %s AOR [REGISTRAR]\n", words[0]);
        return 2;
    }
    registration::AccountConfig account;
    account.aor = words[1];
    if (count > 2) account.registrar = words[2];
    if (const char* password = std::getenv("HOLDFAST_PASSWORD"))
        account.password = Redacted<std::string>(password);

    runtime::Loop loop;
    runtime::DriverOptions options;
    // What a phone knows should outlive it (state_directory); this one forgets everything.
    options.keep_state = false;
    const auto driver = runtime::Driver::open(loop, options);
    if (!driver) {
        std::fprintf(stderr, "%s\n", driver.error().sentence.c_str());
        return 1;
    }
    Engine engine((*driver)->engine_options());
    Printer printer;
    (*driver)->add_observer(printer);
    (*driver)->attach(runtime::machine_of(engine));
    (*driver)->submit(in::AddAccount{AccountId{1}, account});
    constexpr std::array signals{SIGINT, SIGTERM};
    loop.on_signals(signals, [&](int) { (*driver)->submit(in::ShutDown{}); });
    (*driver)->run();  // until the engine has unregistered and said `stopped`
}
