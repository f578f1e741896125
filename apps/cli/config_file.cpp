// The header-only form: a configuration is read once at most, and a shared library would be loaded
// at every start.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1

#include "apps/cli/config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <utility>

#include "apps/cli/command_line.h"
#include "apps/cli/text_file.h"
#include "apps/phone/typed_number.h"
#include "base/text.h"
#include "registration/policy.h"

namespace holdfast::cli {

namespace {

using Settings = std::vector<Setting>;

constexpr std::size_t config_bytes_most = std::size_t{64} << 20U;  // 100'000 accounts and more

std::string place_of(const std::string& name, const toml::source_region& source) {
    return name + ":" + std::to_string(source.begin.line);
}

// Their values are dialled or pressed: TOML's numbers lose a + or a 0 in front.
constexpr std::array<std::string_view, 10> keys_of_numbers{
    "prefix", "dial-plan", "emergency", "voicemail",    "pickup",
    "dtmf",   "deny",      "forward",   "forward-busy", "forward-no-answer"};

bool is_of_numbers(std::string_view key) {
    return std::ranges::find(keys_of_numbers, key) != keys_of_numbers.end();
}
std::string number_wants_quotes(std::string_view key) {
    return ": a number to dial stands in quotes (" + std::string(key) +
           " = \"…\"): without them a + or a 0 in front is lost";
}

std::string_view line_of(std::string_view text, unsigned number) {
    for (auto skipped = 1U; skipped < number && !text.empty(); ++skipped)
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    return text.substr(0, text.find('\n'));
}

// What the parser says. It quotes what it has seen: of a line with a password, or a PIN, a piece of
// that.
std::string words_of(const toml::parse_error& error, std::string_view text) {
    std::string words(error.description());
    const auto line = line_of(text, error.source().begin.line);
    const auto key = trimmed(line.substr(0, line.find('=')));
    const auto value = trimmed(line.substr(std::min(line.find('='), line.size() - 1) + 1));
    if (is_of_numbers(key) && !value.empty() &&
        std::string_view("+-*#0123456789").contains(value[0]))
        return std::string(key) + number_wants_quotes(key);
    const auto is_about = [&](std::string_view word) { return line.contains(word); };
    if (!is_about("password") && !is_about("voicemail") && !is_about("dtmf")) return words;
    words.resize(std::min(words.find(", saw "), words.size()));
    for (auto open = words.find('\''); open != std::string::npos; open = words.find('\'', open)) {
        const auto end = std::min(words.find('\'', open + 1), words.size() - 1);
        words.replace(open, end + 1 - open, "…");
    }
    return words;
}

// As the command line has it: the option's own reader judges the text.
std::optional<std::string> text_of(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return std::to_string(number->get());
    if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
    if (const auto* number = node.as_floating_point()) {
        std::ostringstream text;
        text << number->get();
        return text.str();
    }
    return std::nullopt;
}

bool is_known(const OptionText& option, std::uint16_t commands) {
    // An option of no command stands in files alone: it is an account's.
    return option.in_file &&
           (commands == 0 || option.commands == 0 || (option.commands & commands) != 0);
}

std::string unknown_key(std::string_view key, std::uint16_t commands) {
    std::vector<std::string_view> known{"policy"};
    if (commands == 0) known.insert(known.end(), {"account", "hook"});
    for (const auto& option : option_table())
        if (is_known(option, commands)) known.push_back(option.name);
    return ": there is no such key" + (commands == 0 ? "" : std::string(" of an account")) +
           suggestion(key, known);
}

std::expected<void, std::string> read_policy(const toml::node& node, const std::string& name,
                                             Settings& settings) {
    const auto* table = node.as_table();
    if (table == nullptr)
        return std::unexpected(place_of(name, node.source()) +
                               ": policy: this is a table: [policy]");
    for (const auto& [key, value] : *table) {
        const auto where = place_of(name, value.source()) + ": policy." + std::string(key.str());
        const auto text = text_of(value);
        if (!text) return std::unexpected(where + ": neither text nor number nor true or false");
        const bool is_flag = value.is_boolean();
        settings.push_back(
            {"set",
             std::string(key.str()) + "=" + (is_flag ? *text == "true" ? "on" : "off" : *text),
             where});
    }
    return {};
}

// A list's texts each have their own line.
std::expected<void, std::string> read_value(std::string_view key, const toml::node& node,
                                            const std::string& name, bool may_be_list,
                                            std::string_view wanted, Settings& settings) {
    const auto place = [&](const toml::node& at) {
        return place_of(name, at.source()) + ": " + std::string(key);
    };
    const auto where = place(node);
    if (is_of_numbers(key) && !node.is_string() && !node.is_array())
        return std::unexpected(where + number_wants_quotes(key));
    if (const auto text = text_of(node)) {
        settings.push_back({std::string(key), *text, where});
        return {};
    }
    const auto* list = node.as_array();
    if (list == nullptr || !may_be_list)
        return std::unexpected(where + ": one value is wanted here: " + std::string(wanted));
    // Without one the usual numbers would stay, though somebody has said that there are none.
    if (list->empty() && key == "emergency") settings.push_back({std::string(key), "", where});
    for (const auto& element : *list) {
        const auto text = text_of(element);
        if (!text) return std::unexpected(where + ": a list of texts is wanted here");
        if (is_of_numbers(key) && !element.is_string())
            return std::unexpected(place(element) + number_wants_quotes(key));
        settings.push_back({std::string(key), *text, place(element)});
    }
    return {};
}

// commands: which options are legal here; 0: all.
std::expected<void, std::string> read_key(std::string_view key, const toml::node& node,
                                          const std::string& name, std::uint16_t commands,
                                          Settings& settings) {
    if (key == "policy") return read_policy(node, name, settings);
    const auto where = place_of(name, node.source()) + ": " + std::string(key);
    const auto table = option_table();
    const auto option = std::ranges::find(table, key, &OptionText::name);
    if (option == table.end() || !is_known(*option, commands))
        return std::unexpected(where + unknown_key(key, commands));
    return read_value(key, node, name, option->form == Form::list, option->value, settings);
}

std::expected<void, std::string> read_hook_key(std::string_view key, const toml::node& node,
                                               const std::string& name, Settings& settings) {
    const std::vector<std::string_view> known{"events", "command", "url", "timeout"};
    const auto where = place_of(name, node.source()) + ": " + std::string(key);
    if (std::ranges::find(known, key) == known.end())
        return std::unexpected(where + ": there is no such key of a hook" + suggestion(key, known));
    const bool may_be_list = key == "events" || key == "command";
    return read_value(key, node, name, may_be_list, "a text", settings);
}

// [[account]] and [[hook]]: lists of tables.
template <class ReadKey>
std::expected<void, std::string> read_tables(const toml::node& node, const std::string& name,
                                             std::string_view key, const ReadKey& read_one,
                                             std::vector<ConfigTable>& tables) {
    const auto* list = node.as_array();
    const auto where = place_of(name, node.source()) + ": " + std::string(key);
    const auto wrong = where + ": this is a list of tables: [[" + std::string(key) + "]]";
    if (list == nullptr) return std::unexpected(wrong);
    for (const auto& element : *list) {
        const auto* table = element.as_table();
        if (table == nullptr) return std::unexpected(wrong);
        auto where_it_is = place_of(name, element.source());
        where_it_is.append(": ").append(key);
        auto& read = tables.emplace_back(ConfigTable{std::move(where_it_is), Settings{}});
        for (const auto& [inner, value] : *table)
            if (const auto done = read_one(inner.str(), value, read.settings); !done) return done;
    }
    return {};
}

// Digits to press, those behind a voicemail's number among them, may be a PIN.
bool is_secret(const Setting& setting) {
    return setting.key == "password" || setting.key == "dtmf" ||
           (setting.key == "voicemail" && phone::secret_at(setting.value) != std::string::npos);
}

std::expected<void, std::string> check_secrecy(const std::filesystem::path& file,
                                               const Settings& settings) {
    const auto secret = std::ranges::find_if(settings, is_secret);
    if (secret == settings.end()) return {};
    const std::string what =
        secret->key == "password" ? "a password" : "digits to press, maybe a PIN,";
    struct stat facts{};
    if (::stat(file.c_str(), &facts) != 0) return std::unexpected(file.string() + ": it is gone");
    if (facts.st_uid != ::geteuid())
        return std::unexpected(secret->where + ": a file that holds " + what +
                               " must be your own, and this one is somebody else's");
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return std::unexpected(secret->where +
                               ": others may read this file. Make it yours alone: chmod 600 " +
                               file.string());
    return {};
}

}  // namespace

std::expected<Configuration, std::string> parse_config(std::string_view text,
                                                       const std::string& name) {
    Configuration file;
    const auto read = [&](std::string_view key, const toml::node& node) {
        if (key == "account")
            return read_tables(
                node, name, key,
                [&](std::string_view inner, const toml::node& value, Settings& settings) {
                    return read_key(inner, value, name, of_an_account, settings);
                },
                file.accounts);
        if (key == "hook")
            return read_tables(
                node, name, key,
                [&](std::string_view inner, const toml::node& value, Settings& settings) {
                    return read_hook_key(inner, value, name, settings);
                },
                file.hooks);
        return read_key(key, node, name, 0, file.settings);
    };
    try {
        const auto document = toml::parse(text, name);
        for (const auto& [key, node] : document)
            if (const auto done = read(key.str(), node); !done)
                return std::unexpected(done.error());
    } catch (const toml::parse_error& error) {
        return std::unexpected(place_of(name, error.source()) + ": " + words_of(error, text));
    }
    return file;
}

std::expected<Configuration, std::string> read_config_file(const std::filesystem::path& file) {
    const auto text = read_text_file(file, "configuration file", config_bytes_most);
    if (!text) return std::unexpected(text.error());
    auto parsed = parse_config(*text, file.string());
    if (!parsed) return parsed;
    if (const auto secret = check_secrecy(file, parsed->settings); !secret)
        return std::unexpected(secret.error());
    for (const auto& account : parsed->accounts)
        if (const auto secret = check_secrecy(file, account.settings); !secret)
            return std::unexpected(secret.error());
    return parsed;
}

}  // namespace holdfast::cli
