import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../translation';

/** A reason of the broker at the beginning of a text. */
export function sayReason(reason: string): string {
  return reason.charAt(0).toLocaleUpperCase() + reason.slice(1);
}

/** What a group is called: its error, or where there is none the broker's reason. */
export function useTitle(group: ErrorGroup): string {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (group.title) return group.title;
  return t('squad.groups.untitled', {
    reason: group.reason
      ? sayReason(group.reason)
      : t('squad.groups.unknownReason'),
  });
}
