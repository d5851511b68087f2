import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { FRONTS } from './support/fronts.mjs';
import { ROOT, until } from './support/processes.mjs';
import { listedOn, rowsOf } from './support/rows.mjs';
import { World } from './support/World.mjs';

const QUEUE = 'orders_webshop';
const { paths } = FRONTS.console;
const BILLING = '/console/service?service=billing';
/** Compressed bytes of the script that is loaded before anything is shown: what was measured, and a tenth. */
const LARGEST_START = 210_000;

let world;
let page;

/** Opens a page, as a user of the issuer; it is closed when the test ends. */
async function open(path, options) {
  page = await world.open(path, options);
  return page;
}

const rows = () => rowsOf(page);
const button = name => page.getByRole('button', { name });

/** Opens the palette, types, and goes to what it says first. */
async function goTo(text, name) {
  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Go to' });
  await palette.getByRole('searchbox').waitFor();
  await page.keyboard.type(text);
  const place = palette.getByRole('option', { name }).first();
  await place.waitFor();
  await until('it is chosen', async () => {
    if ((await place.getAttribute('data-focused')) !== null) return true;
    await page.keyboard.press('ArrowDown');
    return false;
  });
  await page.keyboard.press('Enter');
}

/** Presses Tab until this has the focus. */
async function tabTo(what, locator) {
  for (let presses = 0; presses < 80; presses += 1) {
    const isThere = await locator.evaluate(element =>
      element.contains(document.activeElement),
    );
    if (isThere) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`80 times Tab does not lead to ${what}`);
}

describe('the console', { timeout: 900_000 }, () => {
  before(
    async () => {
      world = await World.start(FRONTS.console);
      await world.fail(QUEUE, 'webshop', 25);
      await world.fail('orders_billing', 'billing', 3);
    },
    { timeout: 300_000 },
  );
  afterEach(async test => {
    const wrong = await world.leave(page, `console-${test.name}`);
    page = undefined;
    assert.deepEqual(wrong, []);
  });
  after(() => world?.end());

  it('shows ada the services of her squad, and lets her redeliver only', async () => {
    await open(paths.squads, { user: 'ada' });
    await page.getByRole('link', { name: 'checkout' }).click();
    await page.getByRole('link', { name: 'webshop' }).first().click();
    await rows().first().waitFor();
    assert.equal(await page.getByRole('tab', { name: 'Audit' }).count(), 0);
    await button('Select all 25 that match').click();
    assert.ok(
      await button(/^redeliver/i)
        .first()
        .isEnabled(),
    );
    assert.equal(
      await button(/^delete/i)
        .first()
        .isEnabled(),
      false,
    );
    await page.goto(`${world.url}${BILLING}`);
    await page.getByText('You do not have access').waitFor();
    await page.goto(`${world.url}${paths.squads}`);
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'finance' }).count(), 0);
  });

  it('shows root the audit, and signs out', async () => {
    await open('/console/audit?action=readPayload');
    await page
      .getByText('The audit has no such entry')
      .or(rows().first())
      .waitFor();
    await page.goto(`${world.url}${paths.service()}`);
    await rows()
      .first()
      .getByText(/PaymentDeclined|AddressInvalid/)
      .click();
    await page
      .getByRole('dialog')
      .getByText(/orderId/)
      .first()
      .waitFor();
    await page.goto(`${world.url}/console/audit?action=readPayload`);
    await rows().first().waitFor();
    await rows()
      .first()
      .getByText(/root \(http/)
      .waitFor();
    await world.screenshot(page, 'audit');
    await button('root').click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await button('Sign out').click();
    await button(/^Sign in with 127/).waitFor();
  });

  it('keeps the address through the sign-in, and renews it', async () => {
    await open(paths.service({ find: 'postcode' }));
    await until('five rows', async () => (await listedOn(page)) === 5);
    const tokens = new Set();
    page.on('request', ({ headers }) => tokens.add(headers.authorization));
    const stored = () =>
      page.evaluate(() =>
        Object.entries(sessionStorage)
          .filter(([name]) => name.startsWith('oidc.user:'))
          .map(([, value]) => JSON.parse(value).access_token)
          .join(),
      );
    const first = await stored();
    assert.ok(first.length > 100, first);
    await until('another token', async () => (await stored()) !== first);
    await page.reload();
    await until('five rows', async () => (await listedOn(page)) === 5);
  });

  it('takes a token, and says when it is refused', async () => {
    page = await world.openAlone(paths.squads);
    await page.getByLabel('Token').fill('dlt_nobody-knows-this-one');
    await button('Sign in with the token').click();
    await page.getByText('Your sign-in has expired').waitFor();
    await page.getByLabel('Token').fill(world.service.token);
    await button('Sign in with the token').click();
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    await button('e2e').waitFor();
  });

  it('finds a message, a service and an error by the palette', async () => {
    const { messages } = await world.service.get('/dead-letters?limit=1');
    await open(paths.squads);
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    await goTo(messages[0].messageId, /^Message/);
    await page
      .getByRole('dialog')
      .getByText(/orderId/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await goTo('billi', /^billing/);
    await page.waitForURL(/service\?service=billing/);
    await goTo('stock', /StockUnknown|no stock/);
    await page.waitForURL(/errorGroup=/);
    await goTo('oper', /^Operations/);
    await page.waitForURL(/console\/operations/);
  });

  it('saves a view, and deletes it', async () => {
    await open(paths.service({ find: 'postcode' }));
    await rows().first().waitFor();
    await button('Views').click();
    await page.getByLabel('Name of this view').fill('Without a postcode');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Without a postcode' }).waitFor();
    await page.keyboard.press('Escape');
    await page.goto(`${world.url}${paths.squads}`);
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    await goTo('postcode', /^Without a postcode/);
    await until('five rows', async () => (await listedOn(page)) === 5);
    await button('Views').click();
    await button('Delete Without a postcode').click();
    await page.getByText('No views are saved').waitFor();
  });

  for (const [item, extension] of [
    [/^CSV/, 'csv'],
    [/^NDJSON/, 'ndjson'],
  ]) {
    it(`exports a list as ${extension}`, async () => {
      await open(paths.service({ find: 'postcode' }));
      await rows().first().waitFor();
      await button('Export').click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: item }).click(),
      ]);
      assert.match(download.suggestedFilename(), new RegExp(`${extension}$`));
      const lines = readFileSync(await download.path(), 'utf8')
        .trimEnd()
        .split('\n');
      const heads = extension === 'csv' ? 1 : 0;
      assert.equal(lines.length, 5 + heads);
      lines.slice(heads).forEach(line => assert.match(line, /no postcode/));
      await page.getByText('5 dead letters exported').waitFor();
    });
  }

  it('is used by keyboard: a service, a selection, a plan, a redelivery, its end', async () => {
    await world.fail('orders_notification', 'notification', 3);
    await world.broker.purge('orders_notification');
    await open(paths.squads);
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    await goTo('notif', /^notification/);
    await until('three rows', async () => (await listedOn(page)) === 3);
    const chooseAll = button('Select all 3 that match');
    await tabTo('the selection', chooseAll);
    await page.keyboard.press('Enter');
    const redeliver = button(/^redeliver/i).first();
    await until('it can be redelivered', () => redeliver.isEnabled());
    await tabTo(
      'the table',
      page.getByRole('grid').or(page.getByRole('table')).first(),
    );
    await page.keyboard.press('Shift+Tab');
    await until('the button has the focus', async () => {
      if (await redeliver.evaluate(it => it === document.activeElement)) {
        return true;
      }
      await page.keyboard.press('Shift+Tab');
      return false;
    });
    await page.keyboard.press('Enter');
    const run = button('Redeliver 3');
    await run.waitFor();
    await until('it is planned', () => run.isEnabled());
    await tabTo('the button', run);
    await page.keyboard.press('Enter');
    await until(
      'they are in their queue',
      async () => (await world.broker.depth('orders_notification')) === 3,
    );
    await page
      .getByText(/3 sent/)
      .first()
      .waitFor();
    await goTo('oper', /^Operations/);
    await page.getByRole('row').nth(1).waitFor();
    const first = page.getByRole('row').nth(1);
    await tabTo('the operation', first);
    await page.keyboard.press('Enter');
    await page
      .getByRole('dialog')
      .getByText(/root \(/)
      .first()
      .waitFor();
  });

  for (const theme of ['light', 'dark']) {
    it(`can be used by everybody, ${theme}`, async () => {
      const wrong = [];
      const look = async (view, name) => {
        wrong.push(...(await world.axe(page, `${view}, ${theme}`)));
        if (name && theme === 'light') await world.screenshot(page, name);
      };
      page = await world.openAlone(paths.squads, { theme });
      await button(/^Sign in with 127/).waitFor();
      await look('sign-in', 'sign-in');
      await world.front.signIn(page);
      await page.getByRole('link', { name: 'checkout' }).waitFor();
      await page.keyboard.press('Control+k');
      await page.getByRole('option', { name: /^webshop/ }).waitFor();
      await look('palette', 'palette');
      await page.keyboard.press('Escape');
      await button('Views').click();
      await page.getByText('No views are saved').waitFor();
      await look('saved views');
      await page.keyboard.press('Escape');
      await page.goto(`${world.url}/console/audit`);
      await rows().first().waitFor();
      await look('audit');
      await page.goto(`${world.url}/console/nowhere`);
      await page.getByRole('heading', { name: 'Not found' }).waitFor();
      await look('not found');
      assert.deepEqual(wrong, []);
    });
  }

  it('starts with little', () => {
    const folder = `${ROOT}/console/dist`;
    const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`));
    const loaded = new Set();
    const load = name => {
      const { file, imports = [] } = manifest[name];
      loaded.add(file);
      imports.forEach(load);
    };
    load('index.html');
    const bytes = [...loaded]
      .map(file => gzipSync(readFileSync(`${folder}/${file}`)).length)
      .reduce((sum, each) => sum + each, 0);
    world.times['compressed bytes of the first script'] = bytes;
    assert.ok(bytes < LARGEST_START, `${bytes} of ${LARGEST_START}`);
  });
});
