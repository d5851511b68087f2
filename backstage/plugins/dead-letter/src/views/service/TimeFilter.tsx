import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Select } from '@backstage/ui';
import { useState } from 'react';
import { deadLetterTranslationRef } from '../../translation';
import { Conditions } from './useFilter';
import styles from './TimeFilter.module.css';

const HOUR = 3_600_000;
const SPANS = { lastHour: HOUR, lastDay: 24 * HOUR, lastWeek: 168 * HOUR };
type Choice = keyof typeof SPANS | 'anyTime' | 'fromTo';
const CHOICES: Choice[] = [
  'anyTime',
  'lastHour',
  'lastDay',
  'lastWeek',
  'fromTo',
];

interface TimeFilterProps {
  conditions: Conditions;
  onChange: (changes: Conditions) => void;
}

/** When it arrived. A span counts from the moment it is chosen: what is shown stays the same. */
export function TimeFilter({ conditions, onChange }: TimeFilterProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [chosen, setChosen] = useState<{ choice: Choice; from?: string }>();
  const { from, to } = conditions;
  // It was chosen here only as long as nothing else has changed the time since.
  const isHere = chosen?.choice === 'fromTo' || (chosen?.from === from && !to);
  const given = from || to ? 'fromTo' : 'anyTime';
  const choice = chosen && isHere ? chosen.choice : given;
  const choose = (next: Choice) => {
    if (next === 'fromTo') {
      setChosen({ choice: next });
      return;
    }
    const begin =
      next === 'anyTime'
        ? undefined
        : new Date(Date.now() - SPANS[next]).toISOString();
    setChosen({ choice: next, from: begin });
    onChange({ from: begin, to: undefined });
  };
  return (
    <>
      <Select
        label={t('service.time')}
        options={CHOICES.map(value => ({
          value,
          label: t(`service.${value}`),
        }))}
        value={choice}
        onChange={next => choose(next as Choice)}
      />
      {choice === 'fromTo' && (
        <>
          <Instant
            label={t('service.from')}
            value={from}
            onChange={next => onChange({ from: next })}
          />
          <Instant
            label={t('service.to')}
            value={to}
            onChange={next => onChange({ to: next })}
          />
        </>
      )}
    </>
  );
}

interface InstantProps {
  label: string;
  /** RFC 3339. */
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A time of day as it is here. */
export function Instant({ label, value, onChange }: InstantProps) {
  return (
    <label className={styles.instant}>
      <span>{label}</span>
      <input
        type="datetime-local"
        step={1}
        value={value ? toLocal(value) : ''}
        onChange={event => {
          const chosen = event.target.value;
          onChange(chosen ? new Date(chosen).toISOString() : undefined);
        }}
      />
    </label>
  );
}

/** As the input wants it; nothing where it is no time. */
function toLocal(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return '';
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}
