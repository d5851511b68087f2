import axe from 'axe-core';
import { mkdirSync } from 'node:fs';
import pg from 'pg';
import { chromium } from 'playwright-core';
import { Broker } from './Broker.mjs';
import { Process, ROOT, until } from './processes.mjs';
import { Service } from './Service.mjs';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'];
const SCREENSHOTS = `${ROOT}/docs/screenshots`;

/** A whole system: servers, dead-letter, where its pages are seen, and a browser. */
export class World {
  static async start(front) {
    mkdirSync(`${ROOT}/target/backstage`, { recursive: true });
    mkdirSync(SCREENSHOTS, { recursive: true });
    const world = new World();
    world.times = {};
    world.violations = {};
    world.front = front;
    world.complaints = [];
    const database = await createDatabase(process.env.DATABASE_URL);
    world.service = await Service.start(database, process.env.AMQP_URL, http =>
      front.prepare(world, http),
    );
    world.service.token = world.token;
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
    await until(
      'the catalog has the demo',
      async () => {
        const page = await this.browserlessCatalog();
        return page.includes('webshop');
      },
      60_000,
    );
    this.times['Backstage ready'] = Date.now() - begun;
  }

  /** Names in the catalog, as a guest. */
  async browserlessCatalog() {
    const signedIn = await fetch(`${this.url}/api/auth/guest/refresh`);
    const { backstageIdentity } = await signedIn.json();
    const response = await fetch(`${this.url}/api/catalog/entities`, {
      headers: { authorization: `Bearer ${backstageIdentity.token}` },
    });
    return (await response.json()).map(each => each.metadata.name);
  }

  async end() {
    await this.browser?.close();
    await this.broker?.end();
    await this.backstage?.end();
    await this.service?.end();
    await this.issuer?.end();
  }

  /** A page of a new visitor, who has signed in. */
  async open(path, { theme, user } = {}) {
    const page = await this.openAlone(path, { theme });
    await this.front.signIn(page, user);
    return page;
  }

  /** A page of a new visitor. */
  async openAlone(path, { theme = 'light' } = {}) {
    const context = await this.browser.newContext({
      viewport: { width: 1400, height: 900 },
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

  /** Accessibility of what is shown, counted for the report; returns what is wrong. */
  async axe(page, view) {
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
      tags => window.axe.run(document, { runOnly: tags }),
      WCAG,
    );
    this.violations[view] = violations.length;
    return violations.map(
      each =>
        `${view}: ${each.id}: ${each.nodes.map(node => node.html).join(' | ')}`,
    );
  }

  async screenshot(page, name) {
    await page.screenshot({
      path: `${SCREENSHOTS}/${this.front.prefix}${name}.png`,
    });
  }
}

/** A new one on this server. */
async function createDatabase(url) {
  const name = `e2e_${Date.now()}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const created = new URL(url);
  created.pathname = `/${name}`;
  return created.href;
}
