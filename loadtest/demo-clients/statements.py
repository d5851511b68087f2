"""The service statements, with Dramatiq: what an actor raises is tried once more, and then dies into `dead-letter`."""

import os
import random

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

import control


class Broker(RabbitmqBroker):
    def _build_queue_arguments(self, queue_name):
        # Dramatiq's own place for what died is `<queue>.XQ`, which drops it after a week.
        return {"x-dead-letter-exchange": "dead-letter"}


class Dead(dramatiq.Middleware):
    def after_nack(self, broker, message):
        control.tell("failed")


broker = Broker(url=os.environ["AMQP_URL"])
broker.add_middleware(Dead())
dramatiq.set_broker(broker)


@dramatiq.actor(actor_name="statements.print", queue_name="demo-letters_statements", max_retries=1, min_backoff=500)
def print_statement(account, month):
    if month == 0 and control.is_broken():
        raise ValueError(f"month must be in 1..12, not {month} (account {account})")
    # Dramatiq does not show headers to actors, so nobody knows whether this was redelivered.
    control.tell("handled")


dramatiq.Worker(broker, worker_threads=1).start()
control.publish_forever(
    lambda number: print_statement.send(random.randint(100_000, 999_999), random.randint(1, 12) if number % 5 else 0)
)
