#include "transaction/result.h"

namespace holdfast::transaction {

std::string_view name_of(ClientResult result) {
    switch (result) {
    case ClientResult::pending: return "pending";
    case ClientResult::provisional: return "provisional";
    case ClientResult::success: return "success";
    case ClientResult::final_response: return "final response";
    case ClientResult::absorbed: return "absorbed";
    case ClientResult::timed_out: return "timed out";
    case ClientResult::transport_error: return "transport error";
    case ClientResult::done: return "done";
    }
    return "?";
}

std::string_view name_of(ServerResult result) {
    switch (result) {
    case ServerResult::pending: return "pending";
    case ServerResult::acknowledged: return "acknowledged";
    case ServerResult::ack_for_success: return "ACK for a 2xx";
    case ServerResult::timed_out: return "timed out";
    case ServerResult::transport_error: return "transport error";
    case ServerResult::done: return "done";
    }
    return "?";
}

}  // namespace holdfast::transaction
