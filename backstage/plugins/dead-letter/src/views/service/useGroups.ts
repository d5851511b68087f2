import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  CountedGroup,
  Filter,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useCallback, useMemo } from 'react';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import { deadLetterTranslationRef } from '../../translation';
import { sayReason } from '../squad/useTitle';

const NONE: CountedGroup[] = [];

/** The error groups of a service, counted by this status. */
export function useGroups(
  service: string,
  status: Filter['status'],
): CountedGroup[] {
  const filter: Filter = { service, status };
  const { data } = useAnswer(
    ['groups', filter],
    (client, signal) => client.errorGroups(filter, 50, signal),
    { every: EVERY_MS },
  );
  return data?.groups ?? NONE;
}

/** Those that somebody has left a note on. */
export function useNoted(groups: CountedGroup[]): ReadonlySet<string> {
  return useMemo(
    () => new Set(groups.filter(each => each.notes > 0).map(each => each.id)),
    [groups],
  );
}

/** What a group is called in one line. */
export function useGroupName(): (group: CountedGroup) => string {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return useCallback(
    ({ title, errorType, reason }) =>
      title ??
      errorType ??
      t('service.noText', { reason: sayReason(reason ?? '') }),
    [t],
  );
}
