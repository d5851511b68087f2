import { ServiceTab } from '../views/service';
import { anOperation } from '../views/operations/examples';
import { FakeService } from './FakeService';
import { exampleOf, openApi } from './document';
import { Shown, component, show } from './render';

/** The service, for tests of what is shown of one service. */
export const service = FakeService.forTests();
export const OPERATIONS = 'GET /operations';
export const OVERVIEW = 'GET /dead-letters/service-overview';
export const example: any = exampleOf(
  openApi.components.schemas.DeadLetteredMessage,
);

/** The n-th of many, the newest first. */
export function message(n: number) {
  const id = `01938c2e-7b1a-7c3e-9d5f-${(1_000_000 - n)
    .toString()
    .padStart(12, '0')}`;
  return { ...example, id, messageId: `m-${n}` };
}

/** Pages of fifty, of so many. */
export function has(count: number) {
  service.answer('GET /dead-letters', ({ query }: any) => {
    const begin = Number(query.cursor ?? 0);
    const limit = Number(query.limit ?? 50);
    const rows = Math.max(0, Math.min(limit, count - begin));
    return {
      messages: Array.from({ length: rows }, (_, row) => message(begin + row)),
      total: { value: count, relation: 'eq' },
      nextCursor: begin + limit < count ? String(begin + limit) : null,
      prevCursor: begin > 0 ? String(begin - limit) : null,
    };
  });
}

/** An operation as in a list. */
export function listed(changes: Parameters<typeof anOperation>[0]) {
  const { edit, events, returns, ...operation } = anOperation(changes);
  return operation;
}

export function tab(shown: Shown = {}) {
  return show(<ServiceTab />, { entity: component('webshop'), ...shown });
}

export const searches = () =>
  service.askedFor('GET /dead-letters').map(({ query }) => query);
/** A page's, and not those that look for new arrivals. */
export const pages = () => searches().filter(({ limit }) => limit !== '1');

export const lastDay = (died: number, deleted = 0, redelivered = 0) => ({
  service: 'webshop',
  squad: 'checkout',
  count: 0,
  muted: 0,
  oldest: null,
  newest: null,
  trend: { lastHour: 0, dayBefore: 0 },
  lastDay: { died, deleted, redelivered },
});

beforeEach(() => {
  sessionStorage.clear();
  service.answer(OPERATIONS, { operations: [], nextCursor: null });
});
