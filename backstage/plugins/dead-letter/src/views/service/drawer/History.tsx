import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Badge, Button, Link, Text } from '@backstage/ui';
import {
  DeadLetteredMessage,
  DeadLetteredMessageDetails,
  MessageHistory,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { ReactNode } from 'react';
import { Time } from '../../../components/Time';
import { useOperationPath } from '../../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../../translation';
import { Section } from './Section';
import { timeline } from './timeline';
import styles from './drawer.module.css';

interface HistoryProps {
  message: DeadLetteredMessageDetails;
  onOpen: (id: string) => void;
}

/** What happened to the message: how often it died, and what was done about that. */
export function History({ message, onOpen }: HistoryProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Section title={t('message.history.title')}>
      <ol className={styles.timeline}>
        {timeline(message.history).map(({ at, death, operation }) =>
          death ? (
            <Happened key={death.id} at={at} kind="death">
              <Death death={death} shown={message.id} onOpen={onOpen} />
            </Happened>
          ) : (
            <Happened
              key={`${operation.operationId} ${operation.deadLetterId}`}
              at={at}
              kind="operation"
            >
              <Operation operation={operation} />
            </Happened>
          ),
        )}
      </ol>
    </Section>
  );
}

interface HappenedProps {
  at: string;
  kind: 'death' | 'operation';
  children: ReactNode;
}

function Happened({ at, kind, children }: HappenedProps) {
  return (
    <li data-kind={kind}>
      <div className={styles.when}>
        <Time at={at} />
      </div>
      {children}
    </li>
  );
}

interface DeathProps {
  death: DeadLetteredMessage;
  /** The one that the drawer shows. */
  shown: string;
  onOpen: (id: string) => void;
}

function Death({ death, shown, onOpen }: DeathProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { errorType, errorMessage, reason } = death;
  const why = [errorType, errorMessage].filter(Boolean).join(': ') || reason;
  return (
    <>
      <div className={styles.what}>
        <Text weight="bold">
          {t('message.history.died', {
            queue: death.queue ?? death.service,
          })}
        </Text>
        {death.id === shown ? (
          <Badge size="small">{t('message.history.current')}</Badge>
        ) : (
          <Button
            size="small"
            variant="secondary"
            onPress={() => onOpen(death.id)}
          >
            {t('message.history.open')}
          </Button>
        )}
      </div>
      {why && <div className={styles.why}>{why}</div>}
    </>
  );
}

const KINDS = ['redeliver', 'delete', 'restore'] as const;
const OUTCOMES = [
  'sent',
  'returned',
  'deleted',
  'restored',
  'refused',
  'skipped',
] as const;

function Operation({
  operation,
}: {
  operation: MessageHistory['operations'][number];
}) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const operationPath = useOperationPath();
  const { kind, copy, requestedBy: who, note, detail } = operation;
  const known = KINDS.find(each => each === kind);
  const title = known
    ? t(`message.history.${copy ? 'copy' : known}`, { who })
    : t('message.history.other', { kind, who });
  const outcome = OUTCOMES.find(each => each === operation.outcome);
  return (
    <>
      <div className={styles.what}>
        <Text weight="bold">{title}</Text>
        <Badge
          size="small"
          className={styles.badge}
          data-outcome={operation.outcome ?? 'pending'}
        >
          {outcome
            ? t(`message.history.outcome.${outcome}`)
            : operation.outcome ?? t('message.history.outcome.pending')}
        </Badge>
        <Link href={operationPath(operation.operationId)}>
          {t('message.history.operation')}
        </Link>
      </div>
      {note && <blockquote className={styles.note}>{note}</blockquote>}
      {detail && <div className={styles.why}>{detail}</div>}
    </>
  );
}
