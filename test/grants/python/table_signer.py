"""A signer written from the tables of docs/grants.md, with joserfc, by the older name of the algorithm."""
import base64
import json
import sys
import time
import uuid

from joserfc import jwt
from joserfc.jwk import OKPKey

asked = json.load(sys.stdin)
now = time.time()
header = {"alg": "EdDSA", "typ": "workspace-grant+jwt", "kid": asked["key"]["kid"]}
claims = {
    "sub": asked["workspaceId"],
    "aud": asked["namespace"],
    "workflow_ids": [asked["workflowId"]],
    "jti": uuid.uuid4().hex,
    "iat": now,
    "nbf": now,
    **asked.get("claims", {}),
}
key = OKPKey.import_key({name: asked["key"][name] for name in ("kty", "crv", "x", "d", "kid")})
token = jwt.encode(header, claims, key, algorithms=["EdDSA"])


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


payload = {"metadata": {"encoding": encoded("json/plain")}, "data": encoded(json.dumps(token))}
json.dump({"token": token, "payload": payload}, sys.stdout)
