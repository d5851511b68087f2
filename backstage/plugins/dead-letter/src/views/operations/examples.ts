import {
  OperationDetails,
  Plan,
} from '@dead-letter/backstage-plugin-dead-letter-common';

type Changes = Partial<Omit<OperationDetails, 'outcomes'>> & {
  outcomes?: Partial<OperationDetails['outcomes']>;
};

/** An operation for tests, in the middle of its work unless told otherwise. */
export function anOperation(changes: Changes = {}): OperationDetails {
  return {
    id: '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f',
    kind: 'redeliver',
    state: 'running',
    total: 43_695,
    remaining: 20_000,
    progress: { perSecond: 498.2, etaSeconds: 47 },
    waitingFor: null,
    lastError: null,
    verdict: verdictOf(changes),
    verdictText: '23,695 sent, none died again so far. 20,000 left.',
    watchUntil: null,
    services: ['webshop'],
    notDone: 0,
    selection: { filter: { service: 'webshop' }, all: false } as never,
    to: 'queue',
    order: 'newest',
    again: false,
    routingKey: 'queue',
    copy: false,
    rate: null,
    canary: [],
    canaryPassed: 0,
    canaryWait: 30,
    canaryMaxReturned: 0,
    maxQueueDepth: 10_000,
    note: 'issuer is up again',
    requestedBy: 'user:default/guest',
    awaitsApproval: false,
    createdAt: '2026-11-24T03:12:45Z',
    startedAt: '2026-11-24T03:12:46Z',
    endedAt: null,
    edit: null,
    events: [],
    returns: [],
    ...changes,
    outcomes: {
      sent: 23_695,
      deleted: 0,
      restored: 0,
      returned: 0,
      refused: 0,
      skipped: 0,
      ...changes.outcomes,
    },
  };
}

/** Of one that ended well, unless the test says something else. */
function verdictOf({ state, verdict }: Changes): OperationDetails['verdict'] {
  if (verdict) return verdict;
  return state === 'completed' || state === 'cancelled'
    ? 'completed'
    : 'running';
}

/** A plan for tests that holds for the next 15 minutes. */
export function aPlan(changes: Partial<Plan> = {}): Plan {
  return {
    id: '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f',
    kind: 'redeliver',
    total: 43_695,
    services: [{ value: 'webshop', count: 43_695 }],
    queues: [
      { value: 'orders_webshop', broker: 'default', vhost: '/', count: 43_000 },
      { value: 'carts_webshop', broker: 'default', vhost: '/', count: 695 },
    ],
    errorGroups: [
      {
        id: '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e2a',
        service: 'webshop',
        squad: 'checkout',
        state: 'ongoing',
        reason: 'rejected',
        errorType: 'PaymentDeclined',
        title: 'card issuer timed out after <number> ms',
        firstSeen: '2026-11-23T03:12:45Z',
        lastSeen: '2026-11-24T03:12:45Z',
        arrived: 43_712,
        firstVersion: null,
        resolvedAt: null,
        resolvedIn: null,
        mutedUntil: null,
        mutedUpTo: null,
        assignee: null,
        ticket: null,
        count: 43_695,
        failingNow: true,
      },
    ],
    warnings: [
      {
        code: 'no_consumers',
        severity: 'warning',
        message: 'the queue orders_webshop has no consumers',
        count: 43_000,
        queue: 'orders_webshop',
      },
    ],
    selection: {} as never,
    createdAt: '2026-11-24T03:12:45Z',
    expiresAt: '2026-11-24T03:27:45Z',
    ...changes,
  };
}
