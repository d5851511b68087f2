import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, before, describe, it } from 'node:test';
import { FRONTS } from './support/fronts.mjs';
import { ROOT, until } from './support/processes.mjs';
import { listedOn, openFirst, rowsOf } from './support/rows.mjs';
import { World } from './support/World.mjs';

const QUEUE = 'orders_webshop';
/** In which the same pages are walked through: the plugin in Backstage, or the console. */
const front = FRONTS[process.env.FRONT ?? 'backstage'];
const { paths } = front;
const TAB = paths.service();

let world;
let page;

/** Opens a page that is closed when the test ends. */
async function open(path, options) {
  page = await world.open(path, options);
  return page;
}

const rows = () => rowsOf(page);

const button = name => page.getByRole('button', { name });

const clean = () => world.clean(QUEUE, 'webshop');
const fail = count => world.fail(QUEUE, 'webshop', count, 120_000);

/** Messages that died a moment ago start with a canary: turned off, all of them go at once. */
async function withoutCanary() {
  const dialog = page.getByRole('dialog');
  const canary = dialog.getByRole('switch', { name: 'Canary' });
  await until('a canary is the default', () => canary.isChecked());
  await dialog.getByText('Canary', { exact: true }).click();
}

describe(`the plugin in ${front.name}`, { timeout: 1_800_000 }, () => {
  before(
    async () => {
      world = await World.start(front);
      // Of earlier walks.
      await world.broker.declare(QUEUE);
      await world.broker.purge(QUEUE);
    },
    { timeout: 300_000 },
  );
  afterEach(async test => {
    const wrong = await world.leave(page, `${front.name}-${test.name}`);
    page = undefined;
    assert.deepEqual(wrong, []);
  });
  after(async () => {
    writeFileSync(
      `${ROOT}/target/backstage/e2e-${front.name}.json`,
      JSON.stringify(
        { times: world?.times, violations: world?.violations },
        null,
        2,
      ),
    );
    console.log(
      JSON.stringify(
        { times: world?.times, violations: world?.violations },
        null,
        2,
      ),
    );
    await world?.end();
  });

  it('says what is known where there is nothing', async () => {
    await open(paths.squads);
    await page.getByText('No messages died in the last 24 hours.').waitFor();
    assert.deepEqual(await world.axe(page, 'squads, empty'), []);
    await page.goto(`${world.url}${TAB}`);
    await page.getByText('No dead letters are waiting').waitFor();
    assert.deepEqual(await world.axe(page, 'service, empty'), []);
  });

  it('goes from squad to service to message, puts it back, and sees it gone', async () => {
    await fail(25);
    await open(paths.squads);
    await page.getByRole('link', { name: 'checkout' }).click();
    await page.getByRole('link', { name: 'webshop' }).first().click();
    await rows().first().waitFor();
    await rows()
      .first()
      .getByText('PaymentDeclined')
      .or(rows().first().getByText('AddressInvalid'))
      .first()
      .click();
    const drawer = page.getByRole('dialog');
    await drawer
      .getByText(/orderId/)
      .first()
      .waitFor();
    await drawer.getByRole('button', { name: /^redeliver/i }).click();
    await button(/^redeliver 1$/i).click();
    await until(
      'it is in its queue',
      async () => (await world.broker.depth(QUEUE)) === 1,
    );
    await until(
      'one less is dead',
      async () => (await world.service.count('service=webshop')) === 24,
    );
    await page.keyboard.press('Escape');
    await page
      .getByText(/24 dead letters/)
      .first()
      .waitFor();
    await until('its row is gone', async () => (await listedOn(page)) === 24);
  });

  it('keeps the filter in the address', async () => {
    await clean();
    await fail(25);
    await open(paths.service({ find: 'postcode' }));
    await until('five rows', async () => (await listedOn(page)) === 5);
    const field = page.getByRole('searchbox');
    assert.equal(await field.inputValue(), 'postcode');
    await field.fill('no stock');
    await page.waitForURL(/find=no(\+|%20)stock/);
    await page.reload();
    await until('it is kept', async () => (await listedOn(page)) === 5);
    assert.equal(await field.inputValue(), 'no stock');
  });

  it('puts all that match back, at a rate, and stops in the middle', async () => {
    await clean();
    await fail(2_000);
    await open(TAB);
    await rows().first().waitFor();
    await button(/select all 2,000/i).click();
    await button(/^redeliver/i)
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/2,000/).first().waitFor();
    await withoutCanary();
    await dialog
      .getByRole('textbox', { name: /messages per second/i })
      .fill('100');
    const notes = dialog.getByRole('list', { name: 'Good to know' });
    await notes.getByText(/see the queue name as the routing key/).waitFor();
    await button('More options').click();
    await dialog.getByRole('button', { name: /Newest first/ }).click();
    await page.getByRole('option', { name: 'Any order (faster)' }).click();
    assert.deepEqual(await world.axe(page, 'redeliver, dialog'), []);
    await button('More options').click();
    await world.screenshot(page, 'redeliver');
    await button(/^redeliver 2,000$/i).click();
    await until('it is in sight', () =>
      page
        .getByRole('progressbar')
        .first()
        .evaluate(bar => {
          const { top, bottom } = bar.getBoundingClientRect();
          return top >= 0 && bottom <= window.innerHeight;
        }),
    );
    await until(
      'some are put back',
      async () => (await world.broker.depth(QUEUE)) > 100,
    );
    await world.screenshot(page, 'progress');
    await button(/^cancel/i)
      .first()
      .click();
    await button(/cancel|stop/i)
      .last()
      .click();
    await until('it is cancelled', async () => {
      const { operations } = await world.service.get('/operations?limit=1');
      return operations[0].state === 'cancelled';
    });
    const left = await world.service.count('service=webshop');
    assert.ok(left > 0 && left < 2_000, `${left} are left`);
    assert.equal(await world.broker.depth(QUEUE), 2_000 - left);
    await page
      .getByText(new RegExp(`${left.toLocaleString('en-GB')} dead letters`))
      .first()
      .waitFor();
    const { operations } = await world.service.get('/operations?limit=1');
    assert.match(operations[0].requestedBy, front.user);
    assert.equal(operations[0].order, 'any');
  });

  it('sends once more what its consumer lost, with its own routing key', async () => {
    await clean();
    await fail(2);
    await world.service.post('/dead-letters/redeliver', {
      filter: { service: 'webshop' },
    });
    await until(
      'they are in their queue',
      async () => (await world.broker.depth(QUEUE)) === 2,
    );
    await world.broker.purge(QUEUE);
    const { messages } = await world.service.get(
      '/dead-letters?service=webshop&status=redelivered&limit=1',
    );
    const { messageId } = messages[0];
    await open(paths.service({ status: 'redelivered', messageId }));
    await until('it is shown', async () => (await listedOn(page)) === 1);
    await page
      .getByRole('checkbox')
      .first()
      .locator('xpath=ancestor-or-self::label')
      .click();
    await button('Redeliver again').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/will handle it twice/).waitFor();
    assert.deepEqual(await world.axe(page, 'redeliver again, dialog'), []);
    await dialog.getByText('Send again', { exact: true }).click();
    await dialog.getByText(/redelivered before\. Whoever/).waitFor();
    await button('More options').click();
    await dialog.getByRole('button', { name: /Queue name/ }).click();
    await page.getByRole('option', { name: 'Original' }).click();
    // It is planned anew.
    await dialog.getByRole('list', { name: 'Good to know' }).waitFor();
    await until(
      'the note on the routing key is gone',
      async () =>
        (await dialog.getByText(/queue name as the routing key/).count()) === 0,
    );
    await button('Redeliver 1').click();
    let sent;
    await until('it is in its queue', async () => {
      sent = await world.broker.take(QUEUE);
      return sent;
    });
    assert.equal(sent.properties.messageId, messageId);
    assert.equal(sent.fields.routingKey, 'orders.placed');
  });

  it('says what a redelivery waits for, and sees it go on', async () => {
    await clean();
    await fail(10);
    await world.broker.fill(QUEUE, 20);
    const operation = await world.service.post('/dead-letters/redeliver', {
      filter: { service: 'webshop' },
      maxQueueDepth: 5,
    });
    await open(TAB);
    const card = page
      .getByRole('article', { name: 'Redelivery' })
      .filter({ has: page.getByText('Waiting', { exact: true }) });
    await card.getByText(/orders_webshop has 20 messages ready/).waitFor();
    assert.deepEqual(await world.axe(page, 'service, waiting'), []);
    await world.broker.purge(QUEUE);
    await until('it goes on', async () => {
      const { state } = await world.service.get(`/operations/${operation.id}`);
      return state === 'completed';
    });
    await until('and is shown to', async () => (await card.count()) === 0);
  });

  it('deletes, and takes it back', async () => {
    await clean();
    await fail(20);
    await open(TAB);
    await rows().first().waitFor();
    await page
      .getByRole('checkbox')
      .first()
      .locator('xpath=ancestor-or-self::label')
      .click();
    await button(/^delete/i)
      .first()
      .click();
    await button(/^delete 20$/i).click();
    await until(
      'they are deleted',
      async () => (await world.service.count('service=webshop')) === 0,
    );
    await button(/undo/i).first().click();
    await until(
      'they are back',
      async () => (await world.service.count('service=webshop')) === 20,
    );
    await until('and shown', async () => (await listedOn(page)) === 20);
  });

  it('tells of new ones, and does not slip them in', async () => {
    await open(TAB);
    await until('all are shown', async () => (await listedOn(page)) === 20);
    await fail(5);
    await page.getByText(/5 new dead letters/i).waitFor();
    assert.equal(await listedOn(page), 20);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await until('now they are', async () => (await listedOn(page)) === 25);
  });

  it('tells what was deleted, and not that all is good', async () => {
    await clean();
    await fail(7);
    await clean();
    await open(TAB);
    await page.getByText('No dead letters are waiting').waitFor();
    await page.getByText(/Last 24 h: .* died, .* deleted/).waitFor();
    await button('Show them').click();
    await rows().first().waitFor();
  });

  it('counts what is left, and moves no row', async () => {
    await fail(25);
    await open(TAB);
    await until('all are shown', async () => (await listedOn(page)) === 25);
    const { messages } = await world.service.get(
      '/dead-letters?service=webshop&limit=5',
    );
    await world.service.delete(messages.map(each => each.id));
    await page.getByText('5 of these dead letters no longer match').waitFor();
    await page.getByText('20 dead letters').first().waitFor();
    await button('Select all 20 that match').waitFor();
    assert.equal(await listedOn(page), 25);
    assert.equal(await page.getByText('no longer dead').count(), 5);
    assert.deepEqual(await world.axe(page, 'service, some left'), []);
    await button('Refresh').click();
    await until('they are gone', async () => (await listedOn(page)) === 20);
  });

  it('says that what was put back died again, and finds it', async () => {
    await clean();
    await fail(3);
    const end = await world.broker.failAgain(QUEUE);
    await open(TAB);
    await until('all are shown', async () => (await listedOn(page)) === 3);
    await button(/select all 3/i).click();
    await button(/^redeliver/i)
      .first()
      .click();
    await withoutCanary();
    await button(/^redeliver 3$/i).click();
    await page
      .getByText('3 sent, all 3 died again: PaymentDeclined.')
      .first()
      .waitFor();
    await end();
    await page
      .getByRole('article', { name: 'Redelivery' })
      .getByText('Failed', { exact: true })
      .waitFor();
    await world.screenshot(page, 'died-again');
    await page.goto(`${world.url}${paths.service({ returned: true })}`);
    await until('they are found', async () => (await listedOn(page)) === 3);
    assert.equal(
      await page.getByText('died again', { exact: true }).count(),
      3,
    );
    await page.goto(`${world.url}${paths.operations}`);
    await page.getByRole('row').nth(1).click();
    await page
      .getByRole('link', { name: /messages that died again in webshop/ })
      .click();
    await until('it leads there', async () => (await listedOn(page)) === 3);
  });

  it('shows a paused operation to everybody, and names it in the next plan', async () => {
    await clean();
    await fail(100);
    const operation = await world.service.post('/dead-letters/redeliver', {
      filter: { service: 'webshop' },
      rate: 1,
    });
    await world.service.post(`/operations/${operation.id}/pause`);
    for (const look of ['a visitor', 'the same after a reload']) {
      if (look === 'a visitor') await open(TAB);
      else await page.reload();
      const card = page
        .getByRole('article', { name: 'Redelivery' })
        .filter({ has: page.getByText('Paused', { exact: true }) });
      await card.getByText('Paused', { exact: true }).waitFor();
      await card.getByText(/Started by/).waitFor();
    }
    await button(/select all/i).click();
    await button(/^redeliver/i)
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/paused operation/).waitFor();
    await dialog.getByRole('link', { name: 'Show the operation' }).waitFor();
    await page.goto(`${world.url}${paths.squads}`);
    await page.getByText('Operations (1 paused)').waitFor();
    await world.service.post(`/operations/${operation.id}/cancel`);
    await until('it is cancelled', async () => {
      const { state } = await world.service.get(`/operations/${operation.id}`);
      return state === 'cancelled';
    });
  });

  it('finds a customer over all services, and opens what nobody owns', async () => {
    await world.broker.fail('orders_ghost', 2, { email: 'ada@example.com' });
    await until(
      'they are stored',
      async () => (await world.service.count('service=ghost')) === 2,
    );
    await open(paths.squads);
    const box = page.getByRole('searchbox', { name: /all services/ });
    await box.fill('ada@example.com');
    await box.press('Enter');
    await page.getByText('2 dead letters match “ada@example.com”').waitFor();
    assert.deepEqual(await world.axe(page, 'search'), []);
    await world.screenshot(page, 'search');
    await rows().first().getByText('PaymentDeclined').click();
    await page
      .getByRole('dialog')
      .getByText(/ada@example.com/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await box.fill('nobody@example.com');
    await box.press('Enter');
    await page.getByText(/All services and statuses were searched/).waitFor();
    await page.goto(`${world.url}${paths.squads}`);
    await page.getByText('DEAD_LETTER_OWNERSHIP_FILE').waitFor();
    await page.getByRole('link', { name: 'ghost' }).click();
    await until('they are shown', async () => (await listedOn(page)) === 2);
    await button(/select all 2/i).click();
    await button(/^delete/i)
      .first()
      .click();
    await button(/^delete 2$/i).click();
    await until(
      'they are deleted',
      async () => (await world.service.count('service=ghost')) === 0,
    );
  });

  it('goes on when the service is restarted', async () => {
    await open(paths.squads);
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    await world.service.process.end('SIGKILL');
    await page
      .getByText(/is not responding/i)
      .first()
      .waitFor();
    assert.ok(
      await page.getByRole('link', { name: 'checkout' }).isVisible(),
      'what was known stays',
    );
    assert.deepEqual(await world.axe(page, 'squads, away'), []);
    await world.service.resume();
    await until(
      'it is well again',
      async () => (await page.getByText(/is not responding/i).count()) === 0,
      60_000,
    );
  });

  for (const theme of ['light', 'dark']) {
    it(`can be used by everybody, ${theme}`, async () => {
      const wrong = [];
      const look = async (view, name) => {
        wrong.push(...(await world.axe(page, `${view}, ${theme}`)));
        if (name && theme === 'light') await world.screenshot(page, name);
      };
      await open(paths.squads, { theme });
      await page.getByRole('link', { name: 'checkout' }).waitFor();
      await look('squads', 'squads');
      await page.goto(`${world.url}${paths.squad}`);
      await page.getByRole('link', { name: 'webshop' }).first().waitFor();
      await page
        .getByText(/card issuer/)
        .first()
        .waitFor();
      await look('squad', 'squad');
      await page.goto(`${world.url}${TAB}`);
      await rows().first().waitFor();
      await look('service', 'service');
      await openFirst(page);
      await look('message', 'message');
      await page.goto(`${world.url}${paths.operations}`);
      await page.getByRole('row').nth(1).waitFor();
      await look('operations', 'operations');
      await page.getByRole('row').nth(1).click();
      await page
        .getByText(/user:development\/guest|anonymous|root \(|e2e/)
        .first()
        .waitFor();
      await look('operation', 'operation');
      assert.deepEqual(wrong, []);
    });
  }
});
