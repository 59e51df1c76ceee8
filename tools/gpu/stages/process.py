"""A command in its own session: read line by line, limited in time and in silence, and gone with all it started."""

import ctypes
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

TAIL_BYTES = 4000
POLL_SECONDS = 0.1
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass
class Finished:
    rc: int | None  # None: it was killed, and `killed` says why
    seconds: float
    killed: str  # "", "time", "silence" or "stop"
    err: str  # the end of its standard error

    @property
    def out_of_time(self):
        """It was killed by its time limit, not by silence."""
        return self.killed == "time"

    @property
    def outcome(self):
        if self.killed:
            return "timed_out"
        return "ok" if self.rc == 0 else "crashed" if self.rc < 0 else "failed"


def event(line):
    """The object of a JSON line; {} for anything else that a command may print."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _dies_with_its_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _session_members(session):
    """Every process of a session, whatever process group it moved itself into (as `timeout` does)."""
    members = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            members.append(int(name))
    return members


def _kill_session(session):
    # Twice: the second pass finds what was forked during the first.
    for _ in range(2):
        for pid in _session_members(session):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def _interrupt(process, patience):
    """As Ctrl-C would; the whole session is killed when that does not help in `patience` seconds."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        pass


def run(command, *, timeout, silence=None, on_line=lambda line: None, stdin="", env=None, cwd=None, patience=5,
        stop=lambda: False):
    """Runs `command`, handing each line of its standard output to on_line. It is killed after `timeout` seconds, after
    `silence` seconds without a line, or when stop() says so, for threads that no KeyboardInterrupt reaches. One that
    does reaches the command first and then goes on to the caller."""
    started = time.monotonic()
    lines = queue.Queue()
    with tempfile.TemporaryFile("w+", errors="replace") as errors, tempfile.TemporaryFile("w+") as given:
        given.write(stdin)
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1,
                                   errors="replace", env=env, cwd=cwd, start_new_session=True,
                                   preexec_fn=_dies_with_its_parent)

        def read():
            for line in process.stdout:
                lines.put(line.rstrip("\n"))
            lines.put(None)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        killed, heard = "", started
        try:
            while not killed:
                now = time.monotonic()
                if now > started + timeout:
                    killed = "time"
                elif silence and now > heard + silence:
                    killed = "silence"
                elif stop():
                    killed = "stop"
                try:
                    line = lines.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    if process.poll() is not None:
                        break  # something it left behind still holds the pipe
                    continue
                if line is None:
                    process.wait(max(POLL_SECONDS, started + timeout - time.monotonic()))
                    break
                heard = time.monotonic()
                on_line(line)
        except subprocess.TimeoutExpired:
            killed = "time"
        except KeyboardInterrupt:
            _interrupt(process, patience)
            raise
        finally:
            _kill_session(process.pid)
            process.wait()
            reader.join(1)
            if not reader.is_alive():
                process.stdout.close()
        errors.seek(0, os.SEEK_END)
        errors.seek(max(0, errors.tell() - TAIL_BYTES))
        return Finished(None if killed else process.returncode, time.monotonic() - started, killed, errors.read())
