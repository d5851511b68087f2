import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Select } from '@backstage/ui';
import { TypedField } from '../../components/TypedField';
import { deadLetterTranslationRef } from '../../translation';
import styles from './OperationsPage.module.css';

/** What operations are listed by, beside whose they are. */
export const OPERATION_CONDITIONS = [
  'kind',
  'state',
  'requestedBy',
  'since',
] as const;
export type OperationConditions = Partial<
  Record<(typeof OPERATION_CONDITIONS)[number], string>
>;

const KINDS = ['redeliver', 'delete', 'restore'] as const;
/** Groups of states that people look for. */
const STATES = {
  open: 'pending,running,waiting,paused,cancelling',
  paused: 'paused',
  completed: 'completed',
  cancelled: 'cancelled',
} as const;
const HOUR_MS = 3_600_000;
const TIMES = { shift: 8, day: 24, week: 168 } as const;
/** For the option that stands for no condition. */
const ANY = '';

interface OperationFiltersProps {
  conditions: OperationConditions;
  onChange: (conditions: OperationConditions) => void;
}

/** Which operations are listed: what they do, how they stand, whose they are, and of when. */
export function OperationFilters({
  conditions,
  onChange,
}: OperationFiltersProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const set = (name: keyof OperationConditions, value: string) =>
    onChange({ ...conditions, [name]: value || undefined });
  return (
    <div
      role="search"
      aria-label={t('operations.filter.title')}
      className={styles.filters}
    >
      <Select
        label={t('operations.filter.kind')}
        options={[
          { value: ANY, label: t('operations.filter.any') },
          ...KINDS.map(value => ({
            value,
            label: t(`operations.kind.${value}`),
          })),
        ]}
        value={conditions.kind ?? ANY}
        onChange={value => set('kind', String(value))}
      />
      <Select
        label={t('operations.filter.state')}
        options={[
          { value: ANY, label: t('operations.filter.any') },
          ...(Object.keys(STATES) as (keyof typeof STATES)[]).map(name => ({
            value: STATES[name],
            label: t(`operations.filter.states.${name}`),
          })),
        ]}
        value={conditions.state ?? ANY}
        onChange={value => set('state', String(value))}
      />
      <TypedField
        label={t('operations.filter.requestedBy')}
        value={conditions.requestedBy}
        onChange={value => set('requestedBy', value?.trim() ?? '')}
        isSearch
      />
      <Select
        label={t('operations.filter.since')}
        options={[
          { value: ANY, label: t('operations.filter.anyTime') },
          ...(Object.keys(TIMES) as (keyof typeof TIMES)[]).map(value => ({
            value,
            label: t(`operations.filter.times.${value}`),
          })),
        ]}
        value={conditions.since ?? ANY}
        onChange={value => set('since', String(value))}
      />
      {Object.values(conditions).some(Boolean) && (
        <Button variant="tertiary" onPress={() => onChange({})}>
          {t('operations.filter.clear')}
        </Button>
      )}
    </div>
  );
}

/** When a span of time that is looked for began, to the minute: what is asked stays the same for a while. */
export function beginOf(since: string | undefined): string | undefined {
  const hours = TIMES[since as keyof typeof TIMES];
  if (!hours) return undefined;
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  return new Date(minute - hours * HOUR_MS).toISOString();
}
