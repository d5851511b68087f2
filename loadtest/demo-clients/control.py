"""What the demo's Python services share: the switch that breaks them, their counters, and the pace."""

import itertools
import json
import os
import time
import traceback
import urllib.parse
import urllib.request

URL, SERVICE = os.environ["CONTROL_URL"], os.environ["SERVICE"]

# This machine is not to be looked for behind a proxy.
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(path, data=None):
    try:
        with opener.open(URL + path, data, timeout=5) as response:
            return response.read()
    except OSError as error:
        # Without the switch there is no demo: what is in hand goes back to its queue.
        print(f"lost the demo's control: {error}", flush=True)
        os._exit(1)


def is_broken():
    return json.loads(call("/"))["services"][SERVICE]["broken"]


def tell(what, **message):
    """What became of a message: "published", "handled" or "failed"."""
    known = {name: value for name, value in message.items() if value is not None}
    call(f"/services/{SERVICE}/{what}?{urllib.parse.urlencode(known)}", data=b"")


def publish_forever(publish):
    """Every two seconds, with the number of the message. A failure ends the process, which is then started anew."""
    try:
        for number in itertools.count():
            publish(number)
            tell("published")
            time.sleep(2)
    except Exception:
        traceback.print_exc()
        os._exit(1)
