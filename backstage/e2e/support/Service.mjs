import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { program } from './fronts.mjs';
import { Process, ROOT, freePort, until } from './processes.mjs';

const OWNERSHIP = `services:
  - { service: webshop, squad: checkout }
  - { service: basket, squad: checkout }
  - { service: loyalty, squad: checkout }
  - { service: notification, squad: messaging }
  - { service: billing, squad: finance }
  - { service: statements, squad: finance }
  - { service: shipping, squad: logistics }
`;

/** dead-letter itself, on a database of its own. */
export class Service {
  static async start(databaseUrl, amqpUrl, prepare) {
    const ownership = `${ROOT}/target/backstage/ownership.yaml`;
    writeFileSync(ownership, OWNERSHIP);
    const [http, admin] = [await freePort(), await freePort()];
    const { issuer, policy, settings } = await prepare(http);
    const service = new Service();
    service.url = `http://127.0.0.1:${http}`;
    service.admin = `http://127.0.0.1:${admin}`;
    service.env = {
      DATABASE_URL: databaseUrl,
      AMQP_URL: amqpUrl,
      HTTP_ADDR: `127.0.0.1:${http}`,
      ADMIN_ADDR: `127.0.0.1:${admin}`,
      DEAD_LETTER_OWNERSHIP_FILE: ownership,
      DEAD_LETTER_DRAIN_DELAY: '0s',
      DEAD_LETTER_WATCH_RETURNS: '3s',
      DEAD_LETTER_LOG_LINK: 'https://logs.example.com/?q={messageId}',
      ...settings,
    };
    if (issuer) service.requireSignIn(issuer, policy);
    // The walks prepare messages and look at results without a token.
    else service.env.DEAD_LETTER_UNAUTHENTICATED = 'yes';
    const migration = service.run('migrate');
    if ((await migration.ended) !== 0) throw new Error('migrate failed');
    await service.resume();
    return service;
  }

  /** Of users of the issuer, and of Backstage. The walks have a token of their own. */
  requireSignIn(issuer, policyText) {
    const [policy, tokens] = ['policy', 'tokens'].map(
      name => `${ROOT}/target/backstage/${name}.yaml`,
    );
    // It says what to do with it, too.
    const quiet = { stdio: ['ignore', 'pipe', 'ignore'] };
    this.token = String(
      execFileSync(program(), ['token', 'new', 'e2e'], quiet),
    ).trim();
    const digest = createHash('sha256').update(this.token).digest('hex');
    writeFileSync(policy, policyText);
    writeFileSync(tokens, `tokens: [{ name: e2e, sha256: ${digest} }]\n`);
    Object.assign(this.env, {
      DEAD_LETTER_OIDC_ISSUER: issuer,
      DEAD_LETTER_POLICY_FILE: policy,
      DEAD_LETTER_TOKENS_FILE: tokens,
    });
  }

  run(command) {
    return new Process(command, program(), [command], { env: this.env });
  }

  async resume() {
    this.process = this.run('serve');
    await until('dead-letter is ready', async () => {
      return (await fetch(`${this.admin}/health/ready`)).ok;
    });
  }

  async end() {
    await this.process.end();
  }

  /** Asks as the walk itself, or as somebody with this token. */
  ask(path, { token = this.token, headers, ...request } = {}) {
    const authorization = token && { authorization: `Bearer ${token}` };
    return fetch(`${this.url}${path}`, {
      ...request,
      headers: { ...authorization, ...headers },
    });
  }

  async get(path) {
    return answered(await this.ask(path));
  }

  async post(path, body) {
    return this.send('POST', path, body);
  }

  async patch(path, body) {
    return this.send('PATCH', path, body);
  }

  async send(method, path, body) {
    const answer = await this.ask(path, {
      method,
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    return answered(answer);
  }

  /** Deletes these, as a colleague might. */
  async delete(ids) {
    const query = new URLSearchParams(ids.map(id => ['id', id]));
    await this.deleteAll(query);
  }

  /** Deletes all that the filter lists. */
  async deleteAll(query) {
    await answered(
      await this.ask(`/dead-letters?${query}&wait=30`, { method: 'DELETE' }),
    );
  }

  /** How many are listed. */
  async count(query) {
    return (await this.get(`/dead-letters?limit=1&${query}`)).total.value;
  }
}

/** What it answers; what it refuses ends the walk with its reason. */
async function answered(answer) {
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer.json();
}
