"""A registrar on loopback that a test can make misbehave: a SIP server over UDP or TCP, a bindings table, a digest check.

    def too_late(request, path): ...        # None: as a good registrar; else the answers, or [] for silence
    server = Registrar("udp", too_late)
    ...
    server.registers()                      # what came, in order

Nothing here judges the phone. Every answer of a behaviour may be a Message, or octets that are sent as they are.
"""

import collections
import errno
import hashlib
import re
import secrets
import select
import socket
import struct
import threading
import time

_COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
            "k": "supported", "c": "content-type", "o": "event"}
_COPIED = ("via", "from", "to", "call-id", "cseq")


class Message:
    """A request or an answer; headers are pairs of lower-case long name and value, in order."""

    def __init__(self, start, headers, body=b""):
        self.start = start
        self.headers = list(headers)
        self.body = body
        self.at = time.monotonic()

    @classmethod
    def parse(cls, octets):
        head, _, body = octets.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").replace("\r\n ", " ").split("\r\n")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers.append((_COMPACT.get(name, name), value.strip()))
        return cls(lines[0], headers, body)

    def __getitem__(self, name):
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def status(self):
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def cseq(self):
        return int(self["cseq"].split(" ")[0])

    @property
    def branch(self):
        return re.search(r"branch=([^;,\s]+)", self["via"]).group(1)

    @property
    def expires(self):
        return int(self["expires"] or 0)

    @property
    def authorized(self):
        return bool(self["authorization"] or self["proxy-authorization"])

    def contacts(self):
        """(URI, parameters) of each Contact: our phone writes one to a line, in angle brackets."""
        found = []
        for value in self.all("contact"):
            uri, _, rest = value.partition("<")[2].partition(">")
            found.append((uri, rest))
        return found

    def with_header(self, name, value):
        """The same with another value for one header."""
        name = name.lower()
        kept = [(key, value if key == name else old) for key, old in self.headers]
        if name not in dict(self.headers):
            kept.append((name, value))
        return Message(self.start, kept, self.body)

    def encode(self):
        lines = [self.start] + [f"{name.title()}: {value}" for name, value in self.headers if name != "content-length"]
        return "\r\n".join([*lines, f"Content-Length: {len(self.body)}", "", ""]).encode("utf-8", "surrogateescape") + self.body


def answer(request, status, reason="Because", *headers, tag=None, source=None):
    """An answer to a request (RFC 3261 §8.2.6); `headers` are whole lines: "Expires: 60"."""
    copied = [(name, value) for name, value in request.headers if name in _COPIED]
    if status > 100:
        to_tag = tag or secrets.token_hex(6)
        copied = [(name, f"{value};tag={to_tag}" if name == "to" and ";tag=" not in value else value)
                  for name, value in copied]
    if source:  # RFC 3581 §4, in the top Via
        seen = f";received={source[0]};rport={source[1]}"
        first = next(i for i, (name, _) in enumerate(copied) if name == "via")
        copied[first] = ("via", re.sub(r";rport(?=;|$)", seen, copied[first][1]))
    own = [tuple(part.strip() for part in line.split(":", 1)) for line in headers]
    return Message(f"SIP/2.0 {status} {reason}", copied + [(name.lower(), value) for name, value in own])


def request(method, uri, caller, via, *headers, branch=None, body=b""):
    """A request of the server's own; `via` is its "host:port" and transport: "UDP 127.0.0.1:5062"."""
    branch = branch or "z9hG4bK" + secrets.token_hex(8)
    own = [tuple(part.strip() for part in line.split(":", 1)) for line in headers]
    given = {name.lower() for name, _ in own}
    usual = [("via", f"SIP/2.0/{via};branch={branch};rport"), ("max-forwards", "70"),
             ("from", f"<{caller}>;tag={secrets.token_hex(4)}"), ("to", f"<{uri}>"),
             ("call-id", secrets.token_hex(8)), ("cseq", f"1 {method}"), ("contact", f"<{caller}>")]
    return Message(f"{method} {uri} SIP/2.0", [pair for pair in usual if pair[0] not in given] +
                   [(name.lower(), value) for name, value in own], body)


class Path:
    """Where a request came from, for behaviours that do more than answer it."""

    def __init__(self, server, peer, connection=None, port=None):
        self.server = server
        self.peer = peer
        self.connection = connection
        self.port = port

    def send(self, what):
        """False if the phone has ended the connection: its right, whatever we are in the middle of."""
        octets = what.encode() if isinstance(what, Message) else what
        try:
            if self.connection is None:
                self.port.sendto(octets, self.peer)
            else:
                self.connection.sendall(octets)
        except ConnectionError:
            self.close()
            return False
        except OSError as error:
            if error.errno != errno.EBADF:  # the connection was closed here
                raise
            return False
        self.server.note("→", octets[:700])
        return True

    def reset(self):
        """An RST instead of a FIN."""
        if self.connection in self.server.connections():
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close()

    def close(self):
        if self.connection is not None:
            self.server.forget(self.connection)

    def half_close(self):
        try:
            self.connection.shutdown(socket.SHUT_WR)
        except OSError:
            self.close()


class Registrar:
    """`behave(request, path)` comes first: None means "as a good registrar", a list is sent instead.

    The good registrar challenges REGISTER without credentials, checks the digest, keeps a table of bindings by URI
    (RFC 3261 §10.3) and answers OPTIONS with 200. `addresses`: more sockets, all of them this server."""

    realm = "hostile.test"

    def __init__(self, transport="udp", behave=None, password="secret", address="127.0.0.1"):
        self.transport = transport
        self.behave = behave
        self.password = password
        self.challenges = True
        self.bindings = {}
        self.log = collections.deque(maxlen=400)
        self.connects = []
        self.pings = []  # when keep-alives without SIP came: CRLF (RFC 5626 §4.4.1), STUN (§4.4.2)
        self.failure = None
        self.answers_pings = False
        self._nonces = set()
        self._stun = set()
        self._requests = []
        self._news = threading.Condition()
        self._buffers = {}  # of each connection: what came and is no whole message yet
        self._paths = {}
        self._kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self._socket = self._listen(address)
        self.address, self.port = self._socket.getsockname()
        self._others = []
        self._wake_in, self._wake_out = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _listen(self, address):
        made = socket.socket(socket.AF_INET, self._kind)
        if self._kind == socket.SOCK_DGRAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        made.bind((address, 0))
        if self._kind == socket.SOCK_STREAM:
            made.listen(16)
        return made

    def another_socket(self, address="127.0.0.1"):
        """One more port, or address, at which this server listens too."""
        made = self._listen(address)
        self._others.append(made)
        self._wake_out.send(b"x")
        return made

    @property
    def uri(self):
        return f"sip:{self.address}:{self.port};transport={self.transport}"

    @property
    def target(self):
        return f"{self.transport}:{self.address}:{self.port}"

    @property
    def via(self):
        return f"{self.transport.upper()} {self.address}:{self.port}"

    # What happened.

    def requests(self, *methods):
        with self._news:
            return [one for one in self._requests if not methods or one.method in methods]

    def registers(self, with_copies=False):
        """REGISTERs in order; retransmissions (RFC 3261 §17.1.2.2) only if asked for."""
        seen, found = set(), []
        for one in self.requests("REGISTER"):
            if with_copies or one.branch not in seen:
                found.append(one)
            seen.add(one.branch)
        return found

    def wait_for(self, condition, limit, what="it"):
        """Until condition() holds, looked at after each message; fails after `limit` seconds."""
        if not self.happens(condition, limit):
            raise AssertionError(f"{what}: not within {limit} s\n{self.story()}")

    def happens(self, condition, limit):
        """Does it hold within so many seconds? For what must not happen, this is how long it is watched."""
        end = time.monotonic() + limit
        with self._news:
            while not condition():
                left = end - time.monotonic()
                if left <= 0 or self.failure:
                    return bool(condition())
                self._news.wait(left)
        return True

    def note(self, arrow, octets):
        head = octets[:600].decode("utf-8", "replace").replace("\r\n", "\n    ")
        self.log.append(f"{time.monotonic():.3f} {arrow} ({len(octets)} octets)\n    {head}")

    def story(self):
        return "\n".join([*list(self.log)[-40:], f"failure: {self.failure!r}", f"bindings: {self.bindings}"])

    # Serving.

    def _serve(self):
        try:
            while self._turn():
                pass
        except Exception as error:  # a behaviour of a test that fails must fail the test
            with self._news:
                self.failure = error
                self._news.notify_all()

    def _turn(self):
        try:
            sockets = [self._wake_in, self._socket, *self._others, *self._buffers]
            ready, _, _ = select.select(sockets, [], [], 60)
        except (OSError, ValueError):
            self._buffers = {one: held for one, held in self._buffers.items() if one.fileno() >= 0}
            return self._socket.fileno() >= 0
        for one in ready:
            if one is self._wake_in:
                if one.recv(1) == b"q":
                    return False
            elif one in self._buffers:
                self._read(one)
            elif one not in (self._socket, *self._others):
                continue  # a connection that was closed a moment ago
            elif self._kind == socket.SOCK_DGRAM:
                self._datagram(one)
            else:
                connection, peer = one.accept()
                self.connects.append(time.monotonic())
                self._buffers[connection] = b""
                self._paths[connection] = Path(self, peer, connection)
                self.on_connect(self._paths[connection])
        return True

    def on_connect(self, path):
        """For tests: what happens before a word was said."""

    def _datagram(self, port):
        try:
            octets, peer = port.recvfrom(65536)
        except ConnectionError:
            return  # the phone is gone
        if octets[:1] == b"\0" and octets[4:8] == b"\x21\x12\xa4\x42":
            self._ping(octets[8:20])
            if self.answers_pings:
                mapped = struct.pack("!xBH4s", 1, peer[1] ^ 0x2112, bytes(a ^ b for a, b in zip(
                    socket.inet_aton(peer[0]), b"\x21\x12\xa4\x42")))
                port.sendto(b"\x01\x01" + struct.pack("!H", 12) + octets[4:20] + b"\0\x20\0\x08" + mapped, peer)
        elif not octets.strip(b"\r\n\0"):
            self._ping()
        else:
            self._handle(Message.parse(octets), Path(self, peer, port=port), octets)

    def _read(self, connection):
        try:
            octets = connection.recv(65536)
        except OSError:
            octets = b""
        path, held = self._paths.get(connection), self._buffers.get(connection)
        if not octets or path is None or held is None:  # by now closed, perhaps by a thread of the test
            return self.forget(connection)
        held += octets
        while connection in self._buffers:
            while held.startswith(b"\r\n\r\n"):
                self._ping()
                held = held[4:]
                if self.answers_pings:
                    path.send(b"\r\n")
            held = held.lstrip(b"\r\n\0")
            head, blank, rest = held.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head) or [0, b"0"])[1])
            if not blank or len(rest) < length:
                break
            whole, held = held[:len(head) + 4 + length], rest[length:]
            self._handle(Message.parse(whole), path, whole)
        if connection in self._buffers:
            self._buffers[connection] = held
        return None

    def connections(self):
        return list(self._buffers)

    def forget(self, connection):
        if self._buffers.pop(connection, None) is not None:
            self._paths.pop(connection, None)
            connection.close()

    def _ping(self, transaction=None):
        with self._news:
            if transaction not in self._stun:  # else sent again, as nobody here answers it
                self.pings.append(time.monotonic())
            if transaction:
                self._stun.add(transaction)
            self._news.notify_all()

    def _handle(self, message, path, octets):
        self.note("←", octets)
        with self._news:
            self._requests.append(message)
        answers = self.behave(message, path) if self.behave else None
        if answers is None:
            answers = self.good(message, path)
        for one in answers:
            path.send(one)
        with self._news:
            self._news.notify_all()

    # The good registrar.

    def good(self, message, path):
        if message.status or message.method == "ACK":
            return []
        if message.method != "REGISTER":
            return [answer(message, 200, "OK", source=path.peer)]
        if self.challenges and not self.digest_is_right(message):
            return [self.challenge(message, path)]
        self.bind(message)
        return [self.ok(message, path)]

    def challenge(self, message, path, *more, nonce=None, stale=False):
        nonce = nonce or secrets.token_hex(12)
        self._nonces.add(nonce)
        line = f'WWW-Authenticate: Digest realm="{self.realm}",nonce="{nonce}",algorithm=MD5,qop="auth"'
        return answer(message, 401, "Unauthorized", line + (",stale=true" if stale else ""), *more, source=path.peer)

    def digest_is_right(self, message):
        """RFC 3261 §22.4 with qop=auth, MD5."""
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', message["authorization"].partition(" ")[2]))
        if fields.get("nonce") not in self._nonces:
            return False
        digest = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        ha1 = digest(f"{fields['username']}:{self.realm}:{self.password}")
        ha2 = digest(f"{message.method}:{fields['uri']}")
        joined = ":".join([ha1, fields["nonce"], fields["nc"], fields["cnonce"], "auth", ha2])
        return fields["response"] == digest(joined)

    def bind(self, message):
        for uri, parameters in message.contacts():
            given = re.search(r"expires=(\d+)", parameters)
            seconds = int(given.group(1)) if given else message.expires
            self.bindings.pop(uri, None)
            if seconds:
                self.bindings[uri] = re.sub(r";?expires=\d+", "", parameters) + f";expires={seconds}"

    def ok(self, message, path, *more, contacts=None):
        """200 with all bindings (RFC 3261 §10.3 step 8), or with these Contact values."""
        if contacts is None:
            contacts = [f"<{uri}>{parameters}" for uri, parameters in self.bindings.items()]
        return answer(message, 200, "OK", *[f"Contact: {one}" for one in contacts], *more, source=path.peer)

    def close(self):
        self._wake_out.send(b"q")
        self._thread.join(5)
        for one in [self._socket, *self._others, *self._buffers, self._wake_in, self._wake_out]:
            one.close()
