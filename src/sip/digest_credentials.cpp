// Reading an Authorization header's value: auth-param lists with quoted strings (RFC 3261 §25.1).
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "sip/digest.h"

namespace holdfast::sip {

namespace {

constexpr std::size_t max_parameters = 32;  // RFC 7616 knows 12

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// token = 1*(alphanum / "-" / "." / "!" / …), RFC 3261 §25.1. The asterisk of username* is one of them.
bool is_token(char c) {
    return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || is_digit(c) ||
           std::string_view{"-.!%*_+`'~"}.find(c) != std::string_view::npos;
}

struct Parameter {
    std::string_view name;
    std::string value;
};

// Takes from the front of `rest_`; a failed take leaves it anywhere.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool at_end() {
        skip_space();
        return rest_.empty();
    }
    bool take(char wanted) {
        skip_space();
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    std::string_view token() {
        skip_space();
        const auto end = std::ranges::find_if_not(rest_, is_token) - rest_.begin();
        const auto result = rest_.substr(0, static_cast<std::size_t>(end));
        rest_.remove_prefix(result.size());
        return result;
    }
    std::optional<std::string> quoted() {  // the opening quote is gone
        std::string result;
        while (!rest_.empty()) {
            char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') return result;
            if (c == '\\') {
                if (rest_.empty()) return std::nullopt;
                c = rest_.front();
                rest_.remove_prefix(1);
            }
            result += c;
        }
        return std::nullopt;
    }
    std::optional<Parameter> parameter() {
        const auto name = token();
        if (name.empty() || !take('=')) return std::nullopt;
        if (take('"')) {
            auto value = quoted();
            if (!value) return std::nullopt;
            return Parameter{name, std::move(*value)};
        }
        const auto value = token();
        if (value.empty()) return std::nullopt;
        return Parameter{name, std::string(value)};
    }

private:
    void skip_space() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
    }
    std::string_view rest_;
};

std::optional<std::vector<Parameter>> parameters_of(std::string_view header_value) {
    Reader reader{header_value};
    if (!equals_ignoring_case(reader.token(), "Digest")) return std::nullopt;
    std::vector<Parameter> parameters;
    do {
        auto parameter = reader.parameter();
        if (!parameter || parameters.size() == max_parameters) return std::nullopt;
        const auto is_same = [&](const Parameter& other) {
            return equals_ignoring_case(other.name, parameter->name);
        };
        if (std::ranges::any_of(parameters, is_same)) return std::nullopt;  // RFC 7616 §3.4: at most once
        parameters.push_back(std::move(*parameter));
    } while (reader.take(','));
    if (!reader.at_end()) return std::nullopt;
    return parameters;
}

// nc-value = 8LHEX; upper case is read as well, but then the response cannot match what we hash.
std::optional<std::uint32_t> nonce_count_of(std::string_view text) {
    std::uint32_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count, 16);
    if (text.size() != 8 || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return count;
}

// Several values are false as soon as one of them is no value of its parameter.
bool set(DigestCredentials& credentials, Parameter& parameter) {
    const auto named = [&](std::string_view name) { return equals_ignoring_case(parameter.name, name); };
    for (const auto& [name, field] : std::initializer_list<std::pair<std::string_view, std::string*>>{
             {"username", &credentials.username},
             {"realm", &credentials.realm},
             {"nonce", &credentials.nonce},
             {"uri", &credentials.uri},
             {"response", &credentials.response},
             {"opaque", &credentials.opaque},
             {"cnonce", &credentials.cnonce}})
        if (named(name)) {
            *field = std::move(parameter.value);
            return true;
        }
    if (named("userhash")) credentials.userhash = equals_ignoring_case(parameter.value, "true");
    if (named("algorithm")) {
        const auto algorithm = digest_algorithm_of(parameter.value);
        if (!algorithm) return false;
        credentials.algorithm = *algorithm;
    }
    if (named("qop")) {
        if (equals_ignoring_case(parameter.value, "auth")) credentials.qop = DigestQop::auth;
        else if (equals_ignoring_case(parameter.value, "auth-int")) credentials.qop = DigestQop::auth_int;
        else return false;
    }
    if (named("nc")) {
        const auto count = nonce_count_of(parameter.value);
        if (!count) return false;
        credentials.nonce_count = *count;
    }
    return true;
}

}  // namespace

std::optional<DigestCredentials> parse_digest_credentials(std::string_view header_value) {
    auto parameters = parameters_of(header_value);
    if (!parameters) return std::nullopt;
    DigestCredentials credentials;
    for (auto& parameter : *parameters)
        if (!set(credentials, parameter)) return std::nullopt;
    const auto has = [&](std::string_view name) {
        return std::ranges::any_of(*parameters,
                                   [&](const auto& p) { return equals_ignoring_case(p.name, name); });
    };
    for (const auto* required : {"username", "realm", "nonce", "uri", "response"})
        if (!has(required)) return std::nullopt;
    if (credentials.qop != DigestQop::none && (!has("cnonce") || !has("nc"))) return std::nullopt;
    return credentials;
}

}  // namespace holdfast::sip
