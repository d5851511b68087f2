import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiAlertLine,
  RiCheckLine,
  RiCloseCircleLine,
  RiErrorWarningLine,
  RiEyeLine,
  RiHourglassLine,
  RiLoader2Line,
  RiPauseCircleLine,
  RiTimeLine,
} from '@remixicon/react';
import { deadLetterTranslationRef } from '../../translation';
import { standingOf, toneOf } from './operation';
import styles from './Outcomes.module.css';

const ICONS = {
  pending: RiTimeLine,
  running: RiLoader2Line,
  waiting: RiHourglassLine,
  paused: RiPauseCircleLine,
  cancelling: RiCloseCircleLine,
  cancelled: RiCloseCircleLine,
  watching: RiEyeLine,
  completed: RiCheckLine,
  completedWithProblems: RiAlertLine,
  failed: RiErrorWarningLine,
};

/** Where an operation stands, in an icon and a word. */
export function OperationState({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const standing = standingOf(operation);
  const Icon = ICONS[standing];
  return (
    <Badge
      className={styles.state}
      data-tone={toneOf(operation)}
      data-standing={standing}
      icon={<Icon aria-hidden />}
    >
      {t(`operations.state.${standing}`)}
    </Badge>
  );
}
