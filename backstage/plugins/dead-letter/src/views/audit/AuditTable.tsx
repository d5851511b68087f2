import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Cell, CellText, ColumnConfig, Link, Table } from '@backstage/ui';
import { AuditEntry } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo } from 'react';
import { PlainTime } from '../../components/Time';
import { useMessagePath } from '../../hooks/useMessagePath';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { sayId } from '../operations/say';
import styles from './AuditPage.module.css';

/** Entries in rows. */
export function AuditTable({ entries }: { entries: AuditEntry[] }) {
  return (
    <Table
      columnConfig={useColumns()}
      data={entries}
      pagination={{ type: 'none' }}
    />
  );
}

function useColumns(): ColumnConfig<AuditEntry>[] {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return useMemo(
    () => [
      {
        id: 'when',
        label: t('audit.when'),
        width: 150,
        cell: each => (
          <Cell>
            <PlainTime at={each.at} />
          </Cell>
        ),
      },
      {
        id: 'what',
        label: t('audit.what'),
        isRowHeader: true,
        width: '1.5fr',
        cell: each => (
          <CellText
            title={t(`audit.actions.${each.action}`)}
            description={
              each.times > 1 ? t('audit.times', { count: each.times }) : ''
            }
          />
        ),
      },
      {
        id: 'who',
        label: t('audit.who'),
        width: '2fr',
        cell: each => (
          <Cell>
            <div>{each.actor.name || t('audit.notSignedIn')}</div>
            {each.actor.address && (
              <div className={styles.small}>
                {t('audit.from', { address: each.actor.address })}
              </div>
            )}
          </Cell>
        ),
      },
      {
        id: 'about',
        label: t('audit.about'),
        width: '2fr',
        cell: each => (
          <Cell>
            <About entry={each} />
          </Cell>
        ),
      },
      {
        id: 'why',
        label: t('audit.why'),
        width: '2fr',
        cell: each => <CellText title={each.reason ?? '–'} />,
      },
    ],
    [t],
  );
}

/** What it is about, with a way there, and what else is known. */
function About({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const operationPath = useOperationPath();
  const messagePath = useMessagePath();
  const { services, operationId, deadLetterId, details } = entry;
  const { route } = details as { route?: string };
  return (
    <>
      {services.length > 0 && <div>{services.join(', ')}</div>}
      {operationId && (
        <Link href={operationPath(operationId)}>
          {t('audit.operation', { id: sayId(operationId) })}
        </Link>
      )}
      {deadLetterId && (
        <Link href={messagePath(deadLetterId)}>
          {t('audit.deadLetter', { id: sayId(deadLetterId) })}
        </Link>
      )}
      {route && <code className={styles.small}>{route}</code>}
    </>
  );
}
