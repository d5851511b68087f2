import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, CardBody, CardHeader, Link, Text } from '@backstage/ui';
import {
  ErrorGroup,
  ShiftLog,
  ShiftOperation,
  Triage,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Key, ReactNode } from 'react';
import { ServiceText } from '../../components/ServiceText';
import { Time, sayAge } from '../../components/Time';
import { useGroupPath } from '../../hooks/useGroupPath';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { OperationState } from '../operations/OperationState';
import { kindOf } from '../operations/operation';
import { useSelectionInWords } from '../operations/useSelectionInWords';
import { Care } from '../squad/Care';
import { StateBadge } from '../squad/StateBadge';
import { useTitle } from '../squad/useTitle';
import styles from './shiftLog.module.css';

/** What happened, each with a link to it. */
export function Entries({ log }: { log: ShiftLog }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      <List
        title={t('shiftLog.new')}
        entries={log.newGroups}
        keyOf={each => each.id}
      >
        {each => <GroupEntry group={each} at={each.firstSeen} />}
      </List>
      <List
        title={t('shiftLog.regressed')}
        entries={log.regressedGroups}
        keyOf={each => each.id}
      >
        {each => <GroupEntry group={each} at={each.lastSeen} />}
      </List>
      <List
        title={t('shiftLog.triage')}
        entries={log.triage}
        keyOf={({ event, group }) => `${event.at} ${group.id}`}
      >
        {each => <Done triage={each} />}
      </List>
      <List
        title={t('shiftLog.operations')}
        entries={log.operations}
        keyOf={each => each.id}
      >
        {each => <Operation operation={each} />}
      </List>
    </>
  );
}

interface ListProps<T> {
  title: string;
  entries: T[];
  keyOf: (entry: T) => Key;
  children: (entry: T) => ReactNode;
}

function List<T>({ title, entries, keyOf, children }: ListProps<T>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Card>
      <CardHeader>
        <Text as="h3" variant="title-x-small">
          {title} ({entries.length.toLocaleString()})
        </Text>
      </CardHeader>
      <CardBody>
        {entries.length === 0 ? (
          <Text color="secondary">{t('shiftLog.none')}</Text>
        ) : (
          <ul className={styles.entries} aria-label={title}>
            {entries.map(each => (
              <li key={keyOf(each)}>{children(each)}</li>
            ))}
          </ul>
        )}
      </CardBody>
    </Card>
  );
}

function GroupLink({ group }: { group: ErrorGroup }) {
  const groupPath = useGroupPath();
  const title = useTitle(group);
  return (
    <Link href={groupPath(group.id)} weight="bold">
      {[group.errorType, title].filter(Boolean).join(': ')}
    </Link>
  );
}

/** A group in a line: since when, where, what, and how often. */
export function GroupEntry({ group, at }: { group: ErrorGroup; at: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <div className={styles.entry}>
      <Time at={at} />
      <StateBadge group={group} />
      <Text weight="bold">{group.service}</Text>
      <GroupLink group={group} />
      <Care group={group} />
      <Text color="secondary">
        {t('shiftLog.arrived', {
          number: group.arrived.toLocaleString(),
          age: sayAge(new Date(group.lastSeen)),
        })}
      </Text>
    </div>
  );
}

function Done({ triage: { group, event } }: { triage: Triage }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      <div className={styles.entry}>
        <Time at={event.at} />
        <Text>
          {t(`shiftLog.did.${event.action as 'assign'}`, {
            by: event.by,
            who: event.assignee ?? '',
          })}
        </Text>
        <Text weight="bold">{group.service}</Text>
        <GroupLink group={group} />
      </div>
      {event.note && (
        <blockquote className={styles.note}>{event.note}</blockquote>
      )}
    </>
  );
}

function Operation({ operation }: { operation: ShiftOperation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const operationPath = useOperationPath();
  const inWords = useSelectionInWords();
  return (
    <>
      <div className={styles.entry}>
        <Time at={operation.createdAt} />
        <OperationState operation={operation} />
        <Link href={operationPath(operation.id)} weight="bold">
          {t(`operations.kind.${kindOf(operation)}`)}
        </Link>
        <Text>{inWords(operation)}</Text>
        <Text color="secondary">
          {t('operations.startedBy', { who: operation.requestedBy })}
        </Text>
      </div>
      <div>
        <ServiceText text={operation.verdictText} />
      </div>
      {operation.note && (
        <blockquote className={styles.note}>{operation.note}</blockquote>
      )}
      {operation.events.map(event => (
        <div key={`${event.at} ${event.action}`} className={styles.entry}>
          <Time at={event.at} />
          <Text>
            {event.by} {t(`operations.event.${event.action as 'pause'}`)}
          </Text>
        </div>
      ))}
    </>
  );
}
