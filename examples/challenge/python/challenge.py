"""The `challenge-python` action: asks for a nonce, and answers with its checksum under a shared key."""
from stampede import Action, ConfigError, Failure, options, plugin, render, request, send, send_now, template

TEXT = ["string", "number", "boolean"]
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "url": {"type": TEXT, "description": "The URL that gives the nonce (GET) and takes the answer (POST)."},
        "key": {"type": TEXT, "description": "The shared key."},
        "digits": {
            "type": "integer",
            "default": 8,
            "description": "The number of digits of the checksum to send, 1 to 8; all if absent.",
        },
    },
    "required": ["url", "key"],
    "additionalProperties": False,
}


def checksum(data):
    """Computes FNV-1a (32 bits)."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


class Challenge(Action):
    name = "challenge-python"
    summary = "answers a challenge, in Python"
    schema = SCHEMA

    def __init__(self, params):
        self.digits = params.get("digits", 8)
        if not isinstance(self.digits, int) or not 1 <= self.digits <= 8:
            raise ConfigError(f"`digits` must be from 1 to 8, got {self.digits}", "digits")
        self.url, self.key = template(params, "url"), template(params, "key")
        self.ask = request("GET", self.url, how=options(keep_body=True))
        self.how = options()

    def run(self):
        asked = yield send(self.ask)
        if asked.status != 200:
            raise Failure("status", f"expected a nonce with status 200, got {asked.status}")
        nonce = asked.body()
        if not nonce:
            raise Failure("protocol", "the nonce is empty")
        total = b"%08x" % checksum(nonce + render(self.key).encode())
        answer = nonce + b" " + total[: self.digits]
        answered = yield send_now("POST", render(self.url), body=answer, how=self.how)
        if answered.status == 403:
            raise Failure("check", "the answer was refused")
        if answered.status != 204:
            raise Failure("status", f"expected status 204, got {answered.status}")


Action = plugin("challenge-python", "0.1.0", Challenge)
