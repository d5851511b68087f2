import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Badge,
  Cell,
  ColumnConfig,
  Link,
  Table,
  TablePagination,
  Text,
} from '@backstage/ui';
import {
  DeadLetteredMessage,
  DeadLetteredMessages,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  RiCheckLine,
  RiExternalLinkLine,
  RiFileCopyLine,
} from '@remixicon/react';
import { useMemo, useRef } from 'react';
import { Button as Open } from 'react-aria-components';
import { DiedAgain } from '../../components/DiedAgain';
import { useCopy } from '../../components/CopyButton';
import { PlainTime } from '../../components/Time';
import { deadLetterTranslationRef } from '../../translation';
import { PAGE_SIZES, View } from './useFilter';
import styles from './service.module.css';

interface MessageTableProps {
  page: DeadLetteredMessages;
  /** Rows that are not what the filter lists any more. */
  gone: ReadonlySet<string>;
  isStale: boolean;
  view: View;
  chosen: Set<string>;
  onChoose: (ids: Set<string>) => void;
  onOpen: (id: string) => void;
  onTurn: (cursor: string) => void;
  onLimit: (limit: number) => void;
}

/** A page of dead letters. */
export function MessageTable(props: MessageTableProps) {
  const { page, gone, isStale, view, chosen, onChoose, onOpen } = props;
  const { onTurn, onLimit } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { messages, total, nextCursor, prevCursor } = page;
  const hasLogs = messages.some(each => each.logLink);
  const columns = useColumns(view, gone, hasLogs, onOpen);
  const top = useRef<HTMLDivElement>(null);
  // The next page begins at its top.
  const turn = (cursor: string) => {
    onTurn(cursor);
    top.current?.scrollIntoView?.({ block: 'nearest' });
  };
  return (
    <div className={styles.table} ref={top}>
      <Table
        columnConfig={columns}
        data={messages}
        isStale={isStale}
        pagination={{ type: 'none' }}
        selection={{
          mode: 'multiple',
          behavior: 'toggle',
          selected: chosen,
          // 'all' is the page.
          onSelectionChange: keys =>
            onChoose(
              keys === 'all'
                ? new Set(messages.map(each => each.id))
                : new Set([...keys].map(String)),
            ),
        }}
        rowConfig={{ onClick: message => onOpen(message.id) }}
      />
      <Text as="p" variant="body-small" color="secondary">
        {t(total.relation === 'eq' ? 'service.shown' : 'service.shownAtLeast', {
          shown: messages.length.toLocaleString(),
          count: total.value,
        })}
      </Text>
      <TablePagination
        pageSize={view.limit}
        pageSizeOptions={PAGE_SIZES}
        hasNextPage={nextCursor !== null}
        hasPreviousPage={prevCursor !== null}
        onNextPage={() => nextCursor && turn(nextCursor)}
        onPreviousPage={() => prevCursor && turn(prevCursor)}
        onPageSizeChange={onLimit}
        showPaginationLabel={false}
      />
    </div>
  );
}

function useColumns(
  view: View,
  gone: ReadonlySet<string>,
  hasLogs: boolean,
  onOpen: (id: string) => void,
): ColumnConfig<DeadLetteredMessage>[] {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const showsStatus = (view.conditions.status ?? 'dead') !== 'dead';
  return useMemo(
    () => [
      {
        id: 'timestamp',
        label: t('service.timestamp'),
        isRowHeader: true,
        width: 150,
        cell: message => (
          <Cell>
            <PlainTime at={message.receivedAt} />
            {gone.has(message.id) ? (
              <Badge size="small">
                {t(showsStatus ? 'service.gone' : 'service.goneDead')}
              </Badge>
            ) : (
              showsStatus && (
                <Text as="div" variant="body-small" color="secondary">
                  {t(`service.${message.status as 'dead'}`)}
                </Text>
              )
            )}
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
            {/* While rows are chosen, a click on a row chooses it; this opens it always. */}
            <Open
              className={styles.open}
              data-gone={gone.has(message.id) || undefined}
              onPress={() => onOpen(message.id)}
            >
              <b>{message.errorType ?? message.reason}</b>{' '}
              {message.errorMessage}
            </Open>
            <DiedAgain message={message} />
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
    [t, showsStatus, gone, hasLogs, onOpen],
  );
}

/** A value that may be long: its end gives way, and it can be copied whole. */
function Value({ text, what }: { text?: string | null; what?: string }) {
  if (!text) return <span aria-hidden>–</span>;
  return (
    <div className={styles.value}>
      <span title={text}>{text}</span>
      {what && <Copy what={what} text={text} />}
    </div>
  );
}

/** Hundreds of these: a button of the browser's own is drawn much sooner. */
function Copy({ what, text }: { what: string; text: string }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { copied, copy } = useCopy(text);
  return (
    <button
      type="button"
      className={styles.copy}
      aria-label={copied ? t('common.copied') : t('common.copy', { what })}
      // The row would take it for a click on itself.
      onPointerDown={event => event.stopPropagation()}
      onClick={event => {
        event.stopPropagation();
        copy();
      }}
    >
      {copied ? <RiCheckLine size={16} /> : <RiFileCopyLine size={16} />}
    </button>
  );
}
