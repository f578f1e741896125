"""A host that goes deaf and dumb: packets of some ports are dropped at its own door, while it still answers ARP, so
that nobody upstream can report it as unreachable."""


class Faults:
    def __init__(self, namespace, ports):
        self._namespace = namespace
        self._ports = ports
        self._rules("""
            table inet fault {
              chain in { type filter hook input priority filter; }
              chain out { type filter hook output priority filter; }
            }
        """)

    def silence(self, transport="th"):
        """Neither in nor out; `transport` may be only "tcp" or "udp"."""
        ports = ", ".join(str(port) for port in self._ports)
        self._rules(f"add rule inet fault in {transport} dport {{ {ports} }} drop\n"
                    f"add rule inet fault out {transport} sport {{ {ports} }} drop\n")

    def heal(self):
        self._rules("flush table inet fault\n")

    def _rules(self, text):
        self._namespace.run("nft", "-f", "-", stdin=text)
