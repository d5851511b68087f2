"""A consumer that speaks AMQP 1.0. It says why it does not want a message, with the `modified` outcome; when it is run again, it
takes it.

    amqp10_rejects.py QUEUE [again]
"""

import os
import sys
from urllib.parse import urlparse

from proton import Delivery, Message, Timeout, symbol
from proton.utils import BlockingConnection

queue, again = sys.argv[1], sys.argv[2:] == ["again"]
broker = urlparse(os.environ["AMQP_URL"])
connection = BlockingConnection(
    f"amqp://{broker.hostname}:{broker.port}", user=broker.username, password=broker.password, allowed_mechs="PLAIN"
)


def reject(receiver, annotations):
    """Settles the last message so that the broker dead-letters it. The library's own method sends no annotations."""
    delivery = receiver.fetcher.unsettled.popleft()
    delivery.local.undeliverable = True
    delivery.local.annotations = annotations
    delivery.update(Delivery.MODIFIED)
    delivery.settle()
    try:
        connection.wait(lambda: False, timeout=1)  # until it has gone out
    except Timeout:
        pass


if not again:
    sender = connection.create_sender(f"/queues/{queue}")
    sender.send(Message(body="order 4711", id="amqp-1.0-4711", properties={"tenant": "acme"}))
receiver = connection.create_receiver(f"/queues/{queue}", credit=1)
message = receiver.receive(timeout=30)
if again:
    assert not any(name.startswith("x-opt-dead-letter") for name in message.annotations or {}), message.annotations
    receiver.accept()
    print(f"charged {message.body.split()[-1]}")
else:
    reason = {
        symbol("x-opt-dead-letter-reason"): "card of order 4711 expired",
        symbol("x-opt-dead-letter-category"): "business",
    }
    reject(receiver, reason)
connection.close()
