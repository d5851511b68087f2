import { openFirst, rowsOf } from './rows.mjs';

/** Every view of a front, and every dialog and drawer: where it is, and what is done until it is to be seen. */

const button = (page, name) => page.getByRole('button', { name });
const seen = (page, text) => page.getByText(text).first().waitFor();

async function charted(page) {
  await rowsOf(page).first().waitFor();
  await page.getByRole('figure').first().waitFor();
}

/** Presses the box of the first row. */
async function choose(page, at) {
  await rowsOf(page)
    .nth(at)
    .getByRole('checkbox')
    .locator('xpath=ancestor-or-self::label')
    .click();
}

async function ask(page, name) {
  await rowsOf(page).first().waitFor();
  await choose(page, 0);
  await button(page, name).first().click();
  await page
    .getByRole('dialog')
    .getByText(/orders_webshop/)
    .first()
    .waitFor();
}

/** Opens a dialog of the page of an error group. */
async function triage(page, name) {
  await button(page, name).first().click();
  await page.getByRole('dialog').waitFor();
}

/** Opens what sends the first message otherwise than as it came. */
async function send(page, name) {
  await openFirst(page);
  await button(page, name).click();
  await page.getByRole('dialog', { name: /^(edit|copy)/i }).waitFor();
}

/** Opens a menu, and finds an item of it. */
async function choice(page, name, item) {
  await button(page, name).first().click();
  const shown = page.getByRole('menuitem', { name: item });
  await shown.waitFor();
  return shown;
}

/** What there is to see in both fronts. `group` is an error group with a note, `operation` one that has ended. */
export function viewsOf({ paths, group, operation }) {
  const service = parameters => paths.service(parameters);
  return {
    squads: [
      paths.squads,
      page => page.getByRole('link', { name: 'checkout' }).waitFor(),
    ],
    squad: [paths.squad, page => seen(page, /card issuer/)],
    service: [service(), charted],
    'service, from and to': [
      service({ from: '2020-01-01T00:00:00Z', find: 'postcode' }),
      charted,
    ],
    'service, any status': [service({ status: 'any' }), charted],
    'service, nothing matches': [
      service({ find: 'nobody has this' }),
      page => seen(page, 'No dead letters match these filters'),
    ],
    message: [service(), openFirst],
    compare: [
      service(),
      async page => {
        await rowsOf(page).first().waitFor();
        await choose(page, 0);
        await choose(page, 1);
        await button(page, /^compare/i).click();
        await page.getByRole('dialog').getByText('messageId').first().waitFor();
      },
    ],
    edit: [service(), page => send(page, /^edit/i)],
    copy: [service(), page => send(page, /^copy to/i)],
    export: [
      service(),
      async page => {
        await charted(page);
        await choice(page, 'Export', /CSV/);
      },
    ],
    toast: [
      service(),
      async page => {
        await charted(page);
        await (await choice(page, 'Export', /CSV/)).click();
        await seen(page, /^\d+ dead letters exported$/);
      },
    ],
    redeliver: [service(), page => ask(page, /^redeliver/i)],
    delete: [service(), page => ask(page, /^delete/i)],
    operations: [
      paths.operations,
      page => page.getByRole('row').nth(1).waitFor(),
    ],
    operation: [
      `${paths.operations}?operation=${operation}`,
      page => page.getByRole('dialog').getByText(operation).first().waitFor(),
    ],
    search: [
      `${paths.search}?find=postcode`,
      page => rowsOf(page).first().waitFor(),
    ],
    incidents: [
      paths.incidents,
      async page => {
        await page
          .getByRole('button', { name: 'Who was told' })
          .first()
          .click();
        await seen(page, /Nobody was told/);
      },
    ],
    'incidents, test': [
      paths.incidents,
      async page => {
        await page.getByRole('button', { name: /^send a test/i }).click();
        await page.getByRole('dialog').waitFor();
      },
    ],
    'shift log': [
      paths.shiftLog,
      page => seen(page, /PaymentDeclined|card issuer/),
    ],
    audit: [paths.audit, page => rowsOf(page).first().waitFor()],
    group: [
      `${paths.group}?id=${group}`,
      async page => {
        await seen(page, 'told the issuer');
        // It is drawn anew once it is known what may be done.
        await page
          .getByRole('button', { name: /^delete/i, disabled: false })
          .first()
          .waitFor();
      },
    ],
    'group, resolve': [
      `${paths.group}?id=${group}`,
      page => triage(page, /^resolve/i),
    ],
    'group, mute': [
      `${paths.group}?id=${group}`,
      async page => {
        await (await choice(page, /^mute/i, /8 hours/)).click();
        await page.getByRole('dialog', { name: /^mute for/i }).waitFor();
      },
    ],
    'group, assign': [
      `${paths.group}?id=${group}`,
      page => triage(page, /^assign/i),
    ],
    'group, merge': [
      `${paths.group}?id=${group}`,
      page => triage(page, /^merge/i),
    ],
    'group, note': [
      `${paths.group}?id=${group}`,
      page => triage(page, /note/i),
    ],
  };
}
