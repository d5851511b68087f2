import { CreateOperation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { ActionKind, Selection } from './selection';

/** How many go first, in all at the end of each step. */
const LADDER = [1, 10, 100];

/** A canary that is asked for. */
export interface Canary {
  /** Until somebody says so, the plan decides. */
  isOn: boolean | undefined;
  waitSeconds: number;
}

/** In which order messages reach each queue. The first is what the service does by itself. */
export const ORDERS = ['newest', 'oldest', 'any'] as const;
export type Order = (typeof ORDERS)[number];

/** Which routing key consumers see. The first is what the service does by itself. */
export const ROUTING_KEYS = ['queue', 'original'] as const;
export type RoutingKey = (typeof ROUTING_KEYS)[number];

/** How a redelivery is done, as far as it is planned. */
export interface Way {
  canary: Canary;
  order: Order;
  routingKey: RoutingKey;
  /** Whether what was redelivered before is sent once more. */
  again: boolean;
}

/** The steps that make sense with so many: the last one leaves a rest. */
export function ladder(total: number): number[] {
  return LADDER.filter(step => step < total);
}

/** What the service is asked to plan. */
export function requestOf(
  kind: ActionKind,
  { ids, filter }: Selection,
  { canary, order, routingKey, again }: Way,
  total: number,
): CreateOperation {
  const selection = ids
    ? { ids }
    : { filter: actedOn(filter!), all: isEmpty(filter!) };
  if (kind !== 'redeliver') return { kind, ...selection };
  const steps = ladder(total);
  return {
    kind,
    ...selection,
    ...(canary.isOn &&
      steps.length > 0 && { canary: steps, canaryWait: canary.waitSeconds }),
    ...(order !== ORDERS[0] && { order }),
    ...(routingKey !== ROUTING_KEYS[0] && { routingKey }),
    ...(again && { again }),
  };
}

/** Only dead ones can be acted on; of any, it is those. */
function actedOn(filter: object): object {
  const { status, ...others } = filter as { status?: string };
  return status === undefined || status === 'any'
    ? others
    : { ...others, status };
}

/** A filter without conditions means all of them, which the service wants to be told. */
function isEmpty(filter: object): boolean {
  return Object.entries(filter).every(
    ([name, value]) =>
      name === 'status' || value === undefined || value === null,
  );
}
