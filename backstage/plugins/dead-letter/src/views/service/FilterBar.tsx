import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Select, Tag, TagGroup } from '@backstage/ui';
import { CountedGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { TypedField } from '../../components/TypedField';
import { deadLetterTranslationRef } from '../../translation';
import { TimeFilter } from './TimeFilter';
import { Condition, Conditions } from './useFilter';
import { useGroupName } from './useGroups';
import styles from './service.module.css';

/** Conditions that have a field; the others are shown as they are. */
const WITH_FIELD: Condition[] = [
  'queue',
  'errorGroup',
  'find',
  'returned',
  'from',
  'to',
  'status',
];
const STATUSES = ['dead', 'redelivered', 'deleted', 'any'] as const;
/** For the option that stands for no condition. */
const ANY = '';

interface FilterBarProps {
  /** Error groups of the service. */
  groups: CountedGroup[];
  conditions: Conditions;
  onChange: (changes: Conditions, options?: { replace?: boolean }) => void;
  onClear: () => void;
}

/** What is to be shown. */
export function FilterBar({
  groups,
  conditions,
  onChange,
  onClear,
}: FilterBarProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const others = Object.entries(conditions).filter(
    ([name]) => !WITH_FIELD.includes(name as Condition),
  );
  return (
    <div role="search" aria-label={t('service.filter')}>
      <div className={styles.filters}>
        <TypedField
          className={styles.find}
          label={t('service.find')}
          placeholder={t('service.findHint')}
          value={conditions.find}
          onChange={find => onChange({ find }, { replace: true })}
          isSearch
        />
        <GroupSelect
          groups={groups}
          chosen={conditions.errorGroup}
          onChange={errorGroup => onChange({ errorGroup })}
        />
        <TypedField
          label={t('service.queue')}
          placeholder={t('service.queueHint')}
          value={conditions.queue}
          onChange={queue => onChange({ queue }, { replace: true })}
        />
        <Select
          label={t('service.status')}
          options={STATUSES.map(value => ({
            value,
            label: t(`service.${value}`),
          }))}
          value={conditions.status ?? 'dead'}
          onChange={status =>
            onChange({ status: status === 'dead' ? undefined : String(status) })
          }
        />
        <Select
          label={t('service.returned')}
          options={[
            { value: ANY, label: t('service.returnedAny') },
            { value: 'true', label: t('service.returnedTrue') },
            { value: 'false', label: t('service.returnedFalse') },
          ]}
          value={conditions.returned ?? ANY}
          onChange={returned =>
            onChange({ returned: String(returned) || undefined })
          }
        />
        {/* Last: its own two fields follow it. */}
        <TimeFilter conditions={conditions} onChange={onChange} />
        <Button
          variant="tertiary"
          isDisabled={Object.keys(conditions).length === 0}
          onPress={onClear}
        >
          {t('service.clearFilter')}
        </Button>
      </div>
      {others.length > 0 && (
        <TagGroup
          aria-label={t('service.filter')}
          className={styles.chips}
          onRemove={names =>
            onChange(
              Object.fromEntries([...names].map(name => [name, undefined])),
            )
          }
        >
          {others.map(([name, value]) => (
            <Tag key={name} id={name} textValue={name}>
              {name}: {value}
            </Tag>
          ))}
        </TagGroup>
      )}
    </div>
  );
}

interface GroupSelectProps {
  groups: CountedGroup[];
  chosen: string | undefined;
  onChange: (group: string | undefined) => void;
}

function GroupSelect({ groups, chosen, onChange }: GroupSelectProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const nameOf = useGroupName();
  const options: { value: string; label: string }[] = groups.map(group => ({
    value: group.id,
    label: t('service.groupOption', {
      title: nameOf(group),
      count: group.count,
    }),
  }));
  if (chosen && !options.some(option => option.value === chosen)) {
    options.push({ value: chosen, label: t('service.unknownGroup') });
  }
  return (
    <Select
      label={t('service.errorGroup')}
      options={[{ value: ANY, label: t('service.anyGroup') }, ...options]}
      value={chosen ?? ANY}
      onChange={group => onChange(group === ANY ? undefined : String(group))}
    />
  );
}
