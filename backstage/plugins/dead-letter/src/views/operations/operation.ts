import {
  Filter,
  Operation,
} from '@dead-letter/backstage-plugin-dead-letter-common';

/** What an operation did to dead letters, as its kind says. */
export type OperationKind = 'redeliver' | 'delete' | 'restore';

/** How items end. */
export const OUTCOMES = [
  'sent',
  'deleted',
  'restored',
  'returned',
  'refused',
  'skipped',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Where an operation stands: its state and, once nothing more is sent, what came of it. */
export type Standing =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'watching'
  | 'completed'
  | 'completedWithProblems'
  | 'failed';

/** How soon one that moves is looked at again, and one that waits for somebody. */
const MOVING_MS = 1_000;
const PAUSED_MS = 5_000;

/** Whether nothing more is sent, deleted or restored. */
export function isOver({ state }: Operation): boolean {
  return state === 'completed' || state === 'cancelled';
}

/** Whether what came of it is known: what was sent is not watched any more. */
export function isSettled(operation: Operation): boolean {
  return isOver(operation) && operation.verdict !== 'watching';
}

export function standingOf(operation: Operation): Standing {
  const { state, verdict } = operation;
  return (state === 'completed' ? verdict : state) as Standing;
}

/** How soon it is worth to ask again; not at all once it is settled. */
export function lookAgain(operation: Operation | undefined): number | false {
  if (!operation) return MOVING_MS;
  if (isSettled(operation)) return false;
  return operation.state === 'paused' ? PAUSED_MS : MOVING_MS;
}

export function kindOf({ kind }: Operation): OperationKind {
  return kind as OperationKind;
}

/** How many were tried. Those that a cancellation left as they were are not among them. */
export function done({ total, remaining, notDone }: Operation): number {
  return total - remaining - notDone;
}

/** What its kind is about: sent, deleted or restored. */
export function succeeded({ kind, outcomes }: Operation): number {
  if (kind === 'delete') return outcomes.deleted;
  return kind === 'restore' ? outcomes.restored : outcomes.sent;
}

/** Whether somebody has to look at what became of it. That it was cancelled is what somebody wanted. */
export function wentWrong(operation: Operation): boolean {
  const { verdict, outcomes, state } = operation;
  return (
    outcomes.refused + outcomes.returned > 0 ||
    (state !== 'cancelled' &&
      (verdict === 'completedWithProblems' || verdict === 'failed'))
  );
}

/** In which colour its outcome is told. Green is for what was done and is not known to have died again. */
export function toneOf(
  operation: Operation,
): 'info' | 'success' | 'warning' | 'danger' {
  const { verdict, outcomes } = operation;
  if (verdict === 'failed' || outcomes.returned > 0) return 'danger';
  if (verdict === 'completedWithProblems') return 'warning';
  return verdict === 'completed' && succeeded(operation) > 0
    ? 'success'
    : 'info';
}

/** The selection as it was asked for: the document leaves its form open. */
export interface Asked {
  ids?: string[];
  deletedBy?: string;
  filter?: Filter | null;
}

export function askedOf(operation: Operation): Asked {
  return operation.selection as Asked;
}
