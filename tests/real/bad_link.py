"""A cable that delays, loses, doubles and mixes up packets: the lab's link (src/lab/link.h) as a process between two TUN
devices, each in a namespace of its own (link/tun_link.cpp). netem would do, but many kernels have none."""

import json
import os
import subprocess

PROGRAM = os.environ.get("HOLDFAST_TUN_LINK") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "release", "tests", "tun_link")


class BadLink:
    """Ends: (namespace, interface, address with prefix length), or (namespace, interface, None). Options are those of the
    program: delay_ms=250, jitter_ms=50, loss=0.3, duplication=0.05, reorder=0.3, seed=7, most=1000."""

    def __init__(self, one, other, **options):
        if not os.path.exists(PROGRAM):
            raise FileNotFoundError(
                f"{os.path.realpath(PROGRAM)} is not there; run: cmake --build --preset release --target tun_link")
        argv = []
        for namespace, interface, _ in (one, other):
            argv += [str(namespace.fd), interface]
        for name, value in options.items():
            argv += [f"--{name.replace('_', '-')}", str(value)]
        self.process = one[0].spawn(os.path.realpath(PROGRAM), *argv, pass_fds=(other[0].fd,), text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":  # or its end
            said = self.process.communicate(timeout=10)[1]
            raise RuntimeError(f"the link does not start: {said}")
        for namespace, interface, address in (one, other):
            # Nothing of the kernel's own on this cable (IPv6 would ask for routers): what is lost repeats with the seed.
            namespace.run("sysctl", "-qw", f"net.ipv6.conf.{interface}.disable_ipv6=1")
            if address:
                namespace.run("ip", "address", "add", address, "dev", interface)
            namespace.run("ip", "link", "set", interface, "up")

    def end(self):
        """Ends it; what became of the packets."""
        self.process.terminate()
        out, said = self.process.communicate(timeout=10)
        if self.process.returncode != 0:
            raise RuntimeError(f"the link ended with {self.process.returncode}: {said}")
        return json.loads(out)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
