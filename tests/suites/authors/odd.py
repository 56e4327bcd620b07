"""The `odd` action: does what its parameter `how` names, most of which a plugin cannot do."""
import datetime
import hashlib
import hmac
import random
import socket
import sys
import time
from random import randint

import stampede
from stampede import Action, Ended, Failure, begin, close, connect, ending, iso_now, lasts, leave_in, metric, now, plugin
from stampede import progress, read_exact, read_until, report, row, secure, sleep, user, write

STARTED = []


class Odd(Action):
    name = "odd"
    summary = "does what `how` names"
    schema = {
        "type": "object",
        "properties": {"how": {"type": "string"}, "port": {"type": "integer"}},
        "required": ["how"],
        "additionalProperties": False,
    }

    def __init__(self, params):
        self.how, self.port = params["how"], params.get("port")
        if self.how == "configure":
            self.lookup("nothing")
        if self.how == "session":
            lasts(600)
            self.segment, self.left = row("segment"), row("left", by_design=True)
            self.watched = metric("watched", "TREND", "NANOSECONDS")

    def lookup(self, key):
        return {"something": 1}[key]

    def run(self):
        if self.how == "plain":
            return None
        return getattr(self, self.how.replace(" ", "_"))()

    def exception(self):
        yield sleep(0.001)
        self.lookup("nothing")

    def early(self):
        self.lookup("nothing")
        yield sleep(0.001)

    def prints(self):
        print("printed", 1, "and", {"a": 2})
        print("to stderr", file=sys.stderr)
        print("two\nlines", end="")
        print()
        yield sleep(0.001)

    def missing_module(self):
        import colorsys
        yield colorsys

    def no_such_module(self):
        yield sleep(0.001)
        import no_such_module_anywhere  # noqa

    def clocks(self):
        began, at = time.time(), now()
        # In `plugin test`, time begins in 1970.
        assert began > 1.7e9 or began < 60, began
        assert abs(datetime.datetime.now().timestamp() - began) < 60
        yield sleep(0.25)
        assert 0.249 <= time.time() - began < 60, time.time() - began
        assert 0.25 <= now() - at < 60, now() - at
        assert iso_now().startswith(datetime.datetime.fromtimestamp(began).strftime("%Y-")), iso_now()

    def hashes(self):
        signed = hmac.new(b"key", b"The quick brown fox jumps over the lazy dog", "sha256").hexdigest()
        assert signed == "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8", signed
        assert hashlib.md5(b"").hexdigest() == "d41d8cd98f00b204e9800998ecf8427e"
        yield sleep(0.001)

    def random(self):
        drawn = [random.random(), randint(1, 1000), random.choice("abcdef"), stampede.random(), random.getrandbits(100)]
        print("drew", user.id(), drawn)
        yield sleep(0.001)

    def exits(self):
        yield sleep(0.001)
        sys.exit(3)

    def waits(self):
        yield sleep(0.001)
        time.sleep(1)

    def opens_a_file(self):
        yield sleep(0.001)
        open("/etc/passwd")

    def opens_a_socket(self):
        yield sleep(0.001)
        socket.socket()

    def recurses(self):
        yield sleep(0.001)
        self.deeper()

    def deeper(self):
        self.deeper()

    def yields_a_number(self):
        yield 5

    def yields_a_generator(self):
        yield self.clocks()

    def fails(self):
        yield sleep(0.001)
        raise Failure("check", "as it was told")

    def silent_peer(self):
        """Connects, and waits for an answer that never comes."""
        peer = yield connect("127.0.0.1", self.port)
        yield from read_exact(peer, 1)

    def breaks_with_a_socket(self):
        yield connect("127.0.0.1", self.port)
        self.lookup("nothing")

    def mail(self):
        """Has a mail server begin TLS."""
        peer = yield connect("127.0.0.1", self.port)
        for command in (b"", b"EHLO client\r\n", b"STARTTLS\r\n"):
            if command:
                yield write(peer, command)
            line = b"220-"
            while line[3:4] == b"-":
                line = yield from read_until(peer, b"\r\n")
        assert line == b"220 go ahead\r\n", line
        yield secure(peer)
        yield write(peer, b"EHLO client\r\n")
        line = yield from read_until(peer, b"\r\n")
        assert line == b"250 mail.test\r\n", line
        close(peer)

    def session(self):
        """Loads a segment, and leaves it when the user's time ends."""
        ending()
        under_way = begin(self.segment, "GET", "http://site/segment")
        try:
            reply = yield under_way
            assert reply.times().end > reply.times().headed and reply.body_bytes == 24, reply.times()
        except Ended:
            assert 0 < progress(under_way).content < 24, progress(under_way)
            leave_in(self.left, under_way)
        report.add(self.watched, now() * 1e9)

    def lines(self):
        """Reads a line and a counted block, however they arrive."""
        peer = yield connect("127.0.0.1", self.port)
        yield write(peer, b"GET /bytes/5 HTTP/1.1\r\nhost: a\r\n\r\n")
        line = yield from read_until(peer, b"\r\n")
        assert line == b"HTTP/1.1 200 OK\r\n", line
        while line != b"\r\n":
            line = yield from read_until(peer, b"\r\n")
        rest = yield from read_exact(peer, 5)
        assert len(rest) == 5 and peer.unread == b"", (rest, peer.unread)
        close(peer)
        assert stampede.host_and_port("[::1]:25") == ("::1", 25) == stampede.host_and_port("::1", 25)


Action = plugin("odd", "0.1.0", Odd)
