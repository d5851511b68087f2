import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { FRONTS } from './support/fronts.mjs';
import { until } from './support/processes.mjs';
import { World } from './support/World.mjs';

// On Backstage's own pages: the guest belongs to checkout and finance. checkout-jobs is two services, basket and loyalty.
const FAILED = { webshop: 12, basket: 3, loyalty: 1 };
const queueOf = service => `orders_${service}`;
const WEBSHOP = '/catalog/default/component/webshop';

let world;
let page;

async function open(path, options) {
  page = await world.open(path, options);
  return page;
}

const card = () =>
  page
    .locator('section, article, div')
    .filter({
      has: page.getByRole('heading', { name: 'Dead letters', exact: true }),
    })
    .last()
    .locator('xpath=ancestor-or-self::*[.//dl][1]');

describe('the pages of Backstage', { timeout: 600_000 }, () => {
  before(
    async () => {
      world = await World.start(FRONTS.backstage);
      for (const [service, count] of Object.entries(FAILED)) {
        await world.broker.declare(queueOf(service));
        await world.broker.purge(queueOf(service));
        await world.broker.fail(queueOf(service), count);
        await until(
          'they are stored',
          async () =>
            (await world.service.count(`service=${service}`)) === count,
        );
      }
    },
    { timeout: 300_000 },
  );
  afterEach(async test => {
    const wrong = await world.leave(page, `catalog-${test.name}`);
    page = undefined;
    assert.deepEqual(wrong, []);
  });
  after(async () => {
    // The next walk finds its queues empty.
    for (const service of Object.keys(FAILED)) {
      await world?.broker.purge(queueOf(service)).catch(() => {});
    }
    await world?.end();
  });

  it('show the squads of whoever looks on the home page', async () => {
    await open('/');
    const table = page.getByRole('grid', { name: /My squads/ });
    await table.getByRole('link', { name: 'checkout' }).waitFor();
    assert.deepEqual(
      await table.getByRole('row').getByRole('link').allTextContents(),
      ['checkout'],
    );
    await table.getByText('16', { exact: true }).waitFor();
    assert.deepEqual(await world.axe(page, 'home'), []);
    await world.screenshot(page, 'home');
    await table.getByRole('link', { name: 'checkout' }).click();
    await page.getByRole('heading', { name: /16 dead letters/ }).waitFor();
  });

  for (const theme of ['light', 'dark']) {
    it(`show a card on the overview of a component, ${theme}`, async () => {
      await open(WEBSHOP, { theme });
      await card().getByText('12 dead letters', { exact: true }).waitFor();
      await card().getByText('Oldest').waitFor();
      const worst = card().getByRole('link', { name: /card issuer timed out/ });
      await worst.waitFor();
      const wrong = await world.axe(page, `overview, ${theme}`);
      assert.deepEqual(wrong, []);
      if (theme === 'light') await world.screenshot(page, 'card');
      await card().getByRole('link', { name: 'Show all' }).click();
      await page.waitForURL(/\/webshop\/dead-letters\?env=demo/);
      await page.goBack();
      await worst.click();
      await page.waitForURL(/\/dead-letter\/group\?env=demo&id=/);
    });
  }

  it('show a card on the overview of a group', async () => {
    await open('/catalog/default/group/checkout');
    await card().getByText('16 dead letters', { exact: true }).waitFor();
  });

  it('add up the services of a component, and let one be chosen', async () => {
    await open('/catalog/default/component/checkout-jobs');
    await card().getByText('4 dead letters', { exact: true }).waitFor();
    await card().getByRole('link', { name: 'Show all' }).click();
    await page.getByText('3 dead letters').first().waitFor();
    await page
      .getByRole('button', { name: /basket/ })
      .first()
      .click();
    await page.getByRole('option', { name: 'loyalty' }).click();
    await page.waitForURL(/service=loyalty/);
    await page.getByText('1 dead letter').first().waitFor();
    // Lists lead to the one that is meant.
    await page.goto(`${world.url}${FRONTS.backstage.paths.squad}`);
    await page.getByRole('link', { name: 'loyalty' }).first().click();
    await page.waitForURL(
      /checkout-jobs\/dead-letters\?env=demo&service=loyalty/,
    );
  });

  it('list what has dead letters', async () => {
    await open('/catalog');
    const link = name => page.getByRole('table').getByRole('link', { name });
    await link('billing').waitFor();
    await page.getByText('Has dead letters').click();
    await until('the others are gone', async () => {
      return (await link('billing').count()) === 0;
    });
    await link('webshop').waitFor();
    await link('checkout-jobs').waitFor();
    // Backstage's own table nests what can be pressed.
    const part = '[role=group]:has(input[type=checkbox])';
    assert.deepEqual(await world.axe(page, 'catalog', part), []);
    await page.reload();
    await link('webshop').waitFor();
    await until(
      'it is kept',
      async () => (await link('billing').count()) === 0,
    );
  });

  it('redeliver from the menu of a component', async () => {
    await open(WEBSHOP);
    await card().getByText('12 dead letters', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'More' }).click();
    await page
      .getByRole('menuitem', { name: 'Redeliver dead letters…' })
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Canary', { exact: true }).click();
    await dialog.getByRole('button', { name: 'Redeliver 12' }).click();
    await until(
      'they are in their queue',
      async () => (await world.broker.depth(queueOf('webshop'))) === 12,
    );
    await card().getByText('No dead letters are waiting').waitFor();
  });
});
