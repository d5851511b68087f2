/** A service as an overview has it. */
export function anOverview(name: string, more = {}) {
  return {
    service: name,
    squad: 'checkout',
    count: 0,
    muted: 0,
    oldest: '2026-11-24T03:12:45Z',
    newest: '2026-11-24T03:12:45Z',
    trend: { lastHour: 5, dayBefore: 3 },
    lastDay: { died: 20, deleted: 0, redelivered: 0 },
    ...more,
  };
}

/** An error group with its numbers. */
export function anErrorGroup(more = {}) {
  return {
    id: '03bfd559-2582-81db-9da5-e2566c3c3179',
    service: 'webshop',
    squad: 'checkout',
    state: 'new',
    reason: 'rejected',
    errorType: 'PaymentDeclined',
    title: 'card issuer timed out',
    firstSeen: '2026-11-24T01:00:00Z',
    lastSeen: '2026-11-24T03:00:00Z',
    arrived: 10,
    firstVersion: null,
    resolvedAt: null,
    resolvedIn: null,
    mutedUntil: null,
    mutedUpTo: null,
    assignee: null,
    ticket: null,
    count: 10,
    share: 0.5,
    sparkline: [...Array(22).fill(0), 7, 3],
    sample: null,
    notes: 0,
    ...more,
  };
}
