import {
  CreateOperation,
  Plan,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useEffect, useState } from 'react';
import { useDeadLetter } from '../../hooks/useDeadLetter';

/** Options change while somebody types: it is planned once they are done. */
const SETTLED_MS = 400;
/** A plan is renewed a little before it expires, so that none is run that has. */
const MARGIN_MS = 5_000;

interface Planned {
  plan?: Plan;
  error?: Error;
  /** What the plan was made of; another request needs another one. */
  of?: string;
}

/**
 * A plan of what is asked for. It is made at once, and anew whenever the request changes or the plan expires; the last one stays
 * meanwhile. Without a request there is none.
 */
export function usePlan(request: CreateOperation | undefined) {
  const client = useDeadLetter();
  const [planned, setPlanned] = useState<Planned>({});
  const [round, setRound] = useState(0);
  const [hasExpired, setExpired] = useState(false);
  const body = request && JSON.stringify(request);
  const wanted = `${round} ${body}`;

  useEffect(() => {
    if (body === undefined) return undefined;
    const abort = new AbortController();
    const isFirst = planned.of === undefined;
    const timer = setTimeout(
      () =>
        client.plan(JSON.parse(body), abort.signal).then(
          plan => setPlanned({ plan, of: wanted }),
          error => {
            if (abort.signal.aborted) return;
            setPlanned(({ plan }) => ({ plan, error, of: wanted }));
          },
        ),
      isFirst ? 0 : SETTLED_MS,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // What was planned before only says whether this is the first.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, body, wanted]);

  const planAgain = useCallback((expired: boolean) => {
    setExpired(expired);
    setRound(before => before + 1);
  }, []);

  const plan = body === undefined ? undefined : planned.plan;
  useEffect(() => {
    if (!plan) return undefined;
    // The clocks here and there may differ; how long it holds does not.
    const holds = Date.parse(plan.expiresAt) - Date.parse(plan.createdAt);
    const timer = setTimeout(() => planAgain(true), holds - MARGIN_MS);
    return () => clearTimeout(timer);
  }, [plan, planAgain]);

  const isPlanning = body !== undefined && planned.of !== wanted;
  return {
    plan,
    error: isPlanning ? undefined : planned.error,
    isPlanning,
    hasExpired,
    planAgain,
  };
}
