// A forking proxy (RFC 3261 §16), as much of it as rings a phone: a request to an AOR goes to all
// bindings, a request with a Route to us goes on to its Request-URI. Stateful, so that the best
// answer is one answer.
//
// Between nodes the way to a binding travels in the Route's user part, as RFC 5626 §5.3 does it
// with Path. With record_route requests of dialogs come this way too, and the ACK of a 2xx. Left
// out: redirection, of which the caller is told.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/location_service.h"
#include "sip/message.h"

namespace holdfast::lab {

class Registrar;

class Proxy {
public:
    explicit Proxy(Registrar& registrar) : registrar_(registrar) {}

    void on_request(const sip::Message& request, const Hop& from);
    void on_response(const sip::Message& response);
    void forget_all();

private:
    struct Branch {
        Hop hop;
        std::string target;  // its Request-URI
        std::string route;   // "" : none
        std::string text;    // the request as it was sent
        int final_status = 0;
        std::string response;  // the final one, as it goes upstream
        bool provisional = false;
        bool cancelled = false;
    };
    struct Fork {
        sip::Message request;
        Hop upstream;
        std::map<std::string, Branch> branches;  // by branch parameter
        std::string last_response;
        bool answered = false;
    };
    void on_cancel(const sip::Message& request, const Hop& from);
    [[nodiscard]] bool is_of_another_node(const sip::Message& request) const;
    void fork_to(Fork& fork, const Binding& binding);
    void start(Fork& fork, const std::string& target, const std::string& route, const Hop& hop);
    // Where a request with a Route to us goes on to; nothing: nowhere.
    struct Onward {
        Hop hop;
        std::string route;  // what is left of it
    };
    [[nodiscard]] std::optional<Onward> onward(const sip::Message& request, const Hop& from) const;
    [[nodiscard]] std::optional<Hop> hop_to(const sip::Uri& uri, const Hop& from) const;
    void pass_ack(const sip::Message& ack, const Hop& from);
    [[nodiscard]] std::vector<std::string> own_record_routes(const sip::Message& request,
                                                             const Hop& in, const Hop& out) const;
    void again(const std::string& branch, Duration interval);
    void time_out(const std::string& branch);
    void on_final(Fork& fork, const std::string& id, int status, const std::string& text);
    void finish_if_all_final(Fork& fork);
    void cancel(const std::string& id, Branch& branch);
    void send_cancel(const std::string& id, int times);
    void acknowledge(const Fork& fork, const std::string& id, const sip::Message& response);
    void upstream(Fork& fork, std::string response);
    void respond(Fork& fork, int status);
    std::string in_branch(const Fork& fork, const std::string& id, const Branch& branch,
                          std::string_view method, std::string_view to) const;
    Fork* fork_of(const std::string& branch);

    Registrar& registrar_;
    std::map<std::string, Fork> forks_;            // by the upstream transaction
    std::map<std::string, std::string> branches_;  // branch → key of its fork
    std::uint64_t next_branch_ = 0;
};

}  // namespace holdfast::lab
