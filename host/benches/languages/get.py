"""The `get-python` action: one prepared request, and a check of its status. The rest is the cost of the language."""
from stampede import Action, Failure, plugin, request, send, template


class Get(Action):
    name = "get-python"
    summary = "sends a request"
    schema = {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}

    def __init__(self, params):
        self.request = request("GET", template(params, "url"))

    def run(self):
        reply = yield send(self.request)
        if reply.status != 200:
            raise Failure("status", f"expected status 200, got {reply.status}")


Action = plugin("get-python", "0.1.0", Get)
