import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  ErrorGroup,
  ErrorGroupChange,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { deadLetterTranslationRef } from '../../translation';

const HOUR_MS = 3_600_000;

const TIMES = {
  muteHour: HOUR_MS,
  muteShift: 8 * HOUR_MS,
  muteDay: 24 * HOUR_MS,
  muteWeek: 7 * 24 * HOUR_MS,
};

/** How long a group is muted: for a time, or until it has grown. */
export type MuteChoice = keyof typeof TIMES | 'muteGrown';

/** What is offered. */
export const MUTES = [
  'muteHour',
  'muteShift',
  'muteDay',
  'muteWeek',
  'muteGrown',
] as const satisfies readonly MuteChoice[];

/** It has grown when as many have arrived again as have until now. */
function growthOf({ arrived }: ErrorGroup): number {
  return Math.max(1, arrived);
}

/** When a mute ends, as the service takes it. */
export function mutedBy(
  choice: MuteChoice,
  group: ErrorGroup,
): Pick<ErrorGroupChange, 'mutedUntil' | 'mutedCount'> {
  return choice === 'muteGrown'
    ? { mutedCount: growthOf(group) }
    : { mutedUntil: new Date(Date.now() + TIMES[choice]).toISOString() };
}

/** What a mute is called. */
export function useSayMute() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (choice: MuteChoice, group: ErrorGroup) =>
    t(`squad.change.${choice}`, { count: growthOf(group) });
}
