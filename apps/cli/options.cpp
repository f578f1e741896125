#include "apps/cli/options.h"

#include <array>
#include <charconv>
#include <system_error>

#include "apps/cli/call_options.h"
#include "apps/cli/fleet_options.h"
#include "apps/cli/lab_options.h"
#include "apps/cli/sound_options.h"
#include "base/text.h"
#include "flow/contact_address.h"
#include "location/next_hop.h"
#include "registration/policy.h"
#include "registration/policy_values.h"
#include "registration/stun_elsewhere.h"

namespace holdfast::cli {

namespace {

using Applied = std::expected<void, std::string>;

Applied server_uri(std::string& place, std::string_view value) {
    auto uri = with_scheme(value);
    if (const auto hop = location::next_hop_of(uri); !hop)
        return std::unexpected("\"" + std::string(value) + "\" is no server's URI: " + hop.error());
    place = std::move(uri);
    return {};
}

std::expected<Endpoint, std::string> endpoint(std::string_view value) {
    if (const auto address = IpAddress::parse(value)) return Endpoint{*address, 0};
    if (const auto parsed = Endpoint::parse(value)) return *parsed;
    return std::unexpected(
        "\"" + std::string(value) +
        "\" is no IP address with or without port (192.0.2.1, 192.0.2.1:5060, [2001:db8::1]:5060)");
}

Applied policy(Options& options, std::string_view key, std::string_view value) {
    return registration::set(options.account.policy, key, value);
}

Applied apply_aor(Options& options, std::string_view value, bool) {
    auto aor = aor_of(value);
    if (!aor) return std::unexpected(aor.error());
    options.account.aor = *std::move(aor);
    return {};
}

Applied apply_password(Options& options, std::string_view value, bool) {
    options.account.password = Redacted{std::string(value)};
    options.password_given = true;
    return {};
}

Applied apply_transport(Options& options, std::string_view value, bool) {
    options.account.transport = parse_transport(value);
    if (options.account.transport || equals_ignoring_case(value, "auto")) return {};
    return std::unexpected("\"" + std::string(value) + "\" is no transport: auto, udp, tcp or tls");
}

Applied apply_auth_user(Options& options, std::string_view value, bool) {
    options.account.auth_user = value;
    return {};
}

Applied apply_realm(Options& options, std::string_view value, bool first) {
    if (value.empty()) return std::unexpected("a realm has a name, as in example.test");
    if (first) options.account.realms.clear();
    options.account.realms.emplace_back(value);
    return {};
}

Applied apply_registrar(Options& options, std::string_view value, bool) {
    return server_uri(options.account.registrar, value);
}

Applied apply_outbound_proxy(Options& options, std::string_view value, bool) {
    return server_uri(options.account.outbound_proxy, value);
}

// F8: "sip:backup.example.net", or with its own domain: "sip:backup.example.net
// domain=example.net".
Applied apply_backup(Options& options, std::string_view value, bool first) {
    if (first) options.account.backups.clear();
    constexpr std::string_view domain_word = "domain=";
    registration::Backup backup;
    const auto space = value.find(' ');
    if (space != std::string_view::npos) {
        const auto rest = trimmed(value.substr(space));
        if (!rest.starts_with(domain_word) || rest.size() == domain_word.size())
            return std::unexpected("\"" + std::string(value) +
                                   "\": after the backup's URI only domain=NAME may stand");
        backup.domain = lower_case(rest.substr(domain_word.size()));
        value = value.substr(0, space);
    }
    if (auto uri = server_uri(backup.uri, value); !uri) return uri;
    options.account.backups.push_back(std::move(backup));
    return {};
}

Applied apply_contact_address(Options& options, std::string_view value, bool) {
    if (!flow::is_contact_address(value))
        return std::unexpected("\"" + std::string(value) +
                               "\" is no address for a Contact: HOST or HOST:PORT (198.51.100.7, "
                               "phone.example.test:5070, [2001:db8::1]:5070)");
    options.account.contact_address = trimmed(value);
    return {};
}

Applied apply_stun(Options& options, std::string_view value, bool) {
    if (const auto server = registration::stun_server_of(value); !server)
        return std::unexpected(server.error());
    options.account.stun = trimmed(value);
    return {};
}

Applied apply_expires(Options& options, std::string_view value, bool) {
    return policy(options, "expires", value);
}
Applied apply_flows(Options& options, std::string_view value, bool) {
    return policy(options, "flows", value);
}
Applied apply_preset(Options& options, std::string_view value, bool) {
    return policy(options, "preset", value);
}

Applied apply_set(Options& options, std::string_view value, bool) {
    const auto equals = value.find('=');
    if (equals == std::string_view::npos)
        return std::unexpected(
            "\"" + std::string(value) +
            "\" sets nothing: write policy.key=value (`holdfast policy` lists the keys)");
    return policy(options, policy_key(value.substr(0, equals)), trimmed(value.substr(equals + 1)));
}

Applied apply_dns(Options& options, std::string_view value, bool first) {
    if (first) options.driver.dns_servers.clear();
    const auto server = endpoint(value);
    if (!server) return std::unexpected(server.error());
    options.driver.dns_servers.push_back(*server);
    return {};
}

Applied apply_local(Options& options, std::string_view value, bool) {
    const auto local = endpoint(value);
    if (!local) return std::unexpected(local.error());
    options.driver.local = *local;
    return {};
}

Applied apply_ca(Options& options, std::string_view value, bool) {
    options.driver.tls.ca_file = value;
    return {};
}
Applied apply_pin(Options& options, std::string_view value, bool first) {
    if (first) options.driver.tls.pins.clear();
    options.driver.tls.pins.emplace_back(value);
    return {};
}
Applied apply_certificate(Options& options, std::string_view value, bool) {
    options.driver.tls.certificate_file = value;
    return {};
}
Applied apply_key(Options& options, std::string_view value, bool) {
    options.driver.tls.key_file = value;
    return {};
}
Applied apply_state(Options& options, std::string_view value, bool) {
    options.driver.state_directory = value;
    return {};
}
Applied apply_record(Options& options, std::string_view value, bool) {
    options.driver.record_file = value;
    return {};
}

Applied apply_json(Options& options, std::string_view value, bool) {
    return flag(options.json, value);
}
Applied apply_trace(Options& options, std::string_view value, bool) {
    return flag(options.trace, value);
}
Applied apply_once(Options& options, std::string_view value, bool) {
    return flag(options.once, value);
}
Applied apply_nothing(Options&, std::string_view, bool) {
    return {};
}  // --config: it has been read by now

constexpr std::uint16_t calls = for_call | for_answer;
constexpr std::uint16_t sound = calls | for_phone;
constexpr std::uint16_t dials = for_call | for_phone | of_an_account;
constexpr std::uint16_t both = for_register | for_resolve | for_doctor | sound;
constexpr std::uint16_t all = both | for_policy;
constexpr std::uint16_t host = both | for_run;       // one for the process
constexpr std::uint16_t own = both | of_an_account;  // each account of many may have its own

constexpr std::array table{
    OptionText{"aor", "AOR", "",
               "the account, as in sip:alice@example.test; on the command line it stands alone",
               Form::value, 0, true, apply_aor},
    OptionText{"password", "TEXT", "",
               "the password; the file must then be readable for its owner alone (mode 0600)",
               Form::value, 0, true, apply_password},
    OptionText{"transport", "auto|udp|tcp|tls", "auto",
               "how to reach the servers; auto: as DNS says (NAPTR, SRV), else the best that works",
               Form::value, own, true, apply_transport},
    OptionText{"auth-user", "NAME", "the AOR's user", "the user name that goes with the password",
               Form::value, own, true, apply_auth_user},
    OptionText{"realm", "NAME", "the one that the registrar names first",
               "who may ask for the password's proof; may be given several times", Form::list, own,
               true, apply_realm},
    OptionText{"registrar", "URI", "the AOR's domain",
               "the server to register with, if it is not the AOR's domain", Form::value, own, true,
               apply_registrar},
    OptionText{"outbound-proxy", "URI", "none", "the server that every request goes to first",
               Form::value, own, true, apply_outbound_proxy},
    OptionText{"backup", "URI[ domain=NAME]", "none",
               "another server, used while all before it fail; may be given several times",
               Form::list, own, true, apply_backup},
    OptionText{"contact-address", "HOST[:PORT]", "as the servers see us",
               "the address in the Contact, by hand: where a NAT forwards a port to this one",
               Form::value, own, true, apply_contact_address},
    OptionText{"stun", "SERVER[:PORT]", "none",
               "over UDP: a STUN server that shows our public address for the very first REGISTER; "
               "afterwards the SIP servers' own word counts",
               Form::value, own, true, apply_stun},
    OptionText{"expires", "S", "300", "seconds that a registration is asked to last", Form::value,
               own, true, apply_expires},
    OptionText{"flows", "auto|N", "auto",
               "registrations kept at once, each through another server: 1 or 2; "
               "auto: 2 if the registrar supports outbound",
               Form::value, own, true, apply_flows},
    OptionText{
        "preset", "NAME", "holdfast",
        "a named set of all policy values (`holdfast presets` lists them); lab: may be given "
        "several times, to see them beside each other",
        Form::value, all | for_lab | of_an_account, true, apply_preset, for_lab},
    OptionText{"set", "policy.KEY=VALUE", "",
               "one value of the policy (`holdfast policy` lists them); may be given "
               "several times",
               Form::list, all | for_lab | of_an_account, true, apply_set},
    OptionText{"dns", "ADDRESS[:PORT]", "the system's",
               "the DNS server to ask; may be given several times", Form::list, host, true,
               apply_dns},
    OptionText{"local", "ADDRESS[:PORT]", "any address, the port of the last run",
               "the local address of all sockets, and the UDP port", Form::value, host, true,
               apply_local},
    OptionText{"ca", "FILE", "the system's",
               "the CA certificates (PEM) that servers are checked against", Form::value, host,
               true, apply_ca},
    OptionText{"tls-pin", "sha256/BASE64", "none",
               "the hash of the server's public key; one of those given must match", Form::list,
               host, true, apply_pin},
    OptionText{"certificate", "FILE", "none",
               "our own certificate (PEM, with its chain) for servers that ask for one",
               Form::value, host, true, apply_certificate},
    OptionText{"key", "FILE", "in the certificate's file",
               "the private key (PEM) of our own certificate", Form::value, host, true, apply_key},
    OptionText{"state", "DIR", "$XDG_STATE_HOME/holdfast, else ~/.local/state/holdfast",
               "where the device's identity and what it knows of servers are kept", Form::value,
               host, true, apply_state},
    OptionText{"config", "FILE", "none",
               "read options from a TOML file: the same names, and policy as a table", Form::value,
               host, false, apply_nothing},
    OptionText{"json", "", "off", "print JSON, one object a line", Form::flag,
               all | for_demo | for_run | for_devices | for_ctl | for_lab, true, apply_json},
    OptionText{"trace", "", "off",
               "print every SIP message to standard error, passwords' answers left out", Form::flag,
               both, true, apply_trace},
    OptionText{"record", "FILE", "none",
               "record everything that happens, for replay; holds no password. Of call and answer: "
               "the sound of both sides, as WAV",
               Form::value, for_register | for_resolve | calls | for_demo, true, apply_record},
    OptionText{"once", "", "off", "end after the first outcome: registered, or failed", Form::flag,
               for_register | for_resolve, true, apply_once},
    OptionText{"account", "AOR", "that of the configuration file, else none",
               "the account to call with", Form::value, for_call, false, apply_account},
    OptionText{"audio", "DEVICE", "default",
               "where sound comes from and goes to: default, null (none), tone:HERTZ, file:PATH, "
               "loop:PATH (again and again), pulse:NAME, pipewire:NAME, alsa:NAME",
               Form::value, sound, true, apply_audio},
    OptionText{"microphone", "DEVICE", "as --audio",
               "where the sound that we send comes from, if not from there where the other side is "
               "heard",
               Form::value, sound, true, apply_microphone},
    OptionText{"speaker", "DEVICE", "as --audio", "where the other side is heard", Form::value,
               sound, true, apply_speaker},
    OptionText{"echo-cancel", "auto|on|off", "auto",
               "take what is played out of the microphone's sound; auto: if it is a device",
               Form::value, sound, true, apply_echo_cancel},
    OptionText{"noise-suppression", "auto|on|off", "auto",
               "weaken noise in the microphone's sound; auto: if it is a device", Form::value,
               sound, true, apply_noise_suppression},
    OptionText{"auto-gain", "", "off",
               "bring speech to one loudness, however far the microphone is", Form::flag, sound,
               true, apply_auto_gain},
    OptionText{"vad", "", "off",
               "send next to nothing while nobody speaks, where the codec can (opus, speex)",
               Form::flag, sound, true, apply_vad},
    OptionText{"ring-device", "DEVICE", "as --speaker",
               "where a call that comes rings: default, null (nowhere), file:PATH (a WAV file, "
               "begun anew), pulse:NAME, pipewire:NAME, alsa:NAME",
               Form::value, for_phone, true, apply_ring_device},
    OptionText{"ring-file", "FILE", "a tone", "the sound it rings with, again and again",
               Form::value, for_phone, true, apply_ring_file},
    OptionText{"tone-device", "DEVICE", "as --speaker",
               "where ring-back, busy and call waiting tones are heard; as --ring-device",
               Form::value, sound, true, apply_tone_device},
    OptionText{"tones", "europe|north-america|off", "europe", "whose such tones, or none",
               Form::value, sound, true, apply_tones},
    OptionText{"play", "FILE", "none", "a sound file for the other side, instead of a microphone",
               Form::value, calls, true, apply_play},
    OptionText{"dtmf", "DIGITS", "none",
               "digits to send once the call is answered: 0-9 * # A-D, a comma is a pause of 1 s",
               Form::value, calls, true, apply_dtmf},
    OptionText{"prefix", "DIGITS", "none",
               "what is dialled before plain numbers that no rule of the dial plan fits",
               Form::value, dials, true, apply_prefix},
    OptionText{"dial-plan", "RULE", "none",
               "what becomes of a number that is dialled, as in <0:+49>[1-9]x.; may be given "
               "several times, the first that fits counts",
               Form::list, dials, true, apply_dial_plan},
    OptionText{"emergency", "NUMBER", "112, 911, 999, 110, 000",
               "an emergency number, which is dialled as it is, whatever prefix and dial plan say; "
               "may be given several times, in the place of all of these",
               Form::list, dials, true, apply_emergency},
    OptionText{"voicemail", "NUMBER", "none",
               "what `voicemail` calls: a number or URI, after a comma digits to press",
               Form::value, for_phone | of_an_account, true, apply_voicemail},
    OptionText{"pickup", "CODE", "none",
               "what `pickup` dials before the extension whose call is taken", Form::value,
               for_phone | of_an_account, true, apply_pickup},
    OptionText{"dtmf-by", "auto|events|tones|info|info-plain", "auto",
               "how digits are sent: events (RFC 4733) if both sides know them, else by INFO if "
               "the other side takes it, else tones in the sound; or only by one of them (info: "
               "application/dtmf-relay, info-plain: application/dtmf)",
               Form::value, sound, true, apply_dtmf_by},
    OptionText{"srtp", "off|optional|required", "off", "encrypt the sound (SRTP)", Form::value,
               sound, true, apply_srtp},
    OptionText{"srtp-keys", "any|sdes|dtls", "any",
               "how SRTP's keys are agreed on: in the signalling (SDES), by DTLS, or either",
               Form::value, sound, true, apply_srtp_keys},
    OptionText{"transfer", "URI", "no transfer",
               "once it has answered, send the other side there instead, and end when it has got "
               "there",
               Form::value, for_call, true, apply_transfer},
    OptionText{"refuse-transfers", "", "off",
               "do not call whom the other side of a call wants to transfer us to", Form::flag,
               sound | of_an_account, true, apply_refuse_transfers},
    OptionText{"withhold-number", "", "off",
               "do not show the other side who calls; the account's server is asked to leave it "
               "out",
               Form::flag, for_call | for_phone, true, apply_withhold_number},
    OptionText{"duration", "TIME", "until one side hangs up",
               "hang up so long after the answer; 100ms to 24h", Form::value, calls, true,
               apply_duration},
    OptionText{"codec", "NAME", "all that are installed, wideband first",
               "a codec to offer; may be given several times, in order of preference", Form::list,
               sound, true, apply_codec},
    OptionText{"rtp-ports", "FIRST-LAST", "16384-32767", "the ports of the sound", Form::value,
               sound, true, apply_ports},
    OptionText{"shards", "N", "one a core", "how many threads share the accounts", Form::value,
               for_run, true, apply_shards},
    OptionText{"registers-per-second", "N", "200",
               "REGISTERs of all accounts together, at most; 0: no limit", Form::value, for_run,
               true, apply_rate},
    OptionText{"stop-within", "TIME", "30s",
               "how long un-REGISTERs may take at the end, at that rate; 2s to 1h", Form::value,
               for_run, true, apply_stop_within},
    OptionText{"metrics", "ADDRESS:PORT", "none",
               "serve metrics for Prometheus there (http://ADDRESS:PORT/metrics)", Form::value,
               for_run, true, apply_metrics},
    OptionText{"log", "changes|all", "changes",
               "which events are printed: all, or those that change an account's state",
               Form::value, for_run | for_phone, true, apply_log},
    OptionText{"socket", "PATH", "$XDG_RUNTIME_DIR/holdfast/phone.sock",
               "the Unix socket by which the phone is driven", Form::value,
               for_phone | for_ctl | for_doctor, true, apply_socket},
    OptionText{"dnd", "", "off", "do not disturb: refuse every call that comes, until `dnd off`",
               Form::flag, for_phone, true, apply_dnd},
    OptionText{"one-call", "", "off", "one call at a time: a second one that comes is busy",
               Form::flag, for_phone, true, apply_one_call},
    OptionText{"auto-answer", "off|asked|TIME", "off",
               "answer calls by itself: asked: when the account's own server asks for it; or "
               "always, after 0s to 2min",
               Form::value, for_phone, true, apply_auto_answer},
    OptionText{"forward", "WHOM", "nobody",
               "send every caller to WHOM: a number, a name or a URI; off: to nobody", Form::value,
               for_phone, true, apply_forward},
    OptionText{"forward-busy", "WHOM", "nobody",
               "send who calls while there is another call to WHOM", Form::value, for_phone, true,
               apply_forward_busy},
    OptionText{"forward-no-answer", "WHOM", "nobody",
               "send callers to WHOM if nobody has answered in time", Form::value, for_phone, true,
               apply_forward_no_answer},
    OptionText{"forward-after", "TIME", "20s", "that time; 1s to 2min", Form::value, for_phone,
               true, apply_forward_after},
    OptionText{"deny", "PATTERN", "none",
               "refuse this caller: a number, a user or USER@HOST, * for any others; may be given "
               "several times",
               Form::list, for_phone, true, apply_deny},
    OptionText{"record-calls", "DIR", "none",
               "record the sound of every call there, from the answer on, in a file with its time "
               "and its other side as name",
               Form::value, for_phone, true, apply_record_calls},
    OptionText{"record-format", "wav|opus|ogg|mp3", "wav", "how such a file holds the sound",
               Form::value, for_phone, true, apply_record_format},
    OptionText{"search", "TEXT", "none", "of history: only calls with this text in them",
               Form::value, for_ctl, false, apply_search},
    OptionText{"csv", "", "off", "of history: all calls as CSV, newest first", Form::flag, for_ctl,
               false, apply_csv},
    OptionText{"runs", "N", "1000", "of swarm: how many worlds", Form::value, for_lab, false,
               apply_runs},
    OptionText{"seed", "N", "1",
               "which of the runs: the same number, the same run, octet for octet; of swarm: of "
               "the first world",
               Form::value, for_lab, false, apply_seed},
    OptionText{"minutes", "M", "10",
               "of swarm: how long a world suffers before it heals, in virtual time; 0.05 to 10080",
               Form::value, for_lab, false, apply_minutes},
    OptionText{"keep", "PARTS", "all",
               "of swarm: one world with these parts of it alone, as in phone1,node2,fault7; a "
               "minimised world says which",
               Form::list, for_lab, false, apply_keep},
    OptionText{"html", "FILE", "none",
               "of lab run and trace: write what was seen as a page for a browser, one file that "
               "fetches nothing",
               Form::value, for_lab | for_trace, false, apply_html},
};

}  // namespace

std::span<const OptionText> option_table() { return table; }

std::string_view policy_key(std::string_view key) {
    constexpr std::string_view prefix = "policy.";
    key = trimmed(key);
    return key.starts_with(prefix) ? key.substr(prefix.size()) : key;
}

}  // namespace holdfast::cli
