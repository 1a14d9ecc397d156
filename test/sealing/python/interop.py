"""Another service: opens rows and payloads, and seals secrets and payloads, only with the code of docs/sealing-format.md.

Reads one JSON object from stdin and writes one to stdout. A row or payload that does not open, or a config without a
destination, is null.
"""

import json
import sys

from sealing_format import (
    create_data_key,
    decrypt_payload,
    destination_of,
    encrypt_payload,
    open_credential,
    parse_root_keys,
    seal_credential,
    unwrap_data_key,
)


def place(identity):
    return identity["workspaceId"], identity["type"], identity["name"], identity["destination"]


def opened(row, root_keys):
    workspace_id = row["identity"]["workspaceId"]
    columns = [
        {"kid": key["kid"], "wrapped_key": key["wrappedKey"], "root_key_id": key["rootKeyId"]}
        for key in row["dataKeys"]
    ]
    try:
        data_keys = {key["kid"]: unwrap_data_key(workspace_id, key, root_keys) for key in columns}
        return open_credential(place(row["identity"]), row["sealed"], data_keys)
    except Exception:
        return None


def sealed(secret, root_keys):
    workspace_id = secret["identity"]["workspaceId"]
    row = create_data_key(workspace_id, root_keys)
    data_key = unwrap_data_key(workspace_id, row, root_keys)
    return {
        "identity": secret["identity"],
        "sealed": seal_credential(place(secret["identity"]), secret["plaintext"], row["kid"], data_key),
        "dataKeys": [{"kid": row["kid"], "wrappedKey": row["wrapped_key"], "rootKeyId": row["root_key_id"]}],
    }


def destination(asked):
    try:
        return destination_of(asked["type"], asked["name"], asked["config"])
    except Exception:
        return None


def decrypted(payload, payload_keys):
    try:
        return decrypt_payload(payload["place"], payload["data"], payload_keys).hex()
    except Exception:
        return None


def encrypted(payload, payload_keys):
    kid = next(iter(payload_keys))
    return encrypt_payload(payload["place"], bytes.fromhex(payload["payload"]), kid, payload_keys[kid])


asked = json.load(sys.stdin)
keys = parse_root_keys(asked["encryptionKey"])
answer = {
    "opened": [opened(row, keys) for row in asked["rows"]],
    "sealed": [sealed(secret, keys) for secret in asked["secrets"]],
    "destinations": [destination(config) for config in asked["configs"]],
    "decrypted": [decrypted(payload, keys) for payload in asked["encrypted"]],
    "encrypted": [encrypted(payload, keys) for payload in asked["payloads"]],
}
json.dump(answer, sys.stdout)
