import {
  FilterInput,
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

/** How soon one that moves is looked at again, and one that waits for somebody. */
const MOVING_MS = 1_000;
const PAUSED_MS = 5_000;

export function isOver({ state }: Operation): boolean {
  return state === 'completed' || state === 'cancelled';
}

/** How soon it is worth to ask again; not at all once it has ended. */
export function lookAgain(operation: Operation | undefined): number | false {
  if (!operation) return MOVING_MS;
  if (isOver(operation)) return false;
  return operation.state === 'paused' ? PAUSED_MS : MOVING_MS;
}

export function kindOf({ kind }: Operation): OperationKind {
  return kind as OperationKind;
}

export function done({ total, remaining }: Operation): number {
  return total - remaining;
}

/** What its kind is about: sent, deleted or restored. */
export function succeeded({ kind, outcomes }: Operation): number {
  if (kind === 'delete') return outcomes.deleted;
  return kind === 'restore' ? outcomes.restored : outcomes.sent;
}

/** Whether somebody has to look at what became of it. */
export function wentWrong({ outcomes }: Operation): boolean {
  return outcomes.refused + outcomes.returned > 0;
}

/** The step of its canary that it climbs now. */
export function canaryStep({
  canary,
  canaryPassed,
}: Operation): number | undefined {
  return canary.find(step => step > canaryPassed);
}

/** The selection as it was asked for: the document leaves its form open. */
export interface Asked {
  ids?: string[];
  deletedBy?: string;
  filter?: FilterInput | null;
}

export function askedOf(operation: Operation): Asked {
  return operation.selection as Asked;
}
