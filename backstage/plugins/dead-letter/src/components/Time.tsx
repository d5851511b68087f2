import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Tooltip, TooltipTrigger } from '@backstage/ui';
import { Focusable } from 'react-aria-components';
import { deadLetterTranslationRef } from '../translation';

interface TimeProps {
  /** RFC 3339; null where it never was. */
  at: string | null | undefined;
  /** Shows how long ago it was instead of when. */
  ago?: boolean;
}

/** A time as it is here; its tooltip names the zone, and has it in UTC too. */
export function Time({ at, ago }: TimeProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (!at) return <>{t('common.never')}</>;
  const date = new Date(at);
  return (
    <TooltipTrigger>
      <Focusable>
        {/* By keyboard too it must be possible to read it in UTC. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <time dateTime={at} tabIndex={0} role="note">
          {ago ? sayAge(date) : sayTime(date)}
        </time>
      </Focusable>
      <Tooltip>
        <div>{sayZoned(date)}</div>
        <div>{sayUtc(date)}</div>
      </Tooltip>
    </TooltipTrigger>
  );
}

/** The same for tables with many rows, where two hundred tooltips of their own take seconds. */
export function PlainTime({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${sayZoned(date)}\n${sayUtc(date)}`}>
      {sayTime(date)}
    </time>
  );
}

function sayUtc(date: Date): string {
  return date.toISOString().replace('T', ' ');
}

/** Date and time of day to the second, as it is written here. */
export function sayTime(date: Date): string {
  return date.toLocaleString(undefined, {
    dateStyle: 'short',
    timeStyle: 'medium',
  });
}

/** The same with the zone that it is in. */
function sayZoned(date: Date): string {
  return date.toLocaleString(undefined, {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** How long ago, in its largest unit. */
export function sayAge(date: Date, now: Date = new Date()): string {
  const seconds = Math.round((date.getTime() - now.getTime()) / 1_000);
  const [unit, length] =
    UNITS.find(([, each]) => Math.abs(seconds) >= each) ??
    UNITS[UNITS.length - 1];
  return new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(
    Math.trunc(seconds / length),
    unit,
  );
}
