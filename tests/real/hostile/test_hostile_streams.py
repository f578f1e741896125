"""How bytes and connections come over TCP. RFC 3261 §18.3, RFC 5626 §3.5.1 and §4.4.1; rules F2, F4, K1, I5."""

import pytest

from behaviours import to_all_registers, to_registers, well


# RFC 3261 §18.3: a stream has no message boundaries.
@pytest.mark.parametrize("piece", [1, 7, 100])
def test_an_answer_in_pieces(server, phone, piece):
    def behave(request, path):
        octets = registrar.good(request, path)[0].encode()
        for start in range(0, len(octets), piece):
            path.send(octets[start:start + piece])
        return []

    registrar = server("tcp", behave)
    alice = phone(registrar)
    alice.wait_for("registered")
    assert len(registrar.registers()) == 2
    assert alice.end() == 0
    assert registrar.bindings == {}


# Answers in one segment, with pings, pongs and empty lines between them.
def test_answers_in_one_piece(server, phone):
    def behave(request, path):
        good = registrar.good(request, path)[0].encode()
        return [b"\r\n\r\n\r\n" + good + b"\r\n" + good + b"\r\n\r\n" + good]

    registrar = server("tcp", to_all_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert not registrar.happens(lambda: len(registrar.registers()) > 2, 1)
    assert alice.count("registered") == 1 and alice.count("flow_lost") == 0
    assert alice.end() == 0
    assert registrar.bindings == {}


# F2: a reset in the middle of an answer is a hard failure; connections and REGISTERs stay below I5's bounds.
@pytest.mark.parametrize("how", ["reset", "close"])
def test_the_connection_ends_in_the_middle_of_an_answer(server, phone, how):
    def behave(request, path):
        path.send(registrar.good(request, path)[0].encode()[:100])
        getattr(path, how)()
        return []

    registrar = server("tcp", to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10 or len(registrar.connects) > 10, 2)
    assert alice.count("registered") == 0
    assert alice.end() == 16


# … and where a backup answers, it costs one round trip.
@pytest.mark.parametrize("how", ["reset", "close"])
def test_the_connection_ends_and_a_backup_answers(server, phone, how):
    def behave(request, path):
        path.send(b"SIP/2.0 200 OK\r\nVia:")
        getattr(path, how)()
        return []

    first = server("tcp", to_all_registers(behave))
    second = server("tcp")
    alice = phone(first, backup=second.uri)
    assert alice.wait_for("registered", limit=3)["target"] == second.target
    assert alice.end() == 0
    assert second.bindings == {}


# A server that ends each connection behind its 200: registered and lost again and again, at I5's rate and no faster.
@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_the_connection_ends_behind_each_200(server, phone, how):
    def behave(request, path):
        for one in registrar.good(request, path):
            path.send(one)
        if request.authorized:
            getattr(path, how)()
        return []

    registrar = server("tcp", to_all_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    alice.wait_for("flow_lost")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10, 4)
    assert len(registrar.connects) <= 20
    assert alice.processor_seconds() < 1
    alice.end()


# A server that takes connections and ends them at once, or says nothing on them.
@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_the_connection_ends_before_a_word(server, phone, how):
    registrar = server("tcp")
    registrar.on_connect = lambda path: getattr(path, how)()
    alice = phone(registrar)
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.connects) > 10, 2)
    assert alice.count("registered") == 0
    assert alice.end() == 16


# RFC 5626 §3.5.1: pings are answered, as long as somebody reads the answers; a flood of them is a flood.
def test_a_flood_of_pings_and_pongs(server, phone):
    def behave(request, path):
        for one in registrar.good(request, path):
            path.send(one)
        for _ in range(32):
            path.send(b"\r\n\r\n" * 16_384)
            path.send(b"\r\n")
        return []

    registrar = server("tcp", to_registers(behave))
    alice = phone(registrar)
    alice.wait_for("registered")
    assert alice.end() in (0, 17)
    assert len(registrar.registers()) <= 10


# Bytes that are no SIP at all.
@pytest.mark.parametrize("octets", [b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00" * 100,
                                    b"SSH-2.0-OpenSSH_9.2\r\n", b"\r" * 1000, b"\n" * 1000, b"\x00" * 1000])
def test_another_protocol(server, phone, octets):
    registrar = server("tcp", to_all_registers(lambda request, path: [octets]))
    alice = phone(registrar, set="policy.patience=300ms")
    alice.wait_for("waiting")
    assert not registrar.happens(lambda: len(registrar.registers()) > 10 or len(registrar.connects) > 10, 1.5)
    assert alice.count("registered") == 0
    assert alice.end() == 16
