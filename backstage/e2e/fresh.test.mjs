import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Process, ROOT, freePort, until } from './support/processes.mjs';
import { World } from './support/World.mjs';

// A Backstage as @backstage/create-app makes it, with the packed plugins: scripts/backstage-packages.sh.
const FRESH = process.env.FRESH;
const CLI = `${FRESH}/node_modules/@backstage/cli/bin/backstage-cli`;
const CONFIGS = ['app-config.yaml', 'app-config.local.yaml'];
const ACTIONS = '/api/dead-letter/.backstage/actions/v1/actions';

const fresh = {
  name: 'fresh',
  async prepare(world) {
    world.port = await freePort();
    world.url = `http://localhost:${world.port}`;
    return { settings: { DEAD_LETTER_BACKSTAGE_URL: world.url } };
  },
  async start(world) {
    const settings = CONFIGS.flatMap(each => ['--config', `${FRESH}/${each}`]);
    world.backstage = new Process(
      'fresh',
      process.execPath,
      [CLI, 'package', 'start', ...settings],
      {
        cwd: `${FRESH}/packages/backend`,
        env: {
          BACKSTAGE_PORT: String(world.port),
          DEAD_LETTER_URL: world.service.url,
        },
      },
    );
    await until(
      'Backstage is ready',
      async () =>
        (
          await fetch(`${world.url}/.backstage/health/v1/readiness`)
        ).ok,
      240_000,
    );
  },
  signIn: page => page.getByRole('button', { name: 'Enter' }).click(),
};

let world;

describe('a fresh Backstage with the plugins', { timeout: 600_000 }, () => {
  before(
    async () => {
      world = await World.start(fresh);
      await world.broker.declare('orders_example-website');
      await world.broker.purge('orders_example-website');
      await world.broker.fail('orders_example-website', 3);
      await until(
        'they are stored',
        async () =>
          (await world.service.count('service=example-website')) === 3,
      );
    },
    { timeout: 400_000 },
  );
  after(async () => {
    await world?.broker.purge('orders_example-website').catch(() => {});
    await world?.end();
  });

  it('has the page, the tab, the card and the filter', async () => {
    const page = await world.open('/dead-letter');
    await page.getByRole('link', { name: 'Dead Letter' }).first().waitFor();
    await page.getByText('3 dead letters').first().waitFor();
    await page.goto(`${world.url}/catalog/default/component/example-website`);
    await page.getByText('Largest error group').waitFor();
    await page.screenshot({ path: `${ROOT}/target/backstage/fresh-card.png` });
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.getByText('3 dead letters').first().waitFor();
    await page.screenshot({ path: `${ROOT}/target/backstage/fresh-tab.png` });
    // Where create-app has the catalog.
    await page.goto(`${world.url}/`);
    await page.getByText('Has dead letters').waitFor();
    await page.context().close();
  });

  it('has the permissions and the actions', async () => {
    const signedIn = await fetch(`${world.url}/api/auth/guest/refresh`);
    const { token } = (await signedIn.json()).backstageIdentity;
    const ask = async path => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(`${world.url}${path}`, { headers })).json();
    };
    const { permissions } = await ask('/api/dead-letter/decisions');
    assert.ok(permissions.every(each => each.everything));
    const { actions } = await ask(ACTIONS);
    assert.deepEqual(
      actions.map(each => each.name),
      ['list-error-groups', 'plan-redelivery', 'run-plan'],
    );
  });
});
