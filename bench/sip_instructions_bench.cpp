// Instructions per message, repeatable: the measured calls stand in functions of their own, which
// callgrind counts and nothing else (docs/measured.md, "SIP text").
//
//     valgrind --tool=callgrind --toggle-collect=holdfast_parse
//     build/release/bench/sip_instructions_bench a
//
// prints the total of 1,000 parses of message (a); holdfast_print with `print` counts 1,000
// REGISTERs.
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "sip/message.h"
#include "sip/writer.h"

using namespace holdfast::sip;

namespace {

constexpr int rounds = 1'000;

std::string read(std::string_view name) {
    std::ifstream file(std::string(HOLDFAST_TEST_DATA "/messages/") + std::string(name),
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

extern "C" __attribute__((noinline)) bool holdfast_parse(Message& message, std::string_view text) {
    return message.reparse(text).has_value();
}

extern "C" __attribute__((noinline)) void holdfast_print(std::string& out) {
    out.clear();
    Writer writer(out);
    writer.request_line(Method::register_, "sip:pbx.example.com");
    writer.via({.transport = "UDP",
                .sent_by = "192.168.1.23:5060",
                .branch = "z9hG4bKPjkq3Rz0bV7mT2hYwXcLd8nFaGpQ1sE6uJ"});
    writer.max_forwards(70);
    writer.from("Alice Example", "sip:1001@pbx.example.com", "Zt4kX9wLq2HnVb7e");
    writer.to("Alice Example", "sip:1001@pbx.example.com", {});
    writer.call_id("7fK2mQxP0dR9sTbYwZ4hLcVn3aEgJu6i");
    writer.cseq(41234, Method::register_);
    writer.header(HeaderName::user_agent, "ExampleUA/1.0 (Linux x86_64)");
    writer.contact("sip:1001@192.168.1.23:5060;ob",
                   ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1");
    writer.header(HeaderName::expires, 300U);
    writer.header(HeaderName::supported, "path, outbound, gruu");
    writer.header(HeaderName::allow,
                  "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
    writer.finish();
}

int main(int count, char** arguments) {
    const std::string_view which = count > 1 ? arguments[1] : "all";
    constexpr std::array<std::string_view, 5> names = {
        "a_register.sip", "b_401.sip", "c_200_register.sip", "d_invite.sip", "e_notify.sip"};
    for (const auto name : names) {
        if (which != "all" && !name.starts_with(which)) continue;
        const std::string text = read(name);
        Message message;
        for (int i = 0; i < rounds; ++i)
            if (!holdfast_parse(message, text)) return 1;
    }
    if (which != "all" && which != "print") return 0;
    std::string out;
    for (int i = 0; i < rounds; ++i) holdfast_print(out);
    if (out != read("a_register.sip")) {
        std::fprintf(stderr, "the printed REGISTER is not the one in the file:\n%s", out.c_str());
        return 1;
    }
    return 0;
}
