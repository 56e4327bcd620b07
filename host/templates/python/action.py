"""The `{{action}}` action: fetches a page and expects a status and a text."""
from stampede import Action, ConfigError, Failure, options, plugin, render, request, send, template

TEXT = ["string", "number", "boolean"]


class Page(Action):
    name = "{{action}}"
    summary = "fetches a page and expects a text in it"
    # The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
    schema = {
        "type": "object",
        "properties": {
            "url": {"type": TEXT, "description": "The page, absolute or relative to the script's `base_url`."},
            "status": {"type": "integer", "default": 200, "description": "The expected status; 200 if absent."},
            "text": {"type": TEXT, "description": "The text that the page must contain."},
        },
        "required": ["url", "text"],
        "additionalProperties": False,
    }

    def __init__(self, params):
        """Checks the parameters, once per step, before the run."""
        self.status = params.get("status", 200)
        if not isinstance(self.status, int) or not 100 <= self.status <= 599:
            raise ConfigError(f"`status` must be from 100 to 599, got {self.status}", "status")
        self.text = template(params, "text")
        # The body is kept because `run` searches it.
        self.page = request("GET", template(params, "url"), how=options(keep_body=True))

    def run(self):
        """Runs the step for one user.

        A failure that the load runner found, such as a refused connection, ends it at `yield`.
        """
        text = render(self.text)
        reply = yield send(self.page)
        if reply.status != self.status:
            raise Failure("status", f"expected status {self.status}, got {reply.status}")
        if text not in reply.text():
            raise Failure("check", f"expected `{text}` in the page")


Action = plugin("{{action}}", "0.1.0", Page)
