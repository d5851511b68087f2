import { writeFileSync } from 'node:fs';
import { program } from './fronts.mjs';
import { Process, ROOT, freePort, until } from './processes.mjs';

const OWNERSHIP = `services:
  - { service: webshop, squad: checkout }
  - { service: notification, squad: messaging }
  - { service: billing, squad: finance }
  - { service: statements, squad: finance }
  - { service: shipping, squad: logistics }
`;

/** dead-letter itself, on a database of its own. `front` adds settings once it is known where the API will listen. */
export class Service {
  static async start(databaseUrl, amqpUrl, front) {
    const ownership = `${ROOT}/target/backstage/ownership.yaml`;
    writeFileSync(ownership, OWNERSHIP);
    const [http, admin] = [await freePort(), await freePort()];
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
      ...(await front(http)),
    };
    const migration = service.run('migrate');
    if ((await migration.ended) !== 0) throw new Error('migrate failed');
    await service.resume();
    return service;
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

  async get(path) {
    return (await this.ask(path)).json();
  }

  /** With the token of the walks, where one is needed. */
  async ask(path, { headers, ...request } = {}) {
    const answer = await fetch(`${this.url}${path}`, {
      ...request,
      headers: {
        ...headers,
        ...(this.token && { authorization: `Bearer ${this.token}` }),
      },
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }

  async post(path, body) {
    const answer = await this.ask(path, {
      method: 'POST',
      ...(body && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    return answer.json();
  }

  /** Deletes these, as a colleague might. */
  async delete(ids) {
    const query = new URLSearchParams(ids.map(id => ['id', id]));
    await this.deleteAll(query);
  }

  /** Deletes all that the filter lists. */
  async deleteAll(query) {
    await this.ask(`/dead-letters?${query}&wait=30`, { method: 'DELETE' });
  }

  /** How many are listed. */
  async count(query) {
    return (await this.get(`/dead-letters?limit=1&${query}`)).total.value;
  }
}
