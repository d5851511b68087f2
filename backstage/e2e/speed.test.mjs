import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { FRONTS } from './support/fronts.mjs';
import { ROOT, until } from './support/processes.mjs';
import { rowsOf } from './support/rows.mjs';
import { World } from './support/World.mjs';

/** How long it takes until rows are seen, with so many messages in one service. */

const QUEUE = 'orders_webshop';
/** A bank's bad month in one service. */
const BAD_MONTH = 43_695;
const MESSAGES = Number(process.env.MESSAGES ?? BAD_MONTH);
/** Each is measured so often, and the middle one counts. */
const TIMES = 5;
/** Milliseconds, on a machine of one's own. Where fewer messages are asked for, only the way is walked. */
const LONGEST = { 'first page': 1_000, 'next page of 200 rows': 500 };

const front = FRONTS[process.env.FRONT ?? 'console'];
const { paths } = front;

let world;
let page;

const rows = () => rowsOf(page);

/** Presses what the selector names, and takes the milliseconds until the first message is another one and has been painted. */
const press = selector =>
  page.evaluate(async pressed => {
    const first = () =>
      [...document.querySelectorAll('tr, [role="row"]')].find(
        row =>
          row.querySelector('time') && row.querySelector('[type=checkbox]'),
      )?.textContent;
    const frame = () =>
      new Promise(resolve => {
        requestAnimationFrame(() => setTimeout(resolve));
      });
    const before = first();
    const begun = performance.now();
    document.querySelector(pressed).click();
    while (!first() || first() === before) {
      if (performance.now() - begun > 30_000) throw new Error('no other row');
      await frame();
    }
    await frame();
    return performance.now() - begun;
  }, selector);

function middle(numbers) {
  return Math.round(numbers.sort((a, b) => a - b)[numbers.length >> 1]);
}

/** Each time, and how much of it the page was at work: that does not depend on what else the machine does. */
async function measure(what, once) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const worked = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * metrics.find(({ name }) => name === 'TaskDuration').value;
  };
  const taken = [];
  const work = [];
  for (let n = 0; n < TIMES; n += 1) {
    const begun = await worked();
    taken.push(await once());
    work.push((await worked()) - begun);
  }
  world.times[what] = middle(taken);
  world.times[`${what}, work`] = middle(work);
  await session.detach();
}

describe(`${MESSAGES} messages in ${front.name}`, { timeout: 900_000 }, () => {
  before(
    async () => {
      world = await World.start(front);
      await world.broker.fail(QUEUE, MESSAGES);
      await until(
        'they are stored',
        async () => (await world.service.count('service=webshop')) === MESSAGES,
        300_000,
      );
    },
    { timeout: 600_000 },
  );
  after(async () => {
    const report = JSON.stringify(world?.times, null, 2);
    writeFileSync(`${ROOT}/target/backstage/speed-${front.name}.json`, report);
    console.log(report);
    await world?.end();
  });

  it('shows the first page of a service', async () => {
    page = await world.open(paths.squad);
    const link = page.getByRole('link', { name: 'webshop' }).first();
    await link.waitFor();
    await measure('first page', async () => {
      // Nothing is known of it yet.
      await page.goto(`${world.url}${paths.squad}`);
      await link.waitFor();
      await link.evaluate(it => it.setAttribute('data-pressed-here', ''));
      return press('[data-pressed-here]');
    });
  });

  for (const size of [50, 200]) {
    it(`shows the next page of ${size} rows`, async () => {
      await page.goto(`${world.url}${paths.service({ limit: size })}`);
      await rows().first().waitFor();
      await measure(`next page of ${size} rows`, () =>
        press('[aria-label="Next table page"]'),
      );
    });
  }

  it('is as quick as it has to be', { skip: MESSAGES < BAD_MONTH }, () => {
    for (const [what, longest] of Object.entries(LONGEST)) {
      assert.ok(world.times[what] <= longest, `${what}: ${world.times[what]}`);
    }
  });
});
