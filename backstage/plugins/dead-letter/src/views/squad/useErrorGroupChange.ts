import {
  toastApiRef,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import { ErrorGroupChange } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useAskAgain, useDeadLetter } from '../../hooks/useDeadLetter';
import { reasonOf } from '../../components/Answers';
import { deadLetterTranslationRef } from '../../translation';

const HOUR_MS = 3_600_000;

/** For how long an error group can be muted. */
export const MUTES = [
  { text: 'muteHour', ms: HOUR_MS },
  { text: 'muteDay', ms: 24 * HOUR_MS },
  { text: 'muteWeek', ms: 7 * 24 * HOUR_MS },
] as const;

const DONE = {
  resolve: 'resolved',
  reopen: 'reopened',
  mute: 'muted',
  note: 'noted',
} as const;

const SAID_FOR_MS = 5_000;

/** Changes an error group, and says so. */
export function useErrorGroupChange(id: string) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const client = useDeadLetter();
  const askAgain = useAskAgain();
  const toasts = useApi(toastApiRef);

  /** Rejects where that fails. */
  async function change(wanted: ErrorGroupChange) {
    await client.changeErrorGroup(id, wanted);
    toasts.post({
      title: t(`squad.change.${DONE[wanted.action]}`),
      status: 'success',
      timeout: SAID_FOR_MS,
    });
    await askAgain(['error-groups']);
  }

  /** Says so where that fails; that toast stays until it is closed. */
  async function attempt(wanted: ErrorGroupChange) {
    try {
      await change(wanted);
    } catch (error) {
      toasts.post({
        title: t('squad.change.failed'),
        description: reasonOf(error as Error),
        status: 'danger',
      });
    }
  }

  return { change, attempt };
}
