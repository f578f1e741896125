// For tests of the lab's servers: a phone that says exactly what the test wants, over UDP.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/world.h"
#include "sip/digest.h"
#include "sip/response.h"
#include "sip/writer.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

inline Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text); }

struct RegisterFields {
    std::uint32_t cseq = 1;
    std::vector<std::string> contacts{"<sip:alice@192.0.2.20:40000>"};
    std::string call_id = "one@phone";
    std::string extra{};
    bool authorized = true;
    std::string uri = "sip:example.test";
    std::string user = "alice";
    std::string password = "secret";
};

// A phone that says exactly what the test wants, and remembers the answers.
struct Script : Node {
    explicit Script(World& its_world, std::string_view address = "192.0.2.20:40000")
        : world(its_world), local(endpoint(address)) {
        world.internet().attach(local.address, *this, "script");
    }

    void receive(const Packet& packet) override {
        auto message = sip::Message::parse(packet.bytes);
        if (!message) {
            others.push_back(packet);
            return;
        }
        if (message->is_request()) {
            requests.push_back(std::move(*message));
            if (answers_with != 0) answer(requests.back(), answers_with, packet.from);
        } else {
            answers.push_back(std::move(*message));
        }
    }
    void answer(const sip::Message& request, int status, const Endpoint& to) {
        std::string text;
        sip::write_response(text, request, {.status = status, .to_tag = "phone"});
        world.internet().send({.from = local, .to = to, .bytes = text});
    }
    void send(const std::string& text, const Endpoint& to) {
        world.internet().send({.from = local, .to = to, .bytes = text});
        world.run_for(50ms);
    }
    std::string request(sip::Method method, std::string_view uri, std::uint32_t cseq,
                        std::string_view call_id, std::string_view extra) {
        std::string text;
        sip::Writer writer(text);
        writer.request_line(method, uri);
        writer.via({.sent_by = "10.9.9.9:1234",
                    .branch = std::string(sip::branch_cookie) + "s" + std::to_string(++branch)});
        writer.max_forwards(70);
        writer.from("", "sip:alice@example.test", "t1");
        writer.to("", method == sip::Method::register_ ? "sip:alice@example.test" : uri, "");
        writer.call_id(call_id);
        writer.cseq(cseq, method);
        writer.lines(extra);
        writer.finish();
        return text;
    }
    // A REGISTER and, if wanted, the answer to its challenge; the last answer's status.
    int register_at(const Endpoint& node, const RegisterFields& fields) {
        std::string extra = fields.extra;
        for (const auto& contact : fields.contacts) extra += "Contact: " + contact + "\r\n";
        send(request(sip::Method::register_, fields.uri, fields.cseq, fields.call_id, extra), node);
        if (!fields.authorized || answers.empty() || answers.back().status() != 401)
            return last_status();
        const auto& asked = answers.back().challenges().front();
        sip::DigestChallenge challenge;
        challenge.realm = asked.realm;
        challenge.nonce = asked.nonce;
        challenge.has_qop = challenge.qop_auth = true;
        const sip::DigestIdentity identity{
            .username = fields.user, .password = Redacted<std::string>(fields.password), .ha1 = {}};
        extra += "Authorization: " +
                 sip::digest_authorization(
                     challenge, identity,
                     {.method = "REGISTER", .uri = fields.uri, .body = {}, .cnonce = "c"}) +
                 "\r\n";
        send(request(sip::Method::register_, fields.uri, fields.cseq + 1, fields.call_id, extra),
             node);
        return last_status();
    }
    [[nodiscard]] int last_status() const { return answers.empty() ? 0 : answers.back().status(); }

    World& world;
    Endpoint local;
    std::vector<sip::Message> answers;
    std::vector<sip::Message> requests;
    std::vector<Packet> others;
    int answers_with = 0;
    int branch = 0;
};

}  // namespace holdfast::lab
