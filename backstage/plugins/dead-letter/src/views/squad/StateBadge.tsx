import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge } from '@backstage/ui';
import {
  RiArrowGoBackLine,
  RiCheckLine,
  RiRepeatLine,
  RiSparklingLine,
  RiVolumeMuteLine,
} from '@remixicon/react';
import { deadLetterTranslationRef } from '../../translation';
import styles from './ErrorGroups.module.css';

const ICONS = {
  new: RiSparklingLine,
  ongoing: RiRepeatLine,
  regressed: RiArrowGoBackLine,
  resolved: RiCheckLine,
  muted: RiVolumeMuteLine,
} as const;

type State = keyof typeof ICONS;

/** How an error group stands. */
export function StateBadge({ state }: { state: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  // A newer service may know more states: their name is better than nothing.
  if (!(state in ICONS)) return <Badge size="small">{state}</Badge>;
  const known = state as State;
  const Icon = ICONS[known];
  return (
    <Badge
      size="small"
      icon={<Icon aria-hidden />}
      className={`${styles.badge} ${styles[known] ?? ''}`}
    >
      {t(`squad.states.${known}`)}
    </Badge>
  );
}
