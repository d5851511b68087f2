// Uses the types that openapi-typescript made, by openapi-fetch: searches, looks at one, plans, runs, and follows the operation.
//
//   follow.mjs URL SERVICE

import createClient from 'openapi-fetch';
import type { components, paths } from './schema.js';

declare const process: { argv: string[] };

type Schemas = components['schemas'];
// Nothing is left open: a body of type `any` would be of every type.
type IsAny<T> = 0 extends 1 & T ? true : false;
type Closed<T> = IsAny<T> extends true ? never : T;

function must<T>(
  what: string,
  answer: { data?: T; error?: Schemas['ErrorViewModel'] },
): Closed<NonNullable<T>> {
  if (answer.data === undefined || answer.data === null) {
    throw new Error(`${what}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data as Closed<NonNullable<T>>;
}

function assert(condition: boolean, what: unknown): asserts condition {
  if (!condition) throw new Error(JSON.stringify(what));
}

const [url, service] = process.argv.slice(2) as [string, string];
const client = createClient<paths>({ baseUrl: url });

const page: Schemas['DeadLetteredMessages'] = must(
  'search',
  await client.GET('/dead-letters', { params: { query: { service } } }),
);
const letter = page.messages[0];
assert(letter !== undefined && page.total.value === 1, page);
const status: 'dead' | 'redelivered' | 'deleted' = letter.status;
assert(status === 'dead', letter);
const byId = { params: { path: { id: letter.id } } };
const details: Schemas['DeadLetteredMessageDetails'] = must(
  'one',
  await client.GET('/dead-letters/{id}', byId),
);
assert(details.body.content === '{"order":1}', details.body);

const plan: Schemas['Plan'] = must(
  'plan',
  await client.POST('/operations/plan', {
    body: { kind: 'redeliver', filter: { service }, note: 'by TypeScript' },
  }),
);
assert(plan.total === 1, plan);
const once = { params: { header: { 'Idempotency-Key': 'once' } } };
const run: Schemas['Operation'] = must(
  'run',
  await client.POST('/operations', { ...once, body: { planId: plan.id } }),
);
assert(run.id === plan.id, run);

const ofOperation = { params: { path: { id: run.id } } };
let operation: Schemas['OperationDetails'];
do {
  operation = must(
    'operation',
    await client.GET('/operations/{id}', ofOperation),
  );
} while (operation.state !== 'completed');
assert(operation.outcomes.sent === 1, operation);
const items: Schemas['OperationItems'] = must(
  'items',
  await client.GET('/operations/{id}/items', ofOperation),
);
assert(items.items[0]?.outcome === 'sent', items);

// Its errors are typed as well.
const paused = await client.POST('/operations/{id}/pause', ofOperation);
assert(paused.error?.type === 'wrong-state', paused);
const other = await client.POST('/operations', {
  ...once,
  body: { planId: plan.id, note: 'another' },
});
assert(other.error?.type === 'idempotency-key-reused', other);
console.log('redelivered');
