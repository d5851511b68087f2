"""One task that Celery's worker rejects: python celery_fails.py QUEUE EXCHANGE [again]. It dies into EXCHANGE.

With `again` nothing is sent, and the task succeeds: prints what it was called with.
"""

import os
import sys
import threading

from celery import Celery
from celery.exceptions import Reject
from celery.worker import state
from kombu import Queue

queue, exchange, again = sys.argv[1], sys.argv[2], len(sys.argv) > 3
app = Celery("shop", broker=os.environ["AMQP_URL"])
app.conf.task_queues = [Queue(queue, queue_arguments={"x-dead-letter-exchange": exchange})]
app.conf.task_default_queue = queue


@app.task(name="shop.charge", bind=True, acks_late=True)
def charge(self, order):
    # The worker ends once this message is settled.
    state.should_stop = 0
    if not again:
        raise Reject("card expired", requeue=False)
    os.write(1, f"charged {order}\n".encode())


deadline = threading.Timer(30, os._exit, [1])
deadline.daemon = True
deadline.start()
if not again:
    charge.delay(4711)
app.worker_main(["--quiet", "worker", "--pool=solo", "--loglevel=error"])
