#include "apps/phone/control.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "apps/phone/control_objects.h"
#include "apps/phone/control_params.h"
#include "apps/phone/control_requests.h"
#include "apps/phone/json_text.h"
#include "registration/policy_values.h"

namespace holdfast::phone {

namespace {

using Json = nlohmann::ordered_json;
using runtime::ControlClient;

using Error = ControlRefusal;
using Result = ControlResult;

std::unexpected<Error> impossible(std::string sentence) {
    return std::unexpected(Error{ControlError::not_possible, std::move(sentence)});
}

}  // namespace

class Control::Impl {
public:
    Impl(Phone& phone, runtime::CallHistory* history, std::string version, Handlers handlers)
        : phone_(phone),
          history_(history),
          version_(std::move(version)),
          handlers_(std::move(handlers)) {}

    std::string answer(ControlClient client, std::string_view line) {
        return answer_line(line, [&](const std::string& name) { return method(client, name); });
    }
    void gone(ControlClient client) { subscribers_.erase(client); }
    void on_event(runtime::EventTime time, const Event& event, std::string_view aor);

private:
    struct Method {
        std::string_view name;
        Result (Impl::*run)(Params&, ControlClient);
    };
    static const std::array<Method, 23> methods;

    std::expected<ControlMethod, Error> method(ControlClient client, const std::string& name);

    Result hello(Params& params, ControlClient);
    Result status(Params& params, ControlClient);
    Result dial(Params& params, ControlClient);
    Result voicemail(Params& params, ControlClient);
    Result pickup(Params& params, ControlClient);
    Result reject(Params& params, ControlClient);
    Result hang_up(Params& params, ControlClient);
    Result dtmf(Params& params, ControlClient);
    Result mute(Params& params, ControlClient);
    Result record(Params& params, ControlClient);
    Result conference(Params& params, ControlClient);
    Result transfer(Params& params, ControlClient);
    Result connect(Params& params, ControlClient);
    Result rules(Params& params, ControlClient);
    Result history(Params& params, ControlClient);
    Result subscribe(Params& params, ControlClient client);
    Result unsubscribe(Params& params, ControlClient client);
    Result quit(Params& params, ControlClient);

    static std::optional<Error> problem_of(Params& params) {
        auto sentence = params.problem();
        if (sentence.empty()) return std::nullopt;
        return Error{ControlError::wrong_params, std::move(sentence)};
    }
    static Result of_call(const Done<CallRef>& call) {
        if (!call) return impossible(call.error());
        return Json{{"call", call->value}};
    }

    // What is done to one call, and needs no more than its number.
    template <Done<CallRef> (Phone::*what)(std::optional<CallRef>)>
    Result of_one(Params& params, ControlClient) {
        const auto call = params.call();
        if (auto problem = problem_of(params)) return std::unexpected(*problem);
        return of_call((phone_.*what)(call));
    }

    Phone& phone_;
    runtime::CallHistory* history_;
    std::string version_;
    Handlers handlers_;
    std::map<ControlClient, std::set<std::string>> subscribers_;  // to which events; empty: all
};

const std::array<Control::Impl::Method, 23> Control::Impl::methods{{
    {"hello", &Impl::hello},
    {"status", &Impl::status},
    {"dial", &Impl::dial},
    {"voicemail", &Impl::voicemail},
    {"pickup", &Impl::pickup},
    {"answer", &Impl::of_one<&Phone::answer>},
    {"reject", &Impl::reject},
    {"hang_up", &Impl::hang_up},
    {"hold", &Impl::of_one<&Phone::hold>},
    {"resume", &Impl::of_one<&Phone::resume>},
    {"dtmf", &Impl::dtmf},
    {"mute", &Impl::mute},
    {"record", &Impl::record},
    {"stop_recording", &Impl::of_one<&Phone::stop_recording>},
    {"conference", &Impl::conference},
    {"split", &Impl::of_one<&Phone::split>},
    {"transfer", &Impl::transfer},
    {"connect", &Impl::connect},
    {"rules", &Impl::rules},
    {"history", &Impl::history},
    {"subscribe", &Impl::subscribe},
    {"unsubscribe", &Impl::unsubscribe},
    {"quit", &Impl::quit},
}};

std::expected<ControlMethod, Error> Control::Impl::method(ControlClient client,
                                                          const std::string& name) {
    const auto found = std::ranges::find(methods, name, &Method::name);
    if (found != methods.end())
        return [this, client, run = found->run](Params& params) {
            return (this->*run)(params, client);
        };
    std::vector<std::string_view> known;
    known.reserve(std::size(methods));
    for (const auto& each : methods) known.push_back(each.name);
    const auto nearest = registration::nearest_word(name, known);
    return std::unexpected(
        Error{ControlError::no_method,
              "There is no method \"" + name + "\"" +
                  (nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?")});
}

Result Control::Impl::hello(Params& params, ControlClient) {
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return Json{{"holdfast", version_}, {"protocol", control_protocol}, {"process", ::getpid()}};
}

Result Control::Impl::status(Params& params, ControlClient) {
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    auto accounts = Json::array();
    for (const auto& view : phone_.accounts())
        accounts.push_back({{"account", view.aor},
                            {"registered", view.registered},
                            {"reachable", view.reachable},
                            {"state", view.state}});
    auto calls = Json::array();
    for (const auto& view : phone_.calls()) calls.push_back(object_of(view));
    return Json{{"accounts", accounts},
                {"calls", calls},
                {"rules", object_of(phone_.rules())},
                {"ending", phone_.is_leaving()}};
}

Result Control::Impl::dial(Params& params, ControlClient) {
    const auto uri = params.text("uri");
    const auto account = params.text("account");
    if (!uri) params.wrong("uri", "is missing: whom to call");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.dial(*uri, account.value_or("")));
}

Result Control::Impl::voicemail(Params& params, ControlClient) {
    const auto account = params.text("account");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.call_voicemail(account.value_or("")));
}

Result Control::Impl::pickup(Params& params, ControlClient) {
    const auto extension = params.text("extension");
    const auto account = params.text("account");
    if (!extension) params.wrong("extension", "is missing: whose call to take");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.pick_up(*extension, account.value_or("")));
}

Result Control::Impl::reject(Params& params, ControlClient) {
    constexpr int busy_here = 486;
    const auto call = params.call();
    const auto status = params.number("status", 400, 699);
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.reject(call, static_cast<int>(status.value_or(busy_here))));
}

Result Control::Impl::hang_up(Params& params, ControlClient) {
    const auto call = params.call();
    const auto which = params.text("which");
    if (call && which) params.wrong("which", "and \"call\" are not both given");
    if (which && *which != "all" && *which != "incoming" && *which != "calling")
        params.wrong("which", "is neither all, incoming nor calling");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    auto calls = Json::array();
    if (which) {
        const auto chosen = phone_.hang_up(*which == "all"        ? Which::all
                                           : *which == "incoming" ? Which::incoming
                                                                  : Which::calling);
        for (const auto ref : chosen) calls.push_back(ref.value);
    } else {
        const auto done = phone_.hang_up(call);
        if (!done) return impossible(done.error());
        calls.push_back(done->value);
    }
    return Json{{"calls", calls}};
}

Result Control::Impl::dtmf(Params& params, ControlClient) {
    const auto call = params.call();
    const auto digits = params.text("digits");
    if (!digits) params.wrong("digits", "is missing");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.press(call, *digits));
}

Result Control::Impl::mute(Params& params, ControlClient) {
    const auto call = params.call();
    const auto microphone = params.flag("microphone");
    const auto speaker = params.flag("speaker");
    if (!microphone && !speaker)
        params.wrong("microphone", "or \"speaker\" is missing: true to mute, false to hear again");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.mute(call, microphone, speaker));
}

Result Control::Impl::record(Params& params, ControlClient) {
    const auto call = params.call();
    const auto path = params.text("path");
    if (!path) params.wrong("path", "is missing: the file to record to");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.record(call, *path));
}

Result Control::Impl::conference(Params& params, ControlClient) {
    const auto named = params.calls();
    if (named && named->empty()) params.wrong("calls", "names none: leave it out for all");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    const auto calls = phone_.confer(named.value_or(std::vector<CallRef>{}));
    if (!calls) return impossible(calls.error());
    auto numbers = Json::array();
    for (const auto call : *calls) numbers.push_back(call.value);
    return Json{{"calls", numbers}};
}

Result Control::Impl::transfer(Params& params, ControlClient) {
    const auto call = params.call();
    const auto uri = params.text("uri");
    if (!uri) params.wrong("uri", "is missing: whom the other side is to call");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.transfer(call, *uri));
}

Result Control::Impl::connect(Params& params, ControlClient) {
    const auto call = params.call();
    const auto other = params.call("other");
    if (!call) params.wrong("call", "is missing: whose other side is to take our place");
    if (!other) params.wrong("other", "is missing: the call in which it does");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    return of_call(phone_.connect(*call, *other));
}

Result Control::Impl::rules(Params& params, ControlClient) {
    const auto change = rules_change_of(params);
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    const auto rules = phone_.change_rules(change);
    if (!rules) return impossible(rules.error());
    return object_of(*rules);
}

Result Control::Impl::history(Params& params, ControlClient) {
    runtime::HistoryQuery query;
    query.search = params.text("search").value_or("");
    query.before = params.number("before", 1, std::numeric_limits<std::int64_t>::max()).value_or(0);
    query.most = static_cast<std::size_t>(
        params.number("limit", 1, runtime::history_page_most).value_or(runtime::history_page_most));
    if (query.search.size() > runtime::history_text_most)
        params.wrong("search", "is longer than any text of the history");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    if (history_ == nullptr)
        return std::unexpected(Error{ControlError::no_history, "This phone keeps no history"});
    const auto found = history_->find(query);
    if (!found) return std::unexpected(Error{ControlError::no_history, found.error().sentence});
    auto calls = Json::array();
    for (const auto& call : *found) calls.push_back(object_of(call));
    return Json{{"calls", calls}};
}

Result Control::Impl::subscribe(Params& params, ControlClient client) {
    const auto events = params.list("events");
    if (events && events->empty())
        params.wrong("events", "names none: leave it out for all, or unsubscribe");
    for (const auto& event : events.value_or(std::vector<std::string>{}))
        if (!is_event(event))
            params.wrong("events", "names no event \"" + event + "\" (docs/events.md lists them)");
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    auto& wanted = subscribers_[client];
    wanted.clear();
    if (events) wanted.insert(events->begin(), events->end());
    return Json::object();
}

Result Control::Impl::unsubscribe(Params& params, ControlClient client) {
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    subscribers_.erase(client);
    return Json::object();
}

Result Control::Impl::quit(Params& params, ControlClient) {
    if (auto problem = problem_of(params)) return std::unexpected(*problem);
    if (!phone_.is_leaving()) phone_.leave();
    return Json::object();
}

// The event is written once, whoever listens.
void Control::Impl::on_event(runtime::EventTime time, const Event& event, std::string_view aor) {
    if (subscribers_.empty()) return;
    auto object = runtime::event_json(time, event, aor);
    object.resize(object.rfind('}'));
    const auto line = R"({"jsonrpc":"2.0","method":"event","params":)" + object +
                      ",\"words\":" + text_of(handlers_.words_of(event)) + "}}";
    std::vector<ControlClient> to;
    for (const auto& [client, events] : subscribers_)
        if (events.empty() || events.contains(std::string(holdfast::name_of(event.kind))))
            to.push_back(client);
    for (const auto client : to) handlers_.send(client, line);
}

Control::Control(Phone& phone, runtime::CallHistory* history, std::string version,
                 Handlers handlers)
    : impl_(std::make_unique<Impl>(phone, history, std::move(version), std::move(handlers))) {}
Control::~Control() = default;

std::string Control::answer(ControlClient client, std::string_view line) {
    return impl_->answer(client, line);
}
void Control::gone(ControlClient client) { impl_->gone(client); }
void Control::on_event(runtime::EventTime time, const Event& event, std::string_view aor) {
    impl_->on_event(time, event, aor);
}

}  // namespace holdfast::phone
