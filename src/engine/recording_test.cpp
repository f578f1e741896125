// A recording gives back what was recorded, byte for byte, but for what must not be in it:
// passwords and the values of Authorization headers (design §4, Security).
#include "engine/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/recording_words.h"
#include "registration/policy.h"
#include "sdp/agreement.h"
#include "sip/message.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;
using testing::Not;

EngineOptions options() {
    EngineOptions options;
    options.seed = seed_from_number(0xfeedULL << 40U | 7);
    options.state = {{"call-id", "one"}, {"binary", "\xff\0"s}};
    options.started = Instant{12s};
    options.wall_clock = 1'700'000'000;
    options.user_agent = "Holdfast/1";
    options.registers_per_second = 50;
    options.leave_within = 7s;
    return options;
}

std::string recording_of(const std::vector<Input>& inputs) {
    auto text = recorded(options()) + "\n";
    auto now = options().started;
    for (const auto& input : inputs) text += recorded(now += 1ms, input) + "\n";
    return text;
}

// Everything that a stream can say, keys as a recording has them.
sdp::LocalStream full_stream() {
    return {.kind = sdp::MediaKind::video,
            .codecs = {{"opus", 48000, 2, "useinbandfec=1", std::uint8_t{111}},
                       {"telephone-event", 8000, 1, "0-16", std::nullopt}},
            .rtp = *Endpoint::parse("192.0.2.1:40000"),
            .rtcp = Endpoint::parse("192.0.2.1:40007"),
            .rtcp_mux = true,
            .direction = sdp::Direction::recvonly,
            .ptime = std::uint16_t{20},
            .maxptime = std::uint16_t{60},
            .bandwidth_kbps = 64U,
            .srtp = sdp::Srtp::required,
            .crypto = {{2, "AES_CM_128_HMAC_SHA1_80", Redacted{"AAAA"s}, "2^20|1:4", "X"}},
            .fingerprint = sdp::Fingerprint{"sha-256", "4A:AD"},
            .setup = sdp::Setup::active,
            .ice = sdp::IceCredentials{"frag", Redacted{"AAAAAA"s}},
            .candidates = {"1 1 UDP 1 192.0.2.1 40000 typ host", "\xff"},
            .ice_lite = true,
            .feedback = {"* nack pli"},
            .source = sdp::Source{7, "a@b"}};
}

std::vector<Input> one_of_each() {
    registration::AccountConfig config;
    config.aor = "sip:alice@example.test";
    config.display_name = "Alicé";
    config.password = Redacted{std::string{recorded_password}};
    config.backups = {{"sip:backup.test", "backup.domain.test"}};
    config.transport = Transport::tls;
    config.realms = {"a", "b"};
    config.contact_address = "phone.example.test:5070";
    config.stun = "stun.example.test";
    config.takes_calls = true;
    config.policy = *registration::preset("microsip-3.20");
    config.policy.patience = 1500ms;
    const dns::Answer answer{
        .status = dns::Status::ok,
        .records = {*IpAddress::parse("2001:db8::1"), dns::Srv{1, 2, 5060, "a.test"},
                    dns::Naptr{1, 2, "s", "SIP+D2U", "", "_sip._udp.test"},
                    dns::Cname{"a.test", "b.test"}},
        .ttl = 60s};
    return {in::Time{},
            in::FlowOpened{FlowId{1}, *Endpoint::parse("192.0.2.1:5070"), "example.test"},
            in::FlowFailed{FlowId{2}, FlowError::certificate, "for another name"},
            in::FlowClosed{FlowId{3}, FlowError::closed_by_peer, "\xff"},
            in::Received{FlowId{4}, "SIP/2.0 200 OK\r\n\r\n"},
            in::Received{FlowId{4}, "\0\0\0\0\xc3\x28"s},
            in::Stray{*Endpoint::parse("[::1]:5070"), *Endpoint::parse("[::1]:5071"), "x"},
            in::DnsAnswer{QueryId{5}, answer},
            in::NetworkChanged{{*IpAddress::parse("192.0.2.1")}, true},
            in::AddAccount{AccountId{6}, config},
            in::RemoveAccount{AccountId{6}},
            in::RegisterNow{},
            in::ChangePassword{AccountId{6}, Redacted{std::string{recorded_password}}},
            in::HangUp{AccountId{6}, CallRef{7}},
            in::Dial{AccountId{6},
                     CallRef{7},
                     "sip:bob@example.test",
                     {full_stream()},
                     {.redirects = call::Redirects::refuse,
                      .reliable = call::Reliable::required,
                      .session_interval = 600,
                      .least_interval = 120,
                      .no_answer = 30s,
                      .number = call::Number::withheld,
                      .headers = "Subject: x\r\n"},
                     CallRef{9}},
            in::Answer{CallRef{8}, {full_stream()}},
            in::Reject{CallRef{8}, 603, "sip:carol@example.test", call::Diverted::no_answer},
            in::Press{CallRef{8}, "AA,A", sip::DigitForm::plain, 200ms},
            in::Transfer{CallRef{8}, "sip:carol@example.test", call::Reports::unwanted},
            in::TransferTo{CallRef{8}, CallRef{9}},
            in::Hold{CallRef{8}},
            in::Resume{CallRef{8}},
            in::MediaChanged{CallRef{8}, {full_stream()}},
            in::ShutDown{}};
}

TEST(Recording, GivesBackEveryKindOfInput) {
    const auto inputs = one_of_each();
    ASSERT_EQ(inputs.size(), std::variant_size_v<Input> + 1)
        << "one of each, and bytes that are no text";
    const auto text = recording_of(inputs);
    const auto read = parse_recording(text);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->options.seed, options().seed);
    EXPECT_EQ(read->options.state, options().state);
    EXPECT_EQ(read->options.started, options().started);
    EXPECT_EQ(read->options.wall_clock, options().wall_clock);
    EXPECT_EQ(read->options.user_agent, options().user_agent);
    EXPECT_EQ(read->options.registers_per_second, options().registers_per_second);
    EXPECT_EQ(read->options.leave_within, options().leave_within);
    ASSERT_EQ(read->steps.size(), inputs.size());
    EXPECT_EQ(read->steps[3].at, options().started + 4ms);
    std::vector<Input> again;
    for (const auto& step : read->steps) again.push_back(step.input);
    EXPECT_EQ(recording_of(again), text);
    EXPECT_EQ(std::get<in::Received>(again[5]).bytes, std::get<in::Received>(inputs[5]).bytes);
    EXPECT_EQ(std::get<in::AddAccount>(again[9]).config.policy.patience, 1500ms);
    EXPECT_EQ(std::get<in::AddAccount>(again[9]).config.policy.unregister_at_once, true);
    EXPECT_TRUE(std::get<in::AddAccount>(again[9]).config.takes_calls);
    const auto& dial = std::get<in::Dial>(again[14]);
    EXPECT_EQ(dial.streams, std::vector{full_stream()});
    EXPECT_EQ(dial.options, std::get<in::Dial>(inputs[14]).options);
    EXPECT_EQ(dial.call, CallRef{7});
}

TEST(Recording, HoldsNoPasswordAndNoAuthorization) {
    registration::AccountConfig config;
    config.aor = "sip:alice@example.test";
    config.password = Redacted{"s3cret"s};
    const auto now = options().started;
    auto text = recording_of(
        {in::AddAccount{AccountId{1}, config},
         in::ChangePassword{AccountId{1}, Redacted{"s3cret2"s}},
         in::Received{
             FlowId{1},
             "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response=\"s3cret3\"\r\n\r\n"},
         in::Stray{{}, {}, "X a SIP/2.0\r\nproxy-authorization: Basic s3cret4\r\n\r\n"}});
    text += recorded(
        now, Output{out::Send{
                 FlowId{1},
                 "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response=\"s3cret5\"\r\n\r\n"}});
    EXPECT_THAT(text, Not(HasSubstr("s3cret")));
    EXPECT_THAT(text, HasSubstr(recorded_password));
}

// RFC 4568 §6.1, RFC 8839 §5.4: nor what a call is encrypted with, neither as a value nor in a
// session description; as many letters stand there, so that lengths stay true.
TEST(Recording, HoldsNoKeysOfMedia) {
    auto stream = full_stream();
    stream.crypto.front().key = Redacted{"s3cretKey"s};
    stream.ice->pwd = Redacted{"s3cretPwd"s};
    const std::string body =
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:s3cretKey|2^20|1:4\r\na=ice-pwd:s3cretPwd\r\n";
    auto agreed = std::make_shared<sdp::Agreement>();
    agreed->streams.emplace_back();
    agreed->streams.back().crypto = {stream.crypto.front(), stream.crypto.front()};
    auto text = recording_of({in::Answer{CallRef{1}, {stream}}, in::Received{FlowId{1}, body}});
    text += recorded(options().started, Output{out::Media{CallRef{1}, agreed}});
    text += recorded(options().started, Output{out::Send{FlowId{1}, body}});
    EXPECT_THAT(text, Not(HasSubstr("s3cret")));
    EXPECT_THAT(text, HasSubstr("inline:AAAAAAAAA|2^20|1:4"));
    EXPECT_THAT(text, HasSubstr("a=ice-pwd:AAAAAAAAA"));
    // A stream's text comes cut anywhere.
    StepRecorder recorder;
    const auto tcp = *Target::parse("tcp:203.0.113.11:5060");
    recorder.step(options().started, in::Time{}, {out::OpenFlow{FlowId{1}, tcp, "", false}});
    std::string cut;
    for (const auto& piece : {body.substr(0, 45), body.substr(45, 6), body.substr(51)})
        cut += recorder.step(options().started, in::Received{FlowId{1}, piece}, {});
    EXPECT_THAT(cut, Not(HasSubstr("s3c")));
    EXPECT_THAT(cut, Not(HasSubstr("Key")));
}

// What is pressed may be a PIN, whoever presses it, and the replay is told the same.
TEST(Recording, HoldsNoDigits) {
    const std::string info =
        "INFO sip:a SIP/2.0\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 8\r\n\r\n";
    Event event{.kind = EventKind::dtmf, .account = AccountId{1}, .call = CallRef{1}};
    event.reason = "7";
    auto text =
        recording_of({in::Press{CallRef{1}, "77,7"}, in::Received{FlowId{1}, info + "Signal=7"}});
    const auto now = options().started;
    text += recorded(now, Output{out::Send{FlowId{1}, info + "Signal=7"}});
    text += recorded(now, Output{event});
    EXPECT_THAT(text, HasSubstr("\"digits\":\"AA,A\""));
    EXPECT_THAT(text, HasSubstr("\"reason\":{\"text\":\"A\"}"));
    EXPECT_THAT(text, Not(HasSubstr("Signal=7")));
    EXPECT_THAT(text, Not(HasSubstr("\"7\"")));
}

// A stream is read as it comes: a header that is cut over several reads is hidden whole, and what
// is replayed is the same text. A datagram is whole, and begins anew.
TEST(Recording, HeaderCutOverReadsOfAStreamIsHidden) {
    const auto now = options().started;
    const auto tcp = *Target::parse("tcp:203.0.113.11:5060");
    const auto udp = *Target::parse("udp:203.0.113.11:5060");
    StepRecorder recorder;
    auto text = recorder.step(
        now, in::Time{},
        {out::OpenFlow{FlowId{1}, tcp, "", false}, out::OpenFlow{FlowId{2}, udp, "", false}});
    for (const auto* piece : {"OPTIONS sip:a SIP/2.0\r\nAuthori", "zation: Digest respo",
                              "nse=\"s3cret\"\r\n", " , nc=s3cret\r\nX: shown\r\n\r\n"})
        text += recorder.step(now, in::Received{FlowId{1}, piece}, {});
    text += recorder.step(now, in::Received{FlowId{2}, "Authorization: s3cret"}, {});
    text += recorder.step(now, in::Received{FlowId{2}, "datagram"}, {});
    EXPECT_THAT(text, Not(HasSubstr("s3cret")));
    EXPECT_THAT(text, HasSubstr("datagram"));

    const auto read = parse_recording(recorded(options()) + "\n" + text);
    ASSERT_TRUE(read) << read.error();
    std::string stream;
    for (const auto& step : read->steps)
        if (const auto* const received = std::get_if<in::Received>(&step.input);
            received != nullptr && received->flow == FlowId{1})
            stream += received->bytes;
    EXPECT_EQ(stream,
              "OPTIONS sip:a SIP/2.0\r\nAuthorization: Digest response=\"\"\r\nX: shown\r\n\r\n");
}

// The next connection of the same number begins with nothing of the last one's.
TEST(Recording, AClosedStreamIsForgotten) {
    const auto now = options().started;
    const auto tcp = *Target::parse("tcp:203.0.113.11:5060");
    StepRecorder recorder;
    recorder.step(now, in::Time{}, {out::OpenFlow{FlowId{1}, tcp, "", false}});
    recorder.step(now, in::Received{FlowId{1}, "Authorization: x"}, {});
    recorder.step(now, in::FlowClosed{FlowId{1}, FlowError::closed_by_peer, ""}, {});
    recorder.step(now, in::Time{}, {out::OpenFlow{FlowId{1}, tcp, "", false}});
    EXPECT_THAT(recorder.step(now, in::Received{FlowId{1}, "hello"}, {}), HasSubstr("hello"));
}

TEST(Recording, OutputsOfAStepStayWithIt) {
    const auto now = options().started;
    Event event;
    event.kind = EventKind::registered;
    event.target = Target::parse("udp:203.0.113.11:5060");
    event.reason = "\xff no text";
    event.targets = {
        {.target = *event.target, .priority = 1, .weight = 2, .host = "a.test", .reason = "best"}};
    const std::vector<Output> outputs{
        out::OpenFlow{FlowId{1}, *event.target, "example.test", true},
        out::CloseFlow{FlowId{1}},
        out::Send{FlowId{1}, "OPTIONS"},
        out::Resolve{QueryId{1}, {"example.test", dns::RecordType::naptr}},
        out::Store{"key", "\xfe"},
        event,
        out::Media{CallRef{1}, std::make_shared<const sdp::Agreement>()}};
    ASSERT_EQ(outputs.size(), std::variant_size_v<Output>);
    auto text = recorded(options()) + "\n" + recorded(now, Input{in::Time{}}) + "\n";
    for (const auto& output : outputs) text += recorded(now, output) + "\n";
    text += recorded(now, Input{in::ShutDown{}}) + "\n";
    const auto read = parse_recording(text);
    ASSERT_TRUE(read) << read.error();
    ASSERT_EQ(read->steps.size(), 2U);
    ASSERT_EQ(read->steps[0].outputs.size(), outputs.size());
    EXPECT_EQ(read->steps[0].outputs[2], recorded(now, outputs[2]));
    EXPECT_THAT(read->steps[0].outputs[5], HasSubstr("udp:203.0.113.11:5060"));
    EXPECT_TRUE(read->steps[1].outputs.empty());
}

TEST(Recording, LineThatWasCutShortIsLeftOut) {
    auto text = recording_of({in::Time{}, in::ShutDown{}});
    text.resize(text.size() - 5);
    const auto read = parse_recording(text);
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->steps.size(), 1U);
}

std::string fault_of(std::string_view text) {
    const auto read = parse_recording(text);
    return read ? "none" : read.error();
}

// What is read is copied and freed level by level, and a file has room for more than a stack has.
TEST(Recording, ALineThatNestsWithoutEndIsNone) {
    const auto line = [](std::size_t deep) {
        return R"({"in":"time","more":)" + std::string(deep, '[') + std::string(deep, ']') +
               R"(,"t_us":1,"and":1,"so":1,"on":1})";
    };
    const auto head = recorded(options()) + "\n";
    EXPECT_EQ(fault_of(head + line(31) + "\n"), "none") << "what is not known is not read";
    EXPECT_THAT(fault_of(head + line(32) + "\n"), HasSubstr("line 2"));
    EXPECT_THAT(fault_of(head + line(100'000) + "\n"), HasSubstr("line 2"));
}

// An engine adds to times: of those that a file says, none is before 0 or past a hundred years.
TEST(Recording, TimesWithWhichNobodyCanCountAreRefused) {
    const auto with = [](const std::string& key, const std::string& value) {
        auto text = recorded(options()) + "\n";
        dns::Answer answer;
        text += recorded(options().started, in::DnsAnswer{QueryId{1}, answer}) + "\n";
        const auto at = text.find("\"" + key + "\":") + key.size() + 3;
        return text.replace(at, text.find_first_of(",}", at) - at, value);
    };
    EXPECT_EQ(fault_of(with("t_us", "3155760000000000")), "none") << "a hundred years";
    for (const auto* key : {"started_us", "leave_within_us", "t_us", "ttl_us"})
        for (const auto* value : {"3155760000000001", "9223372036854775807", "-1"})
            EXPECT_THAT(fault_of(with(key, value)), HasSubstr("line ")) << key << " " << value;
    EXPECT_EQ(fault_of(with("wall_clock", "253402300799")), "none") << "the year 9999";
    for (const auto* value : {"253402300800", "-1"})
        EXPECT_THAT(fault_of(with("wall_clock", value)), HasSubstr("line 1")) << value;
}

TEST(Recording, WhatIsNoneIsSaidWithItsLine) {
    EXPECT_THAT(fault_of(""), HasSubstr("empty"));
    EXPECT_THAT(fault_of("{}\n"), HasSubstr("line 1"));
    EXPECT_THAT(fault_of("\xff\n"), HasSubstr("line 1"));
    const auto head = recorded(options()) + "\n";
    for (const auto* line :
         {"[]", "{}", "{\"in\":\"nonsense\",\"t_us\":1}",
          "{\"in\":\"received\",\"t_us\":1,\"flow\":-1}", "{\"in\":\"time\",\"t_us\":\"1\"}",
          "{\"in\":\"hang_up\",\"t_us\":1,\"account\":4294967296}",
          "{\"in\":\"received\",\"t_us\":1,\"flow\":1,\"bytes\":{\"base64\":\"*\"}}"})
        EXPECT_THAT(fault_of(head + line + "\n"), HasSubstr("line 2")) << line;
}

TEST(RecordingWords, Base64IsRfc4648s) {
    using namespace recording;
    for (const auto& [plain, encoded] :
         std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foobar", "Zm9vYmFy"},
                                                          {"\xff\xfe", "//4="}}) {
        EXPECT_EQ(to_base64(plain), encoded);
        EXPECT_EQ(from_base64(encoded), plain);
    }
    EXPECT_FALSE(from_base64("Zg"));
    EXPECT_FALSE(from_base64("Zg=*"));
}

TEST(RecordingWords, Utf8IsRfc3629s) {
    using recording::is_utf8;
    for (const auto* good :
         {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x93\x9e", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const auto* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xf8", "a\xff"})
        EXPECT_FALSE(is_utf8(bad));
}

// What came back to us with our own credentials in it (an OPTIONS that a proxy sent us) is replayed
// as a message that can be parsed, and records as the same line again.
TEST(Recording, MessageWithoutItsCredentialsCanStillBeParsed) {
    const Input received = in::Received{
        FlowId{1},
        "OPTIONS sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n"
        "From: <sip:alice@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\nCall-ID: 1\r\n"
        "CSeq: 1 OPTIONS\r\nProxy-Authorization: Digest username=\"alice\", response=\"00ff\"\r\n"
        "Content-Length: 0\r\n\r\n"};
    const auto recording = parse_recording(recording_of({received}));
    ASSERT_TRUE(recording) << recording.error();
    const auto& again = std::get<in::Received>(recording->steps.at(0).input);
    EXPECT_TRUE(sip::Message::parse(again.bytes)) << again.bytes;
    EXPECT_THAT(again.bytes, Not(HasSubstr("00ff")));
    EXPECT_EQ(recorded(recording->steps[0].at, again), recorded(recording->steps[0].at, received));
}

}  // namespace
}  // namespace holdfast
