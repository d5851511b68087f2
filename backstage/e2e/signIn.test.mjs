import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FRONTS } from './support/fronts.mjs';
import { ROOT, until } from './support/processes.mjs';
import { rowsOf } from './support/rows.mjs';
import { World } from './support/World.mjs';

// ada and ben are of the squad checkout, which owns webshop; cleo is of finance, which owns billing; root is of platform; dora is of
// no squad.
const WEBSHOP = '/catalog/default/component/webshop/dead-letters';
const BILLING = '/catalog/default/component/billing/dead-letters';
const QUEUES = { webshop: 'orders_webshop', billing: 'invoices_billing' };

let world;
const pages = {};
const tokens = {};

const rows = rowsOf;

/** Asks dead-letter by hand: through the backend plugin, through the proxy, or directly with the token that the proxy sends. */
const WAYS = {
  'the backend plugin': '/api/dead-letter/environments/demo',
  'the proxy': '/api/proxy/dead-letter/demo',
};

function by(way, user, path, request) {
  return backstage(user, `${WAYS[way]}${path}`, request);
}

/** Asks Backstage itself, with the token of this user. */
function backstage(user, path, { method = 'GET', body } = {}) {
  return fetch(`${world.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${tokens[user]}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
}

async function may(user, permission) {
  const me = await (await by('the backend plugin', user, '/me')).json();
  return me.permissions.find(each => each.permission === permission);
}

describe('users who sign in', { timeout: 900_000 }, () => {
  before(
    async () => {
      world = await World.start(FRONTS.users);
      for (const [service, queue] of Object.entries(QUEUES)) {
        await world.broker.declare(queue);
        await world.broker.purge(queue);
        await world.broker.fail(queue, 3);
        await until(
          'they are stored',
          async () => (await world.service.count(`service=${service}`)) === 3,
        );
      }
      for (const user of ['ada', 'ben', 'cleo', 'root']) {
        pages[user] = await world.openAs(user);
        tokens[user] = await world.tokenOf(pages[user]);
      }
    },
    { timeout: 300_000 },
  );
  after(async () => {
    for (const [user, page] of Object.entries(pages)) {
      await page
        .screenshot({ path: `${ROOT}/target/backstage/of-${user}.png` })
        .catch(() => {});
    }
    // The next walk finds its queues empty.
    for (const queue of Object.values(QUEUES)) {
      await world?.broker.purge(queue).catch(() => {});
    }
    await world?.end();
  });

  it('see and redeliver what their squad owns, under their own name', async () => {
    const page = pages.ada;
    await page.goto(`${world.url}${WEBSHOP}?env=demo`);
    await until(
      'three are shown',
      async () => (await rows(page).count()) === 3,
    );
    await rows(page)
      .first()
      .getByRole('checkbox')
      .locator('xpath=ancestor-or-self::label')
      .click();
    await page.getByRole('button', { name: 'Redeliver', exact: true }).click();
    await page.getByRole('button', { name: 'Redeliver 1' }).click();
    await until(
      'it is in its queue',
      async () => (await world.broker.depth(QUEUES.webshop)) === 1,
    );
    const { entries } = await world.service.get('/audit?action=redeliver');
    assert.deepEqual(
      entries.map(({ actor, services }) => [actor.id, services]),
      [['user:default/ada', ['webshop']]],
    );
  });

  it('do not see what another squad owns', async () => {
    const page = pages.ada;
    await page.goto(`${world.url}${BILLING}?env=demo`);
    await page.getByText('You do not have access to these dead').waitFor();
    await page.goto(`${world.url}/dead-letter?env=demo`);
    await page.getByRole('link', { name: 'checkout' }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'finance' }).count(), 0);
    const { messages } = await world.service.get(
      '/dead-letters?service=billing',
    );
    for (const way of Object.keys(WAYS)) {
      const one = `/dead-letters/${messages[0].id}`;
      assert.equal((await by(way, 'ada', one)).status, 404, way);
      assert.equal((await by(way, 'cleo', one)).status, 200, way);
      const list = await by(way, 'ada', '/dead-letters?service=billing');
      assert.equal((await list.json()).total.value, 0, way);
    }
    await pages.cleo.goto(`${world.url}${BILLING}?env=demo`);
    await until(
      'its own squad does',
      async () => (await rows(pages.cleo).count()) === 3,
    );
  });

  it('have none of it where they are not permitted to', async () => {
    const page = await world.openAs('dora', 'Catalog');
    await page.goto(`${world.url}/`);
    await page.getByText('Your Starred Entities').waitFor();
    assert.equal(
      await page.getByRole('link', { name: 'Dead Letter' }).count(),
      0,
    );
    assert.equal(await page.getByText('Dead letters of my squads').count(), 0);
    await page.goto(`${world.url}/catalog/default/component/webshop`);
    await page.getByRole('heading', { name: 'webshop' }).waitFor();
    await page.getByText('Takes orders').first().waitFor();
    assert.equal(await page.getByText(/dead letters/i).count(), 0);
    await page.context().close();
  });

  it('delete nothing that Backstage does not let them, though dead-letter would', async () => {
    const page = pages.ada;
    await page.goto(`${world.url}${WEBSHOP}?env=demo`);
    await page.getByText(/permission to delete .*message\.delete/).waitFor();
    const button = page.getByRole('button', { name: 'Delete', exact: true });
    assert.ok(await button.isDisabled());
    assert.deepEqual(await world.axe(page, 'service, denied'), []);
    const before = await world.service.count('service=webshop');
    const all = '/dead-letters?service=webshop&wait=30';
    for (const way of Object.keys(WAYS)) {
      const refused = await by(way, 'ada', all, { method: 'DELETE' });
      assert.equal(refused.status, 403, way);
      assert.match((await refused.json()).detail, /permission `delete`/);
    }
    const direct = await world.service.ask(all, {
      token: tokens.ada,
      method: 'DELETE',
    });
    assert.equal(direct.status, 403);
    assert.equal(await world.service.count('service=webshop'), before);
    assert.deepEqual(await may('root', 'delete'), {
      permission: 'delete',
      everything: true,
      services: [],
    });
  });

  it('do nothing that dead-letter does not let them, though Backstage would', async () => {
    const { permissions } = await (
      await fetch(`${world.url}/api/dead-letter/decisions`, {
        headers: { authorization: `Bearer ${tokens.ada}` },
      })
    ).json();
    const decided = name => permissions.find(each => each.permission === name);
    assert.deepEqual(decided('triage').services, [
      'basket',
      'loyalty',
      'webshop',
    ]);
    assert.deepEqual(decided('delete').services, []);
    assert.deepEqual((await may('ada', 'triage')).services, []);
    const { groups } = await world.service.get(
      '/dead-letters/error-groups?service=webshop',
    );
    for (const [user, status] of [
      ['ada', 403],
      ['root', 200],
    ]) {
      const answer = await by(
        'the backend plugin',
        user,
        `/dead-letters/error-groups/${groups[0].id}`,
        { method: 'PATCH', body: { action: 'resolve' } },
      );
      assert.equal(answer.status, status, user);
    }
  });

  it('find error groups of what their squad owns, and of nothing else', async () => {
    const found = async user => {
      const answer = await backstage(user, '/api/search/query?term=issuer');
      const { results } = await answer.json();
      return results.map(({ document }) => document.service).sort();
    };
    await until(
      'they are indexed',
      async () => (await found('root')).length === 2,
      60_000,
    );
    assert.deepEqual(await found('root'), ['billing', 'webshop']);
    assert.deepEqual(await found('ada'), ['webshop']);
    assert.deepEqual(await found('cleo'), ['billing']);
  });

  it('have facts about their components', async () => {
    const ids = 'ids[]=deadLetterFactRetriever';
    const path = `/api/tech-insights/facts/latest?entity=component:default/billing&${ids}`;
    let facts;
    await until(
      'they are retrieved',
      async () => {
        const latest = await (await backstage('ada', path)).json();
        facts = latest.deadLetterFactRetriever?.facts;
        return facts;
      },
      120_000,
    );
    assert.equal(facts.deadLetters, 3);
    assert.equal(facts.diedInLastDay, 3);
    assert.ok(facts.oldestDeadLetterHours > 0, facts.oldestDeadLetterHours);
  });

  it('act by agents within their own permissions', async () => {
    const actions = '/api/dead-letter/.backstage/actions/v1/actions';
    const invoke = async (user, name, input) => {
      const answer = await backstage(
        user,
        `${actions}/dead-letter:${name}/invoke`,
        { method: 'POST', body: input },
      );
      return { status: answer.status, ...(await answer.json()) };
    };
    const names = async user => {
      const listed = await (await backstage(user, actions)).json();
      return listed.actions.map(each => each.name);
    };
    // Backstage's policy lets only the platform team have the one that runs plans.
    assert.deepEqual(await names('ada'), [
      'list-error-groups',
      'plan-redelivery',
    ]);
    assert.equal((await names('root')).length, 3);
    const { output } = await invoke('cleo', 'list-error-groups', {});
    const services = output.groups.map(each => each.service);
    assert.deepEqual([...new Set(services)], ['billing']);
    const foreign = { service: 'billing', canary: false };
    const nothing = await invoke('ada', 'plan-redelivery', foreign);
    assert.notEqual(nothing.output?.total, 3);
    const { output: plan } = await invoke('root', 'plan-redelivery', foreign);
    assert.equal(plan.total, 3);
    const refused = await invoke('ada', 'run-plan', { planId: plan.planId });
    assert.equal(refused.status, 404);
    const run = await invoke('root', 'run-plan', { planId: plan.planId });
    assert.equal(run.output.total, 3);
    await until(
      'they are in their queue',
      async () => (await world.broker.depth(QUEUES.billing)) === 3,
    );
    const { entries } = await world.service.get('/audit?action=redeliver');
    assert.equal(entries[0].actor.id, 'user:default/root');
  });

  it('are known by the proxy, too', async () => {
    const page = pages.ada;
    await page.goto(`${world.url}${WEBSHOP}?env=proxied`);
    await until('two are shown', async () => (await rows(page).count()) === 2);
    await page.getByText(/permission to delete .*message\.delete/).waitFor();
    await rows(page)
      .first()
      .getByRole('checkbox')
      .locator('xpath=ancestor-or-self::label')
      .click();
    await page.getByRole('button', { name: 'Redeliver', exact: true }).click();
    await page.getByRole('button', { name: 'Redeliver 1' }).click();
    await until(
      'it is in its queue',
      async () => (await world.broker.depth(QUEUES.webshop)) === 2,
    );
  });

  // The last one: nothing works without Backstage.
  it('are told to come back while Backstage does not answer', async () => {
    const ask = user =>
      world.service.ask('/dead-letters', { token: tokens[user] });
    assert.equal((await ask('ada')).status, 200);
    await world.backstage.end();
    // Nothing was asked about ben yet.
    const answer = await ask('ben');
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '2');
    assert.equal((await answer.json()).type, 'undecided');
    // The token of the walk is none of Backstage's.
    assert.equal((await world.service.ask('/dead-letters')).status, 200);
  });
});
