"""What the tests' behaviours have in common."""

TRANSPORTS = ("udp", "tcp")
AOR = "sip:alice@hostile.test"


def over_udp_and_some_over_tcp(cases, every):
    """(transport, …) for parametrize: each case over UDP, and every so many-th over TCP as well. For what is in an answer, which
    the phone reads with the same code whatever brought it: enough to see that it does."""
    cases = [one if isinstance(one, tuple) else (one,) for one in cases]
    return [("udp", *one) for one in cases] + [("tcp", *one) for one in cases[::every]]


def to_registers(do):
    """do(request, path) answers each REGISTER that has credentials; the rest is answered well."""

    def behave(request, path):
        if request.method != "REGISTER" or not request.authorized:
            return None
        return do(request, path)

    return behave


def to_all_registers(do):
    """The same for every REGISTER, with credentials or without."""
    return lambda request, path: do(request, path) if request.method == "REGISTER" else None


def well(path, request):
    """The good registrar's answer to this request, for a behaviour that spoils it."""
    return path.server.good(request, path)[0]
