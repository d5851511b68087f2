import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Select } from '@backstage/ui';
import { deadLetterTranslationRef } from '../../translation';
import { Instant } from '../service/TimeFilter';

const HOUR_MS = 3_600_000;
const SPANS = { shift: 8, half: 12, day: 24 } as const;
type SpanName = keyof typeof SPANS;
const FIRST: SpanName = 'half';

/** Which time, as the address says: a span before now by its name, or times. */
export interface Span {
  since: string | undefined;
  until: string | undefined;
}

function nameOf({ since }: Span): SpanName | 'other' {
  if (since === undefined) return FIRST;
  return since in SPANS ? (since as SpanName) : 'other';
}

/** Its times, as seen from this moment. */
export function spanOf(
  span: Span,
  now: number,
): { since: string; until: string | undefined } {
  const name = nameOf(span);
  const at = new Date(span.since ?? NaN);
  const isTime = name === 'other' && !Number.isNaN(at.getTime());
  const hours = name === 'other' ? SPANS[FIRST] : SPANS[name];
  return {
    since: (isTime ? at : new Date(now - hours * HOUR_MS)).toISOString(),
    until: span.until,
  };
}

interface TimeOfShiftProps {
  span: Span;
  onChange: (span: Partial<Record<keyof Span, string | undefined>>) => void;
}

/** The time that a shift log is of. */
export function TimeOfShift({ span, onChange }: TimeOfShiftProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const name = nameOf(span);
  return (
    <>
      <Select
        label={t('shiftLog.time')}
        options={[...(Object.keys(SPANS) as SpanName[]), 'other' as const].map(
          value => ({ value, label: t(`shiftLog.spans.${value}`) }),
        )}
        value={name}
        onChange={next =>
          next === 'other'
            ? onChange({ since: spanOf(span, Date.now()).since })
            : onChange({ since: String(next), until: undefined })
        }
      />
      {name === 'other' && (
        <>
          <Instant
            label={t('shiftLog.since')}
            value={span.since}
            onChange={since => onChange({ since })}
          />
          <Instant
            label={t('shiftLog.until')}
            value={span.until}
            onChange={until => onChange({ until })}
          />
        </>
      )}
    </>
  );
}
