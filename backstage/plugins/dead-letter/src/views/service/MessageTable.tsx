import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Cell,
  ColumnConfig,
  Link,
  Table,
  TablePagination,
} from '@backstage/ui';
import {
  DeadLetteredMessage,
  DeadLetteredMessages,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiExternalLinkLine } from '@remixicon/react';
import { useEffect, useMemo, useRef } from 'react';
import { deadLetterTranslationRef } from '../../translation';
import { Arrived, Common, CommonContext, Failed, Value } from './cells';
import { PAGE_SIZES, View } from './useFilter';
import { Chosen } from './useSelection';
import styles from './MessageTable.module.css';

/** Two lines of text in each row, and room around them. */
const ROW_REMS = 3.75;
/** BUI's box that a table is scrolled in. */
const SCROLLED = '.bui-TableScrollContainer';

interface MessageTableProps {
  page: DeadLetteredMessages;
  common: Common;
  isStale: boolean;
  view: View;
  /** What is chosen; undefined where nothing can be. */
  chosen: Chosen | undefined;
  /** To another page, and the number of its first row. */
  onTurn: (cursor: string, first: number) => void;
  onLimit: (limit: number) => void;
}

/** A page of dead letters. Only the rows in sight are drawn; they are scrolled below their header, in a box of their own. */
export function MessageTable(props: MessageTableProps) {
  const { page, common, isStale, view, chosen } = props;
  const { messages } = page;
  const hasLogs = messages.some(each => each.logLink);
  const showsStatus = (view.conditions.status ?? 'dead') !== 'dead';
  const columns = useColumns(showsStatus, hasLogs);
  const rows = useMemo(() => ({ rowHeight: ROW_REMS * pixelsOfRem() }), []);
  const box = useRef<HTMLDivElement>(null);
  // The next page begins at its top.
  const { cursor } = view;
  useEffect(() => {
    box.current?.querySelector(SCROLLED)?.scrollTo?.({ top: 0 });
  }, [cursor]);
  return (
    <div className={styles.table} ref={box}>
      <CommonContext.Provider value={common}>
        <Table
          columnConfig={columns}
          data={messages}
          isStale={isStale}
          virtualized={rows}
          pagination={{ type: 'none' }}
          selection={
            chosen && {
              mode: 'multiple',
              behavior: 'toggle',
              selected: chosen.ids,
              // 'all' is the page.
              onSelectionChange: keys =>
                chosen.choose(
                  keys === 'all'
                    ? new Set(messages.map(each => each.id))
                    : new Set([...keys].map(String)),
                ),
            }
          }
          rowConfig={{ onClick: message => common.onOpen(message.id) }}
        />
      </CommonContext.Provider>
      <Pages {...props} />
    </div>
  );
}

function pixelsOfRem(): number {
  const { fontSize } = getComputedStyle(document.documentElement);
  return parseFloat(fontSize) || 16;
}

/** Which rows of all are shown, and the way to the others. */
function Pages({ page, view, onTurn, onLimit }: MessageTableProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { messages, total, nextCursor, prevCursor } = page;
  const { first, limit } = view;
  return (
    <TablePagination
      pageSize={limit}
      pageSizeOptions={PAGE_SIZES.map(value => ({
        value,
        label: t('service.pageSize', { count: value }),
      }))}
      totalCount={total.value}
      getLabel={() =>
        t(total.relation === 'eq' ? 'service.shown' : 'service.shownAtLeast', {
          first,
          last: first + messages.length - 1,
          count: total.value,
        })
      }
      hasNextPage={nextCursor !== null}
      hasPreviousPage={prevCursor !== null}
      onNextPage={() => nextCursor && onTurn(nextCursor, first + limit)}
      onPreviousPage={() =>
        prevCursor && onTurn(prevCursor, Math.max(1, first - limit))
      }
      onPageSizeChange={onLimit}
    />
  );
}

/** All rows are made anew where these change: they depend on little. */
function useColumns(
  showsStatus: boolean,
  hasLogs: boolean,
): ColumnConfig<DeadLetteredMessage>[] {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return useMemo(
    () => [
      {
        id: 'timestamp',
        label: t('service.timestamp'),
        isRowHeader: true,
        width: 200,
        cell: message => (
          <Cell>
            <Arrived message={message} showsStatus={showsStatus} />
          </Cell>
        ),
      },
      {
        id: 'error',
        label: t('service.errorColumn'),
        minWidth: 220,
        width: '2fr',
        cell: message => (
          <Cell>
            <Failed message={message} />
          </Cell>
        ),
      },
      ...(
        [
          ['queue', t('service.queue'), false],
          ['routingKey', t('service.routingKey'), false],
          ['messageId', t('service.messageId'), true],
          ['correlationId', t('service.correlationId'), true],
        ] as const
      ).map(([id, label, canCopy]) => ({
        id,
        label,
        minWidth: 120,
        width: '1fr' as const,
        cell: (message: DeadLetteredMessage) => (
          <Cell>
            <Value text={message[id]} what={canCopy ? label : undefined} />
          </Cell>
        ),
      })),
      {
        id: 'logs',
        // Without a log link configured there is nothing in it.
        isHidden: !hasLogs,
        label: t('service.logs'),
        width: 64,
        cell: message => (
          <Cell>
            {message.logLink && (
              <Link
                href={message.logLink}
                target="_blank"
                aria-label={t('service.logsOf', {
                  id: message.messageId ?? message.id,
                })}
              >
                <RiExternalLinkLine size={16} aria-hidden />
              </Link>
            )}
          </Cell>
        ),
      },
    ],
    [t, showsStatus, hasLogs],
  );
}
