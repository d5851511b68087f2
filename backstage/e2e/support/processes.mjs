import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** The repository. */
export const ROOT = new URL('../../..', import.meta.url).pathname;

/** A port that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Asks until the answer is truthy; how long it may take is in milliseconds. */
export async function until(what, ask, within = 60_000) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${within} ms: ${what} (${last})`);
    }
    await pause(50);
  }
}

/** A process with a log of its own, and all that it starts. */
export class Process {
  constructor(name, command, args, { env, cwd } = {}) {
    const log = openSync(`${ROOT}/target/backstage/${name}.log`, 'w');
    this.child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    this.ended = new Promise(resolve => this.child.once('exit', resolve));
  }

  async end(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      process.kill(-this.child.pid, signal);
      await this.ended;
    }
  }
}
