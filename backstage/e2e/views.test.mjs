import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { FRONTS } from './support/fronts.mjs';
import { Looks, SCALE } from './support/looks.mjs';
import { ROOT, until } from './support/processes.mjs';
import { viewsOf } from './support/views.mjs';
import { World } from './support/World.mjs';

/** Every view, dialog and drawer: accessible in each theme and width, and as it looked before. */

const QUEUE = 'orders_webshop';
const WIDTHS = { desk: 1440, tablet: 768, phone: 375 };
const HEIGHT = 900;
/** There is a picture of each view in these. */
const COMPARED = new Set(['light, desk', 'dark, desk', 'light, phone']);
/** But not of these: what began in the same moment is listed in any order. */
const UNORDERED = new Set(['incidents', 'incidents, test']);

const front = FRONTS[process.env.FRONT ?? 'console'];
const looks = new Looks(front.name);

let world;
let views;

async function stored(count, query = 'service=webshop') {
  await until(
    'they are stored',
    async () => (await world.service.count(query)) === count,
  );
}

/** One of each: an operation that has ended, an error group with a note, and what is still dead. */
async function prepare() {
  await world.broker.fail(QUEUE, 1);
  await stored(1);
  await world.service.deleteAll('service=webshop');
  await world.broker.fail(QUEUE, 9);
  await stored(9);
  const { operations } = await world.service.get('/operations?limit=1');
  const { groups } = await world.service.get(
    '/dead-letters/error-groups?service=webshop',
  );
  await world.service.patch(`/dead-letters/error-groups/${groups[0].id}`, {
    action: 'note',
    note: 'told the issuer',
  });
  views = viewsOf({
    paths: front.paths,
    operation: operations[0].id,
    group: groups[0].id,
  });
}

describe(`views of ${front.name}`, { timeout: 1_800_000 }, () => {
  before(
    async () => {
      world = await World.start(front);
      await prepare();
      await looks.begin(world.browser);
    },
    { timeout: 300_000 },
  );
  after(async () => {
    const report = JSON.stringify(world?.violations, null, 2);
    writeFileSync(`${ROOT}/target/backstage/views-${front.name}.json`, report);
    await world?.end();
  });

  const different = [];
  for (const theme of ['light', 'dark']) {
    it(`are accessible, ${theme}`, async () => {
      const page = await world.open(front.paths.squads, {
        theme,
        scale: SCALE,
      });
      await page.getByRole('link', { name: 'checkout' }).waitFor();
      const wrong = [];
      for (const [view, [path, show]] of Object.entries(views)) {
        for (const [device, width] of Object.entries(WIDTHS)) {
          await page.setViewportSize({ width, height: HEIGHT });
          // What was chosen in the view before is kept.
          await page.evaluate(() =>
            sessionStorage.removeItem('dead-letter.selection'),
          );
          await page.goto(`${world.url}${path}`);
          await show(page);
          const name = `${view}, ${theme}, ${device}`;
          wrong.push(...(await world.axe(page, name)));
          if (COMPARED.has(`${theme}, ${device}`) && !UNORDERED.has(view)) {
            different.push(...(await looks.compare(page, name)));
          }
        }
      }
      await page.context().close();
      assert.deepEqual([...wrong, ...world.complaints.splice(0)], []);
    });
  }

  it('look as before', test => {
    if (!looks.canCompare)
      test.skip(
        'there are no pictures, or this machine draws with other fonts',
      );
    assert.deepEqual(different, []);
  });
});
