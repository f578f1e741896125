"""A registrar in Python for what no real server can be made to do: answers late, twice, out of order, from another port.

By default it is honest: it challenges (digest MD5, RFC 8760 §2), stores bindings, answers OPTIONS, on UDP and TCP. A
test derives from it and overrides `on_register`, `on_options` or `on_request`:

    class Late(Registrar):
        def on_register(self, asked, flow):
            self.later(3.0, lambda: self.register(asked, flow))

It runs in a thread of its own on sockets of a namespace; the methods are called in that thread, one at a time.
"""

import hashlib
import heapq
import itertools
import re
import selectors
import socket
import threading
import time

from sip_text import Message, answer, token


class Flow:
    """Where a request came from, and how to answer it: a UDP source, or a TCP connection."""

    def __init__(self, transport, sock, peer):
        self.transport, self.sock, self.peer = transport, sock, peer
        self.received = b""  # of a connection, not yet a whole message

    def send(self, octets, sock=None):
        """`sock`: another UDP socket than the one that was asked."""
        if self.transport == "udp":
            (sock or self.sock).sendto(octets, self.peer)
        else:
            self.sock.sendall(octets)


class Registrar:
    realm = "example.test"
    digest = True
    expires = 300  # granted at most, in seconds

    def __init__(self, host, address, port=5060, password="secret"):
        self.address, self.port = address, port
        self._password = password
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._timers, self._order = [], itertools.count()
        self._nonces = set()
        self.bindings = {}   # Contact URI → seconds that were granted
        self.requests = []   # (monotonic seconds, transport, Message), in order of arrival
        self._lock = threading.Lock()
        self.udp = self.socket(port)
        self._listener = self._listen()
        self._ended = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """Ends; fails if a method of the script did."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()
        if self._failure is not None:
            raise self._failure

    def seen(self, method):
        """The requests of that method so far, as (monotonic seconds, transport, Message)."""
        with self._lock:
            return [one for one in self.requests if one[2].method == method]

    # What a script overrides.

    def on_request(self, asked, flow):
        if asked.method == "REGISTER":
            self.on_register(asked, flow)
        elif asked.method == "OPTIONS":
            self.on_options(asked, flow)
        elif asked.method != "ACK":
            self.answer(asked, flow, 501, "Not Implemented")

    def on_register(self, asked, flow):
        self.register(asked, flow)

    def on_options(self, asked, flow):
        self.answer(asked, flow, 200, "OK")

    # What a script uses.

    def socket(self, port=0):
        """One more UDP socket of this host, also listened to."""
        with self._host.entered():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((self.address, port))
        self._selector.register(sock, selectors.EVENT_READ, self._on_datagram)
        return sock

    def later(self, seconds, what):
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), what))

    def answer(self, asked, flow, status, reason, sock=None, **headers):
        """Answers at once, with `received` and `rport` as RFC 3581 §4 wants it; the Message that was sent."""
        message = answer(asked, status, reason, **headers)
        via = message.headers["via"][0]
        via = re.sub(r";rport(?![=\w])", f";rport={flow.peer[1]}", via, count=1)
        message.headers["via"][0] = f"{via};received={flow.peer[0]}"
        flow.send(message.encode(), sock)
        return message

    def register(self, asked, flow):
        """What an honest registrar does with a REGISTER (RFC 3261 §10.3)."""
        if self.digest and not self._is_authorised(asked):
            self.challenge(asked, flow)
            return
        self.store(asked)
        self.accept(asked, flow)

    def challenge(self, asked, flow, **parameters):
        nonce = token()
        self._nonces.add(nonce)
        extra = "".join(f", {name}={value}" for name, value in parameters.items())
        self.answer(asked, flow, 401, "Unauthorized", www_authenticate=(
            f'Digest realm="{self.realm}", nonce="{nonce}", qop="auth", algorithm=MD5{extra}'))

    def store(self, asked):
        for contact in asked.contacts():
            uri, _, parameters = contact.partition(">")
            uri = uri.strip().lstrip("<")
            own = re.search(r"expires=(\d+)", parameters)
            seconds = int(own.group(1) if own else asked["expires"] or self.expires)
            if seconds == 0:
                self.bindings.pop(uri, None)
            else:
                self.bindings[uri] = min(seconds, self.expires)

    def accept(self, asked, flow, **headers):
        contacts = [f"<{uri}>;expires={seconds}" for uri, seconds in self.bindings.items()]
        self.answer(asked, flow, 200, "OK", contact=contacts, **headers)

    def _is_authorised(self, asked):
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', asked["authorization"].partition(" ")[2]))
        if given.get("nonce") not in self._nonces:
            return False
        md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
        ha1 = md5(f"{given.get('username')}:{self.realm}:{self._password}")
        ha2 = md5(f"{asked.method}:{given.get('uri')}")
        middle = ":".join(given.get(name, "") for name in ("nonce", "nc", "cnonce", "qop"))
        return given.get("response") == md5(f"{ha1}:{middle}:{ha2}")

    # The thread.

    def _listen(self):
        with self._host.entered():
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.address, self.port))
        listener.listen()
        self._selector.register(listener, selectors.EVENT_READ, self._on_connection)
        return listener

    def _run(self):
        try:
            while not self._ended.is_set():
                due = self._timers[0][0] - time.monotonic() if self._timers else 0.1
                for key, _ in self._selector.select(max(0.0, min(due, 0.1))):
                    key.data(key.fileobj)
                while self._timers and self._timers[0][0] <= time.monotonic():
                    heapq.heappop(self._timers)[2]()
        except BaseException as failure:  # a script's mistake must fail its test, not vanish with the thread
            self._failure = failure

    def _on_datagram(self, sock):
        octets, peer = sock.recvfrom(65535)
        self._take(octets, Flow("udp", sock, peer))

    def _on_connection(self, listener):
        connection, peer = listener.accept()
        flow = Flow("tcp", connection, peer)
        self._selector.register(connection, selectors.EVENT_READ, lambda _: self._on_stream(flow))

    def _on_stream(self, flow):
        octets = flow.sock.recv(65535)
        if not octets:
            self._selector.unregister(flow.sock)
            flow.sock.close()
            return
        flow.received += octets
        while True:
            if flow.received.startswith(b"\r\n"):  # keep-alive (RFC 5626 §4.4.1)
                if flow.received.startswith(b"\r\n\r\n"):
                    flow.send(b"\r\n")
                flow.received = flow.received.lstrip(b"\r\n")
            head, end, rest = flow.received.partition(b"\r\n\r\n")
            if not end:
                return
            length = int(Message.parse(head + end)["content-length"] or 0)
            if len(rest) < length:
                return
            flow.received = rest[length:]
            self._take(head + end + rest[:length], flow)

    def _take(self, octets, flow):
        if not octets.strip(b"\r\n\0"):
            return
        message = Message.parse(octets)
        if message.status:
            return
        with self._lock:
            self.requests.append((time.monotonic(), flow.transport, message))
        self.on_request(message, flow)
