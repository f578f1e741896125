"""A PulseAudio of the test's own, whose devices come and go as those of a desktop do. It dies with the test."""

import array
import contextlib
import os
import subprocess
import threading
import time

from network import wait_until
from sound import tone, write_wav


class SoundServer:
    """In `host`, a namespace, with its socket and all that it writes in `directory`."""

    def __init__(self, host, directory):
        os.makedirs(directory, mode=0o700)
        self._socket = os.path.join(directory, "native")
        self._log = os.path.join(directory, "pulseaudio.log")
        self._directory = directory
        self._host = host
        self._whistlers = []
        # For whoever is to use it; none of them shall start another one, or look for the user's.
        self.environment = {"PULSE_SERVER": f"unix:{self._socket}", "HOME": directory, "XDG_RUNTIME_DIR": directory,
                            "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        with open(self._log, "wb") as log:
            self._process = host.spawn(
                "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes",
                "--realtime=no", "--high-priority=no", "--log-target=stderr", "--load",
                f"module-native-protocol-unix socket={self._socket} auth-anonymous=1", stdout=log, stderr=log,
                env=self.environment)
        try:
            wait_until(self._answers, 20, "PulseAudio answers")
        except BaseException:
            self.stop()
            raise

    def _answers(self):
        assert self._process.poll() is None, f"PulseAudio has ended: {open(self._log).read()}"
        return subprocess.run(["pactl", "info"], env=self.environment, capture_output=True, check=False).returncode == 0

    def _control(self, *words):
        done = subprocess.run(["pactl", *words], env=self.environment, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, f"pactl {' '.join(words)}: {done.stderr}{open(self._log).read()[-2000:]}"
        return done.stdout.strip()

    def plug_in_speaker(self, name):
        """What is played there can be heard at NAME.monitor. Returns what pulls it out."""
        number = self._control("load-module", "module-null-sink", f"sink_name={name}", "rate=48000")
        return lambda: self._control("unload-module", number)

    def plug_in_whistle(self, name, hertz):
        """A microphone NAME.monitor before which somebody whistles, for a minute at most."""
        pull_out = self.plug_in_speaker(name)
        path = os.path.join(self._directory, f"{name}.wav")
        write_wav(path, 8000, tone(hertz, 60), 0)
        whistler = self._host.spawn("paplay", f"--device={name}", path, env=self.environment)
        self._whistlers.append(whistler)

        def stop():
            whistler.kill()
            whistler.wait(20)
            pull_out()

        return stop

    def play(self, path, speaker):
        """A file there, to its end."""
        subprocess.run(["paplay", f"--device={speaker}", path], env=self.environment, timeout=60, check=True)

    @contextlib.contextmanager
    def playing(self, path, speaker):
        player = self._host.spawn("paplay", f"--device={speaker}", path, env=self.environment)
        try:
            yield
        finally:
            player.kill()
            player.wait(20)

    def hear(self, seconds, path, microphone):
        """What that hears now, as a WAV file."""
        subprocess.run(["timeout", "-s", "INT", str(seconds), "parecord", f"--device={microphone}", "--channels=1",
                        "--rate=8000", "--format=s16le", "--file-format=wav", path],
                       env=self.environment, timeout=seconds + 20, check=False)

    def clicks_at(self, *microphones, seconds):
        """For each of them: when a click began there, by the clock of this host. Its silence is below a tenth of the clicks."""
        ears = [_Ear(self, microphone, seconds) for microphone in microphones]
        return [ear.clicks() for ear in ears]

    def stop(self):
        for whistler in self._whistlers:
            whistler.kill()
            whistler.wait(20)
        self._process.terminate()
        self._process.wait(20)


class _Ear:
    """Reads what a microphone hears, 5 ms at a time, and notes when each piece came."""

    RATE = 8000

    def __init__(self, server, microphone, seconds):
        self._process = server._host.spawn(
            "timeout", str(seconds), "parec", f"--device={microphone}", "--channels=1", f"--rate={self.RATE}", "--format=s16le", "--raw",
            "--latency-msec=5", stdout=subprocess.PIPE, env=server.environment)
        self._samples, self._came = array.array("h"), []  # (how many by then, when)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while piece := os.read(self._process.stdout.fileno(), 4096):
            self._samples.frombytes(piece)
            self._came.append((len(self._samples), time.monotonic()))

    def clicks(self):
        self._reader.join(60)
        self._process.stdout.close()
        self._process.wait(20)
        loud = max(map(abs, self._samples), default=0) / 3
        found, quiet_since = [], 0
        for at, sample in enumerate(self._samples):
            if abs(sample) < loud:
                continue
            if at - quiet_since > self.RATE // 4:
                found.append(self._moment(at))
            quiet_since = at
        return found

    def _moment(self, at):
        """Of a sample: a piece that came late does not make those before it late, so the earliest word counts."""
        near = [(count, came) for count, came in self._came if abs(count - at) < self.RATE]
        return min(came - (count - at) / self.RATE for count, came in near)
