import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Cell, CellText, ColumnConfig, Table } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMemo } from 'react';
import { Time } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { kindOf } from './operation';
import { OperationState } from './OperationState';
import { Outcomes } from './Outcomes';
import { ProgressBar } from './ProgressBar';
import styles from './OperationsPage.module.css';
import { useSelectionInWords } from './useSelectionInWords';

interface OperationsTableProps {
  operations: Operation[];
  onOpen: (id: string) => void;
}

/** Operations in rows; a row opens its operation. */
export function OperationsTable({ operations, onOpen }: OperationsTableProps) {
  return (
    <Table
      columnConfig={useColumns()}
      data={operations}
      pagination={{ type: 'none' }}
      rowConfig={{ onClick: ({ id }) => onOpen(id) }}
    />
  );
}

function useColumns(): ColumnConfig<Operation>[] {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const inWords = useSelectionInWords();
  return useMemo(
    () => [
      {
        id: 'what',
        minWidth: 220,
        label: t('operations.column.what'),
        isRowHeader: true,
        defaultWidth: '3fr',
        cell: each => (
          <CellText
            title={t(`operations.kind.${kindOf(each)}`)}
            description={inWords(each)}
          />
        ),
      },
      {
        id: 'state',
        minWidth: 150,
        label: t('operations.column.state'),
        defaultWidth: '1.5fr',
        cell: each => (
          <Cell>
            <OperationState operation={each} />
          </Cell>
        ),
      },
      {
        id: 'progress',
        minWidth: 120,
        label: t('operations.column.progress'),
        defaultWidth: '2fr',
        cell: each => (
          <Cell>
            <ProgressBar operation={each} />
          </Cell>
        ),
      },
      {
        id: 'outcomes',
        minWidth: 150,
        label: t('operations.column.outcomes'),
        defaultWidth: '2fr',
        cell: each => (
          <Cell>
            <Outcomes operation={each} />
          </Cell>
        ),
      },
      {
        id: 'who',
        minWidth: 140,
        label: t('operations.column.who'),
        defaultWidth: '2fr',
        cell: each => (
          <Cell>
            <Time at={each.createdAt} ago />
            <div className={styles.who}>{each.requestedBy}</div>
          </Cell>
        ),
      },
      {
        id: 'note',
        minWidth: 140,
        label: t('operations.column.note'),
        defaultWidth: '2fr',
        cell: each => <Cell>{each.note}</Cell>,
      },
    ],
    [t, inWords],
  );
}
