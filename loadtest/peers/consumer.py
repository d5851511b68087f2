#!/usr/bin/env python3
"""The consumer that one would write in an afternoon: RabbitMQ messages into a PostgreSQL table, with pika and psycopg.

It is what dead-letter is compared with. `--batch 1` commits and acknowledges each message on its own; `--batch 100`
does so for a hundred at a time.
"""

import argparse
import base64
import datetime
import decimal
import json
import sys
import time

import pika
import psycopg
from psycopg.types.json import Jsonb

SCHEMA = """
CREATE TABLE IF NOT EXISTS peer_dead_letter (
    id             uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    received_at    timestamptz NOT NULL DEFAULT now(),
    queue          text        NOT NULL,
    routing_key    text        NOT NULL,
    message_id     text,
    correlation_id text,
    headers        jsonb       NOT NULL,
    body           bytea       NOT NULL
);
CREATE INDEX IF NOT EXISTS peer_dead_letter_queue_idx ON peer_dead_letter (queue, received_at);
CREATE INDEX IF NOT EXISTS peer_dead_letter_message_id_idx ON peer_dead_letter (message_id);
TRUNCATE peer_dead_letter;
"""

INSERT = """
INSERT INTO peer_dead_letter (queue, routing_key, message_id, correlation_id, headers, body)
VALUES (%s, %s, %s, %s, %s, %s)
"""

# How long the queue may have nothing for us, in seconds.
PATIENCE = 60


def encode(value):
    """What AMQP's tables have and JSON has not."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError(f"a header has a value of type {type(value).__name__}")


def dumps(headers):
    # PostgreSQL's JSON and text have no NUL character.
    return json.dumps(headers, default=encode).replace("\\u0000", "\\ufffd")


def row(queue, method, properties, body):
    return (
        queue,
        method.routing_key,
        properties.message_id,
        properties.correlation_id,
        Jsonb(properties.headers or {}, dumps=dumps),
        body,
    )


def consume(channel, database, queue, count, batch):
    """Moves `count` messages, and returns the seconds from the first delivery to the last acknowledgement."""
    rows = []
    done = 0
    started = None
    for method, properties, body in channel.consume(queue, inactivity_timeout=PATIENCE):
        if method is None:
            raise TimeoutError(f"after {done + len(rows)} of {count} messages none came for {PATIENCE} seconds")
        if started is None:
            started = time.monotonic()
        rows.append(row(queue, method, properties, body))
        if len(rows) < min(batch, count - done):
            continue
        with database.transaction(), database.cursor() as cursor:
            if len(rows) == 1:
                cursor.execute(INSERT, rows[0])
            else:
                cursor.executemany(INSERT, rows)
        channel.basic_ack(method.delivery_tag, multiple=len(rows) > 1)
        done += len(rows)
        rows.clear()
        if done == count:
            seconds = time.monotonic() - started
            channel.cancel()  # gives back what was prefetched
            return seconds


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--uri", required=True, help="amqp://...")
    parser.add_argument("--database", required=True, help="postgres://...")
    parser.add_argument("--queue", required=True)
    parser.add_argument("--count", required=True, type=positive, help="messages to consume")
    parser.add_argument("--batch", type=positive, default=1, help="messages per transaction and acknowledgement")
    parser.add_argument("--prefetch", type=positive, default=500)
    options = parser.parse_args()
    if options.prefetch < options.batch:
        parser.error("--prefetch must not be below --batch, or no batch gets full")
    return options


def main():
    options = arguments()
    with psycopg.connect(options.database, autocommit=True) as database:
        database.execute(SCHEMA)
        with pika.BlockingConnection(pika.URLParameters(options.uri)) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=options.prefetch)
            seconds = consume(channel, database, options.queue, options.count, options.batch)
    print(json.dumps({"messages": options.count, "seconds": round(seconds, 3)}))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # pylint: disable=broad-exception-caught
        sys.exit(f"consumer.py: {str(error) or repr(error)}")
