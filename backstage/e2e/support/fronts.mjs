import { ROOT, freePort } from './processes.mjs';

/** Where the walks see the pages: what the service and the world need for it, how a visitor signs in, and where the pages are. */

const query = parameters => {
  const text = new URLSearchParams(parameters).toString();
  return text ? `?${text}` : '';
};

const policy = may => `grants:
  - to: [everyone]
    on: own
    may: [${may}]
  - to: ["group:platform", "token:e2e"]
    on: everything
    may: [everything]
`;

/** The plugin in a Backstage, whose visitors are guests. */
const backstage = {
  name: 'backstage',
  signInAs: 'guest',
  prefix: '',
  // Backstage's own menu of a narrow window has links without a name, and the colours of its toasts are too close to each other.
  notOurs: ['.MuiBottomNavigation-root', '[class*="Toast_container"]'],
  user: /^user:development\/guest$/,
  paths: {
    squads: '/dead-letter',
    squad: '/catalog/default/group/checkout/dead-letters',
    service: (parameters = {}) =>
      `/catalog/default/component/webshop/dead-letters${query(parameters)}`,
    operations: '/dead-letter/operations',
    search: '/dead-letter/search',
    incidents: '/dead-letter/incidents',
    shiftLog: '/dead-letter/shift-log',
    audit: '/dead-letter/audit',
    group: '/dead-letter/group',
  },
  async prepare(world) {
    world.port = await freePort();
    world.url = `http://localhost:${world.port}`;
    return { settings: { DEAD_LETTER_BACKSTAGE_URL: world.url } };
  },
  start: world => world.startBackstage(),
  async signIn() {},
};

/** The same with users, who sign in with the issuer. */
const users = {
  ...backstage,
  signInAs: 'oidc',
  async prepare(world) {
    const { settings } = await backstage.prepare(world);
    await world.startIssuer({ BACKSTAGE_URL: world.url });
    return {
      issuer: world.issuer.url,
      // Redelivering and deleting is for squads; whether Backstage says so too, counts as well. Nobody of a squad may triage.
      policy: policy('read, read-payload, redeliver, delete'),
      settings: { ...settings, DEAD_LETTER_BACKSTAGE_PERMISSIONS: 'require' },
    };
  },
};

/** The console, whose users sign in with the issuer: as root, where a walk does not say as whom. */
const console = {
  name: 'console',
  prefix: 'console-',
  notOurs: [],
  user: /^root \(http:\/\/127\.0\.0\.1:\d+\|root\)$/,
  paths: {
    squads: '/console/squads',
    squad: '/console/squad?squad=checkout',
    service: (parameters = {}) =>
      `/console/service${query({ service: 'webshop', ...parameters })}`,
    operations: '/console/operations',
    search: '/console/search',
    incidents: '/console/incidents',
    shiftLog: '/console/shift-log',
    audit: '/console/audit',
    group: '/console/group',
  },
  async prepare(world, http) {
    world.url = `http://127.0.0.1:${http}`;
    // Tokens are renewed 30 seconds before they expire: within a walk.
    await world.startIssuer({ CONSOLE_URL: world.url, ACCESS_SECONDS: '45' });
    return {
      issuer: world.issuer.url,
      policy: policy('read, read-payload, triage, redeliver'),
      settings: { DEAD_LETTER_CONSOLE_TITLE: 'Demo' },
    };
  },
  async start() {},
  async signIn(page, user = 'root') {
    await page.getByRole('button', { name: /^Sign in with 127/ }).click();
    await page.getByPlaceholder('User name').fill(user);
    await page.getByRole('button', { name: 'Sign in' }).click();
  },
};

/** The program that is tested. */
export function program() {
  const target = process.env.CARGO_TARGET_DIR ?? `${ROOT}/target`;
  return process.env.DEAD_LETTER_BINARY ?? `${target}/release/dead-letter`;
}

export const FRONTS = { backstage, users, console };
