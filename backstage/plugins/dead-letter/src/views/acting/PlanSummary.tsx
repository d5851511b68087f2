import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Badge, Button, Text } from '@backstage/ui';
import { Plan } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiFireLine } from '@remixicon/react';
import { ReactNode, useState } from 'react';
import { sayAge } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import tableStyles from '../operations/OutcomeList.module.css';
import { sayNumber } from '../operations/say';
import styles from './PlanSummary.module.css';
import { Warning } from './Warning';

/** What each kind does, in a sentence. */
const MEANS = {
  redeliver: 'goesTo',
  delete: 'undoable',
  restore: 'restorable',
} as const;

/** What a plan would do, and what may go wrong. */
export function PlanSummary({ plan }: { plan: Plan }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const isOnePlace =
    new Set(plan.queues.map(({ broker, vhost }) => `${broker} ${vhost}`)).size <
    2;
  const sayQueue = ({ value, broker, vhost }: Plan['queues'][number]) =>
    value === null || isOnePlace ? value : `${value} (${broker}, ${vhost})`;
  return (
    <>
      <Warnings
        warnings={plan.warnings.filter(({ severity }) => severity !== 'note')}
      />
      <Text as="p">{t(`acting.plan.${MEANS[plan.kind]}`)}</Text>
      <Counts
        title={t('acting.plan.queue')}
        rows={plan.queues.map(queue => ({
          key: [queue.broker, queue.vhost, queue.value].join(' '),
          name: sayQueue(queue) ?? t('acting.plan.unknownQueue'),
          count: queue.count,
        }))}
      />
      <Counts
        title={t('acting.plan.group')}
        rows={plan.errorGroups.map(group => ({
          key: group.id,
          name: <Group group={group} />,
          count: group.count,
        }))}
      />
      <Notes
        notes={plan.warnings.filter(({ severity }) => severity === 'note')}
      />
    </>
  );
}

function Group({ group }: { group: Plan['errorGroups'][number] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const said = [group.errorType, group.title].filter(Boolean).join(': ');
  return (
    <>
      {said || group.reason || group.id}
      {group.failingNow && (
        <Badge
          size="small"
          className={styles.failing}
          icon={<RiFireLine aria-hidden />}
        >
          {t('acting.plan.failing', { age: sayAge(new Date(group.lastSeen)) })}
        </Badge>
      )}
    </>
  );
}

function Warnings({ warnings }: { warnings: Plan['warnings'] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (warnings.length === 0) return null;
  return (
    <Alert
      status="warning"
      icon
      title={t('acting.plan.warnings')}
      description={
        <ul className={styles.warnings}>
          {warnings.map(warning => (
            <li key={`${warning.code} ${warning.message}`}>
              <Warning warning={warning} />
            </li>
          ))}
        </ul>
      }
    />
  );
}

/** What is always so: it must not look like what is a reason to stop. */
function Notes({ notes }: { notes: Plan['warnings'] }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (notes.length === 0) return null;
  return (
    <ul className={styles.notes} aria-label={t('acting.plan.notes')}>
      {notes.map(note => (
        <li key={`${note.code} ${note.message}`}>
          <Warning warning={note} />
        </li>
      ))}
    </ul>
  );
}

/** So many rows are shown at first. */
const SHOWN = 5;

interface CountsProps {
  title: string;
  rows: { key: string; name: ReactNode; count: number }[];
}

function Counts({ title, rows }: CountsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [isWhole, setWhole] = useState(false);
  if (rows.length === 0) return null;
  const shown = isWhole ? rows : rows.slice(0, SHOWN);
  return (
    <div>
      <table className={tableStyles.table}>
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" className={tableStyles.number}>
              {t('acting.plan.count')}
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ key, name, count }) => (
            <tr key={key}>
              <td>{name}</td>
              <td className={tableStyles.number}>{sayNumber(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <Button size="small" variant="tertiary" onPress={() => setWhole(true)}>
          {t('acting.plan.showAll', { number: sayNumber(rows.length) })}
        </Button>
      )}
    </div>
  );
}
