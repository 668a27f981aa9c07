"""The web server before the hub, with the configuration that comes with it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.hub.class_server import CHECKOUT, status_of
from tests.support.servers import free_port, until

CONF = CHECKOUT / "deploy" / "server" / "nginx.conf"


def start_nginx(
    folder: Path, hub: int, port: int, certificate: tuple[Path, Path] | None = None
) -> subprocess.Popen[bytes]:
    """Start nginx with our configuration before a hub; without a certificate it speaks http."""
    conf = CONF.read_text()
    changes = {
        "80;": f"127.0.0.1:{free_port()};", "127.0.0.1:8000;": f"127.0.0.1:{hub};",
        "443 ssl;": f"127.0.0.1:{port}{' ssl' if certificate else ''};",
    }  # fmt: skip
    if certificate:
        changes |= {
            "/etc/ssl/hub.pem;": f"{certificate[0]};",
            "/etc/ssl/private/hub.key;": f"{certificate[1]};",
        }
    else:
        conf = re.sub(r"\n +ssl_.*", "", conf)
    for one, other in changes.items():
        assert f" {one}" in conf or f"//{one}" in conf
        conf = conf.replace(one, other)
    places = "".join(
        f"{kind}_temp_path {folder};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; user root; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
        f"http {{ access_log off; {places}\n{conf}\n}}\n"
    )
    return subprocess.Popen(["nginx", "-c", str(file)], stderr=subprocess.PIPE)


class Yes(BaseHTTPRequestHandler):
    """A hub that says yes to all."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()

    do_GET = do_POST  # noqa: N815 (its name is given)


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nobody_sends_passwords_by_the_hundred(tmp_path: Path) -> None:
    port = int(free_port())
    with ThreadingHTTPServer(("127.0.0.1", 0), Yes) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        nginx = start_nginx(tmp_path, hub.server_port, port)

        def ask(request: str) -> socket.socket:
            line = socket.create_connection(("127.0.0.1", port))
            line.sendall(f"{request} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
            line.setblocking(False)
            return line

        def status(line: socket.socket) -> str:
            try:
                return line.recv(12, socket.MSG_PEEK).decode().rpartition(" ")[2]
            except BlockingIOError:
                return "waits"

        lines: list[socket.socket] = []
        try:
            until(lambda: status_of(f"http://127.0.0.1:{port}/hub/login") == 200)
            for path in ("login", "change-password", "api/users/ada/tokens"):
                lines += [ask(f"POST /hub/{path}") for _ in range(20)]
            # A class behind one address gets its turn; nobody else waits, or is sent away.
            until(lambda: [status(one) for one in lines].count("429") > 10)
            said = [status(one) for one in lines]
            assert said.count("waits") > 30
            for request in ("GET /hub/login", "POST /hub/api/users/ada/activity", "GET /"):
                lines.append(ask(request))
                until(lambda: status(lines[-1]) == "200")
        finally:
            for line in lines:
                line.close()
            nginx.terminate()
            nginx.communicate(timeout=10)
            hub.shutdown()
