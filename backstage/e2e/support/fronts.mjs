import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Process, ROOT, freePort, until } from './processes.mjs';

const query = parameters => {
  const text = new URLSearchParams(parameters).toString();
  return text ? `?${text}` : '';
};

const POLICY = `grants:
  - { to: [everyone], on: own, may: [read, read-payload, triage, redeliver] }
  - { to: ["group:platform", "token:e2e"], on: everything, may: [everything] }
`;

/** The plugin in a Backstage, whose visitors are guests. */
const backstage = {
  name: 'backstage',
  prefix: '',
  user: /^user:development\/guest$/,
  paths: {
    squads: '/dead-letter',
    squad: '/catalog/default/group/checkout/dead-letters',
    service: (parameters = {}) =>
      `/catalog/default/component/webshop/dead-letters${query(parameters)}`,
    operations: '/dead-letter/operations',
  },
  async prepare(world) {
    world.port = await freePort();
    world.url = `http://localhost:${world.port}`;
    return {
      DEAD_LETTER_BACKSTAGE_URL: world.url,
      // The walks prepare messages and look at results without a token.
      DEAD_LETTER_UNAUTHENTICATED: 'yes',
    };
  },
  start: world => world.startBackstage(),
  async signIn() {},
};

/** The console, whose users sign in with the real issuer: as root, where a walk does not say as whom. */
const console = {
  name: 'console',
  prefix: 'console-',
  user: /^root \(http:\/\/127\.0\.0\.1:\d+\|root\)$/,
  paths: {
    squads: '/console/squads',
    squad: '/console/squad?squad=checkout',
    service: (parameters = {}) =>
      `/console/service${query({ service: 'webshop', ...parameters })}`,
    operations: '/console/operations',
  },
  async prepare(world, http) {
    const folder = `${ROOT}/target/backstage`;
    world.url = `http://127.0.0.1:${http}`;
    const issuer = `127.0.0.1:${await freePort()}`;
    world.issuer = new Process(
      'issuer',
      `${ROOT}/scripts/issuer.sh`,
      ['serve'],
      {
        env: {
          ISSUER_ADDR: issuer,
          CONSOLE_URL: world.url,
          ACCESS_SECONDS: '45',
        },
      },
    );
    await until('the issuer is ready', async () => {
      const document = '/.well-known/openid-configuration';
      return (await fetch(`http://${issuer}${document}`)).ok;
    });
    const { token, entry } = newToken();
    world.token = token;
    writeFileSync(`${folder}/policy.yaml`, POLICY);
    writeFileSync(`${folder}/tokens.yaml`, entry);
    return {
      DEAD_LETTER_OIDC_ISSUER: `http://${issuer}`,
      DEAD_LETTER_POLICY_FILE: `${folder}/policy.yaml`,
      DEAD_LETTER_TOKENS_FILE: `${folder}/tokens.yaml`,
      DEAD_LETTER_CONSOLE_TITLE: 'Demo',
    };
  },
  async start() {},
  async signIn(page, user = 'root') {
    await page.getByRole('button', { name: /^Sign in with 127/ }).click();
    await page.getByPlaceholder('User name').fill(user);
    await page.getByRole('button', { name: 'Sign in' }).click();
  },
};

/** A token of the walks themselves, and its entry in the file of tokens. */
function newToken() {
  const made = spawnSync(program(), ['token', 'new', 'e2e'], {
    encoding: 'utf8',
  });
  const [, token] = /(dlt_\S+)/.exec(made.stdout + made.stderr);
  const [entry] = /^tokens:[\s\S]*/m.exec(made.stdout + made.stderr);
  return { token, entry };
}

/** The program that is tested. */
export function program() {
  const target = process.env.CARGO_TARGET_DIR ?? `${ROOT}/target`;
  return process.env.DEAD_LETTER_BIN ?? `${target}/release/dead-letter`;
}

/** Where the pages of the plugin are seen. */
export const FRONTS = { backstage, console };
