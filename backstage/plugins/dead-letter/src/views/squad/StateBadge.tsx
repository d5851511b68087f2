import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge, Text } from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiSparklingLine,
  RiTimeLine,
  RiVolumeMuteLine,
} from '@remixicon/react';
import { sayTime } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import styles from './squad.module.css';

const ICONS = {
  new: <RiSparklingLine size={12} aria-hidden />,
  ongoing: <RiTimeLine size={12} aria-hidden />,
  regressed: <RiArrowGoBackLine size={12} aria-hidden />,
  resolved: <RiCheckLine size={12} aria-hidden />,
  muted: <RiVolumeMuteLine size={12} aria-hidden />,
};

/** Whether a group is news, and what somebody said about it. */
export function StateBadge({ group }: { group: ErrorGroup }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  // The document names the states, not its type: one that is not known yet is shown as it is.
  const state = group.state as keyof typeof ICONS;
  const known = state in ICONS;
  return (
    <>
      <Badge
        size="small"
        className={styles.state}
        data-state={state}
        icon={ICONS[state]}
        title={known ? t(`squad.groups.stateHint.${state}`) : undefined}
      >
        {known ? t(`squad.groups.state.${state}`) : state}
      </Badge>
      {state === 'muted' && group.mutedUntil && (
        <Text variant="body-small" color="secondary">
          {t('squad.groups.mutedUntil', {
            time: sayTime(new Date(group.mutedUntil)),
          })}
        </Text>
      )}
      {state === 'muted' && group.mutedUpTo && (
        <Text variant="body-small" color="secondary">
          {t('squad.groups.mutedUpTo', {
            number: group.mutedUpTo.toLocaleString(),
            arrived: group.arrived.toLocaleString(),
          })}
        </Text>
      )}
    </>
  );
}
