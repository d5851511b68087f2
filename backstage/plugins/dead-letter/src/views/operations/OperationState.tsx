import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiCheckLine,
  RiCloseCircleLine,
  RiErrorWarningLine,
  RiLoader2Line,
  RiPauseCircleLine,
  RiTimeLine,
} from '@remixicon/react';
import { deadLetterTranslationRef } from '../../translation';
import { wentWrong } from './operation';

const ICONS = {
  pending: RiTimeLine,
  running: RiLoader2Line,
  paused: RiPauseCircleLine,
  cancelling: RiCloseCircleLine,
  cancelled: RiCloseCircleLine,
  completed: RiCheckLine,
};

/** Where an operation stands, in an icon and a word. */
export function OperationState({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const state = operation.state as keyof typeof ICONS;
  const Icon =
    state === 'completed' && wentWrong(operation)
      ? RiErrorWarningLine
      : ICONS[state];
  return (
    <Badge icon={<Icon aria-hidden />}>{t(`operations.state.${state}`)}</Badge>
  );
}
