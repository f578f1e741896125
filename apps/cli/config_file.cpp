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
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "apps/cli/command_line.h"
#include "registration/policy.h"

namespace holdfast::cli {

namespace {

using Settings = std::vector<Setting>;

std::string place_of(const std::string& name, const toml::source_region& source) {
    return name + ":" + std::to_string(source.begin.line);
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

std::string unknown_key(std::string_view key) {
    std::vector<std::string_view> known{"policy"};
    for (const auto& option : option_table())
        if (option.in_file) known.push_back(option.name);
    return ": there is no such key" + suggestion(key, known);
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

std::expected<void, std::string> read_key(std::string_view key, const toml::node& node,
                                          const std::string& name, Settings& settings) {
    const auto where = place_of(name, node.source()) + ": " + std::string(key);
    const auto table = option_table();
    const auto option = std::ranges::find(table, key, &OptionText::name);
    if (option == table.end() || !option->in_file) return std::unexpected(where + unknown_key(key));
    if (const auto text = text_of(node)) {
        settings.push_back({std::string(key), *text, where});
        return {};
    }
    const auto* list = node.as_array();
    if (list == nullptr || option->form != Form::list)
        return std::unexpected(where + ": one value is wanted here: " + std::string(option->value));
    for (const auto& element : *list) {
        const auto text = text_of(element);
        if (!text) return std::unexpected(where + ": a list of texts is wanted here");
        settings.push_back({std::string(key), *text, where});
    }
    return {};
}

std::expected<void, std::string> check_secrecy(const std::filesystem::path& file,
                                               const Settings& settings) {
    const auto password = std::ranges::find(settings, "password", &Setting::key);
    if (password == settings.end()) return {};
    struct stat facts{};
    if (::stat(file.c_str(), &facts) != 0) return std::unexpected(file.string() + ": it is gone");
    if (facts.st_uid != ::geteuid())
        return std::unexpected(password->where +
                               ": a file that holds a password must be your own, and this one is " +
                               "somebody else's");
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return std::unexpected(password->where +
                               ": others may read this file. Make it yours alone: chmod 600 " +
                               file.string());
    return {};
}

}  // namespace

std::expected<Settings, std::string> parse_config(std::string_view text, const std::string& name) {
    Settings settings;
    try {
        const auto document = toml::parse(text, name);
        for (const auto& [key, node] : document) {
            const auto read = key.str() == "policy" ? read_policy(node, name, settings)
                                                    : read_key(key.str(), node, name, settings);
            if (!read) return std::unexpected(read.error());
        }
    } catch (const toml::parse_error& error) {
        return std::unexpected(place_of(name, error.source()) + ": " +
                               std::string(error.description()));
    }
    return settings;
}

std::expected<Settings, std::string> read_config_file(const std::filesystem::path& file) {
    if (std::error_code error; std::filesystem::is_directory(file, error))
        return std::unexpected(file.string() + ": this is a directory, not a configuration file");
    std::ifstream stream(file, std::ios::binary);
    if (!stream)
        return std::unexpected(file.string() + ": the configuration file cannot be read: " +
                               std::generic_category().message(errno));
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    auto settings = parse_config(text, file.string());
    if (!settings) return settings;
    if (const auto secret = check_secrecy(file, *settings); !secret)
        return std::unexpected(secret.error());
    return settings;
}

}  // namespace holdfast::cli
