"""Unit tests of the actions that `plugin new` writes, against the fake load runner."""
import unittest

import fake_host as host
import action
import line_action
import watch_action
from stampede import Action, ConfigError, Ended, begin, close, connect, ending, lasts, leave_in, metric, now, read_until
from stampede import report, row, secure


class Test(unittest.TestCase):
    def test_a_page_with_the_text_passes(self):
        replies = [host.reply(200, b"<p>hello Ann", after=0.25)]
        run = host.run(action.Page, {"url": "/hello", "text": "hello {{var who}}"}, replies, variables={"who": "Ann"})
        self.assertIsNone(run.failure)
        self.assertEqual((run.requests[0].url, run.elapsed), ("/hello", 0.25))

    def test_others_fail(self):
        params = {"url": "/", "text": "x"}
        run = host.run(action.Page, params, [host.reply(404)])
        self.assertEqual(run.failure, ("status", "expected status 200, got 404"))
        self.assertEqual(host.run(action.Page, params, [host.failed()]).failure, ("network", None))
        with self.assertRaises(ConfigError) as raised:
            host.run(action.Page, {**params, "status": 1})
        self.assertEqual(raised.exception.pointer, "/status")

    def test_a_line_may_come_in_pieces_and_its_socket_is_closed(self):
        params = {"address": "a:1", "send": "hi", "expect": "wel"}
        run = host.run(line_action.Line, params, peers=[host.peer(b"we", b"lcome\r\n")])
        self.assertEqual((run.failure, run.written, run.open), (None, [b"hi\r\n"], [False]))
        run = host.run(line_action.Line, params, peers=[host.peer(b"we")])
        self.assertEqual((run.failure[0], run.open), ("network", [False]))

    def test_tls_begins_unless_bytes_in_clear_are_left(self):
        class Mail(Action):
            name = "mail"

            def run(self):
                peer = yield connect("a", 25)
                yield from read_until(peer, b"\r\n")
                yield secure(peer)
                yield from read_until(peer, b"\r\n")
                close(peer)

        for answers, failure in [
            ((b"220 go\r\n", host.SECURE, b"250 ok\r\n"), None),
            ((b"220 go\r\n250 injected\r\n", host.SECURE), "protocol"),
            ((b"220 go\r\n", b"250 injected\r\n"), "protocol"),
            ((b"220 go\r\n",), "network"),
        ]:
            run = host.run(Mail, {}, peers=[host.peer(*answers)])
            self.assertEqual((run.failure and run.failure[0], run.open), (failure, [False]))

    def test_a_session_counts_itself_when_its_users_time_ends(self):
        class Session(Action):
            name = "session"

            def __init__(self, params):
                lasts(600)
                self.segment, self.left = row("segment"), row("left", by_design=True)
                self.watched = metric("watched", "TREND", "NANOSECONDS")

            def run(self):
                ending()
                under_way = begin(self.segment, "GET", "/a")
                try:
                    yield under_way
                except Ended:
                    leave_in(self.left, under_way)
                report.add(self.watched, now() * 1e9)

        run = host.run(Session, {}, [host.reply(200, b"a", after=20.0)], ends_after=10.0)
        self.assertEqual((run.failure, run.transfers, run.metrics), (None, [("left", "/a")], {"watched": [1e10]}))
        run = host.run(Session, {}, [host.reply(200, b"a", after=20.0)])
        self.assertEqual((run.failure, run.transfers, run.metrics), (None, [("segment", "/a")], {"watched": [2e10]}))

    def test_a_stream_is_read_until_the_text_comes(self):
        run = host.run(watch_action.Watch, {"url": "/e", "until": "tick"}, [host.reply(200, b"data: tick")])
        self.assertIsNone(run.failure)
