"""A mail server that demands STARTTLS and a login, or has neither: mail_server.py PORT FOLDER [CERTIFICATE KEY].

Keeps each mail as a file of the folder, with who had logged in and whether the channel was encrypted in its first two lines.
"""

import itertools
import pathlib
import ssl
import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"dead-letter", b"the password of the mailbox"


class Keep:
    def __init__(self, folder):
        self.folder, self.numbers = pathlib.Path(folder), itertools.count()

    async def handle_DATA(self, server, session, envelope):
        said = f"login: {session.auth_data!r}\nencrypted: {session.ssl is not None}\n".encode()
        unfinished = self.folder / "unfinished"
        unfinished.write_bytes(said + envelope.content)
        unfinished.rename(self.folder / f"mail-{next(self.numbers)}")
        return "250 kept"


def login(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (USER, PASSWORD)
    return AuthResult(success=is_right, handled=False, auth_data=data.login.decode() if is_right else None)


port, folder, files = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
options = {}
if files:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    options = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": login,
        "auth_required": True,
    }
controller = Controller(Keep(folder), hostname="0.0.0.0", port=port, **options)
# As a program of its own, it needs not ask itself whether it is there: a client does.
controller._trigger_server = lambda: None
controller.start()
while True:
    time.sleep(60)
