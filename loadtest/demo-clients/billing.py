"""The service billing, with Celery: when a task raises, the worker rejects its message, which dies into `dead-letter`."""

import os
import random
import threading

from celery import Celery
from kombu import Queue

import control

queue = Queue("demo-invoices_billing", queue_arguments={"x-dead-letter-exchange": "dead-letter"})
app = Celery("billing", broker=os.environ["AMQP_URL"])
app.conf.update(
    task_queues=[queue],
    task_default_queue=queue.name,
    # By default a message is acknowledged before its task runs, and also when that fails.
    task_acks_late=True,
    task_acks_on_failure_or_timeout=False,
    worker_enable_remote_control=False,
)


@app.task(name="billing.invoice", bind=True)
def invoice(self, order, country):
    if country == "NO" and control.is_broken():
        control.tell("failed")
        raise LookupError(f"no VAT rate for {country} (order {order})")
    redelivery = self.request.get("dead-letter-redelivery-id")
    control.tell("handled", messageId=self.request.id, redeliveryId=redelivery)


def publish(number):
    invoice.delay(random.randint(4_000, 99_999), "NO" if number % 5 == 0 else "DK")


threading.Thread(target=control.publish_forever, args=[publish], daemon=True).start()
quiet = ["--loglevel=info", "--without-gossip", "--without-mingle", "--without-heartbeat"]
app.worker_main(["worker", "--pool=solo", *quiet])
