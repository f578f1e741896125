#include "apps/cli/completion.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/cli/commands.h"
#include "apps/cli/lab_command.h"
#include "apps/phone/verbs.h"
#include "registration/policy.h"

namespace holdfast::cli {

namespace {

constexpr std::string_view file_operand = "RECORDING";  // an operand that is a file

enum class Offer : std::uint8_t { nothing, words, files, directories };

struct Value {
    Offer offer = Offer::nothing;
    std::string words;  // with spaces between
};

void append(std::string& words, std::string_view word) {
    if (!words.empty()) words += ' ';
    words += word;
}

// "auto info-plain" of "auto|N|info-plain": N stands for a number. A list in brackets is one, too.
std::string literal_words(std::string_view choice) {
    std::string words;
    while (!choice.empty()) {
        const auto word = choice.substr(0, choice.find('|'));
        choice.remove_prefix(std::min(choice.size(), word.size() + 1));
        if (std::ranges::all_of(word, [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; }))
            append(words, word);
    }
    return words;
}

// What `holdfast ctl` says to a phone: the verbs, and the one that is its own.
std::vector<phone::Verb> verbs_of_ctl() {
    std::vector<phone::Verb> all(phone::verbs().begin(), phone::verbs().end());
    all.push_back({"events", "[NAME...]", "what happens, until interrupted"});
    return all;
}

std::string names_of(const std::vector<phone::Verb>& verbs) {
    std::string names;
    for (const auto& verb : verbs) append(names, verb.name);
    return names;
}

// "microphone speaker both" of "[CALL] [microphone|speaker|both]".
std::string words_of(const phone::Verb& verb) {
    std::string words;
    for (auto rest = verb.arguments; rest.find('[') != std::string_view::npos;) {
        rest.remove_prefix(rest.find('[') + 1);
        if (const auto found = literal_words(rest.substr(0, rest.find(']'))); !found.empty())
            append(words, found);
    }
    return words;
}

// What may stand after an option: its table's "auto|udp|tcp|tls", FILE or DIR, or a list that is
// known elsewhere.
Value value_of(const OptionText& option) {
    Value value;
    if (option.value == "FILE") return {.offer = Offer::files, .words = {}};
    if (option.value == "DIR") return {.offer = Offer::directories, .words = {}};
    if (option.name == "preset") {
        for (const auto name : registration::preset_names()) append(value.words, name);
    } else if (option.name == "set") {
        for (const auto& field : registration::describe({}))
            append(value.words, "policy." + field.key + "=");
    } else if (option.value.find('|') != std::string_view::npos) {
        value.words = literal_words(option.value);
    }
    if (!value.words.empty()) value.offer = Offer::words;
    return value;
}

std::vector<const OptionText*> options_of(const Command& command) {
    std::vector<const OptionText*> options;
    for (const auto& option : option_table())
        if ((option.commands & command.options) != 0) options.push_back(&option);
    return options;
}

// A menu's line: what stands before the first semicolon.
std::string_view short_meaning(const OptionText& option) {
    return option.meaning.substr(0, option.meaning.find(';'));
}

std::string escaped(std::string_view text,
                    std::initializer_list<std::pair<char, std::string_view>> by) {
    std::string result;
    for (const char c : text) {
        const auto found = std::ranges::find(by, c, &std::pair<char, std::string_view>::first);
        if (found == by.end())
            result += c;
        else
            result += found->second;
    }
    return result;
}

// For bash: options that take the same kind of value, as a pattern of `case`.
std::string bash_pattern(Offer offer) {
    std::string pattern;
    for (const auto& option : option_table()) {
        if (option.commands == 0 || option.form == Form::flag || value_of(option).offer != offer)
            continue;
        pattern += (pattern.empty() ? "--" : " | --") + std::string(option.name);
    }
    return pattern;
}

// For bash, once the options of the command are known: of ctl also the verbs, and after a verb its
// words.
std::string bash_verbs() {
    std::string with_value;
    for (const auto& option : option_table())
        if ((option.commands & for_ctl) != 0 && option.form != Form::flag)
            with_value += (with_value.empty() ? "--" : " | --") + std::string(option.name);
    std::string cases;
    for (const auto& verb : verbs_of_ctl())
        if (const auto words = words_of(verb); !words.empty())
            cases += "    " + std::string(verb.name) + ") options=\"" + words + "\" ;;\n";
    return "  if [ \"${COMP_WORDS[1]}\" = ctl ] && [[ $word != -* ]]; then\n"
           "    local verb= at\n"
           "    for ((at = 2; at < COMP_CWORD; at++)); do\n"
           "      case ${COMP_WORDS[at]} in\n"
           "      " +
           with_value +
           ") [ \"${COMP_WORDS[at + 1]}\" = \"=\" ] && ((at += 2)) || ((at++)) ;;\n"
           "      -*) ;;\n"
           "      *) verb=${COMP_WORDS[at]} && break ;;\n"
           "      esac\n"
           "    done\n"
           "    case $verb in\n"
           "    '') options=\"" +
           names_of(verbs_of_ctl()) + "\" ;;\n" + cases +
           "    *) options= ;;\n"
           "    esac\n"
           "  fi\n";
}

std::string names_of_lab_words() {
    std::string names;
    for (const auto& word : lab_words()) append(names, word.name);
    return names;
}

// For bash: the words of lab, then files.
std::string bash_lab_words() {
    return "  if [ \"${COMP_WORDS[1]}\" = lab ] && [[ $word != -* ]]; then\n"
           "    if [ \"$COMP_CWORD\" -gt 2 ]; then\n"
           "      compopt -o filenames 2>/dev/null\n"
           "      mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
           "      return\n"
           "    fi\n"
           "    options=\"" +
           names_of_lab_words() + "\"\n  fi\n";
}

// For bash: commands whose operand is a file.
std::string bash_files() {
    std::string text;
    for (const auto& command : commands())
        if (command.operand == file_operand)
            text += "  if [ \"${COMP_WORDS[1]}\" = " + std::string(command.name) +
                    " ] && [[ $word != -* ]]; then\n"
                    "    compopt -o filenames 2>/dev/null\n"
                    "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
                    "    return\n"
                    "  fi\n";
    return text;
}

// For zsh: the operands of ctl.
std::string zsh_verbs() {
    std::string cases;
    for (const auto& verb : verbs_of_ctl())
        if (const auto words = words_of(verb); !words.empty())
            cases += "(" + std::string(verb.name) + ") compadd " + words + " ;; ";
    return "        '1:VERB:(" + names_of(verbs_of_ctl()) +
           ")' \\\n"
           "        '*:: :{case $words[1] in " +
           cases + "esac}' \\\n";
}

std::string fish_text(std::string_view text) {
    return "'" + escaped(text, {{'\'', "\\'"}, {'\\', "\\\\"}}) + "'";
}

std::string fish_verbs() {
    const auto verbs = verbs_of_ctl();
    std::string text;
    for (const auto& verb : verbs) {
        text +=
            "complete -c holdfast -n '__fish_seen_subcommand_from ctl; and not "
            "__fish_seen_subcommand_from " +
            names_of(verbs) + "' -a " + std::string(verb.name) + " -d " + fish_text(verb.meaning) +
            "\n";
        if (const auto words = words_of(verb); !words.empty())
            text +=
                "complete -c holdfast -n '__fish_seen_subcommand_from ctl; and "
                "__fish_seen_subcommand_from " +
                std::string(verb.name) + "' -a '" + words + "'\n";
    }
    return text;
}

std::string fish_lab_words() {
    const std::string in_lab = "complete -c holdfast -n '__fish_seen_subcommand_from lab; and ";
    std::string text;
    for (const auto& word : lab_words()) {
        text += in_lab + "not __fish_seen_subcommand_from " + names_of_lab_words() + "' -a " +
                std::string(word.name) + " -d " + fish_text(word.meaning) + "\n";
        if (!word.operand.empty())
            text += in_lab + "__fish_seen_subcommand_from " + std::string(word.name) + "' -F\n";
    }
    return text;
}

// One argument of zsh's _arguments.
std::string zsh_argument(const OptionText& option) {
    const auto text =
        escaped(short_meaning(option),
                {{'\'', "'\\''"}, {'[', "\\["}, {']', "\\]"}, {':', "\\:"}, {'\\', "\\\\"}});
    std::string argument = option.form == Form::list || option.repeated_by != 0 ? "'*" : "'";
    argument += "--" + std::string(option.name) + "[" + text + "]";
    if (option.form == Form::flag) return argument + "'";
    argument += ":" + escaped(option.value, {{':', "\\:"}}) + ":";
    const auto value = value_of(option);
    switch (value.offer) {
    case Offer::nothing: argument += " "; break;  // a value that nobody can guess
    case Offer::words: argument += "(" + value.words + ")"; break;
    case Offer::files: argument += "_files"; break;
    case Offer::directories: argument += "_files -/"; break;
    }
    return argument + "'";
}

std::string fish_option(const OptionText& option) {
    std::string commands_of_it;
    for (const auto& command : commands())
        if ((option.commands & command.options) != 0) append(commands_of_it, command.name);
    std::string line =
        "complete -c holdfast -n '__fish_seen_subcommand_from " + commands_of_it +
        // `ctl answer` is no `answer`, `lab run` no `run`.
        ((option.commands & for_ctl) != 0 ? "" : "; and not __fish_seen_subcommand_from ctl") +
        ((option.commands & for_lab) != 0 ? "" : "; and not __fish_seen_subcommand_from lab") +
        "' -l " + std::string(option.name);
    const auto value = value_of(option);
    if (option.form != Form::flag) {
        switch (value.offer) {
        case Offer::nothing: line += " -x"; break;
        case Offer::words: line += " -x -a " + fish_text(value.words); break;
        case Offer::files: line += " -r -F"; break;
        case Offer::directories: line += " -x -a '(__fish_complete_directories)'"; break;
        }
    }
    return line + " -d " + fish_text(short_meaning(option)) + "\n";
}

}  // namespace

std::string bash_completion() {
    std::string names;
    std::string option_cases;
    std::string value_cases;
    for (const auto& command : commands()) {
        append(names, command.name);
        std::string options;
        for (const auto* option : options_of(command))
            append(options, "--" + std::string(option->name));
        append(options, "--help");
        option_cases += "    " + std::string(command.name) + ") options=\"" + options + "\" ;;\n";
    }
    for (const auto& option : option_table()) {
        const auto value = value_of(option);
        if (option.commands == 0 || value.offer != Offer::words) continue;
        value_cases += "    --" + std::string(option.name) + ") words=\"" + value.words + "\" ;;\n";
    }
    return "# bash completion for holdfast(1), made from its tables of commands and options.\n"
           "_holdfast() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "  local options words\n"
           "  COMPREPLY=()\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"" +
           names +
           " --help --version\" -- \"$word\")\n"
           "    return\n"
           "  fi\n"
           "  # What is said with = comes as three words.\n"
           "  if [ \"$word\" = \"=\" ]; then\n"
           "    word=\n"
           "  elif [ \"$before\" = \"=\" ]; then\n"
           "    before=${COMP_WORDS[COMP_CWORD - 2]}\n"
           "  fi\n"
           "  case $before in\n" +
           value_cases + "    " + bash_pattern(Offer::files) +
           ")\n"
           "      compopt -o filenames 2>/dev/null\n"
           "      mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
           "      return ;;\n"
           "    " +
           bash_pattern(Offer::directories) +
           ")\n"
           "      compopt -o filenames 2>/dev/null\n"
           "      mapfile -t COMPREPLY < <(compgen -d -- \"$word\")\n"
           "      return ;;\n"
           "    " +
           bash_pattern(Offer::nothing) +
           ") return ;;\n"
           "  esac\n"
           "  if [ -n \"$words\" ]; then\n"
           "    [ \"$before\" != --set ] || compopt -o nospace 2>/dev/null\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
           "    return\n"
           "  fi\n"
           "  case ${COMP_WORDS[1]} in\n" +
           option_cases + "  esac\n" + bash_verbs() + bash_lab_words() + bash_files() +
           "  mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
           "}\n"
           "complete -F _holdfast holdfast\n";
}

std::string zsh_completion() {
    std::string names;
    std::string cases;
    for (const auto& command : commands()) {
        const auto name = std::string(command.name);
        names += "      '" + name + ":" +
                 escaped(command.summary, {{'\'', "'\\''"}, {':', "\\:"}, {'\\', "\\\\"}}) + "'\n";
        cases += "    " + name + ")\n      _arguments -s \\\n";
        for (const auto* option : options_of(command))
            cases += "        " + zsh_argument(*option) + " \\\n";
        // A list of nothing: with an action that only says something zsh inserts no single match.
        if (command.options == for_ctl)
            cases += zsh_verbs();
        else if (command.options == for_lab)
            cases += "        '1:WORD:(" + names_of_lab_words() +
                     ")' \\\n"
                     "        '*:FILE:_files' \\\n";
        else if (command.operand == file_operand)
            cases += "        ':FILE:_files' \\\n";
        else if (!command.operand.empty())
            cases += "        ':" + escaped(command.operand, {{':', "\\:"}}) + ":( )' \\\n";
        cases += "        '(- *)'{-h,--help}'[what it does, and its options]' ;;\n";
    }
    return "#compdef holdfast\n"
           "# zsh completion for holdfast(1), made from its tables of commands and options.\n"
           "_holdfast() {\n"
           "  if (( CURRENT == 2 )); then\n"
           "    local -a commands=(\n" +
           names +
           "    )\n"
           "    _describe command commands\n"
           "    _arguments '(- *)'{-h,--help}'[the commands]' '(- *)'{-V,--version}'[the "
           "version]'\n"
           "    return\n"
           "  fi\n"
           "  shift words\n"
           "  (( CURRENT-- ))\n"
           "  case $words[1] in\n" +
           cases +
           "  esac\n"
           "}\n"
           "_holdfast \"$@\"\n";
}

std::string fish_completion() {
    std::string text =
        "# fish completion for holdfast(1), made from its tables of commands and options.\n"
        "complete -c holdfast -f\n"
        "complete -c holdfast -s h -l help -d 'what it does, and its options'\n"
        "complete -c holdfast -n __fish_use_subcommand -s V -l version -d 'the version'\n";
    for (const auto& command : commands())
        text += "complete -c holdfast -n __fish_use_subcommand -a " + std::string(command.name) +
                " -d " + fish_text(command.summary) + "\n";
    for (const auto& command : commands())
        if (command.operand == file_operand)
            text += "complete -c holdfast -n '__fish_seen_subcommand_from " +
                    std::string(command.name) + "' -F\n";
    for (const auto& option : option_table())
        if (option.commands != 0) text += fish_option(option);
    return text + fish_verbs() + fish_lab_words();
}

}  // namespace holdfast::cli
