"""A caller that rings the account through the cluster, five times a second, and notes which calls rang."""

import itertools
import select
import socket
import threading
import time

from sip_text import Message, request

ADDRESS = "203.0.113.99"
INTERVAL = 0.2     # seconds between two calls
ANSWER_LIMIT = 3.0  # a call that has not rung by then is counted as lost; long enough for a busy host
SDP = "v=0\r\no=- 1 1 IN IP4 203.0.113.99\r\ns=-\r\nc=IN IP4 203.0.113.99\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"


class Call:
    def __init__(self, at, node, invite):
        self.at = at            # monotonic seconds
        self.node = node        # the address of the server it was sent to
        self.invite = invite
        self.rang_at = None
        self.status = None      # of the final answer

    @property
    def rang(self):
        return self.rang_at is not None


class Caller:
    """`nodes()` gives the addresses that a call may be sent to now; they take turns."""

    def __init__(self, host, nodes, called="sip:alice@example.test", interval=INTERVAL):
        with host.entered():
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind((ADDRESS, 0))
        self._here = f"{ADDRESS}:{self._socket.getsockname()[1]}"
        self._nodes = nodes
        self._called = called
        self._interval = interval
        self._turn = itertools.count()
        self._calls = {}
        self._lock = threading.Lock()
        self._paused = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def pause(self):
        """No more calls; returns when the fate of those placed is known."""
        self._paused = True
        end = time.monotonic() + ANSWER_LIMIT + 0.2
        while time.monotonic() < end:
            with self._lock:
                if all(call.rang or call.status for call in self._calls.values()):
                    return
            time.sleep(0.05)

    def resume(self):
        self._paused = False

    def calls(self, after=0.0):
        """All calls placed after that time whose fate is known, oldest first."""
        settled = time.monotonic() - ANSWER_LIMIT
        with self._lock:
            return [call for call in self._calls.values()
                    if call.at > after and (call.rang or call.status or call.at < settled)]

    def unreachable_since(self, fault):
        """Seconds from the fault until calls ring again; 0 if all did, None while the last one did not."""
        calls = self.calls(after=fault)
        lost = [call for call in calls if not call.rang]
        if not lost:
            return 0.0 if calls else None
        rang = [call for call in calls if call.rang and call.at > lost[-1].at]
        return rang[0].at - fault if rang else None

    def story(self):
        return "\n".join(f"call at {call.at:.3f} to {call.node}: {'rang' if call.rang else 'lost'} {call.status or ''}"
                         for call in self.calls() if not call.rang) or "every call rang"

    # The thread.

    def _run(self):
        due = time.monotonic()
        while not self._ended.is_set():
            now = time.monotonic()
            if now >= due and not self._paused:
                self._place_call(now)
                due = max(due + self._interval, now)
            wait = 0.2 if self._paused else max(0.0, min(due - now, 0.2))
            readable, _, _ = select.select([self._socket], [], [], wait)
            if readable:
                octets, source = self._socket.recvfrom(65535)
                self._on_message(Message.parse(octets), source)

    def _place_call(self, now):
        nodes = self._nodes()
        if not nodes:
            return
        node = nodes[next(self._turn) % len(nodes)]
        invite = request("INVITE", self._called, self._here, caller="sip:bob@example.test", called=self._called,
                         content_type="application/sdp")
        invite.body = SDP
        with self._lock:
            self._calls[invite["call-id"]] = Call(now, node, invite)
        self._send(invite, node)

    def _send(self, message, node):
        self._socket.sendto(message.encode(), (node, 5060))

    def _on_message(self, message, source):
        with self._lock:
            call = self._calls.get(message["call-id"])
        if call is None or message.method != "INVITE":
            return
        if 100 < message.status < 200 and not call.rang:
            call.rang_at = time.monotonic()
            self._send(self._within(call, "CANCEL", call.invite["to"]), call.node)
        elif message.status >= 200:
            call.status = message.status
            self._send(self._within(call, "ACK", message["to"]), source[0])

    @staticmethod
    def _within(call, method, to):
        """CANCEL, or ACK of a refusal: in the INVITE's own transaction (RFC 3261 §9.1, §17.1.1.3)."""
        headers = {name: list(call.invite.headers[name]) for name in ("via", "max-forwards", "from", "call-id")}
        headers["to"] = [to]
        headers["cseq"] = [f"{call.invite['cseq'].split(' ')[0]} {method}"]
        return Message(call.invite.start.replace("INVITE", method, 1), headers)
