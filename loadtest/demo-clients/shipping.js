// The service shipping, with Rascal: what the handler throws is noted in the headers of the message by republishing it
// once. It is rejected then, and dies into `dead-letter`.

const { BrokerAsPromised } = require('rascal');

const { AMQP_URL, CONTROL_URL, SERVICE } = process.env;
const queue = 'demo-parcels_shipping';
const recovery = [{ strategy: 'republish', attempts: 1, immediateNack: true }];
const random = (from, to) => from + Math.floor(Math.random() * (to - from));

function die(error) {
  console.error(error);
  process.exit(1);
}

// Without the switch there is no demo: what is in hand goes back to its queue.
const call = (path, options) => fetch(CONTROL_URL + path, options).catch(die);

async function isBroken() {
  return (await (await call('/')).json()).services[SERVICE].broken;
}

// What became of a message: published, handled or failed.
function tell(what, message = {}) {
  const known = Object.entries(message).filter(([, value]) => value !== undefined);
  return call(`/services/${SERVICE}/${what}?${new URLSearchParams(known)}`, { method: 'POST' });
}

async function printLabel(parcel) {
  if (parcel.postcode === '0000' && await isBroken()) {
    throw Object.assign(new Error(`no route to postcode 0000 (parcel ${parcel.id})`), { code: 'NO_ROUTE' });
  }
}

async function handle({ properties }, parcel, ackOrNack) {
  try {
    await printLabel(parcel);
  } catch (error) {
    console.error(error);
    ackOrNack(error, recovery);
    return tell('failed');
  }
  ackOrNack();
  const redeliveryId = properties.headers['dead-letter-redelivery-id'];
  return tell('handled', { messageId: properties.messageId, redeliveryId });
}

async function main() {
  const broker = await BrokerAsPromised.create({
    vhosts: {
      '/': {
        connection: { url: AMQP_URL },
        queues: { [queue]: { options: { durable: true, deadLetterExchange: 'dead-letter' } } },
        publications: { parcels: { queue } },
        subscriptions: { parcels: { queue } },
      },
    },
  });
  broker.on('error', die);
  const subscription = await broker.subscribe('parcels');
  subscription.on('message', handle).on('error', console.error);

  for (let number = 0; ; number += 1) {
    const postcode = number % 5 === 0 ? '0000' : String(random(1000, 9990));
    const publication = await broker.publish('parcels', { id: random(100000, 999999), postcode });
    publication.on('success', () => tell('published')).on('error', die);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

main().catch(die);
