import {
  toastApiRef,
  useApi,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import {
  ErrorGroup,
  ErrorGroupChange,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMutation } from '@tanstack/react-query';
import { reasonOf } from '../../components/Answers';
import { sayTime } from '../../components/Time';
import { useAskAgain, useDeadLetter } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { useTitle } from './useTitle';

/** How long a toast stays that needs no answer. */
const SAID_FOR_MS = 5_000;

/** Changes a group, and says what came of it. */
export function useChange(group: ErrorGroup) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const client = useDeadLetter();
  const toast = useApi(toastApiRef);
  const askAgain = useAskAgain();
  const title = useTitle(group);
  return useMutation({
    mutationFn: (change: ErrorGroupChange) =>
      client.changeErrorGroup(group.id, change),
    onSuccess: (_, change) => {
      toast.post({
        title: said(change),
        description: title,
        status: 'success',
        timeout: SAID_FOR_MS,
      });
      // What is muted is in other numbers and trends.
      askAgain(['services']);
      askAgain(['squads']);
      return askAgain(['error-groups']);
    },
    onError: error =>
      toast.post({
        title: t('squad.change.failed'),
        description: reasonOf(error),
        status: 'danger',
      }),
  });

  function said(change: ErrorGroupChange): string {
    const { mutedUntil, mutedCount, assignee, inVersion: version } = change;
    switch (change.action) {
      case 'resolve':
        if (version) return t('squad.change.resolvedIn', { version });
        return change.inNextVersion
          ? t('squad.change.resolvedInNext')
          : t('squad.change.resolved');
      case 'reopen':
        return t('squad.change.reopened');
      case 'mute':
        return mutedUntil
          ? t('squad.change.muted', { time: sayTime(new Date(mutedUntil)) })
          : t('squad.change.mutedCount', { count: mutedCount ?? 0 });
      case 'assign':
        return assignee === 'me'
          ? t('squad.change.assignedToMe')
          : t('squad.change.assigned', { who: assignee ?? '' });
      case 'unassign':
        return t('squad.change.unassigned');
      case 'link':
        return t('squad.change.linked');
      case 'unlink':
        return t('squad.change.unlinked');
      case 'merge':
        return t('squad.change.merged');
      case 'split':
        return t('squad.change.split');
      default:
        return t('squad.change.noted');
    }
  }
}
