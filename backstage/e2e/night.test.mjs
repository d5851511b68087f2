import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { FRONTS } from './support/fronts.mjs';
import { layout } from './support/layout.mjs';
import { until } from './support/processes.mjs';
import { World } from './support/World.mjs';

/** A night on call: the service fails, its dead letters are looked at, put back, stopped, settled, and handed over. */

const front = FRONTS[process.env.FRONT ?? 'backstage'];
const { paths } = front;
const QUEUE = 'orders_webshop';
const ERROR = /card issuer timed out/;
const WINDOWS = [
  { width: 1440, height: 900 },
  { width: 768, height: 1024 },
  { width: 375, height: 812 },
];

let world;
let page;
/** What was seen that is wrong, in the walk that goes on. */
const wrong = [];

const button = name => page.getByRole('button', { name });
const menuItem = name => page.getByRole('menuitem', { name });
const dialog = () => page.getByRole('dialog');
const card = () => page.getByRole('article', { name: 'Redelivery' });

const clean = () => world.clean(QUEUE, 'webshop');
const fail = count => world.fail(QUEUE, 'webshop', count);

const lastOperation = async () =>
  (await world.service.get('/operations?limit=1')).operations[0];

/** Says why in the dialog that is open, and sends it with Enter. */
async function giveReason(reason) {
  const field = dialog().getByRole('textbox', { name: 'Reason' });
  await field.fill(reason);
  await field.press('Enter');
  await dialog().waitFor({ state: 'hidden' });
}

describe(`a night in ${front.name}`, { timeout: 900_000 }, () => {
  before(
    async () => {
      world = await World.start(front);
    },
    { timeout: 300_000 },
  );
  afterEach(async test => {
    wrong.push(...(await world.leave(page, `${front.name}-${test.name}`)));
    page = undefined;
    assert.deepEqual(wrong.splice(0), []);
  });
  after(() => world?.end());

  for (const size of WINDOWS) {
    it(`is played at ${size.width} px`, async () => {
      const look = async (view, name) => {
        // It waits until nothing moves.
        wrong.push(...(await world.axe(page, `${view}, ${size.width} px`)));
        wrong.push(...(await layout(page, view)));
        if (name) await world.screenshot(page, `${name}-${size.width}`);
      };
      await clean();
      await fail(60);

      page = await world.openAlone(paths.squads);
      await page.setViewportSize(size);
      await front.signIn(page);
      await page.getByRole('link', { name: 'checkout' }).waitFor();
      await look('squads', 'night-squads');
      await page.getByRole('link', { name: 'checkout' }).click();
      await page.getByRole('link', { name: 'webshop' }).first().waitFor();
      const group = page.getByRole('link', { name: ERROR }).first();
      await group.waitFor();
      await look('squad', 'night-squad');
      await group.click();
      await page.getByRole('heading', { name: 'Examples' }).waitFor();
      await page.getByText(/36 dead letters/).waitFor();
      await look('error group', 'night-group');

      await page.goto(`${world.url}${paths.service()}`);
      await page.getByRole('row').nth(10).waitFor();
      await look('service', 'night-service');
      await page.goBack();

      await button('Mute').click();
      await menuItem(/8 hours/).click();
      await dialog().getByRole('textbox', { name: 'Reason' }).waitFor();
      await look('mute');
      await giveReason('the bank is asked');
      await page.getByText('the bank is asked').first().waitFor();
      await page.getByText('Muted', { exact: true }).first().waitFor();
      await button('Reopen').click();
      await giveReason('the bank has answered');

      await button(/^redeliver/i)
        .first()
        .click();
      await until('it is planned', () => button('Redeliver 36').isEnabled());
      // It is on where the error was seen a moment ago.
      const canary = dialog().getByRole('switch', { name: 'Canary' });
      if (await canary.isChecked()) {
        await dialog().getByText('Canary', { exact: true }).click();
      }
      const rate = dialog().getByRole('textbox', { name: /per second/ });
      await rate.fill('2');
      await rate.press('Tab');
      await button('Redeliver 36').waitFor();
      await look('plan');
      await until('it is planned', () => button('Redeliver 36').isEnabled());
      await button('Redeliver 36').click();

      await card().getByRole('button', { name: 'Rate' }).click();
      await look('rate');
      const faster = card().getByRole('textbox', { name: /per second/ });
      await faster.fill('3');
      await faster.press('Enter');
      await until(
        'it is faster',
        async () => (await lastOperation()).rate === 3,
      );
      await card().getByRole('button', { name: 'Rate' }).click();
      await faster.fill('1');
      await card().getByRole('button', { name: 'Set' }).click();
      await until(
        'it is slower',
        async () => (await lastOperation()).rate === 1,
      );
      await card().getByRole('button', { name: 'Pause' }).click();
      await card().getByText('Paused', { exact: true }).waitFor();
      await page.reload();
      await card().getByRole('button', { name: 'Resume' }).waitFor();
      await look('paused', 'night-paused');
      await card().getByRole('button', { name: 'Cancel' }).click();
      await look('cancel');
      await button('Keep running').click();
      await card().getByRole('button', { name: 'Cancel' }).click();
      await button('Cancel redelivery').click();
      await until(
        'it is cancelled',
        async () => (await lastOperation()).state === 'cancelled',
      );
      const { outcomes } = await lastOperation();
      await page
        .getByText(`${outcomes.skipped} not sent (still dead)`)
        .first()
        .waitFor();

      await page.goto(`${world.url}${paths.operations}`);
      await page.getByRole('row').nth(1).waitFor();
      await look('operations', 'night-operations');
      await page.getByRole('row').nth(1).click();
      await dialog().getByText('Started by').first().waitFor();
      await look('operation');
      // Every id leads to its thing.
      await dialog().getByRole('link', { name: /^…/ }).first().click();
      await dialog()
        .getByText(/orderId/)
        .first()
        .waitFor();
      await look('message', 'night-message');
      await dialog()
        .getByRole('link', { name: 'Open the error group' })
        .click();
      await page.getByRole('heading', { name: 'Examples' }).waitFor();

      await button('Resolve').click();
      await giveReason(`the bank is back at ${size.width}`);
      await page.getByText('Resolved', { exact: true }).first().waitFor();

      await page.goto(`${world.url}${paths.shiftLog}`);
      await page.getByText(`the bank is back at ${size.width}`).waitFor();
      await page.getByText('the bank is asked').first().waitFor();
      await look('shift log', 'night-shift-log');
      await button('Copy as Markdown').click();
      await button('Copied').waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, new RegExp(`the bank is back at ${size.width}`));
      assert.match(copied, /Redelivery|redeliver/i);
    });
  }

  it('counts down to the next step of a canary', async () => {
    await clean();
    await fail(30);
    const { id } = await world.service.post('/dead-letters/redeliver', {
      filter: { service: 'webshop' },
      canary: [10, 20],
      canaryWait: 600,
    });
    page = await world.open(paths.service());
    await card()
      .getByText(/next 10 in \d+ (s|min)/i)
      .waitFor();
    await world.service.post(`/operations/${id}/cancel`);
    await card().getByText('Cancelled', { exact: true }).waitFor();
  });
});
