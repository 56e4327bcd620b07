"""The `{{action}}` action: sends a line over a socket and expects a text in the line that comes back."""
from stampede import Action, Failure, close, connect, host_and_port, plugin, read_until, render, template, write

TEXT = ["string", "number", "boolean"]


class Line(Action):
    name = "{{action}}"
    summary = "sends a line and expects a text in the answer"
    # The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
    schema = {
        "type": "object",
        "properties": {
            "address": {"type": "string", "description": "The peer as `HOST:PORT`."},
            "send": {"type": TEXT, "description": "The line to send, without its end."},
            "expect": {"type": TEXT, "description": "The text that the answer must contain."},
        },
        "required": ["address", "send", "expect"],
        "additionalProperties": False,
    }

    def __init__(self, params):
        """Checks the parameters, once per step, before the run."""
        self.host, self.port = host_and_port(str(params.get("address")))
        self.send, self.expect = template(params, "send"), template(params, "expect")

    def run(self):
        """Runs the step for one user.

        A failure that the load runner found, such as a refused connection, ends it at `yield`; then, and after a
        timeout, the helper closes the socket.
        """
        socket = yield connect(self.host, self.port)
        yield write(socket, f"{render(self.send)}\r\n".encode())
        line = yield from read_until(socket, b"\r\n", 4096)
        answer, expected = line.decode(errors="replace").rstrip(), render(self.expect)
        close(socket)
        if expected not in answer:
            raise Failure("check", f"expected `{expected}`, got `{answer}`")


Action = plugin("{{action}}", "0.1.0", Line)
