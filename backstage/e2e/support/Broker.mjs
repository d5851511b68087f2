import amqp from 'amqplib';
import { randomUUID } from 'node:crypto';

/** What went wrong, as a consumer of the demo might say. */
const ERRORS = [
  ['PaymentDeclined', n => `card issuer timed out after 3000 ms (order ${n})`],
  ['PaymentDeclined', n => `card issuer timed out after 3000 ms (order ${n})`],
  ['PaymentDeclined', n => `card issuer timed out after 3000 ms (order ${n})`],
  ['StockUnknown', n => `no stock is known of article ${n}`],
  ['AddressInvalid', n => `the address of customer ${n} has no postcode`],
];

/** A RabbitMQ, and consumers that fail. */
export class Broker {
  static async connect(url) {
    const broker = new Broker();
    broker.connection = await amqp.connect(url);
    broker.channel = await broker.connection.createConfirmChannel();
    return broker;
  }

  async end() {
    await this.connection.close();
  }

  async declare(queue) {
    await this.channel.assertQueue(queue, {
      arguments: { 'x-queue-type': 'quorum' },
    });
  }

  async purge(queue) {
    await this.channel.purgeQueue(queue);
  }

  async depth(queue) {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  /** So many messages that somebody else published. */
  async fill(queue, count) {
    for (let n = 0; n < count; n += 1) {
      this.channel.sendToQueue(queue, Buffer.from('{}'));
    }
    await this.channel.waitForConfirms();
  }

  /** The next message of a queue, which is then gone; false where it has none. */
  async take(queue) {
    return this.channel.get(queue, { noAck: true });
  }

  /** A consumer that fails with all that it gets; returns how to end it. */
  async failAgain(queue) {
    const channel = await this.connection.createConfirmChannel();
    const [type, text] = ERRORS[0];
    await channel.consume(queue, message => {
      const { properties, content } = message;
      channel.publish('dead-letter', queue, content, {
        ...properties,
        headers: {
          ...properties.headers,
          'dead-letter-error-type': type,
          'dead-letter-error-message': text(1),
          'dead-letter-origin-queue': queue,
          'dead-letter-failed-at': new Date().toISOString(),
        },
      });
      channel.ack(message);
    });
    return () => channel.close();
  }

  /** Messages that a consumer of this queue failed to handle, told of as dead-letter's own convention has it. */
  async fail(queue, count, more = {}) {
    await this.declare(queue);
    for (let n = 0; n < count; n += 1) {
      const [type, text] = ERRORS[n % ERRORS.length];
      const order = 10_000 + n;
      this.channel.publish(
        'dead-letter',
        queue,
        Buffer.from(
          JSON.stringify({
            orderId: order,
            amount: n % 100,
            lines: [{ article: `A-${n}`, count: 1 }],
            ...more,
          }),
        ),
        {
          messageId: randomUUID(),
          correlationId: `order-${order}`,
          contentType: 'application/json',
          type: 'OrderPlaced',
          headers: {
            'dead-letter-error-type': type,
            'dead-letter-error-message': text(order),
            'dead-letter-error-stack': `${type}: ${text(
              order,
            )}\n    at handle (orders.js:42)\n    at consume (worker.js:7)`,
            'dead-letter-origin-queue': queue,
            'dead-letter-origin-exchange': 'orders',
            'dead-letter-origin-routing-key': 'orders.placed',
            'dead-letter-failed-at': new Date().toISOString(),
            tenant: 'bank',
            attempt: 3,
          },
        },
      );
      if (n % 1_000 === 999) await this.channel.waitForConfirms();
    }
    await this.channel.waitForConfirms();
  }
}
