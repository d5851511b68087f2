import axe from 'axe-core';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import pg from 'pg';
import { chromium } from 'playwright-core';
import { Broker } from './Broker.mjs';
import { Process, ROOT, freePort, until } from './processes.mjs';
import { Service } from './Service.mjs';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
const SCREENSHOTS = `${ROOT}/docs/screenshots`;

/** A whole system: servers, dead-letter, where its pages are seen, and a browser. */
export class World {
  static async start(front) {
    mkdirSync(`${ROOT}/target/backstage`, { recursive: true });
    const world = new World();
    world.times = {};
    world.violations = {};
    world.front = front;
    world.complaints = [];
    const database = await createDatabase();
    world.service = await Service.start(database, process.env.AMQP_URL, http =>
      front.prepare(world, http),
    );
    world.broker = await Broker.connect(process.env.AMQP_URL);
    await front.start(world);
    world.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    });
    return world;
  }

  async startIssuer(settings) {
    const address = `127.0.0.1:${await freePort()}`;
    const secret = randomUUID();
    const url = `http://${address}`;
    const process = new Process(
      'issuer',
      `${ROOT}/scripts/issuer.sh`,
      ['serve'],
      {
        env: {
          ISSUER_ADDR: address,
          BACKSTAGE_CLIENT_SECRET: secret,
          ...settings,
        },
      },
    );
    this.issuer = { url, secret, process };
    await until('the issuer is ready', async () => {
      return (await fetch(`${url}/.well-known/openid-configuration`)).ok;
    });
  }

  async startBackstage() {
    const begun = Date.now();
    this.backstage = new Process(
      'backstage',
      `${ROOT}/scripts/backstage.sh`,
      ['serve'],
      {
        env: {
          BACKSTAGE_ADDR: `127.0.0.1:${this.port}`,
          DEAD_LETTER_URL: this.service.url,
          BACKSTAGE_SIGN_IN: this.front.signInAs,
          ...(this.issuer && {
            ISSUER_URL: this.issuer.url,
            BACKSTAGE_CLIENT_SECRET: this.issuer.secret,
            DEAD_LETTER_TOKEN: this.service.token,
          }),
        },
      },
    );
    await until(
      'Backstage is ready',
      async () =>
        (
          await fetch(`${this.url}/.backstage/health/v1/readiness`)
        ).ok,
      180_000,
    );
    await until('the catalog has the demo', catalogIsRead);
    this.times['Backstage ready'] = Date.now() - begun;
  }

  /** Consumers of a queue fail, and what they failed with is stored for this service. */
  async fail(queue, service, count, within) {
    const stored = () => this.service.count(`service=${service}`);
    const before = await stored();
    await this.broker.fail(queue, count);
    await until(
      'they are stored',
      async () => (await stored()) === before + count,
      within,
    );
  }

  /** All of a service are deleted, and nothing waits in its queue. */
  async clean(queue, service) {
    await this.service.deleteAll(`service=${service}`);
    await this.broker.declare(queue);
    await this.broker.purge(queue);
  }

  /** Leaves a page, and returns what was wrong with it. What it looked like is for whoever wonders why a walk failed. */
  async leave(page, walk) {
    const name = walk.replaceAll(/\W+/g, '-');
    await page
      ?.screenshot({ path: `${ROOT}/target/backstage/${name}.png` })
      .catch(() => {});
    await page?.context().close();
    return this.complaints.splice(0);
  }

  async end() {
    await this.browser?.close();
    await this.broker?.end();
    await this.backstage?.end();
    await this.service?.end();
    await this.issuer?.process.end();
  }

  /** A page of a new visitor, who has signed in. */
  async open(path, { theme, user, scale } = {}) {
    const page = await this.openAlone(path, { theme, scale });
    await this.front.signIn(page, user);
    return page;
  }

  /** A page of a new visitor. */
  async openAlone(path, { theme = 'light', scale = 1 } = {}) {
    const context = await this.browser.newContext({
      viewport: { width: 1400, height: 900 },
      deviceScaleFactor: scale,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await context.addInitScript(
      chosen => window.localStorage.setItem('theme', chosen),
      theme,
    );
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    this.listen(page);
    await page.goto(`${this.url}${path}`);
    return page;
  }

  /** What the page breaks of its own content security policy, and what it throws. */
  listen(page) {
    page.on('console', message => {
      const text = message.text();
      if (/content security policy/i.test(text)) this.complaints.push(text);
    });
    page.on('pageerror', error => this.complaints.push(error.stack));
  }

  /** A page of this user of the issuer, signed in: it is there once the sidebar has this link. */
  async openAs(user, link = 'Dead Letter') {
    // Where nothing is asked of dead-letter.
    const page = await this.open('/settings');
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign In' }).click();
    const popup = await opened;
    await popup.getByPlaceholder('User name').fill(user);
    await popup.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: link }).first().waitFor();
    return page;
  }

  /** The token that Backstage has given to the user of a page. */
  async tokenOf(page) {
    const session = await page.evaluate(async () => {
      const answer = await fetch('/api/auth/oidc/refresh?env=demo', {
        headers: { 'x-requested-with': 'XMLHttpRequest' },
      });
      return answer.json();
    });
    return session.backstageIdentity.token;
  }

  /** Accessibility of what is shown, or of a part of it, counted for the report; returns what is wrong. */
  async axe(page, view, part) {
    // What fades in has no colours yet; what turns until something is there never ends.
    await until('nothing moves', () =>
      page.evaluate(() =>
        document
          .getAnimations()
          .every(
            each =>
              each.playState !== 'running' ||
              each.timeline !== document.timeline ||
              each.effect.getComputedTiming().iterations > 100,
          ),
      ),
    );
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(
      ([tags, context]) => window.axe.run(context, { runOnly: tags }),
      [WCAG, part ?? { exclude: this.front.notOurs }],
    );
    this.violations[view] = violations.length;
    return violations.map(
      each =>
        `${view}: ${each.id}: ${each.nodes.map(node => node.html).join(' | ')}`,
    );
  }

  /** Of what the docs show, a new picture for them; others are for whoever wonders. */
  async screenshot(page, name) {
    const file = `${this.front.prefix}${name}.png`;
    const shown = `${SCREENSHOTS}/${file}`;
    await page.screenshot({
      path: existsSync(shown) ? shown : `${ROOT}/target/backstage/${file}`,
    });
  }
}

const LAST_OF_THE_DEMO = 'component:default/shipping';

/** Looked up in its database: whoever signs in must be in the catalog already. */
async function catalogIsRead() {
  const rows = await query(
    databaseUrl('backstage_plugin_catalog'),
    `SELECT FROM final_entities WHERE final_entity IS NOT NULL
     AND entity_ref IN ('user:default/root', '${LAST_OF_THE_DEMO}')`,
  );
  return rows.length === 2;
}

/** A new one on this server. */
async function createDatabase() {
  const name = `e2e_${Date.now()}`;
  await query(process.env.DATABASE_URL, `CREATE DATABASE ${name}`);
  return databaseUrl(name);
}

function databaseUrl(name) {
  const url = new URL(process.env.DATABASE_URL);
  url.pathname = `/${name}`;
  return url.href;
}

async function query(url, statement) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
