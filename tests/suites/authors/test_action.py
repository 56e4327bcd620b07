"""Unit tests of the actions that `plugin new` writes, against the fake load runner."""
import unittest

import fake_host as host
import action
import line_action
import watch_action
from stampede import ConfigError


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

    def test_a_stream_is_read_until_the_text_comes(self):
        run = host.run(watch_action.Watch, {"url": "/e", "until": "tick"}, [host.reply(200, b"data: tick")])
        self.assertIsNone(run.failure)
