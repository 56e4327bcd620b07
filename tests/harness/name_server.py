"""A name server (RFC 1035) that misbehaves as its argument says, beside a web server, for one command of a test.

It runs in a network namespace of its own, where port 53 is free: python3 name_server.py FAULT COMMAND…
Addresses of the form `any.test` are 127.0.0.1. Standard output and exit code are the command's.
"""

import http.server
import os
import socket
import struct
import subprocess
import sys
import threading
import time

A, AAAA = 1, 28
# RCODE values of RFC 1035, section 4.1.1.
SERVFAIL, NXDOMAIN, REFUSED = 2, 3, 5
RESPONSE, TRUNCATED, RECURSION = 0x8000, 0x0200, 0x0180


def question(query):
    """Returns the question section and the type that it asks for."""
    end = query.index(b"\0", 12) + 5
    return query[12:end], struct.unpack("!H", query[end - 4 : end - 2])[0]


def answer(query, fault, over_tcp):
    """Returns the reply to a query; None if there is none."""
    asked, kind = question(query)
    (number,) = struct.unpack("!H", query[:2])
    flags, records = RESPONSE | RECURSION, b""
    if kind == A:
        records = struct.pack("!HHHIH4B", 0xC00C, A, 1, 60, 4, 127, 0, 0, 1)
    if fault == "silent" or fault == "silent about IPv6" and kind == AAAA:
        return None
    if fault == "late":
        time.sleep(0.3)
    codes = {"server failure": SERVFAIL, "unknown name": NXDOMAIN, "refused": REFUSED}
    if fault in codes:
        flags, records = flags | codes[fault], b""
    if fault == "no addresses":
        records = b""
    if fault == "truncated" and not over_tcp:
        flags, records = flags | TRUNCATED, b""
    if fault == "an alias of itself":
        records = struct.pack("!HHHIHH", 0xC00C, 5, 1, 60, 2, 0xC00C)
    if fault == "another number":
        number ^= 1
    if fault == "garbage":
        return query[:2] + b"\xff" * 40
    head = struct.pack("!HHHHHH", number, flags, 1, 1 if records else 0, 0, 0)
    return head + asked + records


def serve_udp(server, fault):
    while True:
        query, peer = server.recvfrom(512)
        # Queries are answered side by side.
        threading.Thread(target=reply_udp, args=(server, query, peer, fault), daemon=True).start()


def reply_udp(server, query, peer, fault):
    reply = answer(query, fault, over_tcp=False)
    if reply is not None:
        server.sendto(reply, peer)


def serve_tcp(server, fault):
    while True:
        connection, _ = server.accept()
        with connection:
            while head := connection.recv(2, socket.MSG_WAITALL):
                query = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                reply = answer(query, fault, over_tcp=True)
                connection.sendall(struct.pack("!H", len(reply)) + reply)


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def main():
    fault, command = sys.argv[1], sys.argv[2:]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 53))
    tcp = socket.create_server(("127.0.0.1", 53))
    pages = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Page)
    for target in [lambda: serve_udp(udp, fault), lambda: serve_tcp(tcp, fault), pages.serve_forever]:
        threading.Thread(target=target, daemon=True).start()
    code = subprocess.run(command).returncode
    sys.stdout.flush()
    os._exit(code)


main()
