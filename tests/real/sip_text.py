"""As much of SIP's text as a caller and a scripted registrar need: nothing here judges the phone."""

import itertools
import secrets

_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
            "k": "supported", "c": "content-type", "e": "content-encoding", "s": "subject"}
_numbers = itertools.count(1)


class Message:
    """A request or an answer; headers by lower-case long name, each a list of values in order."""

    def __init__(self, start, headers=None, body=""):
        self.start = start
        self.headers = headers or {}
        self.body = body

    @classmethod
    def parse(cls, octets):
        head, _, body = octets.decode("utf-8", "replace").partition("\r\n\r\n")
        lines = head.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n")
        message = cls(lines[0], {}, body)
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            message.headers.setdefault(_COMPACT.get(name, name), []).append(value.strip())
        return message

    def __getitem__(self, name):
        """The first value of a header, or ''."""
        return self.headers.get(name, [""])[0]

    @property
    def status(self):
        """The status code of an answer, 0 of a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self):
        return self["cseq"].split(" ")[-1] if self.status else self.start.split(" ")[0]

    def contacts(self):
        """All values of Contact, commas between them resolved (RFC 3261 §7.3.1)."""
        values, depth, current = [], 0, ""
        for char in ",".join(self.headers.get("contact", [])):
            depth += {"<": 1, ">": -1}.get(char, 0)
            if char == "," and depth == 0:
                values.append(current.strip())
                current = ""
            else:
                current += char
        return [value for value in [*values, current.strip()] if value]

    def encode(self):
        lines = [self.start]
        for name, values in self.headers.items():
            if name != "content-length":
                lines += [f"{name.title()}: {value}" for value in values]
        octets = self.body.encode()
        lines.append(f"Content-Length: {len(octets)}")
        return "\r\n".join([*lines, "", ""]).encode() + octets


def token():
    return secrets.token_hex(8)


def request(method, uri, here, *, caller, called, call_id=None, branch=None, cseq=1, **more):
    """A new request from the UDP address `here` ("host:port")."""
    number = next(_numbers)
    headers = {
        "via": [f"SIP/2.0/UDP {here};branch={branch or 'z9hG4bK' + token()};rport"],
        "max-forwards": ["70"],
        "from": [f"<{caller}>;tag={token()}"],
        "to": [f"<{called}>"],
        "call-id": [call_id or f"{number}-{token()}"],
        "cseq": [f"{cseq} {method}"],
        "contact": [f"<sip:caller@{here}>"],
    }
    headers.update({name.replace("_", "-"): [value] for name, value in more.items()})
    return Message(f"{method} {uri} SIP/2.0", headers)


def answer(asked, status, reason, **more):
    """An answer to a request, with a To tag of its own unless it has one, and `more` headers (a list, or a text)."""
    to = asked["to"]
    if ";tag=" not in to and status > 100:
        to += f";tag={token()}"
    headers = {name: list(asked.headers.get(name, [])) for name in ("via", "from", "call-id", "cseq")}
    headers["to"] = [to]
    for name, value in more.items():
        headers[name.replace("_", "-")] = value if isinstance(value, list) else [value]
    return Message(f"SIP/2.0 {status} {reason}", headers)
