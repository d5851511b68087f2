"""One message that Dramatiq's worker fails twice: python dramatiq_fails.py QUEUE [again]. It dies into QUEUE.XQ, with the
traceback of the failure before its last.

With `again` nothing is sent, and the actor succeeds: prints what it was called with.
"""

import os
import sys
import time

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

queue, again = sys.argv[1], len(sys.argv) > 2
broker = RabbitmqBroker(url=os.environ["AMQP_URL"])
dramatiq.set_broker(broker)
done = []


class Done(dramatiq.Middleware):
    def after_nack(self, broker, message):
        done.append(message)

    def after_ack(self, broker, message):
        if again:
            done.append(message)


broker.add_middleware(Done())


@dramatiq.actor(max_retries=1, min_backoff=10, queue_name=queue)
def charge(order):
    if not again:
        raise ValueError(f"card of order {order} expired")
    print(f"charged {order}", flush=True)


if not again:
    charge.send(4711)
worker = dramatiq.Worker(broker, worker_threads=1)
worker.start()
deadline = time.monotonic() + 30
while not done and time.monotonic() < deadline:
    time.sleep(0.05)
worker.stop()
sys.exit(0 if done else 1)
