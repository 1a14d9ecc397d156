"""Runs the code of docs/grants.md: signs the claims of its vector, and a grant of now."""
import json
import sys

import grants_page

asked = json.load(sys.stdin)
token = grants_page.grant(asked["key"], asked["workspaceId"], asked["namespace"], asked["workflowId"])
example = grants_page.sign(asked["vector"]["key"], asked["vector"]["claims"])
json.dump(
    {
        "token": token,
        "payload": grants_page.payload(token),
        "example": {"token": example, "payload": grants_page.payload(example)},
    },
    sys.stdout,
)
