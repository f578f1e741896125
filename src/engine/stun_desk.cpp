#include "engine/stun_desk.h"

#include <algorithm>
#include <utility>

#include "engine/flow_desk.h"
#include "engine/limits.h"

namespace holdfast::engine {

namespace told = registration::told;

void StunDesk::ask(const Step& step, AccountId account, const Target& server) {
    if (const auto found = questions_.find(server); found != questions_.end()) {
        found->second.askers.insert(account);
        return;
    }
    Question& question = questions_
                             .emplace(server, Question{.askers = {account},
                                                       .flow = {},
                                                       .wire = {},
                                                       .give_up = step.now + limits::stun_lifetime})
                             .first->second;
    if (const auto flow = step.flows.open(step, the_engine, server, ""))
        send(step, server, question, *flow);
    else
        agenda_.put(server, {question.give_up, "a flow to a STUN server is being opened (N4)"});
}

void StunDesk::send(const Step& step, const Target& server, Question& question, FlowId flow) {
    question.flow = flow;
    question.transaction = flow::new_stun_transaction(step.random);
    question.wire = flow::encode_binding_request(question.transaction);
    step.flows.send(step, flow, question.wire);
    // Deviates: RFC 8489 §6.2.1 waits 500 ms before it repeats; the first REGISTER waits no longer
    // than that, and one lost packet should not decide.
    agenda_.put(server, {step.now + limits::stun_repeat, "a STUN answer (N4)"});
}

void StunDesk::forget(AccountId account) {
    for (auto& [server, question] : questions_) question.askers.erase(account);
}

void StunDesk::on_flow_opened(const Step& step, const flow::Flow& flow) {
    const auto found = questions_.find(flow.target);
    if (found == questions_.end() || found->second.flow != FlowId{} || flow.spare_port) return;
    send(step, found->first, found->second, flow.id);
}

void StunDesk::on_flow_trouble(const Step& step, const flow::Flow& flow, FlowError error) {
    if (!questions_.contains(flow.target) || flow.spare_port) return;
    finish(step, flow.target, {.server = flow.target, .problem = std::string(name_of(error))});
}

bool StunDesk::on_datagram(const Step& step, const flow::Flow& flow, std::string_view bytes) {
    const auto found = questions_.find(flow.target);
    if (found == questions_.end() || found->second.flow != flow.id) return false;
    const auto message = flow::decode_stun(bytes);
    if (!message || !message->answers(found->second.transaction)) return false;
    told::StunAnswered answer{.server = flow.target, .local = flow.local};
    answer.mapping = message->mapping();
    if (message->error)
        answer.problem =
            "it answers " + std::to_string(message->error->code) + " " + message->error->reason;
    else if (!answer.mapping)
        answer.problem = "its answer cannot be understood";
    finish(step, flow.target, std::move(answer));
    return true;
}

void StunDesk::on_time(const Step& step) {
    for (const Target& server : agenda_.take_due(step.now)) {
        Question& question = questions_.at(server);
        if (step.now >= question.give_up) {
            finish(step, server, {.server = server, .problem = "it does not answer"});
            continue;
        }
        if (question.flow != FlowId{} && !std::exchange(question.repeated, true))
            step.flows.send(step, question.flow, question.wire);
        agenda_.put(server, {question.give_up, "a STUN answer (N4)"});
    }
}

void StunDesk::finish(const Step& step, const Target& server, told::StunAnswered answer) {
    const auto taken = questions_.extract(server);
    const Question& question = taken.mapped();
    agenda_.remove(server);
    if (question.flow != FlowId{}) {
        step.flows.release(step.now, question.flow, the_engine);
    } else if (const auto* const opening = step.flows.find(server, "")) {
        step.flows.release(step.now, opening->id, the_engine);
    }
    for (const AccountId account : question.askers) step.tell(account, answer);
}

}  // namespace holdfast::engine
