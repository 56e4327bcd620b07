"""The `{{action}}` action: reads a reply as it arrives, such as an event stream, until a text is in it."""
from stampede import Action, Failure, head, leave, open_stream, plugin, read_stream, render, request, template

TEXT = ["string", "number", "boolean"]


class Watch(Action):
    name = "{{action}}"
    summary = "reads a stream until a text comes"
    # The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
    schema = {
        "type": "object",
        "properties": {
            "url": {"type": TEXT, "description": "The stream, absolute or relative to the script's `base_url`."},
            "until": {"type": TEXT, "description": "The text that ends the step."},
        },
        "required": ["url", "until"],
        "additionalProperties": False,
    }

    def __init__(self, params):
        """Checks the parameters, once per step, before the run."""
        self.stream, self.until = request("GET", template(params, "url")), template(params, "until")

    def run(self):
        """Runs the step for one user.

        A failure that the load runner found, such as a refused connection, ends it at `yield`.
        """
        until, content = render(self.until).encode(), b""
        stream = open_stream(self.stream)
        status = yield head(stream)
        if status != 200:
            raise Failure("status", f"expected status 200, got {status}")
        while until not in content:
            piece = yield read_stream(stream)
            content += piece
            if not piece or len(content) > 1 << 20:
                raise Failure("check", f"the stream ended without `{until.decode()}`")
        # A stream without an end is cut off here, as intended.
        leave(stream)


Action = plugin("{{action}}", "0.1.0", Watch)
