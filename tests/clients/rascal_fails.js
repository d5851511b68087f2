// One message that a Rascal subscriber fails: node rascal_fails.js QUEUE EXCHANGE [again]. It is republished once, and then
// rejected by its header `rascal`, so that it dies into EXCHANGE.
//
// With `again` nothing is sent, and the subscriber succeeds: prints what it got.

const { BrokerAsPromised } = require('rascal');

const [queue, exchange, again] = process.argv.slice(2);

async function main() {
  const broker = await BrokerAsPromised.create({
    vhosts: {
      '/': {
        connection: { url: process.env.AMQP_URL },
        queues: { [queue]: { assert: true, options: { durable: true, deadLetterExchange: exchange } } },
        publications: { out: { queue } },
        subscriptions: { in: { queue } },
      },
    },
  });
  broker.on('error', (error) => { console.error(error.message); process.exit(1); });
  if (!again) {
    const publication = await broker.publish('out', { order: 4711 });
    await new Promise((resolve, reject) => publication.on('success', resolve).on('error', reject));
  }
  const done = new Promise((resolve) => {
    broker.subscribe('in').then((subscription) => {
      subscription
        .on('message', (message, content, ack) => {
          if (again) {
            console.log(`charged ${content.order}`);
            ack();
            return setTimeout(resolve, 200);
          }
          const error = Object.assign(new Error('card of order 4711 expired'), { code: 'E_CARD' });
          return ack(error, [{ strategy: 'republish', attempts: 1, immediateNack: true }], resolve);
        })
        .on('error', () => {});
    });
  });
  await done;
  // The message that was republished comes once more, and is rejected unseen.
  await new Promise((resolve) => setTimeout(resolve, again ? 0 : 1000));
  await broker.shutdown();
}

const deadline = setTimeout(() => process.exit(1), 30000);
main().then(() => { clearTimeout(deadline); process.exit(0); }, (error) => { console.error(error.message); process.exit(1); });
