import {
  Operation,
  Plan,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { useDeadLetter } from '../../hooks/useDeadLetter';
import { Chosen } from './Options';

interface Running {
  onBegun: (operation: Operation) => void;
  /** The plan cannot be run any more. */
  onExpired: () => void;
}

/** Runs a plan, once. */
export function useRun({ onBegun, onExpired }: Running) {
  const client = useDeadLetter();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();

  const run = async (plan: Plan, { rate, note }: Chosen) => {
    setBusy(true);
    setError(undefined);
    try {
      onBegun(
        await client.run({
          planId: plan.id,
          ...(rate !== null && { rate }),
          ...(note && { note }),
        }),
      );
    } catch (failure) {
      if ((failure as { statusCode?: number }).statusCode !== 409) {
        setError(failure as Error);
        return;
      }
      // It may have begun though its answer never came; then the operation has the plan's id.
      const begun = await client.operation(plan.id).catch(() => undefined);
      if (begun) onBegun(begun);
      else onExpired();
    } finally {
      setBusy(false);
    }
  };
  return { run, isBusy, error };
}
