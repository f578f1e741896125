#include <unistd.h>

#include <algorithm>
#include <array>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"
#include "apps/cli/help.h"
#include "apps/cli/terminal.h"
#include "apps/phone/typed_number.h"

namespace holdfast::cli {

namespace {

constexpr std::array table{
    Command{"register", "AOR", "register an account and stay registered and reachable",
            "Registers the account AOR (sip:alice@example.test) and keeps it registered and\n"
            "reachable until it is interrupted. Finds the servers by DNS, leaves one that is\n"
            "dead, and says what it does.\n\n"
            "The password is taken from HOLDFAST_PASSWORD, else from the configuration file,\n"
            "else asked for on the terminal. A password that never worked ends the command;\n"
            "all other failures are said and tried again. With --once the first outcome\n"
            "ends it.\n\n"
            "SIGINT and SIGTERM unregister (2 s at most) and end it; the exit code is that of\n"
            "the state it was in. SIGHUP registers again now.",
            for_register, run_register},
    Command{
        "call", "URI", "call somebody, with sound, and say how it went",
        "Registers the account (--account AOR, or the aor of --config FILE), calls URI and\n"
        "carries the sound until one side hangs up. URI is sip:bob@example.test, or a\n"
        "number or user of the account's domain. The password is found as by register.\n"
        "Without an account it calls a whole URI straight at its host, and registers nowhere.\n\n"
        "On a host without sound use --audio null, with --play FILE and --record FILE.\n\n"
        "The exit code is 0 if the call was answered, 20 if it was not, 21 if its sound\n"
        "could not be had; else that of the registration. SIGINT hangs up and ends it.",
        for_call, run_call},
    Command{"answer", "AOR", "wait for a call and take it",
            "Registers the account AOR, answers the first call that comes, and ends when the\n"
            "call does. Others that come meanwhile are busy (486). Options and exit codes are\n"
            "those of call.\n\n"
            "Without AOR it registers nowhere and waits for who calls this host straight, at UDP\n"
            "port 5060 or that of --local, and says where that is. TCP and TLS are not listened\n"
            "at. Whoever can send a packet to that port can make it ring.",
            for_answer, run_answer},
    Command{
        "phone", "AOR", "be a phone: many calls, by a console and a control socket",
        "Registers the account AOR, or all of the [[account]] tables of --config FILE, and is\n"
        "a phone until it is told to quit: it says who calls, and does what is typed (help\n"
        "lists the verbs) or said with holdfast ctl. Other programs drive it by its control\n"
        "socket, in JSON-RPC 2.0. Calls that were are kept in a history.\n\n"
        "Without AOR, and without one in the file, it registers nowhere: whoever calls this\n"
        "host straight makes it ring, as with answer, and it calls whole URIs straight.\n\n"
        "Passwords are found as by register, those of several accounts in the file. A\n"
        "failure of an account is said and ends nothing. SIGHUP registers again now.\n\n"
        "quit, SIGINT and SIGTERM hang up, unregister and end it; a second signal at once. The\n"
        "exit code is 0, or 17 if registrations stay at the servers.",
        for_phone, run_phone},
    Command{"ctl", "VERB", "tell a running phone what to do, or ask it",
            "Says VERB to the phone that runs, and prints its answer. The verbs: status,\n"
            "dial URI [ACCOUNT], voicemail [ACCOUNT], pickup EXTENSION [ACCOUNT],\n"
            "answer [CALL], reject [CALL] [STATUS],\n"
            "hangup [CALL|all|incoming|calling], hold [CALL], resume [CALL], dtmf [CALL] DIGITS,\n"
            "mute and unmute [CALL] [microphone|speaker|both], record [CALL] FILE,\n"
            "stoprecording [CALL], conference [CALL]…, split [CALL], transfer [CALL] URI,\n"
            "connect CALL OTHER, dnd [on|off], onecall [on|off], autoanswer [off|asked|TIME],\n"
            "forward [always|busy|noanswer|after] [WHOM|off|TIME], deny [PATTERN],\n"
            "allow PATTERN, history [TEXT], hello, quit; and events [NAME…], which prints what\n"
            "happens until it is interrupted. CALL is a number that status lists; without it\n"
            "the only call is meant that the verb can be for.\n\n"
            "The exit code is 0 if the phone did it, 24 if it did not, 23 if none runs.",
            for_ctl, run_ctl, 64},
    Command{"devices", "", "list the codecs and sound devices that calls can use here",
            "Lists the codecs that are installed, in the order in which they are offered, and the\n"
            "devices that --audio takes; and what is missing.",
            for_devices, run_devices},
    Command{"run", "", "keep many accounts registered, on all cores",
            "Registers all accounts of the configuration file --config FILE ([[account]]\n"
            "tables; docs/run.md) and keeps them registered and reachable. Prints what\n"
            "changes, serves metrics, tells hooks.\n\n"
            "SIGHUP reads the file again: accounts that are as before do not notice.\n"
            "SIGUSR1 registers all accounts again now, at the rate that is allowed. SIGINT and\n"
            "SIGTERM unregister all at that rate (--stop-within at most) and end it;\n"
            "a second one ends it at once.",
            for_run, run_fleet},
    Command{"resolve", "URI", "show to which servers a URI leads, in rank order and why",
            "Looks up the servers of URI as `holdfast register` would and prints them in the\n"
            "order in which they would be tried. The order is the device's and the account's\n"
            "own: give the account (sip:alice@example.test) and the same --state. A domain\n"
            "alone stands for the account of that domain that the state knows.",
            for_resolve, run_resolve},
    Command{
        "doctor", "AOR", "say why an account can or cannot be reached",
        "Looks at the account from outside, step by step, and says of each what was seen, why\n"
        "it matters and what to do: DNS, the servers by each transport, the NAT, registration\n"
        "and bindings, whether a call would arrive through each server, large requests, the\n"
        "clock. Ends with a paragraph: is the account reachable, and for how long would it not\n"
        "be if its server died (docs/doctor.md).\n\n"
        "It disturbs nobody: few requests, at a slow pace; a binding of its own is made only\n"
        "where it evicts nobody's, and removed again, after SIGINT and SIGTERM too. A phone\n"
        "that runs here is asked what it knows. The password is found as by register. The\n"
        "report holds no secret.\n\n"
        "The exit code is 0 if all is good, 25 if something is doubtful, 26 if something is\n"
        "bad.",
        for_doctor, run_doctor},
    Command{"presets", "", "list the named policies", "Lists the names that --preset takes.",
            for_policy, run_presets},
    Command{"policy", "", "list every policy value with its meaning",
            "Lists every key that --set takes, with its value, what it may be and what it\n"
            "means. With --preset or --set: the values that these give.",
            for_policy, run_policy},
    Command{"demo", "", "show on loopback what the promise is worth, beside other phones",
            "Runs servers, DNS and a NAT of its own on loopback addresses and lets phones with\n"
            "several presets meet the same troubles at the same time: refreshes under rotating\n"
            "DNS, a dead server, a dying server, a NAT that rebinds. Measures with calls how\n"
            "long each cannot be reached. Takes a minute, needs no root, leaves nothing behind.\n\n"
            "--record keeps what went into Holdfast's phone whose server dies. The exit code\n"
            "is 0 only if Holdfast kept its promise.",
            for_demo, run_demo},
    Command{
        "lab", "WORD", "replay troubles of phones in virtual time, and judge policies",
        "Plays scenarios in a simulated internet: servers, DNS, NATs, phones, callers, and\n"
        "what breaks when. A week takes seconds, and a seed gives the same run every time.\n\n"
        "lab run FILE… runs scenario files (docs/lab.md), or those that come with Holdfast by\n"
        "their names. It prints what each preset's phones went through, side by side, and\n"
        "whether what the file expects holds. Without --preset, phones that name none run\n"
        "holdfast. lab list lists the scenarios that come with Holdfast.\n\n"
        "lab swarm runs random worlds (--runs, from --seed on), each with minutes of faults,\n"
        "after which the invariants must hold (docs/swarm.md). Of a failure it says what broke,\n"
        "how small that world can be made so that it still breaks, and the command for it.\n\n"
        "lab replay RECORDING runs what register --record has kept through the engine again:\n"
        "all that it says must be as it was; the first difference is shown.\n\n"
        "With --html FILE, lab run also writes a page for a browser: when each phone could be\n"
        "reached, its bindings and calls, and every message, the presets on one time axis.\n\n"
        "The exit code is 1 if an expectation does not hold, an invariant broke or a replay\n"
        "differs, 3 if a file cannot be used, 10 if the page cannot be written.",
        for_lab, run_lab, 256},
    Command{"trace", "RECORDING", "draw the messages of a recording as a ladder",
            "Prints the messages that --record of register or resolve has kept, one a line, with\n"
            "the seconds since it began, where from and where to, and what the phone said\n"
            "meanwhile. With --html FILE it writes a page for a browser instead, on which each\n"
            "message opens.",
            for_trace, run_trace},
};

ExitCode print(std::string_view text) {
    Printer output(STDOUT_FILENO);
    output.write(text);
    return output.broken() ? ExitCode::host : ExitCode::ok;
}

ExitCode unknown_command(const std::string& word) {
    std::vector<std::string_view> known{"--help", "--version"};
    for (const auto& command : table) known.push_back(command.name);
    const auto kind = word.starts_with('-') ? "Unknown option " : "There is no command ";
    return complain(ExitCode::usage,
                    kind + word + suggestion(word, known) + " (holdfast --help lists them)");
}

}  // namespace

std::span<const Command> commands() { return table; }

ExitCode complain(ExitCode code, std::string_view sentence) {
    Printer errors(STDERR_FILENO);
    errors.write("holdfast: " + printable(sentence) +
                 (sentence.ends_with('.') || sentence.ends_with('?') ? "\n" : ".\n"));
    return code;
}

ExitCode run(const std::vector<std::string>& arguments) {
    if (arguments.empty()) {
        print(help());
        return ExitCode::usage;
    }
    const auto& word = arguments.front();
    if (word == "--version" || word == "-V") return print(version());
    if (word == "--help" || word == "-h") return print(help());
    const auto command = std::ranges::find(table, word, &Command::name);
    if (command == table.end()) return unknown_command(word);
    const auto line = parse_command_line(*command, {arguments.begin() + 1, arguments.end()});
    if (!line) return complain(ExitCode::usage, line.error());
    if (line->help) return print(help_of(*command));
    const std::size_t operands_most = command->operand.empty() ? 0 : command->operands_most;
    if (line->operands.size() > operands_most) {
        const auto& next = line->operands[operands_most];  // of `call 97, 1234` a PIN
        const bool is_shown = command->name != "call" && !phone::may_be_pin(next);
        return complain(ExitCode::usage,
                        is_shown ? "\"" + next + "\" is one argument too many"
                                 : "There is one argument too many: what is called is one, in "
                                   "quotes if it has blanks");
    }
    return command->run(line->operands, line->settings);
}

}  // namespace holdfast::cli
