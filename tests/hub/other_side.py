"""The other side of logging in: a university's OAuth provider, and an LMS that speaks LTI 1.3.

Both answer on this machine, keep nothing, and know whoever names themselves: all made up.
"""

from __future__ import annotations

import asyncio
import base64
import html
import json
import secrets
import threading
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from tornado.httpserver import HTTPServer
from tornado.httputil import url_concat
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler

CLIENT = "pcn"
SECRET = "a secret of the trial"  # noqa: S105 (of nobody)
_CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"


class Site:
    """A web server in a thread of its own; use it in a ``with`` statement."""

    host = "127.0.0.1"

    def __enter__(self) -> Self:
        """Start."""
        listener, port = bind_unused_port(address="127.0.0.1")
        self.address = f"http://{self.host}:{port}"
        started = threading.Event()

        def run() -> None:
            async def serve() -> None:
                self._loop = asyncio.get_running_loop()
                self._end = asyncio.Event()
                server = HTTPServer(Application(self.pages()))
                server.add_sockets([listener])
                started.set()
                await self._end.wait()
                server.stop()

            asyncio.run(serve())

        self._thread = threading.Thread(target=run)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def pages(self) -> list[Any]:
        """What it answers."""
        raise NotImplementedError


class Provider(Site):
    """OAuth 2 with an authorization code, as universities run it, and a page to say who one is."""

    def __init__(self) -> None:
        """Nobody has logged in yet."""
        self.codes: dict[str, str] = {}
        self.tokens: dict[str, str] = {}

    def pages(self) -> list[Any]:
        """The three addresses of the protocol."""
        site = self

        class Authorize(RequestHandler):
            def get(self) -> None:
                asked = {key: self.get_argument(key) for key in ("redirect_uri", "state")}
                if (self.get_argument("client_id"), self.get_argument("response_type")) != (
                    CLIENT, "code",
                ):  # fmt: skip
                    raise HTTPError(400)
                fields = "".join(_hidden(key, value) for key, value in asked.items())
                self.write(
                    f"<form method=post>{fields}<label>Who are you? <input name=name></label>"
                    "<button>Let me in</button></form>"
                )

            def post(self) -> None:
                code = secrets.token_hex(8)
                site.codes[code] = self.get_argument("name")
                state = self.get_argument("state")
                back = self.get_argument("redirect_uri")
                self.redirect(url_concat(back, {"code": code, "state": state}))

        class Token(RequestHandler):
            def post(self) -> None:
                basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
                told = (self.get_argument("client_id", ""), self.get_argument("client_secret", ""))
                known = self.request.headers.get("Authorization") == f"Basic {basic}"
                name = site.codes.pop(self.get_argument("code"), None)
                if name is None or not (known or told == (CLIENT, SECRET)):
                    raise HTTPError(400)
                token = secrets.token_hex(8)
                site.tokens[token] = name
                self.write({"access_token": token, "token_type": "Bearer"})

        class UserInfo(RequestHandler):
            def get(self) -> None:
                kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
                if kind != "Bearer" or token not in site.tokens:
                    raise HTTPError(401)
                name = site.tokens[token]
                self.write({"sub": f"id-{name}", "preferred_username": name})

        return [("/authorize", Authorize), ("/token", Token), ("/userinfo", UserInfo)]


class Platform(Site):
    """An LMS as LTI 1.3 calls it: its course page launches, its key signs who somebody is."""

    # By another name than the hub, so that a browser takes it for another site, as an LMS is.
    host = "localhost"

    def __init__(self) -> None:
        """Make its key."""
        self.key = new_key()

    def token(self, nonce: str, user: str, key: Any = None, **changes: Any) -> str:
        """What the platform says of a user; ``changes`` are other claims, ``key`` another key."""
        now = int(time.time())
        claims = {
            "iss": self.address, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce,
            "sub": user, "email": f"{user}@example.edu",
            f"{_CLAIM}version": "1.3.0", f"{_CLAIM}message_type": "LtiResourceLinkRequest",
            f"{_CLAIM}deployment_id": "1", f"{_CLAIM}target_link_uri": "https://unused.example.edu",
            f"{_CLAIM}resource_link": {"id": "1"}, f"{_CLAIM}roles": [INSTRUCTOR],
        }  # fmt: skip
        return jwt.encode(claims | changes, key or self.key, "RS256", headers={"kid": "one"})

    def login(self, hub: str, user: str) -> dict[str, str]:
        """What the platform sends first: that somebody is about to come."""
        to = f"{hub}/"
        return {
            "iss": self.address, "client_id": CLIENT, "login_hint": user, "target_link_uri": to
        }  # fmt: skip

    def pages(self) -> list[Any]:
        """A link in a course, the address for logging in, and the public key."""
        site = self

        class Course(RequestHandler):
            def get(self) -> None:
                hub, user = self.get_argument("hub"), self.get_argument("user")
                fields = "".join(_hidden(*one) for one in site.login(hub, user).items())
                self.write(
                    f"<form method=post action='{html.escape(hub)}/hub/lti13/oauth_login'>{fields}"
                    "<button>Open the course</button></form>"
                )

        class Authorize(RequestHandler):
            def get(self) -> None:
                token = site.token(self.get_argument("nonce"), self.get_argument("login_hint"))
                back = html.escape(self.get_argument("redirect_uri"))
                fields = _hidden("id_token", token) + _hidden("state", self.get_argument("state"))
                self.write(
                    f"<form method=post action='{back}'>{fields}</form>"
                    "<script>document.forms[0].submit()</script>"
                )

        class Keys(RequestHandler):
            def get(self) -> None:
                public = jwt.algorithms.RSAAlgorithm.to_jwk(site.key.public_key(), as_dict=True)
                self.write(json.dumps({"keys": [{**public, "kid": "one", "use": "sig"}]}))

        return [
            ("/course", Course), ("/lti/authorize", Authorize), ("/lti/jwks", Keys),
        ]  # fmt: skip

    def course(self, hub: str, user: str) -> str:
        """The address of the course in the LMS."""
        return f"{self.address}/course?{urlencode({'hub': hub, 'user': user})}"


def new_key() -> rsa.RSAPrivateKey:
    """A key to sign with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _hidden(name: str, value: str) -> str:
    return f"<input type=hidden name='{name}' value='{html.escape(value)}'>"
